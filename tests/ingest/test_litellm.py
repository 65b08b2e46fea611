"""LiteLLM's generic API logger: what its releases really send, in every form, and its spend logs."""

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingest.records import Tokens
from ingest.wire.event import Rules
from ingest.wire.litellm import decode_litellm
from tests.captures import expected, recorded

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RULES = Rules(now_us=int(NOW.timestamp() * 1e6), main_environment="production")
PAYLOAD = {
    "id": "chatcmpl-1", "litellm_call_id": "call-1", "trace_id": "s-a1", "session_id": "", "call_type": "acompletion",
    "status": "success", "custom_llm_provider": "openai", "model": "openai/gpt-4o", "cache_hit": None,
    "startTime": 1763978400.309993, "completionStartTime": 1763978400.5, "endTime": 1763978401.309993, "stream": True,
    "response_cost": 3.855e-05, "prompt_tokens": 221, "completion_tokens": 9, "end_user": "",
    "metadata": {"usage_object": {"prompt_tokens": 221, "completion_tokens": 9,
                                  "prompt_tokens_details": {"cached_tokens": 100}},
                 "requester_metadata": {"environment": "staging"}, "user_api_key_team_alias": "acme"},
    "request_tags": ["support", "feature:classify", "flow:triage", "User-Agent: litellm/1.1"],
    "model_parameters": {"user": "u-1"}, "response": {"id": "chatcmpl-1", "choices": [{"finish_reason": "stop"}]},
}  # fmt: skip


def decode(body, **kinds):
    return decode_litellm(
        body if isinstance(body, bytes) else json.dumps(body).encode(), ndjson=False, rules=RULES, **kinds
    )


def one(**fields):
    decoded = decode([PAYLOAD | fields])
    assert decoded.rejections == []
    return decoded.records[0]


def test_a_payload_becomes_the_call_it_tells_of():
    call = one()
    assert (call.id, call.response_id, call.started_us) == ("call-1", "chatcmpl-1", 1763978400_309993)
    assert (call.flow, call.feature, call.environment) == ("triage", "classify", "staging")
    assert (call.user, call.session, call.customer, call.trace) == ("u-1", "s-a1", "acme", None)
    assert (call.provider, call.model, call.operation, call.finish_reason) == (
        "openai",
        "openai/gpt-4o",
        "chat",
        "stop",
    )
    assert (call.tokens, call.duration_us, call.ttft_us) == (Tokens(121, 100, output=9), 1_000_000, 190_007)
    assert call.tags == {"support": "true"}


def test_its_own_estimate_is_kept_and_never_counted():
    call = one()
    assert (call.estimated_cost, call.reported_cost) == (Decimal("0.00003855"), None)
    assert one(response_cost=0.0).estimated_cost is None


def test_a_trace_id_that_was_made_up_is_the_trace_and_any_other_the_session():
    made = "172a0d7d-f689-4226-be8f-b6538d8b3fca"
    assert (one(trace_id=made).trace, one(trace_id=made).session) == (made, None)
    assert one(trace_id=made, session_id="s-9").session == "s-9"


def test_a_failure_has_its_class_and_no_usage():
    error = {"error_class": "RateLimitError", "error_code": "429"}
    nothing = {"metadata": {"usage_object": {}}, "prompt_tokens": 0, "completion_tokens": 0, "response": None}
    call = one(status="failure", error_information=error, response_cost=0.0, **nothing)
    assert (call.failed, call.error_type, call.error_class) == (True, "RateLimitError", "rate_limit")
    assert (call.tokens, call.estimated_cost) == (Tokens(), None)


def test_a_stream_without_usage_is_unknown_and_not_zero():
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert one(metadata={"usage_object": usage}, prompt_tokens=0, completion_tokens=0).tokens == Tokens()


def test_a_hit_of_the_cache_was_no_request_to_a_provider():
    call = one(cache_hit=True)
    assert (call.reported_cost, call.estimated_cost, call.tokens) == (Decimal(0), None, Tokens())
    assert call.tags["cache_hit"] == "true"


def test_spend_logs_keep_json_as_text_and_times_in_utc():
    row = {
        "request_id": "req-1", "call_type": "aembedding", "spend": "0.00000028", "prompt_tokens": 14,
        "startTime": "2026-11-24 04:10:40.390000", "endTime": "2026-11-24 04:10:40.490000",
        "completion_tokens": 0, "model": "text-embedding-3-small", "custom_llm_provider": "openai",
        "metadata": json.dumps({"spend_logs_metadata": {"flow": "digest"}}),
        "request_tags": '["feature:search"]', "end_user": "u-2", "cache_hit": "False", "status": "success",
    }  # fmt: skip
    (call,) = decode(row).records
    assert (call.id, call.flow, call.feature, call.user) == ("req-1", "digest", "search", "u-2")
    assert (call.operation, call.duration_us, call.estimated_cost) == (
        "embeddings",
        100_000,
        Decimal("0.00000028"),
    )
    assert datetime.fromtimestamp(call.started_us / 1e6, UTC) == datetime(
        2026, 11, 24, 4, 10, 40, 390000, tzinfo=UTC
    )


@pytest.mark.parametrize("form", ["array", "single", "ndjson"])
def test_every_form_of_the_logger_is_read(form):
    second = PAYLOAD | {"litellm_call_id": "call-2"}
    body = {
        "array": json.dumps([PAYLOAD, second]),
        "single": json.dumps(PAYLOAD),
        "ndjson": f"{json.dumps(PAYLOAD)}\n{json.dumps(second)}\n",
    }[form]
    assert [call.id for call in decode(body.encode()).records] == ["call-1", "call-2"][
        : 1 if form == "single" else 2
    ]


def test_one_bad_payload_never_costs_the_batch():
    decoded = decode([PAYLOAD, 7, PAYLOAD | {"startTime": None}, PAYLOAD | {"litellm_call_id": "call-2"}])
    assert [call.id for call in decoded.records] == ["call-1", "call-2"]
    assert [(each.index, each.field) for each in decoded.rejections] == [(1, None), (2, "timestamp")]


@pytest.mark.parametrize("fields", [
    {"metadata": 7}, {"metadata": "{"}, {"request_tags": "x"}, {"request_tags": [None, {}, ":"]}, {"response": []},
    {"model": ["a"]}, {"startTime": "soon"}, {"endTime": -1}, {"response_cost": "NaN"}, {"model_parameters": "x"},
    {"messages": {"a": [[[[1]]]]}}, {"error_information": 4, "status": "failure"}, {"prompt_tokens": 10**40},
])  # fmt: skip
def test_hostile_payloads_are_taken_or_refused_and_never_raise(fields):
    decoded = decode([PAYLOAD | fields])
    assert len(decoded.records) + len(decoded.rejections) == 1


def test_the_recorded_set_holds_what_is_known_of_it():
    known = expected("litellm_generic_api")
    calls = [
        call
        for request in recorded("litellm_generic_api", "webhook")
        for call in decode(request.body).records
    ]
    good = [call for call in calls if not call.failed]
    assert (len(good), len(calls) - len(good)) == (known["llm_calls_succeeded"], known["llm_calls_failed"])
    sums = {name: sum(getattr(call.tokens, name) or 0 for call in calls) for name in Tokens.__struct_fields__}
    cached = sums["cache_read"] + sums["cache_write"] + sums["cache_write_1h"]
    assert sums["input"] + cached == known["input_total"]
    assert sums["output"] + sums["reasoning"] == known["output_total"]
    assert (sums["cache_read"], sums["cache_write"] + sums["cache_write_1h"]) == (
        known["cache_read"],
        known["cache_write"],
    )
    assert sums["reasoning"] == known["reasoning"]
    assert sum(call.tokens == Tokens() for call in good) == known["succeeded_calls_without_token_counts"]
    for dimension in ("flow", "user", "session"):
        assert Counter(getattr(call, dimension) for call in good) == known[f"succeeded_calls_by_{dimension}"]


@pytest.mark.django_db
def test_the_endpoint_answers_with_what_it_refused(send):
    answer = send([PAYLOAD, 7], path="/v1/litellm")
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"][0]["index"]) == (
        202,
        1,
        1,
    )
