"""Files of JSON documents -> records: one a line, or the whole file as one document or a list of them."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import msgspec

from ingest.records import Rejection
from ingest.wire.chunks import CHUNK, Chunk
from ingest.wire.files import InputFile, UnreadableError
from ingest.wire.jsonl import Line, numbered_lines
from ingest.wire.rows import Converter

MAX_WHOLE = 512 * 2**20  # bytes of a file that is one document
Take = Callable[[int, Any, Chunk], None]  # line or place, document, where its records go


class Documents:
    """Documents of a file; `take` adds the records of each to a chunk."""

    def __init__(self, file: InputFile, take: Take) -> None:
        self._file, self._take = file, take
        self.left_out: list[str] = []

    def chunks(self, converter: Converter) -> Iterator[Chunk]:
        """The documents, some at a time. Raises UnreadableError where the file is damaged or too long to be one."""
        chunk = Chunk()
        for number, document in self._documents():
            chunk.read += 1
            if isinstance(document, Rejection):
                chunk.rejections.append(document)
            else:
                self._take(number, document, chunk)
            if len(chunk.records) >= CHUNK:
                yield chunk
                chunk = Chunk()
        if chunk.read:
            yield chunk

    def _documents(self) -> Iterator[tuple[int, Any]]:
        lines = numbered_lines(self._file)
        first = next(lines, None)
        if first is None:
            return
        opened = _parsed(*first)
        if isinstance(opened, Rejection):
            yield from enumerate(_whole(self._file, first, lines), start=1)
        elif isinstance(opened, list):
            yield from enumerate(opened, start=1)
        else:
            yield first[0], opened
        for number, text in lines:
            yield number, _parsed(number, text)


def _parsed(number: int, text: bytes) -> Any:
    """The document of a line, or why there is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError) as problem:
        return Rejection(
            number, None, f"Line {number} is not JSON: {problem}.", "Export one document a line."
        )


def _whole(file: InputFile, first: Line, rest: Iterator[Line]) -> list[Any]:
    """The documents of a file that is not one a line."""
    parts: list[bytes] = []
    size = 0
    for _, text in chain([first], rest):
        parts.append(text)
        size += len(text)
        if size > MAX_WHOLE:
            raise UnreadableError(
                f"{file.path} is one document of over {MAX_WHOLE >> 20} MB: export one a line."
            )
    found = _parsed(first[0], b"\n".join(parts))
    return found if isinstance(found, list) else [found]
