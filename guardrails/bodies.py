"""Reading JSON bodies of the configuration API: an object, field by field, each refusal naming field and remedy."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from rest_framework.request import Request

from accounts.errors import ApiError
from ingest.body import taken

MOST = 64 * 1024


def wrong(field: str | None, message: str, hint: str) -> ApiError:
    """A 400 that says what is wrong, where, and what to write."""
    return ApiError(400, "invalid", message, field=field, hint=hint)


def json_object(request: Request) -> dict[str, Any]:
    """The request's body. Raises ApiError 400 for what is no JSON object, 413 for one over 64 kB."""
    with taken(request._request) as body:
        if len(body) > MOST:
            raise ApiError(413, "too_large", "The body is too large.", hint=f"Send at most {MOST} bytes.")
        try:
            found = msgspec.json.decode(body or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise wrong(None, "The body is no JSON.", "Send one JSON object.") from problem
    if not isinstance(found, dict):
        raise wrong(None, "The body is no JSON object.", 'Send an object: {"name": …}.')
    return found


def only(given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Raises ApiError 400 for a field that does not exist: a typing error must not be a silent default."""
    for name in given:
        if name not in known:
            raise wrong(name[:60], f"There is no field {name[:60]!r}.", f"Fields are {', '.join(known)}.")


def text(given: Mapping[str, Any], field: str, *, most: int, default: str | None = None) -> str:
    """A text of at most `most` characters; required without a default."""
    value = given.get(field)
    if value is None or (value == "" and default is None):
        if default is None:
            raise wrong(field, f"{field} is missing.", f"Give {field} as a text.")
        return default
    if not isinstance(value, str) or not is_text(value):
        raise wrong(field, f"{field} is no text.", f"Give {field} as a text.")
    if len(value) > most:
        raise wrong(field, f"{field} is longer than {most} characters.", "Shorten it.")
    return value.strip()


def is_text(value: str) -> bool:
    """Whether Postgres can hold it."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def texts(given: Mapping[str, Any], field: str, *, most: int) -> list[str]:
    """A list of texts, each once; empty when absent."""
    value = given.get(field)
    value = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not all(isinstance(one, str) and is_text(one) for one in value):
        raise wrong(field, f"{field} is no list of texts.", f'Give {field} as ["…"].')
    if len(value) > most:
        raise wrong(field, f"{field} has more than {most} entries.", "Shorten it.")
    return list(dict.fromkeys(value))


def number(given: Mapping[str, Any], field: str, *, read: Callable[[Any], Decimal] | None = None) -> Decimal:
    """A finite number, as a JSON number or a decimal text."""
    value = given.get(field)
    hint = f'Give {field} as a number, for instance 4000 or "0.05".'
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise wrong(field, f"{field} is no number.", hint)
    try:
        found = Decimal(str(value))
    except ArithmeticError as problem:
        raise wrong(field, f"{field} is no number.", hint) from problem
    exponent = found.as_tuple().exponent
    if not found.is_finite() or not isinstance(exponent, int) or exponent < -18 or abs(found) >= 10**15:
        raise wrong(field, f"{field} is out of range.", hint)
    return found


def whole(given: Mapping[str, Any], field: str, *, most: int, default: int = 0) -> int:
    """A whole number from 0 to `most`."""
    value = given.get(field, default)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise wrong(field, f"{field} is no whole number.", f"Give a whole number from 0 to {most}.")
    return value


def flag(given: Mapping[str, Any], field: str) -> bool:
    """true or false; false when absent."""
    value = given.get(field, False)
    if not isinstance(value, bool):
        raise wrong(field, f"{field} is neither true nor false.", f"Give {field} as true or false.")
    return value
