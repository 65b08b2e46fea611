"""Names as senders write them, and what the book makes of them."""

import pytest

from pricing.match import Match, _may_match, find
from pricing.names import model_names, provider_of


@pytest.mark.parametrize(
    ("raw", "normalised"),
    [
        ("openai", "openai"),
        ("OpenAI", "openai"),
        ("openai.chat", "openai"),
        ("openai.responses", "openai"),
        ("Anthropic", "anthropic"),
        ("anthropic.messages", "anthropic"),
        ("gcp.gen_ai", "google"),
        ("gcp.gemini", "google"),
        ("gcp.vertex_ai", "google"),
        ("google.generative-ai", "google"),
        ("google.vertex.chat", "google"),
        ("vertex_ai-anthropic_models", "google"),
        ("gemini", "google"),
        ("x_ai", "x-ai"),
        ("xai", "x-ai"),
        ("xai.chat", "x-ai"),
        ("mistral_ai", "mistral"),
        ("az.ai.openai", "azure"),
        ("azure.ai.openai", "azure"),
        ("az.ai.inference", "azure"),
        ("azure.ai.inference", "azure"),
        ("azure_ai", "azure"),
        ("AWS", "aws"),
        ("aws.bedrock", "aws"),
        ("bedrock", "aws"),
        ("bedrock_converse", "aws"),
        ("amazon-bedrock", "aws"),
        ("together_ai", "together"),
        ("fireworks_ai", "fireworks"),
        ("ibm.watsonx.ai", "ibm"),
        ("huggingface_nebius", "huggingface_nebius"),
        ("My Gateway", "my gateway"),
        ("ollama", "ollama"),
    ],
)
def test_a_providers_spellings_become_one(raw, normalised):
    assert provider_of(raw, "whatever") == normalised


@pytest.mark.parametrize("raw", [None, "", " ", "litellm", "Langchain", "langgraph", "unknown"])
@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", "openai"),
        ("gpt-4o-mini-2024-07-18", "openai"),
        ("o3", "openai"),
        ("text-embedding-3-small", "openai"),
        ("claude-sonnet-4-5", "anthropic"),
        ("anthropic/claude-3-5-sonnet", "anthropic"),
        ("openrouter/anthropic/claude-3.5-sonnet", "openrouter"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
        ("amazon.nova-micro-v1:0", "aws"),
        ("models/gemini-2.5-pro", "google"),
        ("deepseek-r1", "deepseek"),
        ("mistral-large-latest", "mistral"),
        ("grok-4", "x-ai"),
        ("sonar-pro", "perplexity"),
        ("gpt-oss:20b", None),
        ("llama3", None),
        (None, None),
        ("", None),
    ],
)
def test_without_a_provider_the_model_says_it(raw, model, provider):
    assert provider_of(raw, model) == provider


def test_what_the_package_knows_by_name_alone_our_table_says_alike():
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - heavy

    snapshot = get_snapshot()
    differing = []
    for provider in snapshot.providers:
        for model in provider.models:
            if provider.model_match is None or not provider.model_match.is_match(model.id.lower()):
                continue
            if provider_of(None, model.id) != snapshot.find_provider(model.id.lower(), None, None).id:
                differing.append((provider.id, model.id, provider_of(None, model.id)))
    # Open weights that anyone may serve: a name alone does not say at whose price.
    assert [model for _, model, _ in differing if not model.startswith("gpt-oss")] == []


def test_a_name_is_tried_with_its_prefixes_and_without():
    assert model_names("openrouter/anthropic/Claude-Opus-4.5") == (
        "openrouter/anthropic/claude-opus-4.5",
        "anthropic/claude-opus-4.5",
        "claude-opus-4.5",
    )


@pytest.mark.parametrize(
    ("provider", "model", "found"),
    [
        ("openai", "openai/gpt-4o", Match("openai", "gpt-4o")),
        ("openai", "gpt-4o-2024-08-06", Match("openai", "gpt-4o")),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc", Match("openai", "ft:gpt-4o-mini")),
        (None, "gpt-4o", Match("openai", "gpt-4o")),
        ("az.ai.openai", "gpt-4o", Match("openai", "gpt-4o", listed=False)),
        ("gcp.gen_ai", "models/gemini-2.5-pro", Match("google", "gemini-2.5-pro")),
        ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", Match("google", "gemini-2.5-pro")),
        ("gcp.vertex_ai", "claude-3-5-sonnet@20240620", Match("google", "claude-3-5-sonnet")),
        ("x_ai", "grok-4", Match("x-ai", "grok-4-0709")),
        ("litellm", "anthropic/claude-haiku-4-5", Match("anthropic", "claude-haiku-4-5")),
        ("openai", "anthropic/claude-haiku-4-5", Match("anthropic", "claude-haiku-4-5")),
        ("openrouter", "openai/gpt-4o-mini", Match("openrouter", "openai/gpt-4o-mini")),
        ("ollama", "deepseek-r1", None),
        ("openai", "llama-3.3-70b-versatile", None),
        ("my gateway", "gpt-4o", None),
        (None, "", None),
    ],
)
def test_names_of_all_conventions_find_their_price(provider, model, found):
    assert find(provider, model) == found


def test_the_quick_test_lets_through_all_that_the_package_would_match():
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - heavy

    snapshot = get_snapshot()
    names = sorted({model.id.lower() for provider in snapshot.providers for model in provider.models})
    names += [name.rsplit("/", 1)[-1] for name in names] + [f"{name}-20251211" for name in names[::20]]
    for provider in snapshot.providers:
        may_match = _may_match(provider.id)
        for name in names[::7]:
            if provider.find_model(name, all_providers=snapshot.providers) is not None:
                assert may_match(name), (provider.id, name)


def test_a_name_that_nobody_knows_is_turned_away_before_the_clauses():
    assert not _may_match("openrouter")("house-model-4f1c")
    assert not _may_match("azure")("house-model-4f1c")
