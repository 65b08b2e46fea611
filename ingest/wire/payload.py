"""A provider's response as it came (JSON, chunks of a stream, server-sent events, or the usage object alone) ->
what it says of the call. One table says where providers put what; nothing here knows a provider's name.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from ingest.records import Tokens
from ingest.wire.usage import Usage, buckets, count_or_none, counts_of, objects

Body = dict[str, Any]

# Where a body, or one chunk of a stream, may keep its parts: itself, or one of these objects in it.
_HOLDERS = ("", "message", "response", "x_groq", "delta", "interaction", "metadata", "chunk")
_USAGES = ("usage", "usageMetadata", "usage_metadata")
_WHERE: dict[str, tuple[str, ...]] = {
    "model": ("model", "modelVersion", "model_version", "modelId"),
    "response_id": ("id", "responseId", "response_id", "generation_id"),
    "service_tier": ("service_tier", "serviceTier", "usage.service_tier", "usageMetadata.serviceTier"),
    "finish_reason": (
        "stop_reason", "stopReason", "finish_reason", "done_reason", "incomplete_details.reason",
        "choices.0.finish_reason", "candidates.0.finishReason", "status",
    ),
    "created": ("created", "created_at", "createTime", "create_time"),
}  # fmt: skip
# Units that are billed beside tokens: where they are counted -> the unit's name in the price book.
_UNITS: dict[str, tuple[str, ...]] = {
    "web_searches": ("server_tool_use.web_search_requests", "num_search_queries"),
    "search_units": ("billed_units.search_units",),
    "classifications": ("billed_units.classifications",),
    "read_units": ("readUnits",),  # of a vector database
}
_GUARDRAIL = re.compile(r"^[a-zA-Z]+PolicyUnits$")
_EVENT = re.compile(r"(?:^|\n)data:[ ]?(.*)")
_DIGITS = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Facts(msgspec.Struct, kw_only=True):
    """What a response says of one call. `tokens` are disjoint buckets; None = not told."""

    tokens: Tokens = Tokens()
    units: dict[str, Decimal] | None = None
    cost: Decimal | None = None  # USD, as charged (OpenRouter tells it)
    model: str | None = None
    response_id: str | None = None
    service_tier: str | None = None
    finish_reason: str | None = None
    created: Any = None
    error_type: str | None = None
    usage: Usage | None = None  # as it came

    @property
    def has_usage(self) -> bool:
        """Whether anything was counted."""
        return any(count is not None for count in msgspec.structs.astuple(self.tokens)) or bool(self.units)


def facts_of(payload: Any) -> list[Facts]:
    """The calls of one response: itself, and those of other models that a provider made on its way.

    `payload`: an object, a list of chunks, the text of server-sent events, or a usage object. Never raises; an
    unknown shape gives one Facts without usage."""
    chunks = list(_chunks(payload))
    usage: Usage = {}
    facts = Facts()
    for chunk in chunks:
        _take_texts(chunk, facts)
        usage |= _usage_in(chunk)
        facts.error_type = facts.error_type or _error_in(chunk)
    if not usage and len(chunks) == 1 and _counted(chunks[0]):
        usage, facts = chunks[0], Facts()  # the usage object alone
    if not usage:
        return [facts]
    iterations = objects(usage.get("iterations"))
    own = [each for each in iterations if not each.get("model")]
    facts.usage = usage
    facts.tokens = _sum([_tokens(each) for each in own]) if len(own) > 1 else _tokens(usage)
    facts.units = _units(usage)
    facts.cost = _cost(usage)
    return [facts, *(_aside(each) for each in iterations if each.get("model"))]


def _chunks(payload: Any) -> Iterator[Body]:
    """The objects that a payload consists of, in order."""
    if isinstance(payload, str):
        payload = [_parsed(line) for line in _EVENT.findall(payload.replace("\r", ""))] or _parsed(payload)
    for each in payload if isinstance(payload, list) else [payload]:
        if isinstance(each, dict):
            yield each


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def _holders(body: Body) -> Iterator[Body]:
    for name in _HOLDERS:
        found = body.get(name) if name else body
        if isinstance(found, dict):
            yield found


def _take_texts(chunk: Body, facts: Facts) -> None:
    """Names and ids: the first that is told wins, the last finish reason does."""
    for holder in _holders(chunk):
        for field, paths in _WHERE.items():
            if getattr(facts, field) is None or field == "finish_reason":
                found = next((value for path in paths if (value := at(holder, path))), None)
                if isinstance(found, str | int | Decimal) and not isinstance(found, bool):
                    setattr(facts, field, found)


def at(holder: Any, path: str) -> Any:
    """What stands at a dotted path of objects and lists; None where there is nothing."""
    for step in path.split("."):
        if isinstance(holder, list) and step.isdigit():
            holder = holder[int(step)] if int(step) < len(holder) else None
        else:
            holder = holder.get(step) if isinstance(holder, dict) else None
    return holder


def _usage_in(chunk: Body) -> Usage:
    """What a chunk counts. Counts of a stream are running totals, so later ones replace earlier ones."""
    found: Usage = {}
    for holder in _holders(chunk):
        for name in _USAGES:
            if isinstance(usage := holder.get(name), dict):
                found |= {key: value for key, value in usage.items() if value is not None}
        meta = holder.get("meta")
        if isinstance(meta, dict) and isinstance(meta.get("billed_units"), dict):
            found |= meta
    if not found and _is_ollama(chunk):
        found = {key: value for key, value in chunk.items() if key in ("prompt_eval_count", "eval_count")}
    for name in (
        "inputTextTokenCount",
        "prompt_token_count",
        "generation_token_count",
    ):  # Bedrock: Titan, Llama
        if not _usage_named(found) and count_or_none(chunk.get(name)) is not None:
            found[name] = chunk[name]
    if "inputTextTokenCount" in found:
        found["output_tokens"] = (
            count_or_none(at(chunk, "results.0.tokenCount")) or 0
        )  # an embedding has none
    return found


def _usage_named(found: Usage) -> bool:
    return any(name in found for name in ("input_tokens", "prompt_tokens", "inputTokens", "promptTokenCount"))


def _is_ollama(chunk: Body) -> bool:
    return "eval_count" in chunk or "prompt_eval_count" in chunk


def _counted(body: Body) -> bool:
    return _tokens(body) != Tokens() or bool(_units(body))


def _tokens(usage: Usage) -> Tokens:
    """Buckets of one usage object. Cohere bills its own counts; embeddings may tell their total alone."""
    billed = usage.get("billed_units")
    if isinstance(billed, dict):
        usage = billed
    counts = counts_of(usage)
    total = next((n for key in _TOTALS if (n := count_or_none(usage.get(key))) is not None), None)
    if counts == _NOTHING and total is not None:
        return Tokens(input=total)
    if counts.input is not None and counts.output is None and total == counts.input:
        counts.output = 0  # embeddings and reranking have none
    if counts.input == 0 and not counts.output:
        return Tokens(
            input=0, output=counts.output
        )  # a provider's own zero is known, an instrumentation's is not
    return buckets(counts)


_TOTALS = ("total_tokens", "totalTokens", "totalTokenCount")
_NOTHING = counts_of({})


def _sum(parts: list[Tokens]) -> Tokens:
    """Iterations of one response (compaction, tools): each is billed, the top level repeats only the last."""
    columns = zip(*(msgspec.structs.astuple(part) for part in parts), strict=True)
    return Tokens(*(_known_sum(column) for column in columns))


def _known_sum(values: tuple[int | None, ...]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _units(usage: Usage) -> dict[str, Decimal] | None:
    found = {
        name: Decimal(count)
        for name, paths in _UNITS.items()
        for path in paths
        if (count := count_or_none(at(usage, path)))
    }
    for key, value in usage.items():  # Bedrock's guardrails count text units of each policy
        if _GUARDRAIL.match(key) and (count := count_or_none(value)):
            found[_DIGITS.sub("_", key).lower()] = Decimal(count)
    return found or None


def _cost(usage: Usage) -> Decimal | None:
    """What was charged. With a key of one's own OpenRouter's cost is its fee alone: the provider's is beside it."""
    cost = _decimal(usage.get("cost"))
    if cost is None or usage.get("is_byok") is not True:
        return cost
    upstream = _decimal(at(usage, "cost_details.upstream_inference_cost"))
    return None if upstream is None else cost + upstream


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() and number >= 0 else None


def _error_in(chunk: Body) -> str | None:
    """The type of the error that a response tells of: its type, code or status, else `error`."""
    error = chunk.get("error") or at(chunk, "response.error")
    if isinstance(error, dict):
        named = next(
            (error[key] for key in ("type", "status", "code") if isinstance(error.get(key), str)), None
        )
        return named or "error"
    return "error" if error else None


def _aside(iteration: Usage) -> Facts:
    """A call of another model inside a response (an advisor): a call of its own."""
    return Facts(tokens=_tokens(iteration), model=str(iteration["model"]), usage=iteration)
