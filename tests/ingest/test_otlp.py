"""OTLP decoding: what is refused and how, in both encodings; no body is a fault."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.records import Tokens
from ingest.wire.decoded import MalformedError
from ingest.wire.otlp import decode_traces
from tests.captures import recorded
from tests.ingest.otlp_bodies import (
    NOW_US,
    TRACE,
    body_of,
    call_in,
    called,
    decoded,
    record,
    span,
)

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}
IN, OUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"


def refusals(body, **options):
    return [(r.index, r.field) for r in decoded(body, **options).rejections]


def test_bad_spans_are_refused_one_by_one_and_good_ones_kept():
    body = body_of(
        span(1, CHAT | {IN: 5}),
        span(2, trace_id=b"short"),
        span(3, span_id=b""),
        span(4, parent_span_id=b"x"),
        span(5, trace_id=bytes(16)),
        span(6, start_time_unix_nano=0, end_time_unix_nano=0),
        span(7, at=2 * 3_600_000),
        span(8, took=10_000_000),
        span(9, CHAT | {IN: -1}),
        span(10, CHAT | {OUT: 2**60}),
        span(11, CHAT | {OUT: float("nan")}),
        span(12, CHAT | {"gen_ai.usage.reasoning_tokens": "many"}),
        span(13, CHAT | {"flowledger.cost": -0.5}),
        span(14, CHAT | {IN: 6}),
    )
    found = decoded(body)
    assert [one.call.tokens.input for one in found.spans if one.call] == [5, 6]
    assert [(r.index, r.field) for r in found.rejections] == [
        (1, "traceId"),
        (2, "spanId"),
        (3, "parentSpanId"),
        (4, "traceId"),
        (6, "startTimeUnixNano"),
        (7, "endTimeUnixNano"),
        (8, IN),
        (9, OUT),
        (10, OUT),
        (11, "gen_ai.usage.reasoning.output_tokens"),
        (12, "flowledger.cost"),
    ]
    assert all(r.message and r.hint for r in found.rejections)


def test_spans_before_the_floor_are_refused():
    body = body_of(span(1, at=-5), span(2, at=5))
    found = decode_traces(body, json=False, now_us=NOW_US, floor_us=NOW_US)
    assert [one.span for one in found.spans] == ["0000000000000002"]
    assert [(r.index, r.field) for r in found.rejections] == [(0, "startTimeUnixNano")]


@pytest.mark.parametrize(
    ("value", "tokens"), [(12, 12), (12.0, 12), ("12", 12), ("12.0", 12), (None, None), ("", None)]
)
def test_counts_are_read_whatever_type_they_were_sent_as(value, tokens):
    assert call_in(CHAT | {IN: value, OUT: 3}).tokens == Tokens(input=tokens, output=3)


def test_time_running_backwards_is_clamped():
    found = record(CHAT, took=-5)
    assert (found.ended_us, called(found).duration_us) == (found.started_us, 0)


JSON_SPAN: dict[str, Any] = {
    "traceId": TRACE.hex().upper(),
    "spanId": "00000000000000AB",
    "parentSpanId": "",
    "name": "chat gpt-4o",
    "kind": "SPAN_KIND_CLIENT",
    "startTimeUnixNano": str(NOW_US * 1000),
    "endTimeUnixNano": NOW_US * 1000 + 7_000_000,
    "status": {"code": "STATUS_CODE_ERROR", "message": "Error code: 429 - slow"},
    "attributes": [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}},
        {"key": IN, "value": {"intValue": "12"}},
        {"key": OUT, "value": {"intValue": 3}},
        {"key": "gen_ai.response.finish_reasons",
         "value": {"arrayValue": {"values": [{"stringValue": "stop"}]}}},
        {"key": "user.id", "value": {"stringValue": "u\x00 \U0001f600"}},
        {"key": "session.id", "value": {}},
        {"key": "empty"},
    ],
    "droppedAttributesCount": 0,
    "somethingNew": {"nested": [1, {}]},
}  # fmt: skip


def json_body(*spans):
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}], "more": 1}).encode()


def test_json_is_read_as_the_specification_has_it():
    (found,) = decoded(json_body(JSON_SPAN), json=True).spans
    assert (found.trace, found.span, found.parent) == (TRACE.hex(), "00000000000000ab", None)
    assert found.context == {"user": "u\ufffd \U0001f600"}
    call = called(found)
    assert call.tokens == Tokens(input=12, output=3)
    assert (call.duration_us, call.failed, call.error_class, call.error_type, call.finish_reason) == (
        7000, True, "rate_limit", "429", "stop",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"traceId": "W8jPQmSp7Cm0sKvDYLOgCg=="}, "trace_id"),
        ({"traceId": 5}, None),
        ({"attributes": [{"key": "user.id", "value": {"intValue": []}}]}, None),
        ({"startTimeUnixNano": "soon"}, None),
        ({"startTimeUnixNano": "9" * 5000}, None),
        ({"startTimeUnixNano": "99999999999999999999"}, "startTimeUnixNano"),
        ({"attributes": [*JSON_SPAN["attributes"][:2], {"key": IN, "value": {"doubleValue": "NaN"}}]}, IN),
    ],
)
def test_a_bad_json_span_costs_itself_alone(changes, field):
    found = decoded(json_body(JSON_SPAN, JSON_SPAN | changes, JSON_SPAN), json=True)
    assert len(found.spans) == 2
    assert [(r.index, r.field) for r in found.rejections] == [(1, field)]


def test_half_a_surrogate_pair_costs_nothing_but_itself():
    names = [r"\ud83d cut", r"\ude00 cut", r"\ud83d\ude00 whole", r"\\ud83d told"]
    bodies = [json.dumps(JSON_SPAN | {"name": "NAME"}).replace("NAME", name) for name in names]
    body = '{"resourceSpans": [{"scopeSpans": [{"spans": [' + ",".join(bodies) + "]}]}]}"
    found = decoded(body.encode(), json=True).spans
    assert [one.name for one in found] == ["\ufffd cut", "\ufffd cut", "\U0001f600 whole", r"\ud83d told"]


def test_nesting_200_deep_is_taken_or_refused_never_a_fault():
    value: dict = {"stringValue": "x"}
    for _ in range(200):
        value = {"arrayValue": {"values": [value]}}
    deep = JSON_SPAN | {"attributes": [{"key": "user.id", "value": value}]}
    found = decoded(json_body(JSON_SPAN, deep), json=True)
    assert [one.context for one in found.spans] == [{"user": "u\ufffd \U0001f600"}, {}]


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"resourceSpans": null}', b'{"resourceSpans": []}',
     b'{"resourceSpans": [{"scopeSpans": [{"spans": null}]}]}'],
)  # fmt: skip
def test_an_empty_request_is_fine(body):
    assert decoded(body, json=bool(body)).spans == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"resourceSpans": {}}', b'{"resourceSpans": [', b"\xff\xfe", b"[" * 5000]
)
def test_what_is_no_json_request_is_malformed(body):
    with pytest.raises(MalformedError) as caught:
        decoded(body, json=True)
    assert caught.value.hint


def test_a_group_that_cannot_be_read_is_refused_and_the_next_one_taken():
    good = json.loads(json_body(JSON_SPAN))["resourceSpans"][0]
    body = json.dumps({"resourceSpans": [{"scopeSpans": 5}, good]}).encode()
    found = decoded(body, json=True)
    assert (len(found.spans), refusals(body, json=True)) == (1, [(0, "resourceSpans")])


@pytest.mark.parametrize("capture", ["otel_genai_openai", "langfuse_js"])
def test_truncated_bodies_are_malformed_or_partly_read_never_a_fault(capture):
    request = recorded(capture)[0]
    for cut in range(0, len(request.body), max(1, len(request.body) // 400)):
        with contextlib.suppress(MalformedError):
            assert len(decoded(request.body[:cut], json=request.json).spans) <= 6


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("capture", ["otel_genai_openai", "langfuse_openai", "langfuse_js", "litellm_otel"])
def test_mutated_bodies_are_malformed_or_refused_never_a_fault(capture, data):
    request = recorded(capture)[0]
    body = bytearray(request.body)
    for _ in range(data.draw(st.integers(1, 8))):
        where = data.draw(st.integers(0, len(body) - 1))
        body[where] = data.draw(st.integers(0, 255))
    try:
        found = decoded(bytes(body), json=request.json, fingerprint=lambda source: source[:8])
    except MalformedError:
        return
    for one in found.spans:
        assert "\x00" not in one.name
        assert one.call is None or one.call.model is None or len(one.call.model) <= 200


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)
ATTRIBUTE_NAMES = (
    IN, "langfuse.observation.usage_details", "gen_ai.usage.raw", "metadata.usage_object", "metadata",
    "llm.invocation_parameters", "langfuse.observation.cost_details", "gen_ai.input.messages",
    "gen_ai.system_instructions", "gen_ai.prompt.0.content", "tag.tags", "gen_ai.response.finish_reasons",
    "ai.response.providerMetadata", "error.type", "langfuse.observation.completion_start_time", "duration",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(values=st.lists(st.tuples(st.sampled_from(ATTRIBUTE_NAMES), JSON_VALUES), max_size=5))
def test_attributes_of_any_shape_are_read_or_refused_never_a_fault(values):
    attributes = CHAT | {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in values
    }
    found = decoded(body_of(span(1, attributes)), fingerprint=lambda source: source[:8])
    assert len(found.spans) + len(found.rejections) == 1


def test_text_that_is_not_utf8_costs_its_span_alone():
    body = body_of(span(1, CHAT, name="first"), span(2, CHAT, name="XXXX"), span(3, CHAT, name="third"))
    found = decoded(body.replace(b"XXXX", b"\xff\xfeXX"))
    assert [one.name for one in found.spans] == ["first", "third"]
    assert [r.index for r in found.rejections] == [1]


def framed(tag, payload):
    length, encoded = len(payload), b""
    while length > 0x7F:
        encoded += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([tag]) + encoded + bytes([length]) + payload


def test_protobuf_nested_too_deeply_costs_its_span_alone():
    value = b""
    for _ in range(200):
        value = framed(0x2A, framed(0x0A, value))  # an array of one value
    deep = framed(0x4A, framed(0x0A, b"user.id") + framed(0x12, value))  # an attribute
    spans = [one.SerializeToString() for one in (span(1, CHAT), span(2, CHAT), span(3, CHAT))]
    spans[1] += deep
    found = decoded(framed(0x0A, framed(0x12, b"".join(framed(0x12, one) for one in spans))))
    assert (len(found.spans), [r.index for r in found.rejections]) == (2, [1])


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\x05abc", b"hello", b"{}", b"\x0a\x02\x12\x7f"])
def test_what_is_no_protobuf_request_is_malformed(body):
    with pytest.raises(MalformedError) as caught:
        decoded(body)
    assert caught.value.hint
