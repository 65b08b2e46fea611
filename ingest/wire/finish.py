"""Why a model stopped, in the product's words: one table for every wire format."""

from ingest.records import FINISH_REASONS

_WORDS: dict[str, str] = {
    "stop": (
        "stop end_turn stop_sequence eos eos_token complete completed done finished end success "
        "finish_reason_stop pause_turn stop_token"
    ),
    "length": (
        "length max_tokens max_output_tokens max_token max_length token_limit model_length "
        "model_context_window_exceeded context_window_exceeded context_length_exceeded incomplete "
        "finish_reason_max_tokens"
    ),
    "tool_calls": ("tool_calls tool_call tool_use function_call function_calls tool tools"),
    "content_filter": (
        "content_filter content_filtered content_filter_results safety recitation blocklist "
        "prohibited_content spii refusal guardrail_intervened guardrail image_safety error_toxic "
        "language finish_reason_safety finish_reason_recitation"
    ),
    "error": (
        "error failed failure network_error malformed_function_call unexpected_tool_call cancelled "
        "canceled malformed_response error_limit"
    ),
    "other": ("other unknown null none finish_reason_unspecified"),
}
_TABLE: dict[str, str] = {word: reason for reason, words in _WORDS.items() for word in words.split()}
_TABLE |= {"": "", "null": "", "none": ""}
_SEEN_LIMIT = 256  # distinct raw spellings kept, so that one hostile sender cannot grow the memory
_seen: dict[str, str] = {}


def finish_reason_of(raw: str | None) -> str:
    """Normalise a provider's finish reason to one of `records.FINISH_REASONS`.

    Takes any spelling (`tool-calls`, `MAX_TOKENS`, `FinishReason.STOP`, a JSON list in a string); of a list
    the first entry counts. None and empty give "" (not told), an unknown word gives "other". Never raises.
    """
    if not raw:
        return ""
    known = _seen.get(raw)
    if known is None:
        known = _normalise(raw)
        if len(_seen) < _SEEN_LIMIT and len(raw) <= 64:
            _seen[raw] = known
    return known


def _normalise(raw: str) -> str:
    first = raw[:200].strip().strip("[]()").split(",", 1)[0].strip().strip("\"'")
    word = first.lower().replace("-", "_").replace(" ", "_")
    reason = _TABLE.get(word)
    if reason is None:
        reason = _TABLE.get(word.rsplit(".", 1)[-1], "other")
    return reason if reason in FINISH_REASONS else "other"
