"""CSV -> call records: separator told from the header, quoted line breaks, a plan by columns (rows.py)."""

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from ingest.records import Rejection
from ingest.wire.chunks import CHUNK, Chunk
from ingest.wire.columns import BadMappingError
from ingest.wire.files import InputFile
from ingest.wire.rows import Converter, Item, Plan, Wanted, plan_of

SEPARATORS = ",;\t|"
MAX_CELL = 16 * 2**20  # characters; a quote that is never closed ends here


class BadRow:
    """A row that is none: what is wrong with it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message, self.hint = message, hint


NumberedRow = tuple[int, Sequence[str] | BadRow]


class Table:
    """A CSV file whose header is read: `left_out` names the columns that are not used."""

    def __init__(self, file: InputFile, wanted: Wanted) -> None:
        lines = file.text_lines()
        first = next(lines, "")
        if not first.strip():
            raise BadMappingError("The file has no header: its first line names the columns.")
        csv.field_size_limit(MAX_CELL)
        self._reader = csv.reader(_again(first, lines), delimiter=separator_of(first))
        self.plan: Plan = plan_of(next(self._reader), wanted)
        self.left_out = self.plan.left_out

    def chunks(self, converter: Converter) -> Iterator[Chunk]:
        """The rows, CHUNK at a time. Raises UnreadableError where the file is damaged."""
        rows = self._rows()
        while part := list(islice(rows, CHUNK)):
            yield self._chunk(part, converter)

    def _rows(self) -> Iterator[NumberedRow]:
        """(line on which it begins, row); empty lines are skipped."""
        while True:
            line = self._reader.line_num + 1
            try:
                row = next(self._reader)
            except StopIteration:
                return
            except csv.Error as problem:
                yield line, BadRow(f"The row cannot be read: {problem}.", "Check the quotes from here on.")
                continue
            if row:
                yield line, row

    def _chunk(self, part: list[NumberedRow], converter: Converter) -> Chunk:
        width, event = self.plan.width, self.plan.event
        items: list[Item] = []
        bad: list[Rejection] = []
        for line, row in part:
            if isinstance(row, BadRow):
                bad.append(Rejection(line, None, row.message, row.hint))
            elif len(row) != width and (len(row) < width or any(row[width:])):
                bad.append(_of_width(line, len(row), width))
            else:
                items.append((line, event(row)))
        decoded = converter.convert(items)
        rejections = sorted([*bad, *decoded.rejections], key=lambda rejection: rejection.index)
        warnings = [(warning.field, warning.message) for warning in decoded.warnings]
        return Chunk(len(part), decoded.records, rejections, warnings)


def separator_of(header: str) -> str:
    """The separator that stands most often in the header, outside of quotes."""
    bare = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=bare.count)


def _again(first: str, lines: Iterator[str]) -> Iterator[Any]:
    yield first
    yield from lines


def _of_width(line: int, got: int, width: int) -> Rejection:
    return Rejection(
        line, None, f"The row has {got} columns, the header {width}.", "Quote cells that hold the separator."
    )
