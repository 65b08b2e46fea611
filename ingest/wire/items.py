"""Taking a JSON body apart item by item, for bodies that the fast path could not read as a whole.

It bears what strict decoders refuse (NaN, lone surrogates, raw control characters), so that the one item that
has it can be named and the others kept; it holds one item at a time and stops at a limit.
"""

import json
from collections.abc import Generator, Iterator
from typing import Any

import msgspec

from ingest.wire.decoded import MalformedError, TooManyError

SPACE = " \t\r\n"
ENVELOPE = "events"


class BadLine(msgspec.Struct, frozen=True):
    """A line of JSONL that is not JSON."""

    message: str


def _number(text: str) -> Any:
    return msgspec.Raw(text.encode())  # re-encoded digit by digit: nothing goes through a float


def _integer(text: str) -> Any:
    return int(text) if len(text) <= 20 else msgspec.Raw(text.encode())


# The standard library's own scanners, which its type stubs leave out.
_scanstring: Any = json.decoder.scanstring  # type: ignore[attr-defined]
_decoder: Any = json.JSONDecoder(parse_float=_number, parse_int=_integer, parse_constant=str, strict=False)
_scan: Any = _decoder.scan_once


def document_items(body: bytes, *, limit: int, envelope: str = ENVELOPE) -> Iterator[Any]:
    """The items of `{<envelope>: [...]}`, of a list, or the object. Numbers with a point are msgspec.Raw.

    Raises MalformedError (with line and column) where it stops being JSON, TooManyError past the limit."""
    text = _text(body)
    start = _skip(text, 0)
    if text[start : start + 1] == "[":
        end = yield from _list_items(text, start, limit)
        _expect_end(text, end)
    elif text[start : start + 1] == "{":
        yield from _object_items(text, start, limit, envelope)
    else:
        raise _malformed(text, start, "Expected an object or a list")


def line_items(body: bytes, *, limit: int) -> Iterator[Any]:
    """One item a line (blank lines are skipped); a line that is not JSON becomes a BadLine."""
    count = 0
    for number, line in enumerate(_lines(body), start=1):
        if not line.strip():
            continue
        count += 1
        _check_count(count, limit)
        yield _line(line.decode("utf-8", "replace"), number)


def _lines(body: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        yield body[start:end]
        start = end + 1


def _line(text: str, number: int) -> Any:
    try:
        value, end = _value(text, _skip(text, 0))
        _expect_end(text, end)
    except MalformedError as problem:
        return BadLine(f"Line {number} cannot be read: {problem.message}")
    return value


def _list_items(text: str, start: int, limit: int) -> Generator[Any, None, int]:
    """Yields the values of the list that opens at `start`; returns the position behind it."""
    position, count = _skip(text, start + 1), 0
    if text[position : position + 1] == "]":
        return position + 1
    while True:
        value, position = _value(text, position)
        count += 1
        _check_count(count, limit)
        yield value
        position = _skip(text, position)
        mark = text[position : position + 1]
        if mark == "]":
            return position + 1
        if mark != ",":
            raise _malformed(text, position, "Expected a comma or the end of the list")
        position = _skip(text, position + 1)


def _object_items(text: str, start: int, limit: int, envelope: str) -> Iterator[Any]:
    """Yields the events of an envelope, or the object itself when it has no list of that name."""
    fields: dict[str, Any] = {}
    is_envelope = False
    position = _skip(text, start + 1)
    while text[position : position + 1] == '"':
        name, position = _name(text, position)
        if name == envelope and text[position : position + 1] == "[":
            is_envelope = True
            position = yield from _list_items(text, position, limit)
        else:
            fields[name], position = _value(text, position)
        position = _skip(text, position)
        if text[position : position + 1] != ",":
            break
        position = _skip(text, position + 1)
    if text[position : position + 1] != "}":
        raise _malformed(text, position, "Expected a name in double quotes or the end of the object")
    _expect_end(text, position + 1)
    if not is_envelope:
        yield fields


def _name(text: str, position: int) -> tuple[str, int]:
    try:
        name, position = _scanstring(text, position + 1, False)
    except json.JSONDecodeError as problem:
        raise _malformed(text, problem.pos, problem.msg) from None
    position = _skip(text, position)
    if text[position : position + 1] != ":":
        raise _malformed(text, position, "Expected a colon")
    return name, _skip(text, position + 1)


def _value(text: str, position: int) -> tuple[Any, int]:
    try:
        value, end = _scan(text, position)
    except StopIteration as stop:
        raise _malformed(text, int(stop.value), "Expected a value") from None
    except json.JSONDecodeError as problem:
        raise _malformed(text, problem.pos, problem.msg) from None
    except RecursionError:
        raise MalformedError("Nested too deeply.", "Send content as text.") from None
    return value, end


def _skip(text: str, position: int) -> int:
    while text[position : position + 1] in SPACE and position < len(text):
        position += 1
    return position


def _expect_end(text: str, position: int) -> None:
    position = _skip(text, position)
    if position < len(text):
        problem = _malformed(text, position, "Expected the end of the body")
        problem.hint = "Send one object per line as application/x-ndjson, or a list."
        raise problem


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        raise TooManyError(
            f"There are more than {limit} items in one request.", "Send them in several requests."
        )


def _malformed(text: str, position: int, what: str) -> MalformedError:
    if position >= len(text):
        return MalformedError(f"The JSON ends too early: {what}.", "The body seems to be cut off.")
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return MalformedError(f"Not JSON at line {line}, column {column}: {what}.", "Check the JSON there.")


def _text(body: bytes) -> str:
    return body.decode("utf-8-sig", "replace")
