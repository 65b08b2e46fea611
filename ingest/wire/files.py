"""Files that are imported: plain or gzip, told by their first bytes; read line by line, whatever their size."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from ingest.wire.limits import REPLACEMENT

GZIP = b"\x1f\x8b"
MAX_LINE = 64 * 2**20  # bytes or characters; what is longer is taken as several lines
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile)


class UnreadableError(ValueError):
    """The file as a whole cannot be read, or not to its end: one sentence for whoever gave it."""


class InputFile:
    """An open file: its lines, and how far the reading is (bytes as they lie on the disk)."""

    def __init__(self, path: Path, raw: BinaryIO) -> None:
        self.path, self.size = path, path.stat().st_size
        self._raw = raw
        packed = raw.read(2) == GZIP
        raw.seek(0)
        inflated = gzip.GzipFile(fileobj=raw) if packed else raw
        self._stream = io.BufferedReader(cast("io.RawIOBase", inflated), 2**20)

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        return self._raw.tell()

    def byte_lines(self) -> Iterator[bytes]:
        """The lines as they are. Raises UnreadableError where the file is damaged."""
        with self._told():
            while line := self._stream.readline(MAX_LINE):
                yield line

    def text_lines(self) -> Iterator[str]:
        """The lines as text (UTF-8, or UTF-16 with its mark), line ends kept, what cannot be stored replaced.

        Raises UnreadableError where the file is damaged."""
        with self._told():
            start = self._stream.peek(3)[:3]
            encoding = next((name for mark, name in _BOMS if start.startswith(mark)), "utf-8")
            # Kept: a wrapper that is let go closes the file under it.
            self._text = text = io.TextIOWrapper(self._stream, encoding, errors="replace", newline="")
            while line := text.readline(MAX_LINE):
                yield line.replace("\0", REPLACEMENT) if "\0" in line else line

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DAMAGE as problem:
            raise UnreadableError(f"{self.path} is damaged or ends too early ({problem}).") from problem


@contextmanager
def opened(path: Path) -> Iterator[InputFile]:
    """The file at `path`, closed at the end. Raises UnreadableError where there is none to read."""
    try:
        raw = path.open("rb")
    except OSError as problem:
        raise UnreadableError(f"{path} cannot be opened: {problem.strerror}.") from problem
    with raw:
        yield InputFile(path, raw)
