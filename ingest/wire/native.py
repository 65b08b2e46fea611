"""The native format: `{"events": [...]}`, a list, one object, or JSONL -> call records.

A body is decoded as a whole first, which is fast; if that fails, item by item, so that what is good is kept
and what is not is named.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from ingest.records import MAX_CONTENT, MAX_TAGS, MAX_TEXT, Rejection
from ingest.wire import refusals
from ingest.wire.decoded import Decoded, MalformedError
from ingest.wire.event import MAX_DEPTH, Event, Outcome, Prompt, Rules, Score, Usage, is_deep, record_of
from ingest.wire.items import BadLine, document_items, line_items
from ingest.wire.limits import RefusedError, clean_text, is_storable, storable

MAX_ITEMS = 50_000
MAX_COMMAS = (
    80 * MAX_ITEMS
)  # a body with more holds more values than any honest one, and would take the memory
BOM = b"\xef\xbb\xbf"


class Envelope(msgspec.Struct, forbid_unknown_fields=True):
    """`{"events": [...]}`."""

    events: list[Event]


_one = msgspec.json.Decoder(Event)
_many = msgspec.json.Decoder(list[Event])
_envelope = msgspec.json.Decoder(Envelope)
_IS_ENVELOPE = re.compile(rb'\s*\{\s*"events"\s*:')
ESCAPED_NUL = b"\\u0000"
_GROUPS: dict[str, type[msgspec.Struct]] = {"usage": Usage, "prompt": Prompt, "outcome": Outcome}
_CUT = {"error_type": MAX_TEXT, "input": MAX_CONTENT, "output": MAX_CONTENT}


def decode_events(body: bytes, *, ndjson: bool, rules: Rules) -> Decoded:
    """Records, rejections and warnings of a body in any of the native forms.

    Raises MalformedError when it is not JSON at all, TooManyError for more than MAX_ITEMS items."""
    body = body.removeprefix(BOM)
    if not body.strip():
        raise MalformedError("The body is empty.", 'Send {"events": [...]}.')
    if body.count(b",") > MAX_COMMAS:
        raise MalformedError("The body holds too many values.", "Send fewer events in one request.")
    events = _decoded_whole(body, ndjson=ndjson)
    return (
        _records(events, rules) if events is not None else _decoded_singly(body, ndjson=ndjson, rules=rules)
    )


def _decoded_whole(body: bytes, *, ndjson: bool) -> list[Event] | None:
    """All events at once, or None where something is in the way (which one is found item by item)."""
    if ESCAPED_NUL in body or body.count(b'"timestamp"') > MAX_ITEMS:
        return None
    try:
        if ndjson:
            return _one.decode_lines(body)
        if _IS_ENVELOPE.match(body):
            return _envelope.decode(body).events
        return _many.decode(body) if body.lstrip()[:1] == b"[" else [_one.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, OverflowError):
        return None


def _records(events: list[Event], rules: Rules) -> Decoded:
    decoded = Decoded()
    take, warn = decoded.records.append, decoded.warn
    for decoded.index, event in enumerate(events):
        try:
            take(record_of(event, rules, warn))
        except RefusedError as refused:
            decoded.rejections.append(refusals.rejection_of_refusal(decoded.index, refused))
    return decoded


def _decoded_singly(body: bytes, *, ndjson: bool, rules: Rules) -> Decoded:
    items = line_items(body, limit=MAX_ITEMS) if ndjson else document_items(body, limit=MAX_ITEMS)
    decoded = Decoded()
    for index, item in enumerate(items):
        decoded.index = index
        refused = _unlike_an_event(index, item)
        if refused is None:
            take_item(index, item, rules, decoded)
        else:
            decoded.rejections.append(refused)
    return decoded


def _unlike_an_event(index: int, item: Any) -> Rejection | None:
    if isinstance(item, BadLine):
        return Rejection(index, None, item.message, "Send one JSON object per line.")
    if not isinstance(item, dict):
        return Rejection(index, None, "An event is an object.", 'Send {"id": …, "timestamp": …, "model": …}.')
    if is_deep(item):
        deep = next((name for name, value in item.items() if is_deep(value, MAX_DEPTH - 1)), None)
        return Rejection(index, deep, f"Nested deeper than {MAX_DEPTH} levels.", "Send content as text.")
    return None


def take_item(index: int, item: dict[str, Any], rules: Rules, decoded: Decoded) -> None:
    """Add the record of one event to `decoded`, mended where it must be, or the reason why it is refused."""
    warn = decoded.warn
    try:
        event = _one.decode(msgspec.json.encode(_mended(item, warn)))
        decoded.records.append(record_of(event, rules, warn))
    except RefusedError as refused:
        decoded.rejections.append(refusals.rejection_of_refusal(index, refused))
    except msgspec.MsgspecError as problem:
        decoded.rejections.append(refusals.rejection_of_validation(index, str(problem)))
    except (ValueError, OverflowError):
        unreadable = Rejection(
            index, None, "The event holds a number that cannot be read.", "Check its numbers."
        )
        decoded.rejections.append(unreadable)


def _mended(item: dict[str, Any], warn: Any) -> dict[str, Any]:
    """The item as an event can be read: storable texts, unknown fields moved to the tags, long ones cut."""
    item = {key: _stored(value, key, warn) for key, value in item.items()}
    strays = dict(_strays(item, Event, ""))
    for name, kind in _GROUPS.items():
        if isinstance(item.get(name), dict):
            strays |= _strays(item[name], kind, f"{name}.")
    for score in item["scores"] if isinstance(item.get("scores"), list) else ():
        if isinstance(score, dict):
            strays |= _strays(score, Score, "scores.")
    for name, limit in _CUT.items():
        if isinstance(item.get(name), str) and len(item[name]) > limit:
            item[name] = item[name][:limit]
            warn(name, f"Cut to {limit:,} characters.")
    if isinstance(item.get("tags"), dict) or (strays and item.get("tags") is None):
        item["tags"] = _mended_tags(item.get("tags") or {}, strays, warn)
    _whole_numbers(item.get("usage"))
    return item


def _strays(holder: dict[str, Any], kind: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, Any]]:
    """Takes what the type does not know out of `holder`: (dotted name, value)."""
    for name in [name for name in holder if name not in kind.__struct_fields__]:
        yield prefix + name, holder.pop(name)


def _mended_tags(tags: dict[str, Any], strays: dict[str, Any], warn: Any) -> dict[str, Any]:
    for name, value in strays.items():
        meant = refusals.near(name, _KNOWN)
        hint = f" Did you mean {meant}?" if meant else ""
        warn(clean_text(name), f"Unknown field, kept as a tag.{hint}")
        if value is not None:
            tags.setdefault(name, value)
    if len(tags) > MAX_TAGS:
        warn("tags", f"Only the first {MAX_TAGS} tags are kept.")
    return {clean_text(key): _tag_value(key, tags[key], warn) for key in list(tags)[:MAX_TAGS] if key}


def _tag_value(key: str, value: Any, warn: Any) -> Any:
    if isinstance(value, dict | list):
        value = msgspec.json.encode(value).decode()
    if isinstance(value, str) and len(value) > MAX_TEXT:
        warn(f"tags.{clean_text(key)}", f"Cut to {MAX_TEXT} characters.")
        return clean_text(value)
    return value


def _stored(value: Any, field: str, warn: Any) -> Any:
    """The value with every text storable; what had to be replaced is told."""
    if isinstance(value, str):
        if is_storable(value):
            return value
        warn(clean_text(field), "Characters that cannot be stored were replaced by U+FFFD.")
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): _stored(child, field, warn) for key, child in value.items()}
    return [_stored(child, field, warn) for child in value] if isinstance(value, list) else value


def _whole_numbers(usage: Any) -> None:
    """12.0 tokens are 12 tokens."""
    if isinstance(usage, dict):
        for name, value in usage.items():
            if isinstance(value, msgspec.Raw) and re.fullmatch(rb"\d{1,10}\.0+", bytes(value)):
                usage[name] = int(bytes(value).partition(b".")[0])


_KNOWN = [
    *Event.__struct_fields__,
    *(f"{name}.{field}" for name, kind in _GROUPS.items() for field in kind.__struct_fields__),
]
