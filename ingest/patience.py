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

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

PATIENCE_SECONDS = 8.0  # clients of OpenTelemetry give up after 10
LOOK_SECONDS = 0.5
# While the database hangs, threads that wait for it must not use up all that answer requests: new requests are
# refused at once while some have waited for long, and for a moment after one was cut.
LONG_SECONDS = 2.0
MANY = 2
SHUT_SECONDS = 2.0


@dataclass(slots=True)
class _Waiting:
    """Who waits: thread -> (since when, its connection)."""

    threads: dict[int, tuple[float, BaseDatabaseWrapper]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_looking: bool = False
    shut_until: float = 0.0

    def enter(self, wrapper: BaseDatabaseWrapper) -> None:
        """Raises OperationalError while others wait in vain."""
        now = time.monotonic()
        with self.lock:
            late = sum(now - since > LONG_SECONDS for since, _ in self.threads.values())
            if now < self.shut_until or late >= MANY:
                raise OperationalError("the database hangs")
            self.threads[threading.get_ident()] = (now, wrapper)
            if not self.is_looking:
                self.is_looking = True
                threading.Thread(target=_look, name="patience", daemon=True).start()

    def leave(self) -> None:
        """The wait is over."""
        with self.lock:
            self.threads.pop(threading.get_ident(), None)

    def cut_late(self, now: float) -> None:
        """Cut the connections of those whose time is over. The lock sees to it that none leaves meanwhile."""
        with self.lock:
            for thread, (since, wrapper) in list(self.threads.items()):
                if now - since >= PATIENCE_SECONDS:
                    del self.threads[thread]
                    self.shut_until = now + SHUT_SECONDS
                    _cut(wrapper)


waiting = _Waiting()


@contextmanager
def patiently() -> Iterator[None]:
    """Database work that may take PATIENCE_SECONDS. Raises OperationalError when it takes longer."""
    waiting.enter(connections[DEFAULT_DB_ALIAS])
    try:
        yield
    finally:
        waiting.leave()


def _look() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        waiting.cut_late(time.monotonic())


def _cut(wrapper: BaseDatabaseWrapper) -> None:
    try:
        with socket.socket(fileno=os.dup(wrapper.connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
    except (OSError, AttributeError, psycopg.Error):
        return  # there is no connection any more: whoever waited has been told
