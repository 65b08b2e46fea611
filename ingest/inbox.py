"""The durable inbox: what was accepted, packed, until the loader takes it. Acknowledged means committed.

Rows hold at most ROW_ITEMS records of one kind as a msgpack array (`encode`, `read_records`).
"""

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from functools import partial
from typing import Any, TypeVar

import msgspec
import psycopg
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection, transaction

from accounts.errors import ApiError
from accounts.models import LANES
from ingest.patience import patiently
from ingest.records import CallRecord, MessagesRecord, OutcomeRecord, ScoreRecord, SpanRecord

T = TypeVar("T")
ROW_ITEMS = 5_000
RETRY_SECONDS = 5
# The database is away, slow, out of disk, or a standby: trying again helps. Anything else is a bug of ours.
UNAVAILABLE = (OperationalError, InterfaceError, InternalError)


class Kind(IntEnum):
    """What an inbox row holds."""

    CALLS = 1
    SPANS = 2
    MESSAGES = 3
    SCORES = 4
    OUTCOMES = 5


RECORD_TYPES: dict[Kind, Any] = {
    Kind.CALLS: CallRecord,
    Kind.SPANS: SpanRecord,
    Kind.MESSAGES: MessagesRecord,
    Kind.SCORES: ScoreRecord,
    Kind.OUTCOMES: OutcomeRecord,
}
_DECODERS: dict[Kind, msgspec.msgpack.Decoder[Any]] = {
    Kind.CALLS: msgspec.msgpack.Decoder(list[CallRecord]),
    Kind.SPANS: msgspec.msgpack.Decoder(list[SpanRecord]),
    Kind.MESSAGES: msgspec.msgpack.Decoder(list[MessagesRecord]),
    Kind.SCORES: msgspec.msgpack.Decoder(list[ScoreRecord]),
    Kind.OUTCOMES: msgspec.msgpack.Decoder(list[OutcomeRecord]),
}
_ENCODER = msgspec.msgpack.Encoder()  # a Decimal goes as its text: no digit is lost

_INSERT = """
    INSERT INTO inbox (lane, project_id, key_id, received_at, kind, items, import_batch, body)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %b)
"""
_COUNT_REJECTED = "INSERT INTO intake (project_id, key_id, bucket, rejected) VALUES (%s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who handed records in: a project's key, or one of its imports (key_id None)."""

    project_id: int
    key_id: int | None = None
    import_batch: int | None = None


def encode(records: Sequence[Any]) -> bytes:
    """The body of an inbox row."""
    return _ENCODER.encode(records)


def read_records(kind: int, body: bytes | memoryview) -> list[Any]:
    """The records of an inbox row: list[CallRecord], list[SpanRecord] or list[MessagesRecord].

    Raises msgspec.DecodeError (ValidationError is one) when the body cannot be read."""
    records: list[Any] = _DECODERS[Kind(kind)].decode(body)
    return records


def put(records: Sequence[Any], *, kind: Kind, sender: Sender, now: datetime, rejected: int = 0) -> None:
    """Keep accepted records until they are loaded, and count what was refused. Committed when it returns.

    Raises ApiError 503 when the inbox is full, the disk is nearly full, or the database does not answer."""
    if records:
        room.check(len(records))
    start = (sender.project_id % LANES, sender.project_id, sender.key_id, now, int(kind))
    statements: list[tuple[str, Sequence[Any]]] = [
        (_INSERT, (*start, len(part), sender.import_batch, encode(part))) for part in _parts(records)
    ]
    if rejected:
        counted = (sender.project_id, sender.key_id or 0, quarter_hour(now), rejected)
        statements.append((_COUNT_REJECTED, counted))
    _commit(statements)


def quarter_hour(moment: datetime) -> datetime:
    """The start of the quarter hour (UTC) that the moment lies in."""
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def _parts(records: Sequence[Any]) -> list[Sequence[Any]]:
    return [records[start : start + ROW_ITEMS] for start in range(0, len(records), ROW_ITEMS)]


def _commit(statements: list[tuple[str, Sequence[Any]]]) -> None:
    """Run the statements in one transaction, with binary parameters.

    Django's own cursor would write a body as a text literal, which halves what the inbox takes a second."""
    if not statements:
        return
    _asked(partial(_try, statements))


def _asked(question: Callable[[], T]) -> T:
    """What the database says. A connection that broke while idle (a restart) is made anew, once.

    Raises ApiError 503 when there is no answer in time."""
    started = time.monotonic()
    try:
        with patiently():
            try:
                return question()
            except UNAVAILABLE:
                is_late = time.monotonic() - started > 1
                if is_late or connection.in_atomic_block or connection.is_usable():
                    raise
                connection.close()
                return question()
    except UNAVAILABLE as problem:
        raise busy("The database does not take anything at the moment.") from problem


def _try(statements: list[tuple[str, Sequence[Any]]]) -> None:
    connection.ensure_connection()
    if len(statements) == 1:
        _execute(statements)  # commits by itself: one round trip instead of three
        return
    with transaction.atomic():
        _execute(statements)


def _execute(statements: list[tuple[str, Sequence[Any]]]) -> None:
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        for statement, parameters in statements:
            cursor.execute(statement, parameters)


def busy(message: str) -> ApiError:
    """The answer that makes a client try again: 503 with Retry-After."""
    return ApiError(
        503, "busy", message, hint="Send the same request again later.", retry_after=RETRY_SECONDS
    )


@dataclass(slots=True)
class Room:
    """Whether the inbox may grow: records that wait, and free disk space, looked at about once a second."""

    waiting: int = 0
    free: int = 0
    due: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, count: int) -> None:
        """Raises ApiError 503 when `count` more records would pass the bound, or the disk is nearly full."""
        self._look()
        if self.waiting + count > settings.INGEST_INBOX_BOUND:
            raise busy("The inbox is full: records arrive faster than they are loaded.")
        if self.free < settings.INGEST_MIN_DISK:
            raise busy("The server's disk is nearly full.")
        self.waiting += count  # until the next look; other processes' records are seen then

    def _look(self) -> None:
        if time.monotonic() < self.due or not self.lock.acquire(blocking=False):
            return
        try:
            started = time.monotonic()
            self.free = shutil.disk_usage(settings.DATA).free
            self.waiting = waiting_records()
            # A long inbox takes longer to count: looking may take a twentieth of the time at most.
            self.due = time.monotonic() + max(1.0, 20 * (time.monotonic() - started))
        finally:
            self.lock.release()


def waiting_records() -> int:
    """How many accepted records the loader has not taken yet. Raises ApiError 503 without a database."""
    return _asked(_sum_of_items)


def _sum_of_items() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(items), 0)::bigint FROM inbox")
        return int(cursor.fetchone()[0])


room = Room()
