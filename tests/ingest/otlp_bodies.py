"""Small OTLP requests for tests."""

from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from ingest.records import CallRecord, SpanRecord
from ingest.wire.otlp import Decoded, decode_traces

NOW_US = 1_795_600_000_000_000
TRACE = bytes(range(1, 17))


def any_of(value: Any) -> AnyValue:
    """An AnyValue of a Python value."""
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_of(item) for item in value]))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=pairs(value)))
    return AnyValue() if value is None else AnyValue(string_value=value)


def pairs(attributes: dict[str, Any]) -> list[KeyValue]:
    """Attributes as protobuf."""
    return [KeyValue(key=key, value=any_of(value)) for key, value in attributes.items()]


def span(number: int, attributes: dict[str, Any] | None = None, **fields: Any) -> Span:
    """A span `number` of one trace; `parent` another number, `at` and `took` in milliseconds, `scope` apart."""
    parent, at, took = fields.pop("parent", None), fields.pop("at", number), fields.pop("took", 10)
    start_ns = (NOW_US + at * 1000) * 1000
    given: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": number.to_bytes(8, "big"),
        "parent_span_id": b"" if parent is None else parent.to_bytes(8, "big"),
        "name": "a span",
        "start_time_unix_nano": start_ns,
        "end_time_unix_nano": start_ns + took * 1_000_000,
        "attributes": pairs(attributes or {}),
    }
    return Span(**(given | fields))


def failed(span: Span, message: str = "") -> Span:
    """The same span with status error."""
    span.status.code = Status.STATUS_CODE_ERROR
    span.status.message = message
    return span


def body_of(*spans: Span, scope: str = "app", resource: dict[str, Any] | None = None) -> bytes:
    """A protobuf request."""
    group = ScopeSpans(scope=InstrumentationScope(name=scope), spans=spans)
    resources = [ResourceSpans(resource=Resource(attributes=pairs(resource or {})), scope_spans=[group])]
    return ExportTraceServiceRequest(resource_spans=resources).SerializeToString()


def decoded(body: bytes, *, json: bool = False, **options: Any) -> Decoded:
    """The request decoded, with all of history allowed."""
    return decode_traces(body, json=json, now_us=NOW_US, floor_us=0, **options)


def records(*spans: Span, scope: str = "app", resource: dict[str, Any] | None = None) -> list[SpanRecord]:
    """Records of spans, of which none may be refused."""
    found = decoded(body_of(*spans, scope=scope, resource=resource))
    assert found.rejections == []
    return found.spans


def record(attributes: dict[str, Any], *, scope: str = "app", **fields: Any) -> SpanRecord:
    """The record of one span with these attributes."""
    return records(span(1, attributes, **fields), scope=scope)[0]


def call_in(attributes: dict[str, Any], *, scope: str = "app", **fields: Any) -> CallRecord:
    """The call of one span with these attributes."""
    return called(record(attributes, scope=scope, **fields))


def called(found: SpanRecord) -> CallRecord:
    """The call that a record holds."""
    assert found.call is not None
    return found.call
