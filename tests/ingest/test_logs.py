"""Log events: messages and a fingerprint for the span they name, never usage."""

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from ingest.records import MessagesRecord
from ingest.wire.decoded import MalformedError
from ingest.wire.logs import decode_logs
from tests.captures import recorded

NOW_US = 1_795_600_000_000_000
TRACE, SPAN = bytes(range(16)), bytes(range(8))


def decoded(body, json=False, **options):
    return decode_logs(body, json=json, now_us=NOW_US, floor_us=0, **options)


def text(value):
    return AnyValue(string_value=value)


def event(name, body, span=SPAN, time_us=NOW_US):
    return LogRecord(event_name=name, trace_id=TRACE, span_id=span, time_unix_nano=time_us * 1000, body=body)


def request(*records):
    scope = ScopeLogs(log_records=records)
    return ExportLogsServiceRequest(resource_logs=[ResourceLogs(scope_logs=[scope])]).SerializeToString()


def content(value):
    return AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="content", value=text(value))]))


def answer(value):
    return AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="message", value=content(value))]))


def test_one_event_a_message_becomes_the_messages_of_the_span():
    body = request(
        event("gen_ai.system.message", content("Be short.")),
        event("gen_ai.user.message", content("Hello")),
        event("gen_ai.choice", answer("Hi")),
    )
    records, rejections = decoded(body, fingerprint=lambda source: f"print of {source}")
    assert rejections == []
    (record,) = records
    assert (record.trace, record.span, record.at_us) == (TRACE.hex(), SPAN.hex(), NOW_US)
    assert record.input == '[{"content":"Be short.","role":"system"},{"content":"Hello","role":"user"}]'
    assert record.output == '[{"content":"Hi","role":"assistant"}]'
    assert record.fingerprint == 'print of {"sampling":{},"system":["Be short."],"tools":null}'


def test_without_content_only_the_fingerprint_stays():
    body = request(event("gen_ai.system.message", content("Be short.")))
    ((record,), _) = decoded(body, keep_content=False, fingerprint=lambda source: "p")
    assert (record.input, record.output, record.fingerprint) == (None, None, "p")


def test_ordinary_log_records_pass_unread():
    line = LogRecord(body=text("started"), time_unix_nano=1)
    assert decoded(request(line, event("other.event", content("x")))) == ([], [])


def test_one_bad_record_does_not_cost_the_good_ones():
    body = request(
        event("gen_ai.user.message", content("a"), span=b"short"),
        event("gen_ai.user.message", content("b"), time_us=NOW_US * 2),
        event("gen_ai.user.message", content("c")),
    )
    records, rejections = decoded(body)
    assert [record.input for record in records] == ['[{"content":"c","role":"user"}]']
    assert [(r.index, r.field) for r in rejections] == [(0, "spanId"), (1, "timeUnixNano")]


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b'{"resourceLogs": 5}', b"[1"])
@pytest.mark.parametrize("json", [True, False])
def test_what_is_no_request_is_malformed(body, json):
    with pytest.raises(MalformedError):
        decoded(body, json=json)


def test_json_is_read_as_protobuf_is():
    body = b"""{"resourceLogs": [{"scopeLogs": [{"logRecords": [
        {"timeUnixNano": "1795600000000000000", "eventName": "gen_ai.user.message",
         "traceId": "000102030405060708090A0B0C0D0E0F", "spanId": "0001020304050607",
         "body": {"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": "c"}}]}}},
        {"timeUnixNano": [], "eventName": "gen_ai.user.message"}]}]}]}"""
    records, rejections = decoded(body, json=True)
    assert [(r.trace, r.input) for r in records] == [(TRACE.hex(), '[{"content":"c","role":"user"}]')]
    assert [r.index for r in rejections] == [1]


@pytest.mark.parametrize(
    ("capture", "spans"), [("otel_genai_openai", 17), ("otel_openai_v2_latest", 15), ("otel_openai_v2", 0)]
)
def test_recorded_events_give_messages_to_their_spans(capture, spans):
    found: dict[tuple[str, str], MessagesRecord] = {}
    for sent in recorded(capture, "logs"):
        records, rejections = decoded(sent.body, json=sent.json, fingerprint=lambda source: source)
        assert rejections == []
        found |= {(record.trace, record.span): record for record in records}
    assert len(found) == spans
    assert all(record.input for record in found.values())
    assert any("support assistant" in (record.fingerprint or "") for record in found.values()) or not spans
