"""What one span alone says of a call to a model: names, tokens, cost, times, errors, content."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from ingest.records import MAX_TOKENS, CallRecord
from ingest.wire.content import fingerprint_source, input_text, output_text
from ingest.wire.conventions import FIELD_OF
from ingest.wire.errors import error_class_of, status_in
from ingest.wire.finish import finish_reason_of
from ingest.wire.kinds import OPENLIT_NAME, is_failed_openlit
from ingest.wire.limits import RefusedError, amount_of, clean_text, tokens_of
from ingest.wire.otlp_read import RawSpan, Slots
from ingest.wire.usage import Counts, buckets, counts_of, merged, web_searches
from ingest.wire.values import (
    first_text_of,
    is_true,
    json_of,
    micros_in,
    number_in,
    object_of,
    repr_object_of,
    text_of,
)
from pricing.names import provider_of

Fingerprint = Callable[[str], str]  # the keyed hash of a fingerprint's source

_COUNT_OF = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read": "cache_read",
    "cache_write": "cache_write",
    "cache_write_5m": "cache_write_5m",
    "cache_write_1h": "cache_write_1h",
    "reasoning": "reasoning",
    "audio_input": "audio_input",
    "audio_output": "audio_output",
}
_USAGE_OBJECTS = ("usage_json", "raw_usage_json", "usage_repr")
_OPERATIONS = {
    "completion": "chat", "acompletion": "chat", "LLM": "chat", "CHAT_MODEL": "chat", "generation": "chat",
    "aresponses": "responses", "embedding": "embeddings", "aembedding": "embeddings",
    "EMBEDDING": "embeddings", "RERANKER": "rerank", "arerank": "rerank",
    "atext_completion": "text_completion",
}  # fmt: skip
_OPERATION_SLOTS = ("operation", "openinference_kind", "langfuse_kind", "mlflow_kind", "request_type")
_AI_OPERATIONS = {"doEmbed": "embeddings", "doRerank": "rerank"}
_TIERS = {"default": "standard", "auto": None, "standard_only": "standard", "on_demand": "standard"}
_FIRST_TOKEN_EVENTS = (
    "gen_ai.content.completion.chunk",
    "llm.content.completion.chunk",
    "First Token Stream Event",
    "ai.stream.firstChunk",
)
_FIRST_TOKEN_UNITS = (("ttft_s", 1_000_000), ("ttft_ms", 1_000))
_FIRST_TOKEN_SLOTS = frozenset(("ttft_s", "ttft_ms", "first_token_at", "server_ttft_s"))
_USAGE_SLOTS = frozenset((*_USAGE_OBJECTS, "metadata_usage"))
_COST_SLOTS = frozenset(("reported_cost", "cost_json", "estimated_cost", "any_cost"))
_RESPONSE_ID_START = '{"id":'


def call_of(raw: RawSpan, *, keep_content: bool, fingerprint: Fingerprint | None) -> CallRecord:
    """The call of a call (or tail) span, without context. Raises RefusedError, with the field, for tokens or
    a charged cost that cannot be."""
    slots = raw.slots
    model, response_model = models_of(raw)
    failed = _failed(raw)
    error_type, error_class = _error(raw) if failed else (None, "")
    usage = () if _USAGE_SLOTS.isdisjoint(slots) else _usage_objects(slots)
    reported, estimated = (None, None) if _COST_SLOTS.isdisjoint(slots) else _costs(slots)
    duration_us = max(0, raw.end_ns - raw.start_ns) // 1000 if raw.end_ns else None
    operation = operation_of(raw)
    source = fingerprint_source(slots) if fingerprint is not None else None
    return CallRecord(
        id=f"{raw.trace}-{raw.span}",
        started_us=raw.start_ns // 1000,
        trace=raw.trace,
        span=raw.span,
        provider=provider_of(text_of(slots.get("provider")), slots.get("litellm_model") or model),
        model=model,
        response_model=response_model,
        response_id=_response_id(slots),
        operation=operation,
        service_tier=_tier(slots),
        tokens=buckets(_counts(raw, usage)),
        other_units=web_searches(usage) if usage else None,
        reported_cost=reported,
        estimated_cost=estimated,
        duration_us=duration_us,
        ttft_us=_ttft_us(raw, duration_us),
        failed=failed,
        error_class=error_class,
        error_type=error_type,
        finish_reason=_finish(slots),
        reservation=text_of(slots.get("reservation")),
        fingerprint=fingerprint(source) if fingerprint is not None and source is not None else None,
        input=input_text(slots) if keep_content else None,
        output=output_text(slots) if keep_content and operation != "embeddings" else None,
        provider_usage=_provider_usage(slots) if keep_content else None,
    )


def models_of(raw: RawSpan) -> tuple[str | None, str | None]:
    """The model asked for, as sent, and the one that answered; the one known stands for both where one is."""
    slots = raw.slots
    asked = text_of(slots.get("model"))
    through = text_of(slots.get("litellm_model"))
    if through is not None and "/" in through:
        asked = through.split("/", 1)[1] or asked
    if asked is None and "parameters" in slots:
        asked = text_of(object_of(slots["parameters"]).get("model"))
    answered = text_of(slots.get("response_model"))
    if asked is None and is_failed_openlit(raw):
        found = OPENLIT_NAME.match(raw.name)
        asked = text_of(found.group(2)) if found else None
    return asked or answered or text_of(slots.get("reranker_model")), answered


def operation_of(raw: RawSpan) -> str:
    """What was asked of the model, in OpenTelemetry's words."""
    slots = raw.slots
    if "ai_operation" in slots:
        return _AI_OPERATIONS.get(str(slots["ai_operation"]).rsplit(".", 1)[-1], "chat")
    for slot in _OPERATION_SLOTS:
        told = text_of(slots.get(slot))
        if told is not None:
            return _OPERATIONS.get(told, told)
    return "embeddings" if raw.name.startswith("embeddings") else "chat"


def _counts(raw: RawSpan, usage: Sequence[dict[str, Any]]) -> Counts:
    counts = Counts()
    slots = raw.slots
    for slot, value in slots.items():
        field = _COUNT_OF.get(slot)
        if field is not None:
            is_plain = type(value) is int and 0 <= value <= MAX_TOKENS
            setattr(counts, field, value if is_plain else _checked(tokens_of, value, slot))
    if counts.input is not None:
        counts.input_excludes_cache = _excludes_cache(raw)
    return merged(counts, (counts_of(found) for found in usage if found)) if usage else counts


def _checked(check: Callable[[Any], Any], value: Any, slot: str) -> Any:
    try:
        return None if value in ("None", "null") else check(value)
    except RefusedError as error:
        error.field = FIELD_OF.get(slot, slot)
        raise


def _excludes_cache(raw: RawSpan) -> bool:
    """Sources that give Anthropic's own counts, which leave the cache out, under names that include it."""
    slots = raw.slots
    if not str(slots.get("provider", "")).lower().startswith("anthropic"):
        return False
    is_old_ai_sdk = "ai_operation" in slots and "cache_read" not in slots and "cache_write" not in slots
    return raw.scope.startswith("openlit") or is_old_ai_sdk


def _usage_objects(slots: Slots) -> list[dict[str, Any]]:
    """The usage objects that come beside the counts, the provider's own first."""
    found = [object_of(slots[slot]) for slot in ("usage_json", "raw_usage_json") if slot in slots]
    if "usage_repr" in slots:
        found.append(repr_object_of(slots["usage_repr"]))
    if "metadata_usage" in slots:
        found += _provider_metadata(slots["metadata_usage"])
    return found


def _provider_metadata(value: Any) -> list[dict[str, Any]]:
    """Details of each provider in the AI SDK's metadata; totals are on the span."""
    found: list[dict[str, Any]] = []
    for told in object_of(value).values():
        if isinstance(told, dict):
            usage = told.get("usage")
            found += [told, usage] if isinstance(usage, dict) else [told]
    return found


def _costs(slots: Slots) -> tuple[Decimal | None, Decimal | None]:
    """What the caller was charged, and what an instrumentation reckoned. Nothing reckoned at 0 is known."""
    reported = (
        _checked(amount_of, slots["reported_cost"], "reported_cost") if "reported_cost" in slots else None
    )
    by_hand = _lenient_cost(_total_of(slots["cost_json"])) if "cost_json" in slots else None
    estimated = _lenient_cost(slots.get("estimated_cost"))
    other = _lenient_cost(slots.get("any_cost"))
    if other is not None and str(slots.get("provider", "")).lower() == "openrouter":
        by_hand = by_hand or other  # OpenRouter tells what it charges
    return (by_hand if reported is None else reported), estimated or other


def _total_of(value: Any) -> Any:
    parts = object_of(value)
    if "total" in parts:
        return parts["total"]
    amounts = [amount for part in parts.values() if (amount := _lenient_cost(part)) is not None]
    return sum(amounts) if amounts else None


def _lenient_cost(value: Any) -> Decimal | None:
    try:
        return (amount_of(value) or None) if value is not None else None
    except RefusedError:
        return None


def _response_id(slots: Slots) -> str | None:
    told = text_of(slots.get("response_id"))
    if told is not None:
        return None if told == slots.get("litellm_call_id") else told  # its own id, not the provider's
    answer = slots.get("output")
    if "openinference_kind" in slots and isinstance(answer, str) and answer.startswith(_RESPONSE_ID_START):
        parts = answer[:300].split('"', 4)
        return clean_text(parts[3]) if len(parts) == 5 and parts[2].strip() == ":" else None
    return None


def _tier(slots: Slots) -> str | None:
    told = text_of(slots.get("service_tier"))
    if told is None and "parameters" in slots:
        told = text_of(object_of(slots["parameters"]).get("service_tier"))
    return _TIERS.get(told.lower(), told.lower()) if told is not None else None


def _finish(slots: Slots) -> str:
    if "finish_reason" in slots:
        return finish_reason_of(first_text_of(slots["finish_reason"]))
    parts = slots.get("completion_parts")
    return finish_reason_of(text_of(parts.get("0.finish_reason"))) if parts else ""


def _ttft_us(raw: RawSpan, duration_us: int | None) -> int | None:
    if not raw.events and _FIRST_TOKEN_SLOTS.isdisjoint(raw.slots):
        return None
    found = _first_token_us(raw)
    return found if found is None or duration_us is None else max(0, min(found, duration_us))


def _first_token_us(raw: RawSpan) -> int | None:
    slots = raw.slots
    for slot, unit_us in _FIRST_TOKEN_UNITS:
        told = number_in(slots[slot]) if slot in slots else None
        if told is not None:
            return round(told * unit_us)
    if "first_token_at" in slots:
        at_us = micros_in(slots["first_token_at"])
        return None if at_us is None else at_us - raw.start_ns // 1000
    for name in _FIRST_TOKEN_EVENTS if raw.events else ():
        if name in raw.events:
            return (raw.events[name][0] - raw.start_ns) // 1000
    server = number_in(slots.get("server_ttft_s")) if is_true(slots.get("stream")) else None
    return None if server is None else round(server * 1_000_000)


def _failed(raw: RawSpan) -> bool:
    slots = raw.slots
    if raw.failed or "error_type" in slots or is_failed_openlit(raw):
        return True
    return "level" in slots and str(slots["level"]).upper() == "ERROR"


def _error(raw: RawSpan) -> tuple[str | None, str]:
    """The sender's error type and its class; a message serves only to find the class, it is not kept."""
    slots = raw.slots
    raised = raw.events["exception"][1] if "exception" in raw.events else {}
    message = text_of(slots.get("error_message") or raised.get("error_message") or raw.status_message, 500)
    status = _status(slots, message)
    told = text_of(slots.get("error_type") or raised.get("error_type"))
    error_type = told or (str(status) if status is not None else None)
    return error_type, error_class_of(told or message, status)


def _status(slots: Slots, message: str | None) -> int | None:
    told = text_of(slots.get("http_status"), 3)
    if told is not None and told.isdecimal():
        return int(told)
    return status_in(message) if message else None


def _provider_usage(slots: Slots) -> str | None:
    told = next((slots[slot] for slot in _USAGE_OBJECTS if slot in slots), None)
    return clean_text(told, 4_000) if isinstance(told, str) and isinstance(json_of(told), dict) else None
