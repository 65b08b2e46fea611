"""Attribute values that lie about their type: JSON in strings, quoted or scrubbed text, Python reprs."""

import ast
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from ingest.records import MAX_TEXT
from ingest.wire.limits import RefusedError, clean_text, micros_of

_ODD_STARTS = frozenset('" [')
_NOTHING = frozenset(("None", "null", "undefined", "none", "NULL"))
_MAX_CACHED = 300  # characters: metadata and parameters, no messages
_MAX_REPR = 20_000
_decode = msgspec.json.Decoder().decode


def text_of(value: Any, limit: int = MAX_TEXT) -> str | None:
    """A clean name or id: unquoted, without blanks around it, cut at `limit`; None where nothing is said."""
    if type(value) is not str:
        return _text_of_other(value, limit)
    if value.isascii() and value.isprintable() and 0 < len(value) <= limit and value[0] not in _ODD_STARTS:
        return None if value in _NOTHING else value.rstrip()  # nearly every value ends here
    return _text_of_odd(value, limit)


def _text_of_odd(value: str, limit: int) -> str | None:
    text = value.strip()
    if not text or text in _NOTHING:
        return None
    if text[0] == '"':
        text = _unquoted(text)
    elif text.startswith("[Scrubbed due to"):
        return None
    return clean_text(text, limit) or None


def _text_of_other(value: Any, limit: int) -> str | None:
    if value is None or isinstance(value, list | dict):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return clean_text(str(value), limit)


def _unquoted(text: str) -> str:
    found = json_of(text)
    return found.strip() if isinstance(found, str) else text


def json_of(value: Any) -> Any:
    """The JSON value in a string, the value itself where it is no string, None where it is no JSON."""
    if not isinstance(value, str):
        return value
    return _cached_json(value) if len(value) <= _MAX_CACHED else _plain_json(value)


def _plain_json(text: str) -> Any:
    try:
        return _decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None


_cached_json = lru_cache(maxsize=2_048)(
    _plain_json
)  # metadata repeats on every span; callers do not change it


def object_of(value: Any) -> dict[str, Any]:
    """The JSON object in a string or the mapping itself; empty where it is neither. Not to be changed."""
    found = json_of(value)
    return found if isinstance(found, dict) else {}


def repr_object_of(value: Any) -> dict[str, Any]:
    """As `object_of`, also for a Python repr of a dict (LiteLLM)."""
    found = object_of(value)
    if found or not isinstance(value, str) or not value.startswith("{") or len(value) > _MAX_REPR:
        return found
    try:
        parsed = ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def first_text_of(value: Any) -> str | None:
    """The first text of an array, of a JSON array in a string, or the text itself."""
    if isinstance(value, str) and value.startswith("["):
        value = json_of(value)
    if isinstance(value, list):
        value = value[0] if value else None
    return text_of(value)


def texts_of(value: Any) -> list[str]:
    """The texts of an array, of a JSON array in a string, or of a single text."""
    if isinstance(value, str) and value.startswith("["):
        value = json_of(value) or []
    items = value if isinstance(value, list) else [value]
    return [text for item in items if (text := text_of(item)) is not None]


def micros_in(value: Any) -> int | None:
    """Unix microseconds of an ISO 8601 text, also of a quoted one; None where it is none."""
    text = text_of(value)
    try:
        return micros_of(datetime.fromisoformat(text)) if text else None
    except (ValueError, RefusedError, OverflowError):
        return None


def number_in(value: Any) -> float | None:
    """A finite float, also from text; None where it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < 1e15 else None


def is_true(value: Any) -> bool:
    """Whether a flag is set, also as text (`"True"`)."""
    return value is True or (isinstance(value, str) and value.lower() == "true")
