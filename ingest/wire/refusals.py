"""What a sender is told when an item does not fit: the field, what is wrong with it, and what to do."""

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any

from ingest.records import Rejection
from ingest.wire.items import BadLine
from ingest.wire.limits import TIME_HINT, RefusedError

_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]*)`")
_TYPE_NAMES = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "datetime": "a time",
}
_HINTS = {
    "id": "Send the call's own id; a retry repeats it unchanged.",
    "timestamp": TIME_HINT,
    "status": 'Send "ok" or "error".',
    "currency": 'Send three capital letters, for instance "EUR".',
    "outcome": 'Send {"success": true, "value": "12.50"}.',
    "prompt": 'Send {"name": "triage", "version": "12"}.',
    "usage": 'Send {"input_tokens": 1200, "output_tokens": 85}.',
    "tags": 'Send an object of short texts, for instance {"tier": "gold"}.',
}


def rejection_of_validation(index: int, text: str) -> Rejection:
    """The rejection for a message of msgspec: `Expected `str`, got `int` - at `$.flow``."""
    parts = _AT.match(text)
    what = parts["what"] if parts else text
    path = field_of(parts["path"] if parts else None)
    if missing := _MISSING.match(what):
        name = f"{path}.{missing['name']}" if path else missing["name"]
        return Rejection(index, name, f"The field {name} is missing.", _HINTS.get(name) or f"Send {name}.")
    message, hint = _explained(what)
    return Rejection(index, path, message, _HINTS.get(path or "") or hint)


def rejection_of_refusal(index: int, refused: RefusedError) -> Rejection:
    """The rejection for a value that a check of our own refused."""
    return Rejection(index, refused.field, refused.message, refused.hint)


def rejection_of_item(index: int, item: Any, message: str, hint: str | None = None) -> Rejection:
    """The rejection for an item that is no object, or a line that is not JSON."""
    return Rejection(index, None, item.message if isinstance(item, BadLine) else message, hint)


def field_of(path: str | None) -> str | None:
    """`$.usage.other[...]` -> `usage.other`; None for the item itself."""
    return re.sub(r"\[[^]]*\]", "", (path or "").removeprefix("$").removeprefix(".")) or None


def near(name: str, known: Iterable[str]) -> str | None:
    """The known name that a sender most likely meant."""
    found = difflib.get_close_matches(name[:60].lower(), list(known), n=1, cutoff=0.75)
    return found[0] if found else None


def _explained(what: str) -> tuple[str, str | None]:
    for pattern, explain in _EXPLANATIONS:
        if found := pattern.search(what):
            return explain(found)
    return what.replace("`", "") + ".", None


def _of_length(found: re.Match[str]) -> tuple[str, str]:
    if found["sign"] == ">=":
        return "The text is empty.", "Send a text that is not empty."
    return (
        f"Longer than {int(found['limit']):,}.",
        f"Send at most {int(found['limit']):,} characters or items.",
    )


def _of_range(found: re.Match[str]) -> tuple[str, str]:
    bound = f"{float(found['limit']):,.0f}"
    side = "least" if found["sign"].startswith(">") else "most"
    if side == "least" and float(found["limit"]) == 0:
        return "The number is negative.", "Send 0 or more, or leave the field out."
    return f"The number must be at {side} {bound}.", f"Send at {side} {bound}, or leave the field out."


def _of_type(found: re.Match[str]) -> tuple[str, str]:
    names = [name.strip() for name in found["wanted"].split("|")]
    wanted = " or ".join(_TYPE_NAMES.get(name, name) for name in names if name != "null")
    got = _TYPE_NAMES.get(found["got"], found["got"])
    return f"Expected {wanted}, got {got}.", f"Send {wanted}, or leave the field out."


_EXPLANATIONS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[str, str]]], ...] = (
    (re.compile(r"of length (?P<sign><=|>=) (?P<limit>\d+)"), _of_length),
    (re.compile(r"^Expected `(?:int|float)` (?P<sign><=|>=|<|>) (?P<limit>[\d.e+-]+)"), _of_range),
    (re.compile(r"^Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`"), _of_type),
    (re.compile(r"timezone"), lambda _: ("The time has no offset.", TIME_HINT)),
    (
        re.compile(r"Invalid decimal string"),
        lambda _: ("The text is not a number.", 'Send a decimal number, for instance "0.0125".'),
    ),
    (re.compile(r"RFC3339"), lambda _: ("This is not a time that exists.", TIME_HINT)),
    (
        re.compile(r"enum value"),
        lambda _: ("This value is not one of those known.", "See the field in /v1/docs."),
    ),
    (re.compile(r"matching regex"), lambda _: ("The text has not the form expected.", "See /v1/docs.")),
)
