"""A native event -> a call record: tokens in disjoint buckets, statuses, costs, times."""

import json
from decimal import Decimal
from typing import Any

import pytest

from ingest.records import CallRecord, Tokens
from ingest.wire import native
from ingest.wire.decoded import MalformedError
from ingest.wire.event import Rules
from ingest.wire.native import decode_events

NOW = 1_795_600_000_000_000
RULES = Rules(now_us=NOW, keep_content=True)
LEAST = {"id": "a", "timestamp": "2026-11-23T10:00:00Z", "model": "gpt-4o"}


def decoded(*events: dict[str, Any], rules: Rules = RULES):
    return decode_events(json.dumps(events).encode(), ndjson=False, rules=rules)


def record(**fields: Any) -> CallRecord:
    found = decoded(LEAST | fields)
    assert found.rejections == []
    taken: CallRecord = found.records[0]
    return taken


def tokens(**usage: Any) -> Tokens:
    return record(usage=usage).tokens


def test_every_field_of_the_contract_arrives():
    sent = {
        "id": "call-0001", "timestamp": "2026-11-23T10:00:00.123Z", "feature": "support", "flow": "triage",
        "environment": "staging", "trace_id": "run-77", "step": "classify", "session": "s-9", "user": "u-4711",
        "customer": "acme", "provider": "OpenAI", "model": "gpt-4o-mini", "response_id": "chatcmpl-1",
        "response_model": "gpt-4o-mini-2024-07-18", "operation": "chat", "service_tier": "flex",
        "prompt": {"name": "triage", "version": "12"}, "retrieval": "kb", "release": "web@4.2.0",
        "usage": {"input_tokens": 1200, "cache_read_tokens": 1000, "cache_write_tokens": 0, "output_tokens": 85,
                  "reasoning_tokens": 0, "other": {"web_searches": 1}},
        "cost": "0.0125", "currency": "EUR", "reservation": "r-1", "duration_ms": 840, "status": "ok",
        "time_to_first_token_ms": 210.5, "error_type": None, "finish_reason": "stop", "attempt": 2,
        "outcome": {"success": True, "value": "12.50"}, "fingerprint": "f", "tags": {"tier": "gold"},
        "scores": [{"name": "thumbs", "value": True, "source": "user", "timestamp": "2026-11-23T10:00:00Z"}],
        "input": "hello", "output": [{"role": "assistant"}],
    }  # fmt: skip
    assert decoded(sent).records[0] == CallRecord(
        id="call-0001", started_us=1_795_428_000_123_000, flow="triage", feature="support",
        environment="staging", trace="run-77", step="classify", session="s-9", user="u-4711",
        customer="acme", provider="openai", model="gpt-4o-mini", response_model="gpt-4o-mini-2024-07-18",
        response_id="chatcmpl-1", operation="chat", service_tier="flex", prompt="triage",
        prompt_version="12", retrieval="kb", release="web@4.2.0",
        tokens=Tokens(200, 1000, 0, None, 85, 0), other_units={"web_searches": Decimal(1)},
        reported_cost=Decimal("0.0125"), currency="EUR", duration_us=840_000, ttft_us=210_500,
        finish_reason="stop", attempt=2, outcome=True, outcome_value=Decimal("12.50"), fingerprint="f",
        tags={"tier": "gold"}, reservation="r-1",
        scores=[{"name": "thumbs", "value": True, "source": "user", "timestamp": 1_795_428_000_000_000}],
        input="hello", output='[{"role":"assistant"}]',
    )  # fmt: skip


def test_the_least_event_knows_little_and_invents_nothing():
    least = record()
    assert least.tokens == Tokens()
    unknown = (least.reported_cost, least.flow, least.duration_us, least.other_units, least.tags)
    assert set(unknown) == {None}
    assert (least.environment, least.attempt, least.failed) == ("production", 1, False)


def test_both_paths_give_the_same_records(monkeypatch):
    sent = [
        LEAST | {"id": str(n), "usage": {"input_tokens": n}, "cost": 0.1 * n, "tags": {"a": n}}
        for n in range(9)
    ]
    fast = decoded(*sent).records
    monkeypatch.setattr(native, "_decoded_whole", lambda *_, **__: None)
    assert decoded(*sent).records == fast


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({}, Tokens()),
        ({"input_tokens": 10}, Tokens(input=10)),
        ({"input_tokens": 0, "output_tokens": 0}, Tokens(input=0, output=0)),
        ({"input_tokens": 100, "cache_read_tokens": 60, "cache_write_tokens": 30}, Tokens(10, 60, 30)),
        ({"input_tokens": 100, "cache_read_tokens": 100}, Tokens(0, 100)),
        ({"input_tokens": 5, "cache_read_tokens": 60}, Tokens(5, 60)),
        ({"cache_read_tokens": 60}, Tokens(cache_read=60)),
        (
            {"input_tokens": 100, "cache_write_tokens": 30, "cache_write_1h_tokens": 20},
            Tokens(70, None, 10, 20),
        ),
        ({"input_tokens": 100, "cache_write_1h_tokens": 20}, Tokens(80, None, None, 20)),
        ({"output_tokens": 50, "reasoning_tokens": 20}, Tokens(output=30, reasoning=20)),
        ({"output_tokens": 50, "reasoning_tokens": 70}, Tokens(output=0, reasoning=50)),
        ({"reasoning_tokens": 70}, Tokens(reasoning=70)),
        ({"input_tokens": 50, "audio_input_tokens": 20}, Tokens(input=30, audio_input=20)),
        ({"output_tokens": 50, "audio_output_tokens": 60}, Tokens(output=0, audio_output=50)),
        ({"input_tokens": 12.0}, Tokens(input=12)),
    ],
)
def test_tokens_are_stored_disjoint(usage, expected):
    assert tokens(**usage) == expected


@pytest.mark.parametrize(
    ("usage", "field"),
    [
        ({"input_tokens": 5, "cache_read_tokens": 60}, "usage.input_tokens"),
        ({"output_tokens": 5, "reasoning_tokens": 60}, "usage.reasoning_tokens"),
    ],
)
def test_totals_smaller_than_their_parts_are_told(usage, field):
    assert [warning.field for warning in decoded(LEAST | {"usage": usage}).warnings] == [field]


@pytest.mark.parametrize(
    ("fields", "failed", "error_class"),
    [
        ({"status": "ok"}, False, ""),
        ({"status": "error"}, True, "other"),
        ({"status": "error", "error_type": "openai.RateLimitError"}, True, "rate_limit"),
        ({"error_type": "TimeoutError"}, True, "timeout"),
        ({"status": "ok", "error_type": "Warning"}, False, ""),
    ],
)
def test_failures_have_a_class(fields, failed, error_class):
    found = record(**fields)
    assert (found.failed, found.error_class) == (failed, error_class)


@pytest.mark.parametrize(
    "fields", [{"status": "error"}, {"error_type": "x"}, {"operation": "search", "cost": "0.01"}]
)
def test_a_failed_call_and_a_paid_tool_need_no_model(fields):
    assert record(model=None, **fields).model is None


@pytest.mark.parametrize("fields", [{"operation": "search"}, {"cost": 1}, {"status": "ok"}])
def test_otherwise_a_call_has_a_model(fields):
    assert [refused.field for refused in decoded(LEAST | fields | {"model": None}).rejections] == ["model"]


@pytest.mark.parametrize("text", ["0.1", "12", "0", "123456789012.5", "0.000000000000000000000000000001"])
def test_a_cost_keeps_every_digit_as_number_and_as_text(text):
    assert record(cost=text).reported_cost == Decimal(text)
    raw = json.dumps(LEAST).replace("}", f', "cost": {text}}}').encode()
    assert decode_events(raw, ndjson=False, rules=RULES).records[0].reported_cost == Decimal(text)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-11-23T10:00:00Z", 1_795_428_000_000_000),
        ("2026-11-23T10:00:00.123456Z", 1_795_428_000_123_456),
        ("2026-11-23T12:00:00.1+02:00", 1_795_428_000_100_000),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1999-12-31T23:59:59.999999Z", 946_684_799_999_999),
    ],
)
def test_times_are_exact_to_the_microsecond(text, micros):
    assert record(timestamp=text).started_us == micros


def test_empty_texts_are_unknown_not_empty_names():
    found = record(flow="", user="", prompt={"name": "", "version": ""}, tags={})
    assert (found.flow, found.user, found.prompt, found.prompt_version, found.tags) == (None,) * 5


def test_without_environment_the_projects_main_one_counts():
    assert decoded(LEAST, rules=Rules(now_us=NOW, main_environment="live")).records[0].environment == "live"


def test_content_is_dropped_unless_it_is_kept():
    sent = LEAST | {"input": "secret", "output": {"text": "secret"}}
    found = decoded(sent, rules=Rules(now_us=NOW)).records[0]
    assert found.input is found.output is None


def test_long_content_and_error_texts_are_cut_and_told():
    found = decoded(LEAST | {"input": "x" * 1_000_001, "status": "error", "error_type": "y" * 300})
    assert (len(found.records[0].input), len(found.records[0].error_type)) == (1_000_000, 200)
    assert {warning.field for warning in found.warnings} == {"input", "error_type"}


def test_tags_of_other_types_become_texts_and_32_are_kept():
    assert record(tags={"n": 1, "b": True, "f": 0.5, "none": None, "o": {"a": [1]}}).tags == {
        "n": "1", "b": "true", "f": "0.5", "none": "", "o": '{"a":[1]}',
    }  # fmt: skip
    assert len(record(tags={str(n): "x" for n in range(40)}).tags or ()) == 32


def test_a_body_of_too_many_values_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(native, "MAX_COMMAS", 10)
    with pytest.raises(MalformedError, match="too many values"):
        decoded(*[LEAST] * 10)


def test_an_envelope_with_other_fields_is_read_too():
    body = json.dumps({"sent_at": "now", "events": [LEAST], "sdk": {"a": [1]}}).encode()
    assert [found.id for found in decode_events(body, ndjson=False, rules=RULES).records] == ["a"]
    assert decode_events(b'{"events": []}', ndjson=False, rules=RULES).records == []
