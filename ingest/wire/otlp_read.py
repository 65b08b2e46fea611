"""OTLP protobuf as raw spans: the attributes that some convention knows, by slot."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ingest.records import Rejection
from ingest.wire.conventions import HITS
from ingest.wire.decoded import MalformedError
from ingest.wire.otlp_frames import framed_spans
from ingest.wire.values import text_of

MAX_NESTING = 32  # levels of a nested attribute value that are read
MAX_ITEMS = 1_000  # entries of an array value that are read
MAX_EVENTS = 200  # of one span; streams send one event a chunk, and only the first of each name tells
RESOURCE_KEYS = frozenset(("environment", "release", "service", "flow", "feature", "customer", "retrieval"))
Slots = dict[str, Any]
Events = dict[str, tuple[int, Slots]]  # the first event of each name: unix nanoseconds, its attributes


class RawSpan(msgspec.Struct, gc=False):
    """One span as sent, ids as hex digits, times as unix nanoseconds; `slots` by `conventions.HITS`."""

    trace: str
    span: str
    parent: str
    name: str
    kind: int
    start_ns: int
    end_ns: int
    failed: bool
    status_message: str
    slots: Slots
    scope: str
    resource: dict[str, str]
    events: Events


def read_protobuf(body: bytes) -> Iterator[RawSpan | Rejection]:
    """Raw spans of an `ExportTraceServiceRequest` in its order; a span that cannot be parsed is a Rejection.

    Raises MalformedError where the body is no such request."""
    try:
        request = parsed(ExportTraceServiceRequest, body)
    except MalformedError:
        yield from _read_singly(body)
        return
    for of_resource in request.resource_spans:
        resource = resource_context(slots_of(of_resource.resource.attributes, any_value))
        for of_scope in of_resource.scope_spans:
            scope = of_scope.scope.name
            for span in of_scope.spans:
                yield _raw(span, scope, resource)


def _raw(span: Any, scope: str, resource: dict[str, str]) -> RawSpan:
    status = span.status
    events = span.events
    return RawSpan(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.name,
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        status.code == 2,
        status.message,
        slots_of(span.attributes, any_value),
        scope,
        resource,
        _events(events) if events else {},
    )


def _read_singly(body: bytes) -> Iterator[RawSpan | Rejection]:
    """Each span parsed alone. Raises MalformedError where even the frames do not add up."""
    try:
        frames = framed_spans(body)
    except ValueError:
        raise malformed(ExportTraceServiceRequest) from None
    if not frames:
        raise malformed(ExportTraceServiceRequest)
    for index, frame in enumerate(frames):
        try:
            resource = parsed(Resource, frame.resource)
            scope = parsed(InstrumentationScope, frame.scope)
            span = parsed(Span, frame.span)
        except MalformedError:
            what = "The span cannot be read: a text that is not UTF-8, or a value nested too deeply."
            yield Rejection(index, None, what, "Send texts as UTF-8, cut between characters.")
        else:
            yield _raw(span, scope.name, resource_context(slots_of(resource.attributes, any_value)))


def parsed(message: Any, body: bytes) -> Any:
    """The protobuf message of that class in `body`. Raises MalformedError."""
    try:
        return message.FromString(body)
    except (DecodeError, RecursionError, ValueError):
        raise malformed(message) from None


def malformed(message: Any) -> MalformedError:
    """What to tell a sender whose body is no such protobuf message."""
    return MalformedError(
        f"The body is not a protobuf {message.DESCRIPTOR.name}: cut off, damaged or nested too deeply.",
        "Send the request as the OTLP exporter wrote it; application/json for JSON.",
    )


def slots_of(attributes: Iterable[Any], value_of: Callable[[Any], Any]) -> Slots:
    """Attribute values by slot, the preferred name of each slot winning; unknown names are not even read."""
    slots: Slots = {}
    ranks: dict[str, int] = {}
    for pair in attributes:
        hit = HITS[pair.key]
        if hit is None:
            continue
        value = value_of(pair.value)
        if value is None or value == "":
            continue
        slot, rank, key = hit
        if key is not None:
            slots.setdefault(slot, {})[key] = value
        elif rank == 0:
            slots[slot] = value
        elif slot not in slots or rank < ranks.get(slot, 0):
            slots[slot] = value
            ranks[slot] = rank
    return slots


def resource_context(slots: Slots) -> dict[str, str]:
    """What a resource says for every span of it."""
    found = ((key, text_of(slots[key])) for key in slots if key in RESOURCE_KEYS)
    return {key: text for key, text in found if text is not None}


def any_value(value: Any, depth: int = 0) -> Any:
    """The Python value of a protobuf AnyValue; an empty one, bytes, or one nested too deeply is None."""
    text = value.string_value
    if text:
        return text
    kind = value.WhichOneof("value")
    if kind == "array_value" and depth < MAX_NESTING:
        return [any_value(item, depth + 1) for item in value.array_value.values[:MAX_ITEMS]]
    if kind == "kvlist_value" and depth < MAX_NESTING:
        return {pair.key: any_value(pair.value, depth + 1) for pair in value.kvlist_value.values[:MAX_ITEMS]}
    return getattr(value, kind) if kind in _SCALARS else None


_SCALARS = frozenset(("string_value", "bool_value", "int_value", "double_value"))


def _events(events: Any) -> Events:
    first: Events = {}
    for event in events[:MAX_EVENTS]:
        if event.name not in first:
            first[event.name] = (event.time_unix_nano, slots_of(event.attributes, any_value))
    return first
