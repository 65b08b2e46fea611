"""What a span is: a call to a model, or a step around one. Rules in the order in which they decide."""

import re
from collections.abc import Callable

from ingest.wire.conventions.names import VECTOR_STORES, is_http, is_http_scope
from ingest.wire.otlp_read import RawSpan, Slots
from ingest.wire.values import text_of

CLIENT, SERVER = 3, 2
_CALL = "call"

_OPENINFERENCE = {
    "LLM": "call", "EMBEDDING": "call", "RERANKER": "call", "AGENT": "agent", "TOOL": "tool",
    "RETRIEVER": "retrieval",
}  # fmt: skip
_LANGFUSE = {
    "generation": "call", "embedding": "call", "agent": "agent", "tool": "tool", "retriever": "retrieval",
    "event": "ignored",
}  # fmt: skip
_MLFLOW = {
    "CHAT_MODEL": "call", "LLM": "call", "EMBEDDING": "call", "AGENT": "agent", "TOOL": "tool",
    "RETRIEVER": "retrieval",
}  # fmt: skip
_OPERATION = {
    "chat": "call", "text_completion": "call", "completion": "call", "generate_content": "call",
    "embeddings": "call", "embedding": "call", "acompletion": "call", "aembedding": "call",
    "responses": "call", "aresponses": "call", "generate": "call", "rerank": "call", "arerank": "call",
    "fetch_response": "call", "atext_completion": "call", "image_generation": "call",
    "transcription": "call", "speech": "call",
    "invoke_agent": "agent", "create_agent": "agent", "agent_step": "step", "invoke_workflow": "workflow",
    "execute_tool": "tool", "execute_task": "step", "retrieval": "retrieval", "search_memory": "retrieval",
    "plan": "step",
}  # fmt: skip
_TRACELOOP = {"workflow": "workflow", "task": "step", "agent": "agent", "tool": "tool"}
_TABLES: tuple[tuple[str, dict[str, str]], ...] = (
    ("openinference_kind", _OPENINFERENCE),
    ("langfuse_kind", _LANGFUSE),
    ("mlflow_kind", _MLFLOW),
)
_AI_CALLS = (".doGenerate", ".doStream", ".doEmbed", ".doRerank")
_REQUEST_TYPES = frozenset(("chat", "completion", "embedding", "acompletion", "aembedding", "rerank"))
OPENLIT_NAME = re.compile(r"(chat|embeddings|text_completion|generate_content) (\S+)$")
_CALL_SCOPES = frozenset(("logfire.openai", "logfire.anthropic"))
_USAGE = ("input_tokens", "output_tokens")


def kind_of(raw: RawSpan) -> str:
    """The span's kind, one of `SpanRecord.kind`; `pending` for a placeholder that is to be dropped.

    The first rule that knows decides: usage attributes alone never make a call (roll-ups have them, too)."""
    for rule in RULES:
        kind = rule(raw)
        if kind is not None:
            return kind
    return "step"


def _logfire(raw: RawSpan) -> str | None:
    kind = raw.slots.get("logfire_kind")
    if kind == "pending_span":
        return "pending"
    if kind != "log":
        return None
    is_tail = "model" in raw.slots and raw.name.startswith("streaming response from")
    return "tail" if is_tail else "ignored"


def _declared(raw: RawSpan) -> str | None:
    for slot, table in _TABLES:
        if slot in raw.slots:
            return _checked(table.get(text_of(raw.slots[slot]) or "", "step"), raw.slots)
    return None


def _checked(kind: str, slots: Slots) -> str:
    is_rerank = slots.get("openinference_kind") == "RERANKER"
    return "step" if is_rerank and not {"model", "reranker_model"} & slots.keys() else kind


def _ai_sdk(raw: RawSpan) -> str | None:
    operation = raw.slots.get("ai_operation")
    if operation is None:
        return None
    if str(operation).endswith(_AI_CALLS):
        return _CALL
    return "tool" if operation == "ai.toolCall" else "wrapper"


def _operation(raw: RawSpan) -> str | None:
    slots = raw.slots
    operation = slots.get("operation")
    if operation is None:
        return None
    known = _OPERATION.get(str(operation))
    if known is not None:
        return known
    tells = raw.failed or "error_type" in slots or any(slot in slots for slot in _USAGE)
    return _CALL if raw.kind == CLIENT and "model" in slots and tells else "step"


def _request_type(raw: RawSpan) -> str | None:
    known = raw.slots.get("request_type") in _REQUEST_TYPES and "model" in raw.slots
    return _CALL if known else None


def is_failed_openlit(raw: RawSpan) -> bool:
    """OpenLIT sets attributes on success only: a call that failed is its name and nothing else."""
    return (
        raw.scope.startswith("openlit.instrumentation.")
        and "model" not in raw.slots
        and OPENLIT_NAME.match(raw.name) is not None
    )


def _by_scope(raw: RawSpan) -> str | None:
    """Instrumentations that trace nothing but model calls, in releases that do not name the operation."""
    known = raw.scope in _CALL_SCOPES and "model" in raw.slots
    return _CALL if known or is_failed_openlit(raw) else None


def _infrastructure(raw: RawSpan) -> str | None:
    if raw.scope == "litellm":  # the raw request below a call, and the proxy's own plumbing
        return "ignored"
    if "db" in raw.slots:
        return "retrieval" if raw.slots["db"] in VECTOR_STORES else "step"
    is_request = raw.kind in (CLIENT, SERVER) and is_http(raw.name)
    return "http" if "http" in raw.slots or is_request or is_http_scope(raw.scope) else None


def _framework(raw: RawSpan) -> str | None:
    if "traceloop_kind" in raw.slots:
        return _TRACELOOP.get(str(raw.slots["traceloop_kind"]), "step")
    if "roll_up" in raw.slots or raw.name == "agent run":
        return "agent"
    return next((slot for slot in ("tool", "workflow") if slot in raw.slots), None)


RULES: tuple[Callable[[RawSpan], str | None], ...] = (
    _logfire,
    _declared,
    _ai_sdk,
    _operation,
    _request_type,
    _by_scope,
    _infrastructure,
    _framework,
)
