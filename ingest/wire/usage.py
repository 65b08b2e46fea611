"""Token counts as each convention gives them -> disjoint buckets (the OpenTelemetry rule inside).

`Counts` has totals that include cache and reasoning unless its flags say otherwise; `buckets` takes the
parts out. Whatever the source claims, `read + write > input` can only mean that input excludes the cache.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import msgspec

from ingest.records import Tokens
from ingest.wire.limits import RefusedError, tokens_of

Usage = dict[str, Any]


class Counts(msgspec.Struct):
    """What a sender said; None = not told."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None  # all of it
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    input_excludes_cache: bool = False
    output_excludes_reasoning: bool = False


COUNT_FIELDS = tuple(name for name in Counts.__struct_fields__ if not name.endswith(("cache", "_reasoning")))

# Names in usage objects, preferred first. A dot goes into a details object.
_INCLUSIVE: dict[str, tuple[str, ...]] = {
    "input": (
        "prompt_tokens",
        "input_tokens",
        "promptTokens",
        "inputTokens",
        "total_input_tokens",
        "prompt_eval_count",
        "inputTextTokenCount",
    ),
    "output": (
        "completion_tokens",
        "output_tokens",
        "completionTokens",
        "outputTokens",
        "total_output_tokens",
        "eval_count",
    ),
    "cache_read": (
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "cache_read_input_tokens",
        "cacheReadInputTokens",
        "cachedInputTokens",
        "cachedPromptTokens",
        "inputTokenDetails.cacheReadTokens",
        "cacheReadInputTokenCount",
        "prompt_token_details.cached_tokens",
        "prompt_cache_hit_tokens",
        "num_cached_tokens",
        "total_cached_tokens",
        "cached_tokens",
    ),
    "cache_write": (
        "prompt_tokens_details.cache_creation_tokens",
        "prompt_tokens_details.cache_write_tokens",
        "cache_creation_input_tokens",
        "cacheCreationInputTokens",
        "cacheWriteInputTokens",
        "inputTokenDetails.cacheWriteTokens",
        "input_tokens_details.cache_write_tokens",
        "cacheWriteInputTokenCount",
    ),
    "cache_write_5m": ("cache_creation.ephemeral_5m_input_tokens",),
    "cache_write_1h": ("cache_creation.ephemeral_1h_input_tokens",),
    "reasoning": (
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "outputTokenDetails.reasoningTokens",
        "reasoningTokens",
        "reasoning_tokens",
        "output_tokens_details.thinking_tokens",
        "total_thought_tokens",
    ),
    "audio_input": ("prompt_tokens_details.audio_tokens", "input_tokens_details.audio_tokens"),
    "audio_output": ("completion_tokens_details.audio_tokens", "output_tokens_details.audio_tokens"),
}
_GEMINI: dict[str, tuple[str, ...]] = {
    "input": ("promptTokenCount", "prompt_token_count"),
    "output": ("candidatesTokenCount", "candidates_token_count", "generation_token_count"),
    "cache_read": ("cachedContentTokenCount", "cached_content_token_count"),
    "reasoning": ("thoughtsTokenCount", "thoughts_token_count"),
}
_TOOL_PROMPTS = ("toolUsePromptTokenCount", "tool_use_prompt_token_count")
_EXCLUSIVE_KEYS = (
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cacheReadInputTokens",
    "cacheWriteInputTokens",
)
_PROMPT_KEYS = ("prompt_tokens", "promptTokens", "total_tokens", "totalTokens", "input_tokens_details")


def counts_of(usage: Usage) -> Counts:
    """What a usage object says, whichever provider's or Langfuse shape it has (formats section 4).

    Values that are no counts are left out (the object is the sender's own, not a field of ours)."""
    if any(name in usage for names in _GEMINI.values() for name in names):
        return _gemini(usage)
    if "input" in usage or "output" in usage:
        return _disjoint(usage)
    counts = _read(usage, _INCLUSIVE)
    counts.output_excludes_reasoning = "total_thought_tokens" in usage
    _add(counts, count_or_none(usage.get("total_tool_use_tokens")))
    for detail in objects(usage.get("cacheDetails")):  # Bedrock Converse: which part is kept for how long
        if detail.get("ttl") == "1h":
            counts.cache_write_1h = (counts.cache_write_1h or 0) + (
                count_or_none(detail.get("inputTokens")) or 0
            )
    counts.input_excludes_cache = _excludes_cache(usage, counts)
    return counts


def _excludes_cache(usage: Usage, counts: Counts) -> bool:
    """Whether the cache stands beside the input: a total that only adds up so proves it."""
    cached = (counts.cache_read or 0) + (counts.cache_write or 0)
    total = count_or_none(usage.get("totalTokens"))
    if cached and total is not None and total == (counts.input or 0) + (counts.output or 0) + cached:
        return True
    has_cache_beside = any(usage.get(key) is not None for key in _EXCLUSIVE_KEYS)
    return has_cache_beside and not any(key in usage for key in _PROMPT_KEYS)


def _gemini(usage: Usage) -> Counts:
    """Gemini: thoughts stand beside the output, prompts of tools beside the prompt, audio in lists by modality."""
    counts = _read(usage, _GEMINI)
    counts.output_excludes_reasoning = True
    for name in _TOOL_PROMPTS:
        _add(counts, count_or_none(usage.get(name)))
    total = count_or_none(usage.get("totalTokenCount"))
    if counts.output is None and counts.input is not None and total is not None:
        counts.output = max(0, total - counts.input - (counts.reasoning or 0))  # 0 is left out
    cached_audio = _modality(usage.get("cacheTokensDetails"), "AUDIO") or 0
    audio = _modality(usage.get("promptTokensDetails"), "AUDIO")
    counts.audio_input = None if audio is None else max(0, audio - cached_audio)
    counts.audio_output = _modality(usage.get("candidatesTokensDetails"), "AUDIO")
    return counts


def _add(counts: Counts, more: int | None) -> None:
    if more:
        counts.input = (counts.input or 0) + more


def _modality(details: Any, wanted: str) -> int | None:
    """Tokens of one modality in `[{"modality": "AUDIO", "tokenCount": 5}]`; None where there are none."""
    found = [
        count_or_none(each.get("tokenCount")) for each in objects(details) if each.get("modality") == wanted
    ]
    known = [count for count in found if count]
    return sum(known) if known else None


def _read(usage: Usage, names: dict[str, tuple[str, ...]]) -> Counts:
    counts = Counts()
    for field, candidates in names.items():
        for name in candidates:
            value = count_or_none(_at(usage, name))
            if value is not None:
                setattr(counts, field, value)
                break
    return counts


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; nothing of anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _at(usage: Usage, path: str) -> Any:
    head, _, rest = path.partition(".")
    found = usage.get(head)
    if not rest:
        return found
    return found.get(rest) if isinstance(found, dict) else None


def count_or_none(value: Any) -> int | None:
    """A token count, or None where the value is none."""
    try:
        return None if value is None else tokens_of(value)
    except RefusedError:
        return None


def _disjoint(usage: Usage) -> Counts:
    """Langfuse shapes C and D: `input`, `output` and parts beside them, which add up to `total`."""
    values = {key: count for key, raw in usage.items() if (count := count_or_none(raw)) is not None}
    plain_in, plain_out, total = (
        values.pop("input", None),
        values.pop("output", None),
        values.pop("total", None),
    )
    inputs = {key: count for key, count in values.items() if key.startswith("input") or "cache" in key}
    outputs = {
        key: n
        for key, n in values.items()
        if key.startswith(("output", "completion_details")) or key == "reasoning"
    }
    parts_in, parts_out = sum(inputs.values()), sum(outputs.values())
    base = (plain_in or 0) + (plain_out or 0)
    if total is not None and total == base and parts_in + parts_out > 0:
        parts_in = parts_out = 0  # the parts are inside already
    elif total is not None and plain_out is not None and total > base + parts_in + parts_out:
        outputs["reasoning"] = total - base - parts_in - parts_out  # thoughts, which some exports leave out
        parts_out += outputs["reasoning"]
    return Counts(
        input=None if plain_in is None and not inputs else (plain_in or 0) + parts_in,
        output=None if plain_out is None and not outputs else (plain_out or 0) + parts_out,
        cache_read=_sum(inputs, lambda key: "cache" in key and not _is_write(key)),
        cache_write=_sum(inputs, _is_write),
        cache_write_1h=_sum(inputs, lambda key: _is_write(key) and "1h" in key),
        reasoning=_sum(outputs, lambda key: "reasoning" in key),
        audio_input=_sum(inputs, lambda key: "audio" in key and "cache" not in key),
        audio_output=_sum(outputs, lambda key: "audio" in key),
    )


def _is_write(key: str) -> bool:
    return "cache" in key and ("creation" in key or "write" in key)


def _sum(values: dict[str, int], wanted: Callable[[str], bool]) -> int | None:
    found = [count for key, count in values.items() if wanted(key)]
    return sum(found) if found else None


def merged(counts: Counts, others: Iterable[Counts]) -> Counts:
    """The first one's figures, completed from the others in order; flags go with their totals."""
    for other in others:
        if counts.input is None and other.input is not None:
            counts.input_excludes_cache = other.input_excludes_cache
        if counts.output is None and other.output is not None:
            counts.output_excludes_reasoning = other.output_excludes_reasoning
        for field in COUNT_FIELDS:
            if getattr(counts, field) is None:
                setattr(counts, field, getattr(other, field))
    return counts


NOT_COUNTED = Tokens()


def buckets(counts: Counts) -> Tokens:
    """The disjoint buckets; details never exceed their total; 0 in and 0 out of a call means not counted."""
    total_in, total_out = counts.input, counts.output
    if not total_in and not total_out and not counts.cache_read and not counts.cache_write:
        return NOT_COUNTED
    write_1h = counts.cache_write_1h
    write = counts.cache_write
    if write is None and (counts.cache_write_5m is not None or write_1h is not None):
        write = (counts.cache_write_5m or 0) + (write_1h or 0)
    fresh, read, write, audio_in = _input_parts(counts, total_in, write)
    if write is not None and write_1h is not None:
        write_1h = min(write_1h, write)
        write -= write_1h
    visible, reasoning, audio_out = _output_parts(counts, total_out)
    return Tokens(fresh, read, write, write_1h, visible, reasoning, audio_in, audio_out)


def _input_parts(
    counts: Counts, total: int | None, write: int | None
) -> tuple[int | None, int | None, int | None, int | None]:
    read, audio = counts.cache_read, counts.audio_input
    if total is None:
        return None, read, write, audio
    cached = (read or 0) + (write or 0)
    fresh = total if counts.input_excludes_cache or cached > total else total - cached
    if audio is None:
        return fresh, read, write, None
    audio = min(audio, fresh)
    return fresh - audio, read, write, audio


def _output_parts(counts: Counts, total: int | None) -> tuple[int | None, int | None, int | None]:
    reasoning, audio = counts.reasoning, counts.audio_output
    if total is None:
        return None, reasoning, audio
    if reasoning is not None and not counts.output_excludes_reasoning:
        reasoning = min(reasoning, total)
        total -= reasoning
    if audio is not None:
        audio = min(audio, total)
        total -= audio
    return total, reasoning, audio


def web_searches(usages: Iterable[Usage]) -> dict[str, Decimal] | None:
    """A named unit that providers bill beside tokens: web searches, of Anthropic's `server_tool_use`."""
    for usage in usages:
        server = usage.get("server_tool_use")
        count = count_or_none(server.get("web_search_requests")) if isinstance(server, dict) else None
        if count:
            return {"web_searches": Decimal(count)}
    return None
