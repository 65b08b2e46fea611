"""What other tools keep or send as traces and observations, as the spans that their own SDKs would have sent.

Langfuse (its export, and the events of its older SDKs) and Opik tell the same things under other names: one table
each says which field is which attribute; from there on they go the way of every span (ingest/wire/spans.py).
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from ingest.records import Rejection, SpanRecord
from ingest.wire.columns import moment_in
from ingest.wire.conventions import HITS
from ingest.wire.limits import RefusedError, clean_text, micros_of
from ingest.wire.otlp_read import RawSpan, Slots
from ingest.wire.spans import Reading, span_record
from ingest.wire.usage import objects

Item = dict[str, Any]
ORIGINAL = "original_usage."  # of Opik's usage
HEX = frozenset("0123456789abcdef")
_moment = moment_in(UTC)


class Names(msgspec.Struct, frozen=True):
    """Where one tool keeps what: fields of a trace or an observation -> attribute names of its SDK."""

    scope: str
    parent: tuple[str, ...]
    start: tuple[str, ...]
    end: tuple[str, ...]
    attributes: Mapping[str, str]
    metadata: str  # prefix of the attributes that its metadata become


LANGFUSE_TRACE = Names(
    "langfuse-sdk", (), ("timestamp", "createdAt"), ("endTime", "timestamp"),
    {
        "name": "langfuse.trace.name", "userId": "langfuse.user.id", "sessionId": "langfuse.session.id",
        "tags": "langfuse.trace.tags", "environment": "langfuse.environment", "release": "langfuse.release",
    },
    "langfuse.trace.metadata.",
)  # fmt: skip
LANGFUSE_OBSERVATION = Names(
    "langfuse-sdk", ("parentObservationId",), ("startTime", "timestamp"), ("endTime", "startTime", "timestamp"),
    {
        "type": "langfuse.observation.type", "model": "langfuse.observation.model.name",
        "modelParameters": "langfuse.observation.model.parameters", "usage": "langfuse.observation.usage_details",
        "usageDetails": "langfuse.observation.usage_details", "costDetails": "langfuse.observation.cost_details",
        "completionStartTime": "langfuse.observation.completion_start_time",
        "promptName": "langfuse.observation.prompt.name", "promptVersion": "langfuse.observation.prompt.version",
        "level": "langfuse.observation.level", "statusMessage": "langfuse.observation.status_message",
        "environment": "langfuse.environment", "version": "langfuse.version",
        "input": "langfuse.observation.input", "output": "langfuse.observation.output",
    },
    "langfuse.observation.metadata.",
)  # fmt: skip
OPIK_TRACE = Names(
    "opik", (), ("start_time",), ("end_time", "start_time"),
    {"name": "langfuse.trace.name", "thread_id": "langfuse.session.id", "tags": "langfuse.trace.tags"},
    "langfuse.trace.metadata.",
)  # fmt: skip
OPIK_SPAN = Names(
    "opik", ("parent_span_id",), ("start_time",), ("end_time", "start_time"),
    {
        "type": "langfuse.observation.type", "model": "langfuse.observation.model.name",
        "provider": "gen_ai.provider.name", "usage": "langfuse.observation.usage_details",
        "total_estimated_cost": "gen_ai.usage.cost",
        "level": "langfuse.observation.level", "error_info": "langfuse.observation.status_message",
        "input": "langfuse.observation.input", "output": "langfuse.observation.output",
    },
    "langfuse.observation.metadata.",
)  # fmt: skip
_OPIK_TYPES = {"llm": "generation", "general": "span", "tool": "tool", "guardrail": "guardrail"}
_COUNTED = ("input", "output", "total", "promptTokens", "completionTokens", "totalTokens", "prompt_tokens",
            "completion_tokens", "total_tokens")  # fmt: skip


class Observed(msgspec.Struct):
    """Span records in order, and why others were refused (index = n-th of what was given)."""

    spans: list[SpanRecord] = []
    rejections: list[Rejection] = []

    def take(self, index: int, item: Item, names: Names, reading: Reading) -> None:
        """Add the span of one trace or observation, or the reason why it is refused."""
        try:
            record = span_record(raw_span(item, names), reading)
        except RefusedError as error:
            self.rejections.append(Rejection(index, error.field, error.message, error.hint))
            return
        if record is not None:
            self.spans.append(record)

    def take_any(self, index: int, item: Any, names: Names, reading: Reading) -> None:
        """As `take`, of whatever a sender put there."""
        if isinstance(item, dict):
            self.take(index, item, names, reading)
        else:
            self.rejections.append(Rejection(index, None, "An item is an object."))


def langfuse_document(index: int, document: Any, reading: Reading, found: Observed) -> None:
    """Add what one exported document holds: `{"trace": …, "observations": […]}`, a trace with its observations in
    it, or one observation alone."""
    if not isinstance(document, dict):
        hint = 'Export {"trace": …, "observations": […]}.'
        found.rejections.append(Rejection(index, None, "A trace is an object.", hint))
        return
    inner = document.get("trace")
    trace: Item = inner if isinstance(inner, dict) else document
    if "traceId" in trace:
        found.take(index, trace, LANGFUSE_OBSERVATION, reading)
        return
    items = objects(document.get("observations") or trace.get("observations"))
    ends = [end for each in items if isinstance(end := _time(each, ("endTime", "startTime")), datetime)]
    whole = {**trace, "endTime": max(ends).isoformat()} if ends else trace
    found.take(index, whole, LANGFUSE_TRACE, reading)
    for each in items:
        found.take(index, {"traceId": trace.get("id"), **each}, LANGFUSE_OBSERVATION, reading)


def raw_span(item: Item, names: Names) -> RawSpan:
    """The span of a trace or an observation. Raises RefusedError, with its field, where there is no id or time.

    A trace is the root of its observations: one without a parent hangs under it."""
    is_trace = not names.parent
    trace = _text(item, ("id",) if is_trace else ("traceId", "trace_id"))
    own = trace if is_trace else _text(item, ("id",))
    if not trace or not own:
        raise RefusedError("There is no id.", "Send the ids of the trace and of the observation.", field="id")
    start, end = _time(item, names.start), _time(item, names.end)
    if not isinstance(start, datetime):
        raise RefusedError("There is no time.", "Send RFC 3339 with an offset.", field=names.start[0])
    parent = None if is_trace else _text(item, names.parent) or trace
    start_ns = micros_of(start) * 1000
    return RawSpan(
        trace=hex_of(trace, 32), span=hex_of(own, 16), parent="" if parent is None else hex_of(parent, 16),
        name=clean_text(str(item.get("name") or "")), kind=1, start_ns=start_ns,
        end_ns=micros_of(end) * 1000 if isinstance(end, datetime) else start_ns,
        failed=item.get("level") == "ERROR" or bool(item.get("error_info")),
        status_message=clean_text(str(item.get("statusMessage") or "")),
        slots=_slots(item, names, is_trace=is_trace), scope=names.scope, resource={}, events={},
    )  # fmt: skip


def hex_of(identity: str, digits: int) -> str:
    """An id as so many hex digits: as it is where it has them (a UUID: without its hyphens), else its hash."""
    bare = identity.lower().replace("-", "")
    if len(bare) == digits and set(bare) <= HEX and bare.strip("0"):
        return bare
    return hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:digits]


def _text(item: Item, fields: tuple[str, ...]) -> str | None:
    return next((str(item[name]) for name in fields if isinstance(item.get(name), str | int)), None)


def _time(item: Item, fields: tuple[str, ...]) -> Any:
    """The first time that is told; one without an offset is UTC."""
    return next((_moment(str(item[name])) for name in fields if item.get(name)), None)


def _slots(item: Item, names: Names, *, is_trace: bool) -> Slots:
    slots: Slots = {}
    for name, value in _attributes(item, names, is_trace=is_trace):
        hit = HITS[name]
        if hit is None or value is None or value in ("", {}, []):
            continue
        if hit.key is not None:
            slots.setdefault(hit.slot, {})[hit.key] = value
        else:
            slots.setdefault(hit.slot, value)
    return slots


def _attributes(item: Item, names: Names, *, is_trace: bool) -> Iterator[tuple[str, Any]]:
    if is_trace:
        yield "langfuse.observation.type", "span"
    usage = _usage(item)
    for field, attribute in names.attributes.items():
        value = item.get(field)
        if field == "type" and isinstance(value, str):
            value = _OPIK_TYPES.get(value, value.lower())
        if field in ("usage", "usageDetails"):
            value = usage
        if field == "environment" and value == "default":
            value = None  # Langfuse's word for none
        yield attribute, value
    metadata = item.get("metadata")
    for key, value in list(metadata.items())[:64] if isinstance(metadata, dict) else ():
        if isinstance(value, str | int | float | bool):
            yield names.metadata + str(key), value


def _usage(item: Item) -> Item | None:
    """`usageDetails`, else the older `usage`, of which only the counts are taken (it carries costs, too)."""
    details = item.get("usageDetails")
    if isinstance(details, dict) and details:
        return {str(key): _plain(value) for key, value in details.items()}
    usage = item.get("usage")
    if not isinstance(usage, dict):
        told = {key: item.get(f"{key}Usage") for key in ("input", "output", "total")}
        return {key: count for key, count in told.items() if count} or None
    original = {
        key.removeprefix("original_usage."): _plain(value)
        for key, value in usage.items()
        if key.startswith("original_usage.")
    }
    if original:  # Opik: the provider's own object, flattened
        return _nested(original)
    return {key: _plain(usage[key]) for key in _COUNTED if usage.get(key)} or None


def _nested(flat: Item) -> Item:
    found: Item = {}
    for path, value in flat.items():
        head, _, rest = path.partition(".")
        if rest:
            inner = found.setdefault(head, {})
            if isinstance(inner, dict):
                inner[rest] = value
        else:
            found[head] = value
    return found


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value
