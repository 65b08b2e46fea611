"""How long a request of the front door waits for the database: then it is told to come back.

Timeouts of the server do not help where the server itself hangs (a stopped machine, a full disk), so a thread
of this process looks at what waits, and cuts the connection of whoever waited too long. The wait then ends
with OperationalError, which the front door answers with 503; the next request connects anew. A statement that
the server finishes nevertheless is a batch sent twice, which loading adds once.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection

PATIENCE_SECONDS = 8.0  # clients of OpenTelemetry give up after 10
LOOK_SECONDS = 0.5


@dataclass(slots=True)
class _Waiting:
    """Who waits: thread -> (until when, file descriptor of its connection)."""

    threads: dict[int, tuple[float, int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    looking: bool = False


_waiting = _Waiting()


@contextmanager
def patiently() -> Iterator[None]:
    """Database work that may take PATIENCE_SECONDS. Raises OperationalError inside when it takes longer."""
    connection.ensure_connection()
    me = threading.get_ident()
    descriptor = connection.connection.fileno()
    with _waiting.lock:
        _waiting.threads[me] = (time.monotonic() + PATIENCE_SECONDS, descriptor)
        if not _waiting.looking:
            _waiting.looking = True
            threading.Thread(target=_look, name="patience", daemon=True).start()
    try:
        yield
    finally:
        with _waiting.lock:
            _waiting.threads.pop(me, None)


def _look() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        cut_late(time.monotonic())


def cut_late(now: float) -> None:
    """Cut the connections of those whose time is over.

    The lock sees to it that none of them is done meanwhile, and its descriptor another's."""
    with _waiting.lock:
        for thread, (until, descriptor) in list(_waiting.threads.items()):
            if now >= until:
                del _waiting.threads[thread]
                _cut(descriptor)


def _cut(descriptor: int) -> None:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as line:
            line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already: whoever waited has been told
