"""`POST /v1/responses`: raw provider responses, with provider and flow beside them -> events -> call records.

An item is an event whose usage is not told but found: `response` (or `usage`) is what the provider answered.
Whatever the sender says beside it wins over what the response says.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from ingest.records import MAX_TEXT, Rejection
from ingest.wire.decoded import Decoded, MalformedError
from ingest.wire.event import Rules
from ingest.wire.items import BadLine, document_items, line_items
from ingest.wire.limits import RefusedError, checked_decimal
from ingest.wire.native import MAX_COMMAS, MAX_ITEMS, take_item
from ingest.wire.payload import Facts, facts_of
from ingest.wire.refusals import rejection_of_item

ENVELOPE = "responses"
PAYLOADS = ("response", "usage")
OPERATIONS = (("embed", "embeddings"), ("rerank", "rerank"))
HINT = 'Send {"provider": …, "model": …, "flow": …, "response": {…}}.'
_ERROR_STATUS = 400


def decode_responses(body: bytes, *, ndjson: bool, rules: Rules) -> Decoded:
    """Records, rejections and warnings of `{"responses": [...]}`, a list, one object, or JSONL.

    Raises MalformedError when it is not JSON at all, TooManyError for more than MAX_ITEMS items."""
    if not body.strip():
        raise MalformedError("The body is empty.", 'Send {"provider": …, "flow": …, "response": {…}}.')
    if body.count(b",") > MAX_COMMAS:
        raise MalformedError("The body holds too many values.", "Send fewer responses in one request.")
    decoded = Decoded()
    items = (
        line_items(body, limit=MAX_ITEMS)
        if ndjson
        else document_items(body, limit=MAX_ITEMS, envelope=ENVELOPE)
    )
    for index, item in enumerate(items):
        decoded.index = index
        if isinstance(item, BadLine) or not isinstance(item, dict):
            decoded.rejections.append(rejection_of_item(index, item, "A response is an object.", HINT))
            continue
        payload = next((item.pop(name) for name in PAYLOADS if item.get(name) is not None), None)
        _take(index, item, plain(payload), rules, decoded)
    return decoded


def plain(value: Any, depth: int = 0) -> Any:
    """Numbers that were kept digit by digit as Decimal; what is too deep is cut, for nothing of it is needed."""
    if isinstance(value, msgspec.Raw):
        return checked_number(bytes(value))
    if depth > 60:
        return None
    if isinstance(value, dict):
        return {key: plain(child, depth + 1) for key, child in value.items()}
    return [plain(child, depth + 1) for child in value] if isinstance(value, list) else value


def checked_number(text: bytes) -> Decimal | None:
    """A number that can be stored, or None (1E+1000000)."""
    try:
        return checked_decimal(Decimal(text.decode()))
    except (RefusedError, ArithmeticError, ValueError):
        return None


def _take(index: int, item: dict[str, Any], payload: Any, rules: Rules, decoded: Decoded) -> None:
    status = item.pop("status_code", None)
    failed = isinstance(status, int) and status >= _ERROR_STATUS
    if payload is None and not failed:
        hint = "Send the provider's response body as response, or its usage object as usage."
        decoded.rejections.append(Rejection(index, "response", "There is no response.", hint))
        return
    calls = facts_of(payload)
    first = calls[0]
    if not (first.has_usage or first.error_type or failed or item.get("status") == "error"):
        hint = "Ask the provider for usage: for streams of OpenAI's kind, stream_options.include_usage."
        decoded.rejections.append(Rejection(index, "response", "The response carries no usage.", hint))
        return
    if failed:
        first.error_type = first.error_type or str(status)
    for number, event in enumerate(_events(item, payload, calls, rules, decoded)):
        before = len(decoded.records)
        take_item(index, event, rules, decoded)
        if number == 0 and len(decoded.records) == before:
            return


def _events(
    item: dict[str, Any], payload: Any, calls: list[Facts], rules: Rules, decoded: Decoded
) -> Iterator[dict[str, Any]]:
    """The event of each call; those of other models hang at the first one's trace."""
    first = {**_event(calls[0]), **{name: value for name, value in item.items() if value is not None}}
    _identify(first, payload, calls[0], rules, decoded)
    yield first
    for number, facts in enumerate(calls[1:], start=1):
        aside = {name: first[name] for name in _SHARED if name in first}
        yield {
            **aside,
            **_event(facts),
            "id": f"{first['id']}-{number}",
            "trace_id": first.get("trace_id") or first["id"],
        }


_SHARED = (
    "timestamp", "feature", "flow", "environment", "step", "session", "user", "customer", "provider", "release",
)  # fmt: skip


def _event(facts: Facts) -> dict[str, Any]:
    """What a response says of its call, as fields of an event."""
    found: dict[str, Any] = {
        "response_model": facts.model,
        "model": facts.model,
        "response_id": facts.response_id,
        "service_tier": facts.service_tier,
        "finish_reason": facts.finish_reason,
        "cost": None if facts.cost is None else str(facts.cost),
        "usage": usage_of(facts),
    }
    if facts.error_type:
        found |= {"status": "error", "error_type": facts.error_type}
    return {
        name: value[:MAX_TEXT] if isinstance(value, str) else value
        for name, value in found.items()
        if value is not None
    }


def usage_of(facts: Facts) -> dict[str, Any] | None:
    """The buckets in the words of an event: input includes the cache, output the reasoning."""
    tokens = facts.tokens
    read, write, hour = tokens.cache_read, tokens.cache_write, tokens.cache_write_1h
    told = {
        "input_tokens": _sum(tokens.input, read, write, hour, tokens.audio_input)
        if tokens.input is not None
        else None,
        "cache_read_tokens": read,
        "cache_write_tokens": _sum(write, hour),
        "cache_write_1h_tokens": hour,
        "output_tokens": _sum(tokens.output, tokens.reasoning, tokens.audio_output)
        if tokens.output is not None
        else None,
        "reasoning_tokens": tokens.reasoning,
        "audio_input_tokens": tokens.audio_input,
        "audio_output_tokens": tokens.audio_output,
        "other": {name: str(count) for name, count in facts.units.items()} if facts.units else None,
    }
    return {name: value for name, value in told.items() if value is not None} or None


def _sum(*parts: int | None) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _identify(event: dict[str, Any], payload: Any, facts: Facts, rules: Rules, decoded: Decoded) -> None:
    """Id and time, from the response where the sender gives none: the same response sent again is the same call."""
    if "timestamp" not in event:
        created = _moment(facts.created, rules)
        if created is None:
            decoded.warn("timestamp", "Neither sent nor in the response: the time of arrival is taken, so that "
                         "sending it again counts again.")  # fmt: skip
        event["timestamp"] = (created or datetime.fromtimestamp(rules.now_us / 1e6, UTC)).isoformat()
    if "id" not in event:
        event["id"] = facts.response_id or hashlib.sha256(repr((payload, event)).encode()).hexdigest()[:32]
    if "operation" not in event:
        path = str(event.get("model", "")).lower()
        event["operation"] = next((name for word, name in OPERATIONS if word in path), "chat")


def _moment(created: Any, rules: Rules) -> datetime | None:
    """When the provider says it answered; None where that is no time near now or before."""
    try:
        is_number = isinstance(created, int | float | Decimal)
        found = datetime.fromtimestamp(float(created), UTC) if is_number else datetime.fromisoformat(created)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found if rules.floor_us <= found.timestamp() * 1e6 <= rules.now_us else None
