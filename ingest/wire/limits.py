"""What may enter: texts without NUL or lone surrogates, finite decimals, possible token counts and times.

Everything here raises `RefusedError`, whose message and hint are for the sender. Pure: no Django.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ingest.records import MAX_TAGS, MAX_TEXT, MAX_TOKENS

MAX_SCALE = 30  # decimal places
MAX_AMOUNT = Decimal(10) ** 12
MAX_DIGITS = 60  # of a decimal as sent: more are refused before any arithmetic
MAX_DURATION_US = 366 * 86_400 * 1_000_000
HOUR_US = 3_600 * 1_000_000
END_OF_TIME_US = 253_402_300_800_000_000  # the year 10000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIME_HINT = 'Send RFC 3339 with an offset, for instance "2026-11-23T10:00:00Z".'
REPLACEMENT = "\ufffd"

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class RefusedError(ValueError):
    """A value that cannot be taken: what is wrong, and what to do. The caller knows the field."""

    def __init__(self, message: str, hint: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.field = message, hint, field


def is_storable(text: str) -> bool:
    """Whether Postgres can keep the text as it is: no NUL, no lone surrogate."""
    return (text.isascii() and "\x00" not in text) or _UNSTORABLE.search(text) is None


def storable(text: str) -> str:
    """The text with each NUL and lone surrogate replaced by U+FFFD."""
    return text if is_storable(text) else _UNSTORABLE.sub(REPLACEMENT, text)


def clean_text(text: str, limit: int = MAX_TEXT) -> str:
    """A storable text of at most `limit` characters; what is longer is cut."""
    return storable(text[:limit])


def clean_tags(tags: dict[str, Any], *, limit: int = MAX_TAGS) -> dict[str, str]:
    """At most `limit` tags with storable names and values of at most MAX_TEXT characters; empty names go."""
    kept = ((clean_text(str(key)), value) for key, value in tags.items())
    return {key: clean_text(tag_text(value)) for key, value in [pair for pair in kept if pair[0]][:limit]}


def tag_text(value: Any) -> str:
    """How a value that is no text reads as a tag."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return "" if value is None else str(value)


def decimal_of(value: Any) -> Decimal:
    """A finite decimal, scale at most 30, magnitude below 1e12; a float as its shortest text.

    Raises RefusedError for anything else (NaN, Infinity, 1E+1000000, true, "abc")."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | float | str):
        raise RefusedError(f"Expected a number, got {type(value).__name__}.", "Send a decimal number.")
    if isinstance(value, str | int) and len(str_of(value)) > MAX_DIGITS:
        raise RefusedError("The number has too many digits.", f"Send at most {MAX_SCALE} decimal places.")
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation:
        raise RefusedError(
            "The text is not a number.", 'Send a decimal number, for instance "0.0125".'
        ) from None
    return checked_decimal(number)


def str_of(value: str | int) -> str:
    """The digits of a number as sent; an integer beyond any use is told by its size, not printed."""
    if isinstance(value, int) and value.bit_length() > 256:
        return "9" * (MAX_DIGITS + 1)
    return str(value)


def checked_decimal(number: Decimal) -> Decimal:
    """The same decimal if Postgres can add it up for ever; raises RefusedError otherwise."""
    if not number.is_finite():
        raise RefusedError("The number is not finite.", "Leave the field out when the amount is not known.")
    exponent = number.as_tuple().exponent
    if not number:
        return number if -MAX_SCALE <= int(exponent) <= 0 else Decimal(0)
    if number.adjusted() >= 12:
        raise RefusedError("The number is too large.", "Send an amount below 1,000,000,000,000.")
    if int(exponent) < -MAX_SCALE:
        raise RefusedError(
            "The number has too many decimal places.", f"Send at most {MAX_SCALE} decimal places."
        )
    return number


def amount_of(value: Any) -> Decimal:
    """A decimal as `decimal_of`, not negative: a cost, a count of units. Raises RefusedError."""
    number = decimal_of(value)
    if number < 0:
        raise RefusedError("The number is negative.", "Send 0 or more, or leave the field out.")
    return number


def tokens_of(value: Any) -> int:
    """A token count, 0 to MAX_TOKENS; a whole number as float or text is one. Raises RefusedError."""
    if isinstance(value, bool):
        raise RefusedError("Expected a whole number, got a boolean.", "Send the number of tokens.")
    if isinstance(value, int) and 0 <= value <= MAX_TOKENS:
        return value
    number = decimal_of(value)
    if number != number.to_integral_value():
        raise RefusedError(
            "A number of tokens is a whole number.", "Send the number of tokens as an integer."
        )
    if number < 0:
        raise RefusedError("A number of tokens is not negative.", "Send 0 or more, or leave the field out.")
    if number > MAX_TOKENS:
        raise RefusedError("The number of tokens is too large.", f"Send at most {MAX_TOKENS}.")
    return int(number)


def micros_of(moment: datetime) -> int:
    """Unix microseconds of an aware datetime; a naive one is refused (nobody knows which zone it means)."""
    if moment.tzinfo is None:
        raise RefusedError("The time has no offset.", TIME_HINT)
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def checked_time(time_us: int, *, now_us: int, floor_us: int) -> int:
    """The same time if a call may have started then; raises RefusedError."""
    if time_us > now_us + HOUR_US:
        hint = (
            "Check the sender's clock and the offset."
            if time_us < END_OF_TIME_US
            else "Send a year up to 9999."
        )
        raise RefusedError("The time is more than 1 hour ahead of the server's clock.", hint)
    if time_us < 0:
        raise RefusedError("The time lies before 1970.", "Send the time at which the call started.")
    if time_us < floor_us:
        floor = datetime.fromtimestamp(floor_us / 1_000_000, UTC)
        raise RefusedError(f"The time lies before {floor:%Y-%m-%d}, the ledger's floor (too_old).",
                      "Send calls that are newer than that date.")  # fmt: skip
    return time_us
