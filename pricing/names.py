"""Provider and model names as senders write them -> as the price book knows them."""

import re
from functools import lru_cache

_MAX_NAME = 200

# Normalised spelling (lower case, `_` and blanks as `-`) -> provider. Where a spelling has dots, the longest
# dotted beginning that is declared wins, so `google.generative-ai.chat` and `openai.responses` need no entry.
_ALIASES = {
    "ai21": "ai21",
    "amazon": "aws",
    "amazon-bedrock": "aws",
    "anthropic": "anthropic",
    "arcee": "arcee",
    "avian": "avian",
    "aws": "aws",
    "aws-bedrock": "aws",
    "az": "azure",
    "azure": "azure",
    "azure-ai": "azure",
    "azure-openai": "azure",
    "azureopenai": "azure",
    "azure-text": "azure",
    "baseten": "baseten",
    "bedrock": "aws",
    "bedrock-converse": "aws",
    "bedrock-mantle": "aws",
    "bedrock-runtime": "aws",
    "cerebras": "cerebras",
    "claude": "anthropic",
    "cloudflare": "cloudflare",
    "cloudflare-workers-ai": "cloudflare",
    "cohere": "cohere",
    "cohere-chat": "cohere",
    "copilot": "github-copilot",
    "cursor": "cursor",
    "databricks": "databricks",
    "deepseek": "deepseek",
    "doubleword": "doubleword",
    "elevenlabs": "elevenlabs",
    "fireworks": "fireworks",
    "fireworks-ai": "fireworks",
    "fireworksai": "fireworks",
    "gcp": "google",
    "gemini": "google",
    "github-copilot": "github-copilot",
    "google": "google",
    "google-ai-studio": "google",
    "google-genai": "google",
    "google-gla": "google",
    "google-vertex": "google",
    "google-vertexai": "google",
    "groq": "groq",
    "huggingface": "huggingface",
    "hugging-face": "huggingface",
    "ibm": "ibm",
    "meta": "meta",
    "minimax": "minimax",
    "mistral": "mistral",
    "mistral-ai": "mistral",
    "mistralai": "mistral",
    "modal": "modal",
    "moonshot": "moonshotai",
    "moonshot-ai": "moonshotai",
    "moonshotai": "moonshotai",
    "novita": "novita",
    "novita-ai": "novita",
    "ollama": "ollama",
    "openai": "openai",
    "openai-responses": "openai",
    "openai-chat": "openai",
    "openrouter": "openrouter",
    "ovhcloud": "ovhcloud",
    "perplexity": "perplexity",
    "perplexity-ai": "perplexity",
    "text-completion-openai": "openai",
    "together": "together",
    "together-ai": "together",
    "togetherai": "together",
    "vertex": "google",
    "vertex-ai": "google",
    "vertex-ai-beta": "google",
    "vertexai": "google",
    "voyage": "voyageai",
    "voyageai": "voyageai",
    "watsonx": "ibm",
    "x-ai": "x-ai",
    "xai": "x-ai",
    "z-ai": "zai",
    "zai": "zai",
    "zhipu": "zhipuai",
    "zhipuai": "zhipuai",
}

# Longer spellings of one family (`vertex_ai-anthropic_models`, `azure_ai_studio`).
_FAMILIES = (("vertex-ai", "google"), ("google-", "google"), ("azure-", "azure"), ("bedrock-", "aws"))

# Frameworks and gateways name themselves where a provider belongs: the model's name says more.
_NOT_PROVIDERS = {
    "agno", "ai-gateway", "autogen", "crewai", "custom", "dspy", "gateway", "haystack", "helicone",
    "instructor", "langchain", "langgraph", "litellm", "litellm-proxy", "llama-index", "llamaindex",
    "logfire", "mlflow", "none", "null", "openinference", "openlit", "other", "portkey", "pydantic-ai",
    "semantic-kernel", "smolagents", "strands", "traceloop", "unknown", "vercel",
}  # fmt: skip

# The maker's own API, by the model's name alone. First match wins. Open weights, which anyone may serve,
# say nothing.
_MODEL_MAKERS = tuple(
    (re.compile(pattern), provider)
    for pattern, provider in (
        (r"(?:[a-z-]+\.)?(?:ai21|amazon|anthropic|cohere|deepseek|meta|mistral|openai|qwen)\.", "aws"),
        (r"arn:aws", "aws"),
        (r".*claude", "anthropic"),
        (r"@cf/", "cloudflare"),
        (r".*gemini|gemma-|text-bison|chat-bison|learnlm", "google"),
        (r"(?:ft:)?(?:chatgpt|gpt-(?!oss|neo|j-)|o[134](?:$|-)|codex-|computer-use)", "openai"),
        (r"text-(?:embedding-(?:3|ada)|davinci|moderation)|(?:davinci|babbage)-002", "openai"),
        (r"dall-e|whisper-1|tts-1|sora|omni-moderation", "openai"),
        (r"(?:c4ai-)?command(?:$|-)|embed-(?:english|multilingual|v4)|rerank-|c4ai-", "cohere"),
        (r"(?:labs-)?(?:(?:mi|code|dev|magi|mini)stral|mixtral|pixtral|voxtral|open-mi[sx]t)", "mistral"),
        (r"deepseek", "deepseek"),
        (r".*grok", "x-ai"),
        (r"(?:llama-3(?:\.\d)?-)?sonar(?:$|-)|pplx-", "perplexity"),
        (r"kimi|moonshot", "moonshotai"),
        (r"glm-", "zhipuai"),
        (r"minimax-|m2-her", "minimax"),
        (r"voyage-", "voyageai"),
        (r"eleven_", "elevenlabs"),
        (r"databricks-|system\.ai\.", "databricks"),
        (r"composer-", "cursor"),
        (r"jev-", "typesafe"),
        (r"muse-(?:spark|wonder)", "meta"),
        (r"accounts/fireworks/", "fireworks"),
    )
)


@lru_cache(maxsize=8192)
def provider_of(raw_provider: str | None, model: str | None = None) -> str | None:
    """The normalised provider: lower case, one spelling each; a sender's unknown provider is kept as it is.

    A framework or gateway in place of a provider, or none at all, is answered from the model's prefix
    (`anthropic/claude-…`) or name. None where that says nothing either.
    """
    known = _declared(raw_provider)
    if known is not None:
        return known
    spelling = _spelling(raw_provider)
    if spelling and not _is_framework(spelling):
        return (raw_provider or "").strip().lower()[:_MAX_NAME]
    return _provider_of_model(model)


def model_names(model: str) -> tuple[str, ...]:
    """The names under which a model may be known, most specific first.

    >>> model_names("openrouter/anthropic/claude-opus-4.5")
    ('openrouter/anthropic/claude-opus-4.5', 'anthropic/claude-opus-4.5', 'claude-opus-4.5')
    """
    name = model.strip().lower()
    names = [name]
    while "/" in name and len(names) < 8:
        name = name.split("/", 1)[1]
        if name:
            names.append(name)
    return tuple(names)


def prefix_provider(model: str) -> str | None:
    """The provider that a model's own prefix names: `anthropic` of `anthropic/claude-opus-4.5`, or None."""
    for part in model.split("/")[:-1]:
        provider = _declared(part)
        if provider is not None:
            return provider
    return None


def _provider_of_model(model: str | None) -> str | None:
    if not model:
        return None
    name = model.strip().lower()
    for pattern, provider in _MODEL_MAKERS:
        if "/" in pattern.pattern and pattern.match(name):
            return provider
    prefix = prefix_provider(name)
    if prefix is not None:
        return prefix
    last = name.rsplit("/", 1)[-1]
    return next((provider for pattern, provider in _MODEL_MAKERS if pattern.match(last)), None)


def _declared(raw: str | None) -> str | None:
    """The provider of the longest dotted beginning of `raw` that is declared."""
    spelling = _spelling(raw)
    while spelling:
        if spelling in _ALIASES:
            return _ALIASES[spelling]
        if spelling.startswith("huggingface"):
            return (raw or "").strip().lower()[:_MAX_NAME]
        spelling = spelling.rpartition(".")[0]
    start = _spelling(raw)
    return next((provider for family, provider in _FAMILIES if start.startswith(family)), None)


def _is_framework(spelling: str) -> bool:
    return spelling in _NOT_PROVIDERS or spelling.split(".", 1)[0] in _NOT_PROVIDERS


def _spelling(raw: str | None) -> str:
    return (raw or "").strip().lower().replace("_", "-").replace(" ", "-")
