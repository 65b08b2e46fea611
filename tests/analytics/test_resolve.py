"""The resolver against recorded traffic of real clients: every figure, whatever the order and the splitting."""

import random
from collections import defaultdict

import pytest

from analytics.resolve import resolve
from ingest.records import CallRecord, SpanRecord
from ingest.wire.otlp import decode_traces
from tests.captures import expected, figures, recorded, single_spans

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
