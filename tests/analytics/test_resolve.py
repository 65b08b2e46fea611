"""The resolver against recorded traffic of real clients: every figure, whatever the order and the splitting."""

import random
from collections import defaultdict

import pytest

from analytics.resolve import resolve
from ingest.records import CallRecord, SpanRecord
from ingest.wire.otlp import decode_traces
from tests.captures import expected, figures, recorded, single_spans, truth

NOW_US = 1_795_600_000_000_000
CAPTURES = (
    "otel_genai_openai",
    "otel_openai_v2",
    "otel_openai_v2_latest",
    "otlp_retry",
    "openllmetry_openai",
    "openllmetry_openai_old",
    "openinference_openai",
    "openinference_litellm_nested",
    "langfuse_openai",
    "langfuse_js",
    "litellm_otel",
)


def spans_of(capture: str) -> list[SpanRecord]:
    spans: list[SpanRecord] = []
    for request in recorded(capture):
        decoded = decode_traces(request.body, json=request.json, now_us=NOW_US, floor_us=0)
        assert decoded.rejections == []
        spans += decoded.spans
    return spans


def calls_of(spans: list[SpanRecord]) -> list[CallRecord]:
    traces: dict[str, list[SpanRecord]] = defaultdict(list)
    for span in spans:
        traces[span.trace].append(span)
    return sorted((call for trace in traces.values() for call in resolve(trace).calls), key=lambda c: c.id)


@pytest.mark.parametrize("capture", CAPTURES)
def test_capture_gives_the_expected_figures(capture):
    assert figures(calls_of(spans_of(capture))) == expected(capture)


@pytest.mark.parametrize("capture", CAPTURES)
def test_capture_gives_the_same_calls_twice_reversed_and_shuffled(capture):
    spans = spans_of(capture)
    calls = calls_of(spans)
    assert calls_of(spans + spans) == calls
    assert calls_of(spans[::-1]) == calls
    for seed in range(5):
        shuffled = spans * 2
        random.Random(seed).shuffle(shuffled)
        assert calls_of(shuffled) == calls


@pytest.mark.parametrize("capture", CAPTURES)
def test_capture_split_into_single_spans_gives_the_same_calls(capture):
    spans = [
        span
        for request in reversed(recorded(capture))
        for body in single_spans(request)
        for span in decode_traces(body, json=request.json, now_us=NOW_US, floor_us=0).spans
    ]
    assert calls_of(spans) == calls_of(spans_of(capture))


@pytest.mark.parametrize(
    "capture", ["openllmetry_openai", "openllmetry_openai_old", "openinference_openai", "otel_genai_openai"]
)
def test_each_call_of_a_flow_is_the_one_the_provider_saw(capture):
    truths = {call["response_id"]: call for call in truth(capture)["calls"] if call.get("response_id")}
    matched = 0
    for call in calls_of(spans_of(capture)):
        seen = truths.get(call.response_id)
        if seen is None or not seen["context"].get("flow"):
            continue
        matched += 1
        told = (call.model, call.response_model, call.flow, call.user, call.session, call.environment)
        context = seen["context"]
        assert told == (
            seen["request_model"],
            seen["response_model"],
            *(context[key] for key in ("flow", "user", "session", "environment")),
        )
        assert call.step in (None, context["step"])
        if call.ttft_us is not None:
            assert call.ttft_us / 1e6 == pytest.approx(seen["time_to_first_chunk_s"], abs=0.1)
    assert matched >= 10
