"""The one log of `make run`: every line of every process, under the name of who wrote it."""

import logging
import os
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

WIDTH = 8
MOST_BYTES = 10 * 2**20
KEPT = 3
READ_BYTES = 65_536
LONGEST_LINE = 32_768


class Stream:
    """Writes lines to the terminal and, with their time in UTC, to a file that is rotated at 10 MB."""

    def __init__(self, file: Path) -> None:
        self._terminal = True
        self._file = RotatingFileHandler(file, maxBytes=MOST_BYTES, backupCount=KEPT, encoding="utf-8")
        self._file.handleError = lambda record: None  # type: ignore[method-assign]  # a full disk stops no log
        form = logging.Formatter("%(asctime)s.%(msecs)03dZ %(message)s", "%Y-%m-%dT%H:%M:%S")
        form.converter = time.gmtime
        self._file.setFormatter(form)

    def line(self, name: str, text: str) -> None:
        """One line of the process `name`, to both places."""
        self.show(f"{name:<{WIDTH}} | {text}")
        record = logging.LogRecord(name, logging.INFO, "", 0, f"{name:<{WIDTH}} | %s", (text,), None)
        self._file.emit(record)

    def show(self, text: str) -> None:
        """To the terminal only: what holds a password stays out of the file."""
        if not self._terminal:
            return
        try:
            print(text, flush=True)
        except OSError:  # the terminal is gone; the file goes on
            self._terminal = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Pipe:
    """Turns the bytes that arrive on a file descriptor into whole lines.

    grows: a file to which another process appends, so that its end is never final.
    """

    def __init__(self, descriptor: int, *, grows: bool = False) -> None:
        self.descriptor = descriptor
        self.ended = False
        self._grows = grows
        self._rest = b""
        os.set_blocking(descriptor, False)

    def lines(self) -> list[str]:
        """The lines complete by now. A line over 32 KB comes in pieces; what is no UTF-8 is marked."""
        try:
            found = os.read(self.descriptor, READ_BYTES)
        except BlockingIOError:
            return []
        self.ended = not found and not self._grows
        *whole, self._rest = (self._rest + found).split(b"\n")
        if len(self._rest) > LONGEST_LINE or (self.ended and self._rest):
            whole, self._rest = [*whole, self._rest], b""
        return [line.decode(errors="replace").rstrip() for line in whole]
