"""OTLP JSON as raw spans: parsed level by level, so that one malformed span costs that span alone."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from ingest.records import Rejection
from ingest.wire.decoded import MalformedError
from ingest.wire.limits import RefusedError
from ingest.wire.otlp_read import (
    MAX_EVENTS,
    MAX_ITEMS,
    MAX_NESTING,
    Events,
    RawSpan,
    Slots,
    resource_context,
    slots_of,
)

Number = int | str | float  # 64-bit integers come as text or as numbers


class Value(msgspec.Struct, rename="camel"):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: Number | None = None
    double_value: Number | None = None
    array_value: "Array | None" = None
    kvlist_value: "Pairs | None" = None


class Pair(msgspec.Struct):
    key: str = ""
    value: Value | None = None


class Array(msgspec.Struct):
    values: list[Value | None] | None = None


class Pairs(msgspec.Struct):
    values: list[Pair] | None = None


class Attributes(msgspec.Struct):
    attributes: list[Pair] | None = None


class Scope(msgspec.Struct):
    name: str | None = None


class Event(msgspec.Struct, rename="camel"):
    name: str | None = None
    time_unix_nano: Number | None = None
    attributes: list[Pair] | None = None


class Status(msgspec.Struct):
    code: int | str | None = None
    message: str | None = None


class Span(msgspec.Struct, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str | None = None
    name: str | None = None
    kind: int | str | None = None
    start_time_unix_nano: Number | None = None
    end_time_unix_nano: Number | None = None
    status: Status | None = None
    attributes: list[Pair] | None = None
    events: list[Event] | None = None


class ScopeSpans(msgspec.Struct):
    scope: Scope | None = None
    spans: list[msgspec.Raw] | None = None


class ResourceSpans(msgspec.Struct, rename="camel"):
    resource: Attributes | None = None
    scope_spans: list[ScopeSpans] | None = None


class Request(msgspec.Struct, rename="camel"):
    resource_spans: list[msgspec.Raw] | None = None


KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
CODES = ("UNSET", "OK", "ERROR")
HINT = "See the OTLP JSON encoding: lowerCamelCase keys, hex ids, 64-bit numbers as text or number."
ERRORS = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
MAX_OBJECTS = 2_000_000
# A pair of surrogates, half a pair (which JavaScript writes where it cuts a text), any other escape.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_HEX = re.compile("[0-9a-fA-F]*")
_REQUEST = msgspec.json.Decoder(Request)
_RESOURCE_SPANS = msgspec.json.Decoder(ResourceSpans)
_SPAN = msgspec.json.Decoder(Span)


def read_json(body: bytes) -> Iterator[RawSpan | Rejection]:
    """Raw spans of an OTLP JSON request in its order; what cannot be read as a span is a Rejection.

    Raises MalformedError where the body is no JSON object of that shape."""
    index = 0
    for of_resource in decoded(_REQUEST, body).resource_spans or ():
        try:
            group = _RESOURCE_SPANS.decode(of_resource)
        except ERRORS as error:
            yield Rejection(index, "resourceSpans", f"The group of spans cannot be read: {error}", HINT)
            index += 1
            continue
        resource = resource_context(json_slots(group.resource.attributes)) if group.resource else {}
        for of_scope in group.scope_spans or ():
            scope = (of_scope.scope.name if of_scope.scope else None) or ""
            for raw in of_scope.spans or ():
                yield _span(raw, index, scope, resource)
                index += 1


def decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    """The JSON in `body` as the decoder's type, lone surrogates as U+FFFD. Raises MalformedError."""
    if body.count(b"{") > MAX_OBJECTS:
        raise MalformedError("The body holds too many values.", "Send fewer spans in one request.")
    try:
        return decoder.decode(body)
    except ERRORS as error:
        mended = _ESCAPE.sub(_mended, body) if b"\\ud" in body or b"\\uD" in body else body
        if mended == body:
            raise MalformedError(f"The body is not OTLP JSON: {error}"[:300], HINT) from None
    try:
        return decoder.decode(mended)
    except ERRORS as error:
        raise MalformedError(f"The body is not OTLP JSON: {error}"[:300], HINT) from None


def _mended(escape: re.Match[bytes]) -> bytes:
    return escape.group(0) if escape.group(1) is None else b"\\ufffd"


def _span(raw: msgspec.Raw, index: int, scope: str, resource: dict[str, str]) -> RawSpan | Rejection:
    try:
        span = _SPAN.decode(raw)
        for field in ("trace_id", "span_id", "parent_span_id"):
            _check_hex(getattr(span, field), field)
        status = span.status or Status()
        return RawSpan(
            span.trace_id.lower(),
            span.span_id.lower(),
            (span.parent_span_id or "").lower(),
            span.name or "",
            enum_of(span.kind, "SPAN_KIND_", KINDS),
            int(span.start_time_unix_nano or 0),
            int(span.end_time_unix_nano or 0),
            enum_of(status.code, "STATUS_CODE_", CODES) == 2,
            status.message or "",
            json_slots(span.attributes),
            scope,
            resource,
            _events(span.events) if span.events else {},
        )
    except RefusedError as error:
        return Rejection(index, error.field, error.message, error.hint)
    except (*ERRORS, ValueError, OverflowError) as error:
        return Rejection(index, None, f"The span cannot be read: {error}"[:300], HINT)


def _check_hex(value: str | None, field: str) -> None:
    if value and _HEX.fullmatch(value) is None:
        raise RefusedError(
            f"{field} is not hexadecimal.", "Send ids as hex digits, not as base64.", field=field
        )


def enum_of(value: int | str | None, prefix: str, names: tuple[str, ...]) -> int:
    """The number of a protobuf enum given as number or name; an unknown name is 0."""
    if isinstance(value, int):
        return value
    name = (value or "").removeprefix(prefix)
    return names.index(name) if name in names else 0


def json_slots(attributes: list[Pair] | None) -> Slots:
    """As `slots_of`, of JSON attributes."""
    return slots_of(attributes or (), json_value)


def json_value(value: Value | None, depth: int = 0) -> Any:
    """The Python value of a JSON AnyValue; an empty one, bytes, or one nested too deeply is None."""
    if value is None:
        return None
    if value.string_value is not None:
        return value.string_value
    if value.array_value is not None and depth < MAX_NESTING:
        return [json_value(item, depth + 1) for item in (value.array_value.values or ())[:MAX_ITEMS]]
    if value.kvlist_value is not None and depth < MAX_NESTING:
        pairs = (value.kvlist_value.values or ())[:MAX_ITEMS]
        return {pair.key: json_value(pair.value, depth + 1) for pair in pairs}
    scalars = (value.bool_value, value.int_value, value.double_value)
    return next((scalar for scalar in scalars if scalar is not None), None)


def _events(events: list[Event]) -> Events:
    first: Events = {}
    for event in events[:MAX_EVENTS]:
        if event.name and event.name not in first:
            first[event.name] = (int(event.time_unix_nano or 0), json_slots(event.attributes))
    return first
