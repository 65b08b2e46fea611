"""Token counts of every known shape end in disjoint buckets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.records import Tokens
from ingest.wire.usage import Counts, buckets, counts_of
from tests.ingest.otlp_bodies import call_in

OBJECTS = [
    (
        {"prompt_tokens": 1902, "completion_tokens": 64, "prompt_tokens_details": {"cached_tokens": 1024}},
        Tokens(input=878, cache_read=1024, output=64),
    ),
    (
        {"input_tokens": 658, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 540,
         "output_tokens_details": {"reasoning_tokens": 384}, "total_tokens": 1198},
        Tokens(input=658, cache_read=0, output=156, reasoning=384),
    ),
    (  # Anthropic's own: input excludes the cache
        {"input_tokens": 341, "cache_creation_input_tokens": 1800, "cache_read_input_tokens": 0,
         "output_tokens": 12, "cache_creation": {"ephemeral_1h_input_tokens": 800}},
        Tokens(input=341, cache_read=0, cache_write=1000, cache_write_1h=800, output=12),
    ),
    (  # Gemini: thoughts beside candidates
        {"promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 10,
         "thoughtsTokenCount": 30},
        Tokens(input=60, cache_read=40, output=10, reasoning=30),
    ),
    ({"inputTokens": 50, "outputTokens": 5, "cacheReadInputTokens": 200},
     Tokens(input=50, cache_read=200, output=5)),
    ({"promptTokens": 221, "completionTokens": 9, "totalTokens": 230}, Tokens(input=221, output=9)),
    (
        {"input": 878, "input_cached_tokens": 1024, "output": 64, "total": 1966},
        Tokens(input=878, cache_read=1024, output=64),
    ),
    (
        {"input": 10, "input_cache_creation": 5, "output": 7, "output_reasoning": 3, "total": 25},
        Tokens(input=10, cache_write=5, output=7, reasoning=3),
    ),
    (  # parts inside the totals, as the total shows
        {"input": 100, "input_cached_tokens": 40, "output": 10, "total": 110},
        Tokens(input=60, cache_read=40, output=10),
    ),
    ({"input": 14}, Tokens(input=14)),
    ({"prompt_tokens": 0, "completion_tokens": 0}, Tokens()),
    ({"prompt_tokens": -4, "completion_tokens": "x"}, Tokens()),
    ({}, Tokens()),
]  # fmt: skip


@pytest.mark.parametrize(("usage", "tokens"), OBJECTS)
def test_usage_objects_of_every_shape(usage, tokens):
    assert buckets(counts_of(usage)) == tokens


@pytest.mark.parametrize(("usage", "tokens"), OBJECTS)
def test_usage_objects_on_a_span(usage, tokens):
    attributes = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.usage_details": json.dumps(usage),
    }
    assert call_in(attributes).tokens == tokens


def test_details_of_the_raw_usage_complete_the_spans_totals():
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "o4-mini",
        "gen_ai.usage.input_tokens": 661,
        "gen_ai.usage.output_tokens": 540,
        "gen_ai.usage.raw": '{"completion_tokens_details": {"reasoning_tokens": 384}, "prompt_tokens": 661}',
    }
    assert call_in(attributes).tokens == Tokens(input=661, output=156, reasoning=384)


def test_an_instrumentation_that_leaves_the_cache_out_of_input():
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.system": "anthropic",
        "gen_ai.usage.input_tokens": 2000,
        "gen_ai.usage.cache_read_input_tokens": 1800,
        "gen_ai.usage.output_tokens": 12,
    }
    inclusive = call_in(attributes).tokens
    exclusive = call_in(attributes, scope="openlit.instrumentation.anthropic").tokens
    assert (inclusive.input, exclusive.input) == (200, 2000)
    more_cache = call_in(attributes | {"gen_ai.usage.cache_read_input_tokens": 3000}).tokens
    assert (more_cache.input, more_cache.cache_read) == (2000, 3000)


COUNT = st.none() | st.integers(0, 5000)


@given(COUNT, COUNT, COUNT, COUNT, COUNT, COUNT)
def test_buckets_add_up_to_the_totals_and_are_never_negative(input_, output, read, write, reasoning, audio):
    counts = Counts(input_, output, read, write, None, None, reasoning, audio, None)
    tokens = buckets(counts)
    parts = (tokens.input, tokens.cache_read, tokens.cache_write, tokens.audio_input)
    assert all(part is None or part >= 0 for part in (*parts, tokens.output, tokens.reasoning))
    if tokens != Tokens() and input_ is not None:
        cached = (read or 0) + (write or 0)
        assert sum(part or 0 for part in parts) == (input_ if cached <= input_ else input_ + cached)
    if tokens != Tokens() and output is not None:
        assert (tokens.output or 0) + (tokens.reasoning or 0) == output
