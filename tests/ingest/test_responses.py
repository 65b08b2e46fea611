"""Raw provider responses: usage is found wherever providers put it, or the refusal says why there is none."""

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from accounts.keys import create_key
from ingest.records import Tokens
from ingest.wire.event import Rules
from ingest.wire.payload import facts_of
from ingest.wire.responses import decode_responses
from tests.ingest.conftest import Sender
from tests.shared import SHARED

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RULES = Rules(now_us=int(NOW.timestamp() * 1e6), main_environment="production")
SAMPLES = SHARED / "data" / "provider_payloads" / "usage_samples.jsonl.gz"
BODIES = SHARED / "data" / "provider_payloads" / "response_bodies.jsonl.gz"
need = pytest.mark.skipif(not SAMPLES.exists(), reason="the shared data is not there")
HINT = "Ask the provider for usage: for streams of OpenAI's kind, stream_options.include_usage."


def decode(*items):
    return decode_responses(json.dumps({"responses": items}).encode(), ndjson=False, rules=RULES)


SHAPES = {
    "openai": (
        {"usage": {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 60},
                   "completion_tokens_details": {"reasoning_tokens": 8}}},
        Tokens(40, 60, None, None, 12, 8),
    ),
    "anthropic": (
        {"usage": {"input_tokens": 6, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 30,
                   "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
                   "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}},
        Tokens(6, 100, 10, 20, 5, 4),
    ),
    "gemini": (
        {"usageMetadata": {"promptTokenCount": 32, "candidatesTokenCount": 41, "toolUsePromptTokenCount": 2395,
                           "thoughtsTokenCount": 47, "totalTokenCount": 2515}},
        Tokens(2427, None, None, None, 41, 47),
    ),
    "gemini audio": (
        {"usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 5,
                           "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 70}]}},
        Tokens(30, None, None, None, 5, None, 70),
    ),
    "gemini, only thoughts": (
        {"usageMetadata": {"promptTokenCount": 34, "totalTokenCount": 102, "thoughtsTokenCount": 68}},
        Tokens(34, None, None, None, 0, 68),
    ),
    "gemini interactions": (
        {"usage": {"total_tokens": 229, "total_input_tokens": 9, "total_cached_tokens": 0, "total_output_tokens": 13,
                   "total_tool_use_tokens": 0, "total_thought_tokens": 207}},
        Tokens(9, 0, None, None, 13, 207),
    ),
    "bedrock converse, cache beside the input": (
        {"usage": {"inputTokens": 3, "outputTokens": 227, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 1712,
                   "totalTokens": 1942, "cacheDetails": [{"inputTokens": 1712, "ttl": "1h"}]}},
        Tokens(3, 0, 0, 1712, 227),
    ),
    "titan embedding": ({"embedding": [], "inputTextTokenCount": 4}, Tokens(4, output=0)),
    "llama on bedrock": (
        {"generation": "x", "prompt_token_count": 158, "generation_token_count": 128, "stop_reason": "length"},
        Tokens(158, output=128),
    ),
    "ollama": ({"model": "qwen3", "prompt_eval_count": 21, "eval_count": 369}, Tokens(21, output=369)),
    "cohere bills its own count": (
        {"usage": {"billed_units": {"input_tokens": 25, "output_tokens": 9}, "tokens": {"input_tokens": 91}}},
        Tokens(25, output=9),
    ),
    "voyage tells a total": ({"usage": {"total_tokens": 12}}, Tokens(12)),
    "mistral": (
        {"usage": {"prompt_tokens": 68, "completion_tokens": 6, "num_cached_tokens": 8}}, Tokens(60, 8, output=6),
    ),
    "the usage object alone": ({"prompt_tokens": 15, "completion_tokens": 7}, Tokens(15, output=7)),
    "compaction: every iteration is billed": (
        {"usage": {"input_tokens": 181, "output_tokens": 8, "iterations": [
            {"type": "compaction", "input_tokens": 100, "output_tokens": 83, "cache_read_input_tokens": 55096},
            {"type": "message", "input_tokens": 181, "output_tokens": 8, "cache_read_input_tokens": 0}]}},
        Tokens(281, 55096, None, None, 91),
    ),
    "a stream of Anthropic": (
        'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"claude","usage":'
        '{"input_tokens":21,"cache_read_input_tokens":3,"output_tokens":7}}}\n\n'
        'event: message_delta\ndata: {"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":13}}\n\n',
        Tokens(21, 3, None, None, 13),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_usage_is_found_where_providers_put_it(name):
    payload, tokens = SHAPES[name]
    assert facts_of(payload)[0].tokens == tokens


def test_what_the_response_says_becomes_the_call():
    response = {
        "id": "chatcmpl-1", "created": 1763978400, "model": "gpt-4o-mini-2024-07-18", "service_tier": "flex",
        "choices": [{"finish_reason": "length"}], "usage": {"prompt_tokens": 12, "completion_tokens": 3},
    }  # fmt: skip
    decoded = decode({"provider": "openai", "flow": "triage", "model": "gpt-4o-mini", "response": response})
    (call,) = decoded.records
    assert decoded.rejections == decoded.warnings == []
    assert (call.id, call.response_id, call.flow, call.provider) == (
        "chatcmpl-1",
        "chatcmpl-1",
        "triage",
        "openai",
    )
    assert (call.model, call.response_model) == ("gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    assert (call.finish_reason, call.service_tier, call.started_us) == ("length", "flex", 1763978400_000000)
    assert call.tokens == Tokens(12, output=3)


def test_the_same_response_again_is_the_same_call():
    item = {"provider": "aws.bedrock", "model": "amazon.nova-lite-v1:0", "timestamp": "2026-11-24T10:00:00Z",
            "response": {"usage": {"inputTokens": 54, "outputTokens": 18, "totalTokens": 72}}}  # fmt: skip
    first, second = decode(item, item).records
    assert (first.id, first.started_us) == (second.id, second.started_us)


def test_what_openrouter_charged_is_the_reported_cost_to_the_last_digit():
    usage = {"prompt_tokens": 280, "completion_tokens": 40, "cost": 4.1400000000000003e-05, "is_byok": False}
    (call,) = decode(
        {"provider": "openrouter", "response": {"id": "a", "created": 1, "model": "m", "usage": usage}}
    ).records
    assert call.reported_cost == Decimal("0.000041400000000000003")


def test_a_model_asked_for_advice_is_a_call_of_its_own():
    usage = {
        "input_tokens": 2390, "output_tokens": 121, "iterations": [
            {"type": "message", "input_tokens": 1128, "output_tokens": 110},
            {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 2518, "output_tokens": 22},
            {"type": "message", "input_tokens": 1262, "output_tokens": 11}],
    }  # fmt: skip
    response = {"id": "msg_1", "model": "claude-sonnet-5", "usage": usage}
    item = {"provider": "anthropic", "flow": "f", "timestamp": "2026-11-24T10:00:00Z", "response": response}
    own, advisor = decode(item).records
    assert (own.tokens, own.model) == (Tokens(2390, output=121), "claude-sonnet-5")
    assert (advisor.tokens, advisor.model) == (Tokens(2518, output=22), "claude-opus-4-8")
    assert (advisor.flow, advisor.trace) == ("f", "msg_1")


@pytest.mark.parametrize(("item", "field", "message"), [
    ({"provider": "openai"}, "response", "There is no response."),
    ({"response": {"id": "x", "choices": []}}, "response", "The response carries no usage."),
    ({"response": "data: nonsense"}, "response", "The response carries no usage."),
    ([], None, "A response is an object."),
])  # fmt: skip
def test_a_refusal_says_what_is_missing(item, field, message):
    decoded = decode(item)
    assert decoded.records == []
    assert [(each.field, each.message) for each in decoded.rejections] == [(field, message)]
    assert decoded.rejections[0].hint


@pytest.mark.parametrize("payload", [
    {"usage": {"prompt_tokens": -4, "completion_tokens": 10**30}},
    {"usage": {"prompt_tokens": "NaN", "iterations": 4, "cacheDetails": 7}},
    {"usage": {"iterations": [{"model": {}}]}, "choices": [[]], "error": []},
    {"model": {"a": 1}, "id": ["x"], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": "1e999999"}},
    [[[[]]], None, 7, {"usage": None}],
    {"a": {"b": {"c": {}}}},
])  # fmt: skip
def test_hostile_payloads_never_raise(payload):
    decoded = decode(
        {"id": "a", "model": "m", "timestamp": "2026-11-24T10:00:00Z", "response": payload},
        {"response": payload},
    )
    assert len(decoded.records) + len(decoded.rejections) >= 2


@need
def test_every_recorded_usage_is_read_or_refused_with_a_reason_that_is_right():
    refused = []
    read = 0
    with gzip.open(SAMPLES, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            usages = [{"meta" if one["key"] == "meta" else "usage": one["value"]} for one in row["usage"]]
            decoded = decode({
                "provider": row["host"], "model": row["request_model"] or row["response_model"] or row["path"][:100],
                "timestamp": "2026-11-24T10:00:00Z", "status_code": row["status"], "response": usages,
            })  # fmt: skip
            read += len(decoded.records) > 0
            refused += [(row["status"], bool(row["usage"]), each.message) for each in decoded.rejections]
    assert read + len(refused) == 2428
    assert [one for one in refused if one != (200, False, "The response carries no usage.")] == []
    assert len(refused) <= 2


@need
def test_every_recorded_body_gives_its_usage_or_its_error():
    silent = []
    with gzip.open(BODIES, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            facts = facts_of(row["body"])[0]
            if row["status"] < 400 and not facts.has_usage:
                silent.append((row["host"], row["path"]))
    assert silent == []


@pytest.mark.django_db
def test_the_endpoint_takes_responses_with_a_key_that_may_send(send):
    item = {
        "provider": "openai",
        "flow": "triage",
        "response": {"id": "r1", "model": "gpt-4o", "usage": {"prompt_tokens": 100, "completion_tokens": 20}},
    }
    answer = send({"responses": [item, {"response": {}}]}, path="/v1/responses")
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 1
    assert answer.json()["rejected"][0]["hint"] == HINT


@pytest.mark.django_db
def test_a_key_without_the_scope_and_a_wrong_one_send_nothing(project):
    reader = create_key(project=project, scopes=["read"])[1]
    assert Sender(reader)({"response": {}}, path="/v1/responses").status_code == 403
    assert Sender("fl_wrong")({"response": {}}, path="/v1/responses").status_code == 401
