"""The recorded provider answers of the shared data as (target, instant, tokens, charged cost)."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import unquote

from ingest.records import Tokens
from pricing.book import Target
from tests.shared import SHARED

SAMPLES = SHARED / "data" / "provider_payloads" / "usage_samples.jsonl.gz"
NOW = datetime(2026, 11, 24, tzinfo=UTC)

HOSTS = (
    ("api.openai.com", "openai"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gcp.gen_ai"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("api.groq.com", "groq"),
    ("amazonaws.com", "aws.bedrock"),
    ("api.aws", "aws.bedrock"),
    ("openrouter.ai", "openrouter"),
    ("mistral.ai", "mistral_ai"),
    ("openai.azure.com", "azure.ai.openai"),
    ("cohere.com", "cohere"),
    ("deepseek.com", "deepseek"),
    ("cerebras.ai", "cerebras"),
    ("together", "together_ai"),
    ("voyageai.com", "voyageai"),
    ("x.ai", "xai"),
)


class Sample(NamedTuple):
    target: Target
    at: datetime
    tokens: Tokens
    charged: Decimal | None
    failed: bool


def samples() -> Iterator[Sample]:
    with gzip.open(SAMPLES, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line, parse_float=Decimal)
            provider = next((name for host, name in HOSTS if host in row["host"]), row["host"])
            objects = [u["value"] for u in row["usage"] if isinstance(u["value"], dict)]
            usage = objects[-1] if objects else {}
            cost = usage.get("cost")
            asked = row["request_model"] or _in_path(row["path"])
            yield Sample(
                Target(provider, asked, row["response_model"], _tier(usage)),
                parsedate_to_datetime(row["date"]) if row["date"] else NOW,
                tokens_of(usage),
                Decimal(cost) if cost is not None else None,
                (row["status"] or 200) >= 400,
            )


def tokens_of(usage: dict[str, Any]) -> Tokens:
    """Disjoint buckets of a provider's own usage object: the four families that matter."""
    if "promptTokenCount" in usage or "candidatesTokenCount" in usage:
        return _gemini(usage)
    if isinstance(usage.get("tokens"), dict):  # Cohere
        usage = usage["tokens"]
    if set(usage) == {"total_tokens"}:  # embeddings of Voyage
        return Tokens(usage["total_tokens"])
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    out = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    total_in = _first(usage, "prompt_tokens", "input_tokens", "inputTokens")
    total_out = _first(usage, "completion_tokens", "output_tokens", "outputTokens")
    exclusive = "cache_read_input_tokens" in usage or "cacheReadInputTokens" in usage
    read = (
        _first(usage, "cache_read_input_tokens", "cacheReadInputTokens") or details.get("cached_tokens") or 0
    )
    write = _first(usage, "cache_creation_input_tokens", "cacheWriteInputTokens") or 0
    write = write or details.get("cache_write_tokens") or 0
    hour = (usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0
    audio_in, audio_out = details.get("audio_tokens") or 0, out.get("audio_tokens") or 0
    reasoning = out.get("reasoning_tokens") or 0
    return Tokens(
        total_in if exclusive else _less(total_in, read, write, audio_in),
        read,
        write - hour,
        hour,
        _less(total_out, reasoning, audio_out),
        reasoning,
        audio_in,
        audio_out,
    )


def _gemini(usage: dict[str, Any]) -> Tokens:
    read = usage.get("cachedContentTokenCount") or 0
    output = usage.get("candidatesTokenCount")
    thoughts = usage.get("thoughtsTokenCount") or 0
    audio = sum(
        d.get("tokenCount", 0) for d in usage.get("promptTokensDetails") or [] if d["modality"] == "AUDIO"
    )
    return Tokens(_less(usage.get("promptTokenCount"), read, audio), read, 0, 0, output, thoughts, audio, 0)


def _first(usage: dict[str, Any], *names: str) -> int | None:
    return next((usage[n] for n in names if isinstance(usage.get(n), int)), None)


def _less(total: int | None, *parts: int) -> int | None:
    return None if total is None else max(0, total - sum(parts))


def _in_path(path: str) -> str | None:
    """Bedrock and Gemini name the model in the path: /model/<id>/converse, /models/<id>:generateContent."""
    found = re.search(r"/models?/([^/]+?)(?:/(?:converse|invoke)|:[a-z]+[A-Z]|$)", path)
    return unquote(found[1]) if found else None


def _tier(usage: dict[str, Any]) -> str | None:
    tier = usage.get("service_tier") or usage.get("serviceTier")
    return tier if isinstance(tier, str) else None
