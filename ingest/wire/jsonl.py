"""JSON Lines -> records: native events, or one OTLP export request a line."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from ingest.records import Rejection
from ingest.wire.chunks import CHUNK, Chunk
from ingest.wire.columns import SECONDS, known_place
from ingest.wire.decoded import Decoded, MalformedError
from ingest.wire.files import InputFile
from ingest.wire.items import line_items
from ingest.wire.limits import RefusedError, decimal_of
from ingest.wire.native import BOM, decode_events
from ingest.wire.rows import Converter, Path, Wanted, fixed_values, list_scores, placed

CHUNK_BYTES = 8 * 2**20
Line = tuple[int, bytes]
Traces = Callable[[bytes], Any]  # a request -> ingest.wire.otlp.Decoded


class _Named(msgspec.Struct):
    """Whether a line has an id of its own."""

    id: str | int | None = None


_named = msgspec.json.Decoder(_Named)


def numbered_lines(file: InputFile) -> Iterator[Line]:
    """The lines that hold something, with their numbers."""
    for number, line in enumerate(file.byte_lines(), start=1):
        text = (line.removeprefix(BOM) if number == 1 else line).strip()
        if text:
            yield number, text


def _parts(lines: Iterator[Line]) -> Iterator[list[Line]]:
    part: list[Line] = []
    size = 0
    for line in lines:
        part.append(line)
        size += len(line[1])
        if len(part) >= CHUNK or size >= CHUNK_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


class Events:
    """Native events, one a line; --map takes a field from another key (also `a.b`), --set fixes it."""

    def __init__(self, file: InputFile, wanted: Wanted) -> None:
        self._file = file
        self._fixed = fixed_values(wanted)
        self._maps = [(known_place(field).path, key, field == SECONDS) for field, key in wanted.maps.items()]
        self.left_out: list[str] = []

    def chunks(self, converter: Converter) -> Iterator[Chunk]:
        """The lines, at most CHUNK at a time. Raises UnreadableError where the file is damaged."""
        for part in _parts(numbered_lines(self._file)):
            lines = self._identified(part, converter)
            yield _chunk(lines, _decoded([text for _, text in lines], converter))

    def _identified(self, part: list[Line], converter: Converter) -> list[Line]:
        """The same lines, each with an id; what was asked of the import is done to them."""
        done: dict[int, bytes] = dict(part)
        opened = [(number, item) for number, text in part if (item := self._opened(text)) is not None]
        for _, item in opened:
            self._applied(item)
        converter.identify(opened, _canonical)
        done |= {number: msgspec.json.encode(item) for number, item in opened}
        return list(done.items())

    def _opened(self, text: bytes) -> dict[str, Any] | None:
        """The line as an object where something must be done to it; None where it goes on as it is."""
        if not self._maps and not self._fixed and _has_id(text):
            return None
        item = next(iter(line_items(text, limit=1)), None)
        return item if isinstance(item, dict) else None

    def _applied(self, item: dict[str, Any]) -> None:
        for path, key, in_seconds in self._maps:
            value = _taken(item, key)
            if value is not None:
                placed_where_free(item, path, _milliseconds(value) if in_seconds else value)
        for path, value in self._fixed.items():
            placed_where_free(item, path, value)
        list_scores(item)


def _has_id(text: bytes) -> bool:
    try:
        return _named.decode(text).id is not None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _taken(item: dict[str, Any], key: str) -> Any:
    """Takes the value at a key, or at a dotted way, out of an item."""
    if key in item:
        return item.pop(key)
    head, dot, rest = key.partition(".")
    inner = item.get(head)
    return _taken(inner, rest) if dot and isinstance(inner, dict) else None


def placed_where_free(item: dict[str, Any], path: Path, value: Any) -> None:
    """As `placed`; what stands in the way and is no object is replaced."""
    inner = item
    for name in path[:-1]:
        if not isinstance(inner.get(name), dict):
            inner[name] = {}
        inner = inner[name]
    placed(inner, path[-1:], value)


def _milliseconds(value: Any) -> Any:
    try:
        text = bytes(value).decode() if isinstance(value, msgspec.Raw) else value
        return float(decimal_of(text) * 1000)
    except RefusedError:
        return value


def _canonical(item: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(item, order="sorted")


def _decoded(lines: list[bytes], converter: Converter) -> Decoded:
    """All lines at once; where their body is refused as a whole, line by line."""
    try:
        return decode_events(b"\n".join(lines), ndjson=True, rules=converter.rules)
    except MalformedError as problem:
        if len(lines) == 1:
            return Decoded(rejections=[Rejection(0, None, problem.message, problem.hint)])
    whole = Decoded()
    for index, line in enumerate(lines):
        single = _decoded([line], converter)
        whole.records += single.records
        whole.rejections += [msgspec.structs.replace(one, index=index) for one in single.rejections]
    return whole


def _chunk(lines: list[Line], decoded: Decoded) -> Chunk:
    rejections = [
        msgspec.structs.replace(
            one, index=lines[one.index][0], message=_of_line(one.message, lines[one.index][0])
        )
        for one in decoded.rejections
    ]
    warnings = [(warning.field, warning.message) for warning in decoded.warnings]
    return Chunk(len(lines), decoded.records, rejections, warnings)


def _of_line(message: str, number: int) -> str:
    """A message that counts the lines of one chunk says the line of the file."""
    head, mark, rest = message.partition(" cannot be read: ")
    return f"Line {number}{mark}{rest}" if mark and head.startswith("Line ") else message


class Requests:
    """OTLP JSON export requests, one a line; the records are spans."""

    def __init__(self, file: InputFile, traces: Traces) -> None:
        self._file, self._traces = file, traces
        self.left_out: list[str] = []

    def chunks(self, converter: Converter) -> Iterator[Chunk]:
        """The requests, some at a time. Raises UnreadableError where the file is damaged."""
        chunk = Chunk()
        for number, text in numbered_lines(self._file):
            self._add(chunk, number, text)
            if len(chunk.records) >= CHUNK:
                yield chunk
                chunk = Chunk()
        if chunk.read:
            yield chunk

    def _add(self, chunk: Chunk, number: int, text: bytes) -> None:
        try:
            decoded = self._traces(text)
        except MalformedError as problem:
            chunk.read += 1
            chunk.rejections.append(Rejection(number, problem.field, problem.message, problem.hint))
            return
        chunk.read += len(decoded.spans) + len(decoded.rejections)
        chunk.records += decoded.spans
        chunk.rejections += [msgspec.structs.replace(one, index=number) for one in decoded.rejections]
