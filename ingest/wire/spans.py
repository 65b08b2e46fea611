"""A raw span -> a span record: ids and times checked, its kind, what it says of flow, user and the rest."""

from typing import Any

import msgspec

from ingest.records import MAX_TAGS, SpanRecord
from ingest.wire.conventions.names import app_key, is_framework, is_noise, plain_name
from ingest.wire.kinds import kind_of
from ingest.wire.limits import RefusedError, checked_time, clean_text
from ingest.wire.otlp_read import RawSpan, Slots
from ingest.wire.span_calls import Fingerprint, call_of
from ingest.wire.values import object_of, text_of, texts_of

CONTEXT_KEYS = frozenset(
    (
        "flow", "workflow", "agent", "feature", "customer", "user", "session", "conversation",
        "environment", "release", "prompt", "prompt_version", "retrieval", "step", "outcome",
        "outcome_value", "tool",
    )
)  # fmt: skip
_FRAMEWORK_CHECKED = frozenset(("workflow", "agent", "step"))
_NAMED_BY_HAND = frozenset(("litellm", "langfuse-sdk"))  # the application names the generation, if anybody
_APP_SLOTS = ("app", "trace_app", "app_json")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_TRACE_HINT = "Send 16 bytes, as 32 hex digits in JSON, not all zero."
_SPAN_HINT = "Send 8 bytes, as 16 hex digits in JSON, not all zero."


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of one request: now and the ledger's floor in unix microseconds; what to do with content."""

    now_us: int
    floor_us: int
    keep_content: bool = True
    fingerprint: Fingerprint | None = None


def span_record(raw: RawSpan, reading: Reading) -> SpanRecord | None:
    """The span's record, None for a placeholder that is to be ignored. Raises RefusedError with its field."""
    started_us, ended_us = _checked(raw, reading)
    kind = kind_of(raw)
    if kind == "pending":
        return None
    is_call = kind in ("call", "tail")
    call = None
    if is_call:
        keep, fingerprint = reading.keep_content, reading.fingerprint
        call = call_of(raw, keep_content=keep, fingerprint=fingerprint)
    context, trace_context, tags = _context(raw, kind)
    return SpanRecord(
        trace=raw.trace,
        span=raw.span,
        parent=raw.parent or None,
        name=clean_text(raw.name),
        kind=kind,
        scope=clean_text(raw.scope),
        started_us=started_us,
        ended_us=ended_us,
        failed=call.failed if call is not None else raw.failed,
        context=context,
        trace_context=trace_context,
        resource_context=raw.resource,
        tags=tags,
        call=call,
        error_type=call.error_type if call is not None else _error_type(raw),
    )


def _error_type(raw: RawSpan) -> str | None:
    raised = raw.events["exception"][1] if "exception" in raw.events else {}
    return text_of(raw.slots.get("error_type") or raised.get("error_type"))


def _checked(raw: RawSpan, reading: Reading) -> tuple[int, int]:
    if len(raw.trace) != 32 or raw.trace == _NO_TRACE:
        raise RefusedError("The trace id is not 16 bytes.", _TRACE_HINT, field="traceId")
    if len(raw.span) != 16 or raw.span == _NO_SPAN:
        raise RefusedError("The span id is not 8 bytes.", _SPAN_HINT, field="spanId")
    if raw.parent and len(raw.parent) != 16:
        raise RefusedError("The parent's span id is not 8 bytes.", _SPAN_HINT, field="parentSpanId")
    end_ns = max(raw.start_ns, raw.end_ns)  # a clock that was set back between start and end
    for field, time_ns in (("startTimeUnixNano", raw.start_ns), ("endTimeUnixNano", end_ns)):
        _check_time(time_ns // 1000, field, reading)
    return raw.start_ns // 1000, end_ns // 1000


def _check_time(time_us: int, field: str, reading: Reading) -> None:
    try:
        checked_time(time_us, now_us=reading.now_us, floor_us=reading.floor_us)
    except RefusedError as error:
        error.field = field
        raise


def _context(raw: RawSpan, kind: str) -> tuple[dict[str, str], dict[str, str], dict[str, str] | None]:
    """What the span says itself, what it says of its whole trace, and its tags."""
    slots = raw.slots
    context: dict[str, str] = {}
    for key in slots:
        text = text_of(slots[key]) if key in CONTEXT_KEYS else None
        if text is not None and not (key in _FRAMEWORK_CHECKED and is_framework(text)):
            context[key] = text
    if raw.scope == "pydantic-ai":
        context.pop("conversation", None)  # invented for each run of an agent
    if kind in ("workflow", "agent") and kind not in slots:
        _name_as(kind, raw.name, context)
    if kind == "call" and raw.scope in _NAMED_BY_HAND and not is_framework(raw.name):
        context.setdefault("step", clean_text(raw.name))
    trace_context: dict[str, str] = {}
    tags: dict[str, str] = {}
    if "trace_flow" in slots and (flow := text_of(slots["trace_flow"])) is not None:
        trace_context["flow"] = flow
    for slot in _APP_SLOTS:
        if slot in slots:
            _app_keys(slots[slot], trace_context if slot == "trace_app" else context, tags)
    _add_tags(slots, tags)
    return context, trace_context, tags or None


def _name_as(kind: str, name: str, context: dict[str, str]) -> None:
    plain = clean_text(plain_name(name))
    if plain and not is_framework(plain):
        context[kind] = plain


def _app_keys(value: Any, context: dict[str, str], tags: dict[str, str]) -> None:
    """Metadata under the application's own keys: what they mean as context, the rest as tags."""
    for key, raw_value in list(object_of(value).items())[: 2 * MAX_TAGS]:
        text = text_of(raw_value)
        if text is None or not isinstance(key, str):
            continue
        known = app_key(key)
        if known is not None:
            context.setdefault(known, text)
        elif not is_noise(key) and len(tags) < MAX_TAGS:
            tags[clean_text(key)] = text


def _add_tags(slots: Slots, tags: dict[str, str]) -> None:
    for key, value in slots.get("tag_map", {}).items():
        if len(tags) < MAX_TAGS and (text := text_of(value)) is not None:
            tags[clean_text(key)] = text
    for text in texts_of(slots["tag_list"]) if "tag_list" in slots else ():
        name, colon, told = text.partition(":")
        if len(tags) < MAX_TAGS and name:
            tags.setdefault(name, told.strip() if colon and told.strip() else "true")
