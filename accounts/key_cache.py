"""Answers about keys, kept for seconds in each process, and forgotten in all of them when a key changes.

Saving a key or a project sends NOTIFY with its transaction. Every database connection that looks up keys
listens, and reads its own socket before it trusts a kept answer. A kept key costs 9 us and no question to
Postgres, where one plain statement costs 250 us and the ORM's join 1,100 (930 of CPU: a whole core at 1,000
requests/s). A revoked key is refused in the revoking process at once, and in all others as soon as Postgres
has sent the notice: 2 to 8 ms after the commit, measured on 2 busy cores, so `revoke_key` returns after 50.

Worst case: a connection that died without saying so, or a pooler in transaction mode, which swallows LISTEN:
a kept answer then lives for KEEP_S seconds.

Why a generation: one thread may read a key just before it is revoked and keep the answer just after another
thread has heard of it. An answer counts only while the generation is the one from before it was read.
Rejected: a version row (its reading costs as much as the key's) and triggers (Citus refuses them).
"""

import threading
import time
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import psycopg
from django.db import connection, transaction

CHANNEL = "flowledger_keys"
KEEP_S = 5.0  # a key that works
KEEP_UNKNOWN_S = 1.0  # a key that does not
BOUND = 4096  # answers of each sort; over it all of that sort are forgotten


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer: what it was (None: no such key), in which generation it was read, until when it counts."""

    value: Any
    generation: int
    until: float  # monotonic seconds


class KeyCache:
    """SHA-256 of a key -> answer. Take `generation`, read the database, then `keep` what was read."""

    def __init__(self) -> None:
        self.generation = 0
        self._known: dict[bytes, Kept] = {}
        self._unknown: dict[bytes, Kept] = {}
        self._listening: WeakSet[psycopg.Connection[Any]] = WeakSet()
        self._lock = threading.Lock()

    def get(self, digest: bytes) -> Kept | None:
        """The kept answer, or None: ask the database."""
        if not self._heard():
            return None
        kept = self._known.get(digest) or self._unknown.get(digest)
        if kept is None or kept.generation != self.generation or kept.until < time.monotonic():
            return None
        return kept

    def keep(self, digest: bytes, value: Any, *, generation: int) -> None:
        """Keep an answer; inside a transaction nothing is kept (LISTEN would begin only with its commit)."""
        if connection.in_atomic_block:
            return
        self._listen()
        answers, seconds = (self._unknown, KEEP_UNKNOWN_S) if value is None else (self._known, KEEP_S)
        if len(answers) >= BOUND:
            answers.clear()
        answers[digest] = Kept(value, generation, time.monotonic() + seconds)

    def forget(self, *_: object) -> None:
        """Forget every answer in this process."""
        with self._lock:
            self.generation += 1
        self._known.clear()
        self._unknown.clear()

    def _heard(self) -> bool:
        """Take in what Postgres has sent on this thread's connection; False if nothing can be heard on it."""
        raw = connection.connection
        if raw is None or connection.in_atomic_block or raw not in self._listening:
            return False
        try:
            raw.pgconn.consume_input()
            raw.pgconn.consume_input()  # the first may have read a dying server's last words, this its end
            while raw.pgconn.notifies() is not None:
                self.forget()
        except psycopg.OperationalError:
            return False  # the question to the database finds out, and connects again
        return True

    def _listen(self) -> None:
        raw = connection.connection
        if raw is None or raw in self._listening:
            return
        raw.add_notify_handler(self.forget)  # notices that arrive while another statement is read
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        self._listening.add(raw)
        self.forget()  # something may have been announced before this connection listened


answers = KeyCache()


def announce(**_: object) -> None:
    """Tell every process that a key or a project changed, when and if this transaction is committed.

    Saving or deleting one through its model does this; after a queryset's `update` call it yourself."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")
    transaction.on_commit(answers.forget)
