"""What a text in a cell means for each field of an event, and where in the event it goes.

A cell becomes a value of the field's type, in one spelling (12 for 12.0, 0.5 for 5e-1), so that a file which
another program wrote anew has the same content. A text that is no such value stays a text: the event's own
rules (`ingest/wire/event.py`) then refuse it, with their words.
"""

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import msgspec

from ingest.wire.event import Event, Outcome, Prompt, Usage
from ingest.wire.limits import EPOCH, MAX_DIGITS
from ingest.wire.refusals import near

Convert = Callable[[str], Any]
SECONDS = "duration_s"
NESTED = ("usage", "prompt", "outcome", "tags", "scores")
FLAT = tuple(name for name in Event.__struct_fields__ if name not in NESTED)
COUNTS = tuple(name for name in Usage.__struct_fields__ if name != "other")
FIELDS = (
    *FLAT,
    SECONDS,
    *(f"usage.{name}" for name in COUNTS),
    *(f"prompt.{name}" for name in Prompt.__struct_fields__),
    *(f"outcome.{name}" for name in Outcome.__struct_fields__),
)
OPEN = ("tags.", "usage.other.", "scores.")  # any name may follow
_WHOLE = re.compile(r"(-?\d{1,18})(?:\.0*)?")
_SECONDS = re.compile(r"\d{9,10}(?:\.\d{1,9})?")  # 1973 to 2286
_MILLISECONDS = re.compile(r"\d{12,13}")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class BadMappingError(ValueError):
    """A --map, --set or header that cannot be used: one sentence for whoever gave it."""


class Place(NamedTuple):
    """Where a value goes in an event, and how its text is read."""

    path: tuple[str, ...]
    convert: Convert


def place_of(field: str, *, zone: tzinfo | None = None) -> Place | None:
    """The place of a field as events name it (`usage.input_tokens`, also without `usage.`), or None."""
    name = f"usage.{field}" if field in COUNTS else field
    prefix = next((prefix for prefix in OPEN if name.startswith(prefix) and name != prefix), None)
    if prefix is not None:
        convert = {"usage.other.": amount, "scores.": truth_or_text}.get(prefix, text_of)
        return Place((*prefix.strip(".").split("."), name.removeprefix(prefix)), convert)
    if name not in FIELDS:
        return None
    if name == "timestamp":
        return Place((name,), moment_in(zone))
    path = ("duration_ms",) if name == SECONDS else tuple(name.split("."))
    return Place(path, _CONVERT.get(name, whole if path[0] == "usage" else text_of))


def known_place(field: str, *, zone: tzinfo | None = None) -> Place:
    """As `place_of`. Raises BadMappingError for a field that events do not have."""
    place = place_of(field, zone=zone)
    if place is None:
        meant = near(field, FIELDS)
        hint = f"Did you mean {meant}?" if meant else f"Fields: {', '.join(FIELDS)}, tags.NAME."
        raise BadMappingError(f"Events have no field {field!r}. {hint}")
    return place


def text_of(text: str) -> Any:
    """A text as it is."""
    return text


def whole(text: str) -> Any:
    """A whole number; 638.0 is one."""
    if text.isdecimal() and text.isascii() and len(text) <= 18:
        return int(text)
    found = _WHOLE.fullmatch(text) if text.isascii() else None
    return int(found[1]) if found else text


def amount(text: str) -> Any:
    """The exact decimal, as text in plain digits without zeros at its end."""
    if not text.isascii() or "_" in text or len(text) > MAX_DIGITS:
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite() or not -MAX_DIGITS <= number.adjusted() <= MAX_DIGITS:
        return text
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def milliseconds(text: str) -> Any:
    """A number of milliseconds."""
    return _scaled(text, 1)


def seconds(text: str) -> Any:
    """A number of seconds, in milliseconds."""
    return _scaled(text, 1000)


def _scaled(text: str, factor: int) -> Any:
    try:
        value = round(float(text) * factor, 3)
    except (ValueError, OverflowError):
        return text
    return text if math.isnan(value) or math.isinf(value) or "_" in text else value


def lower(text: str) -> Any:
    """A word of ours, whatever its case."""
    return text.lower()


def boolean(text: str) -> Any:
    """true, yes, 1; false, no, 0."""
    return _WORDS.get(text.lower(), text)


def truth_or_text(text: str) -> Any:
    """The value of a score: true or yes, false or no; a number or a category stays as it is written."""
    return text if text in ("0", "1") else boolean(text)


def moment_in(zone: tzinfo | None) -> Convert:
    """How times are read: RFC 3339; without an offset in `zone`; unix seconds or milliseconds."""

    def moment(text: str) -> Any:
        try:
            value: datetime | None = msgspec.convert(text, datetime)
        except msgspec.ValidationError:
            value = _other_moment(text)
        if value is not None and value.tzinfo is None and zone is not None:
            return value.replace(tzinfo=zone)
        return text if value is None else value

    return moment


def _other_moment(text: str) -> datetime | None:
    if _SECONDS.fullmatch(text):
        return EPOCH + timedelta(microseconds=int(Decimal(text) * 1_000_000))
    if _MILLISECONDS.fullmatch(text):
        return EPOCH + timedelta(milliseconds=int(text))
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


_CONVERT: dict[str, Convert] = {
    "cost": amount, "outcome.value": amount, "outcome.success": boolean, "attempt": whole, "status": lower,
    "duration_ms": milliseconds, "time_to_first_token_ms": milliseconds, SECONDS: seconds,
}  # fmt: skip
