"""LiteLLM's generic API logger (StandardLoggingPayload) and its SpendLogs rows -> events -> call records.

One table says where each field is told, first place first (formats of both differ in names only). Costs are
LiteLLM's own estimates: kept, compared, never counted. A hit of its cache was no request to a provider: it costs 0.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from ingest.records import MAX_TEXT, CallRecord
from ingest.wire.columns import moment_in
from ingest.wire.decoded import Decoded, MalformedError
from ingest.wire.event import Rules, is_deep
from ingest.wire.items import BadLine, document_items, line_items
from ingest.wire.limits import RefusedError, amount_of
from ingest.wire.native import MAX_COMMAS, MAX_ITEMS, take_item
from ingest.wire.payload import at, facts_of
from ingest.wire.refusals import rejection_of_item
from ingest.wire.responses import plain, usage_of

Item = dict[str, Any]
ENVELOPE = "events"
MADE = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)
OPERATIONS = {
    "completion": "chat", "embedding": "embeddings", "responses": "responses", "rerank": "rerank",
    "text_completion": "text_completion", "image_generation": "image_generation", "speech": "speech",
    "transcription": "transcription",
}  # fmt: skip
_REQUESTER = ("metadata.requester_metadata.{}", "metadata.spend_logs_metadata.{}", "metadata.{}")


def _told(*names: str) -> tuple[str, ...]:
    """Where an application that goes through the proxy puts a name of its own."""
    return tuple(place.format(name) for name in names for place in _REQUESTER)


_WHERE: dict[str, tuple[str, ...]] = {
    "id": ("litellm_call_id", "request_id", "id"),
    "provider": ("custom_llm_provider",),
    "model": ("model", "model_group"),
    "response_model": ("response.model",),
    "response_id": ("response.id", "id"),
    "flow": _told("flow"),
    "feature": _told("feature"),
    "step": _told("step", "generation_name"),
    "environment": _told("environment"),
    "customer": (*_told("customer"), "metadata.user_api_key_team_alias", "metadata.team_alias", "team_id"),
    "user": ("end_user", "metadata.user_api_key_end_user_id", *_told("user", "user_id"),
             "metadata.user_api_key_user_id", "model_parameters.user", "user"),
    "session": (*_told("session_id", "session"), "session_id"),
    "release": _told("release"),
    "error_type": ("error_information.error_class", "metadata.error_information.error_class",
                   "error_information.error_code", "exception_type"),
    "finish_reason": ("response.choices.0.finish_reason", "response.status", "finish_reason"),
    "service_tier": ("response.service_tier", "cost_breakdown.service_tier"),
}  # fmt: skip
_PROMPT = {"name": "prompt_id", "version": "prompt_version"}
_USAGE = ("metadata.usage_object", "response.usage", "hidden_params.usage_object")
_COST = ("response_cost", "spend")


def decode_litellm(body: bytes, *, ndjson: bool, rules: Rules) -> Decoded:
    """Records, rejections and warnings of an array, one object or NDJSON of payloads.

    Raises MalformedError when it is not JSON at all, TooManyError for more than MAX_ITEMS items."""
    if not body.strip():
        raise MalformedError("The body is empty.", "Send LiteLLM's payloads as a JSON array.")
    if body.count(b",") > 10 * MAX_COMMAS:  # each payload carries a price table of 150 keys
        raise MalformedError("The body holds too many values.", "Send fewer payloads in one request.")
    decoded = Decoded()
    for index, item in enumerate(_items(body, ndjson=ndjson)):
        decoded.index = index
        take_document(index, item, rules, decoded)
    return decoded


def take_document(index: int, item: Any, rules: Rules, decoded: Decoded) -> None:
    """Add the call of one payload to `decoded`, or the reason why it is refused, whatever it is."""
    if isinstance(item, BadLine) or not isinstance(item, dict) or is_deep(item):
        decoded.rejections.append(rejection_of_item(index, item, "A payload of LiteLLM is an object."))
    else:
        _take_payload(index, item, rules, decoded)


def _items(body: bytes, *, ndjson: bool) -> Iterator[Any]:
    """`log_format: ndjson` is sent as application/json by some releases: two objects in a row are lines."""
    if ndjson or re.match(rb"\s*\{[^\n]*\}\s*\n\s*\{", body):
        return line_items(body, limit=MAX_ITEMS)
    return document_items(body, limit=MAX_ITEMS, envelope=ENVELOPE)


def _take_payload(index: int, item: Item, rules: Rules, decoded: Decoded) -> None:
    item = plain(item)
    for name in ("metadata", "request_tags", "response", "messages"):
        if isinstance(item.get(name), str):  # SpendLogs keep JSON as text
            item[name] = _parsed(item[name])
    before = len(decoded.records)
    take_item(index, _event(item), rules, decoded)
    cost = None if _is_hit(item) else _estimate(item)
    if len(decoded.records) > before and cost is not None:
        record: CallRecord = decoded.records[-1]
        decoded.records[-1] = msgspec.structs.replace(record, estimated_cost=cost)


def _event(item: Item) -> Item:
    tags = _tags(item)
    event: Item = {field: _first(item, places) for field, places in _WHERE.items()}
    for field in ("flow", "feature", "step", "environment", "customer", "session", "release"):
        event[field] = event[field] or tags.pop(field, None)
    event |= _times(item)
    event["operation"] = _operation(item.get("call_type"))
    event["prompt"] = _prompt(item)
    event["tags"] = {key: value[:MAX_TEXT] for key, value in list(tags.items())[:32]} or None
    event["input"], event["output"] = item.get("messages") or None, at(item, "response.choices.0.message")
    trace = _first(item, ("trace_id",))
    if trace is not None and MADE.fullmatch(trace):
        event["trace_id"] = trace
    elif trace is not None and event["session"] is None:
        event["session"] = trace  # the SDK puts metadata.session_id there
    if str(item.get("status") or "").lower() in ("failure", "error", "failed"):
        event["status"] = "error"
        event["error_type"] = event["error_type"] or "error"
    else:
        event["status"], event["error_type"] = "ok", None
    if _is_hit(item):
        event |= {"cost": 0, "tags": {**(event["tags"] or {}), "cache_hit": "true"}}
    else:
        event["usage"] = _usage(item)
    return {name: value for name, value in event.items() if value is not None}


def _first(item: Item, places: tuple[str, ...]) -> str | None:
    for place in places:
        value = at(item, place)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value)[:MAX_TEXT]
    return None


def _tags(item: Item) -> dict[str, str]:
    """`flow:triage` is a name and a value; `User-Agent: …` is LiteLLM's own."""
    found: dict[str, str] = {}
    for tag in item.get("request_tags") or ():
        if isinstance(tag, str) and tag and not tag.startswith("User-Agent:"):
            name, _, value = tag.partition(":")
            found.setdefault(name.strip()[:MAX_TEXT] or "tag", value.strip() or "true")
    return found


def _times(item: Item) -> Item:
    """Start, duration and, of streams, the time to the first token. `response_time` is not the duration of streams."""
    start, first, end = (_moment(item.get(name)) for name in ("startTime", "completionStartTime", "endTime"))
    if not isinstance(start, datetime):
        return {"timestamp": start}
    found: Item = {"timestamp": start.isoformat()}
    if isinstance(end, datetime) and end >= start:
        found["duration_ms"] = (end - start).total_seconds() * 1000
        if isinstance(first, datetime) and start <= first < end and item.get("stream") is not False:
            found["time_to_first_token_ms"] = (first - start).total_seconds() * 1000
    return found


_read_moment = moment_in(UTC)


def _moment(value: Any) -> Any:
    """Unix seconds, or a text with a date, which SpendLogs write in UTC."""
    return _read_moment(str(value)) if isinstance(value, str | int | float | Decimal) else None


def _usage(item: Item) -> Item | None:
    for place in _USAGE:
        usage = at(item, place)
        told = usage_of(facts_of({"usage": usage})[0]) if isinstance(usage, dict) else None
        if told and any(told.get(name) for name in ("input_tokens", "output_tokens")):
            return told
    counts = {name: item.get(name) for name in ("prompt_tokens", "completion_tokens")}
    if not any(counts.values()):
        return None  # a stream without usage, or a failure: not counted, which is not 0
    return usage_of(facts_of({"usage": counts})[0])


def _prompt(item: Item) -> Item | None:
    told = at(item, "metadata.prompt_management_metadata")
    found = (
        {name: str(told[key]) for name, key in _PROMPT.items() if told.get(key)}
        if isinstance(told, dict)
        else {}
    )
    return found or None


def _operation(call_type: Any) -> str | None:
    """`acompletion` is a completion that was awaited."""
    if not isinstance(call_type, str) or not call_type:
        return None
    name = call_type.removeprefix("a") if call_type.removeprefix("a") in OPERATIONS else call_type
    return OPERATIONS.get(name, name)[:MAX_TEXT]


def _is_hit(item: Item) -> bool:
    return str(item.get("cache_hit")).lower() == "true"


def _estimate(item: Item) -> Any:
    """LiteLLM's own figure; 0 means that its table does not know the model."""
    for name in _COST:
        try:
            cost = amount_of(item.get(name)) if item.get(name) is not None else None
        except RefusedError:
            cost = None
        if cost:
            return cost
    return None


def _parsed(text: str) -> Any:
    try:
        return plain(msgspec.json.decode(text.encode()))
    except (msgspec.DecodeError, RecursionError):
        return None
