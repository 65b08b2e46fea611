"""Partitions of the big tables: made ahead and on demand, dropped by retention.

`CREATE TABLE ... (LIKE) ` and `ATTACH` instead of `CREATE ... PARTITION OF`, which would wait behind every reader.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from psycopg import Cursor, sql

WEEK = timedelta(days=7)
DAY = timedelta(days=1)
OLD_WEEKS = 104  # everything older lies in one partition: a look-up over all time stays cheap
FIRST = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday


class Partitioned(NamedTuple):
    """A partitioned table: the column that decides, and how long a partition lasts."""

    table: str
    column: str
    step: timedelta


TABLES = (
    Partitioned("call", "started_at", WEEK),
    Partitioned("content", "started_at", WEEK),
    Partitioned("run", "first_day", WEEK),
    Partitioned("span", "started_at", DAY),
)
_made: set[tuple[str, datetime]] = set()


def start_of(moment: datetime, step: timedelta) -> datetime:
    """The start (UTC) of the partition that a moment lies in."""
    return FIRST + (moment - FIRST) // step * step


def ensure(cursor: "Cursor[Any]", lo: datetime, hi: datetime, *, now: datetime) -> None:
    """Make the partitions that rows between lo and hi need; cheap when they are known to exist."""
    for kind in TABLES:
        boundary = start_of(now, WEEK) - OLD_WEEKS * WEEK
        for start in _starts(kind, lo, hi, boundary):
            if (kind.table, start) not in _made:
                _make(cursor, kind, start, boundary)


def forget() -> None:
    """Forget what was made: a transaction that made partitions was rolled back."""
    _made.clear()


def _starts(kind: Partitioned, lo: datetime, hi: datetime, boundary: datetime) -> Iterator[datetime]:
    start = max(start_of(lo - DAY, kind.step), boundary)
    if lo - DAY < boundary:
        yield FIRST
    while start <= hi + DAY:
        yield start
        start += kind.step


def _make(cursor: "Cursor[Any]", kind: Partitioned, start: datetime, boundary: datetime) -> None:
    """Make one partition, unless one holds its range already. `start` FIRST = everything before the boundary."""
    end = boundary if start == FIRST else start + kind.step
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('partitions'))")
    if not _covered(cursor, kind.table, start, end):
        name = sql.Identifier(f"{kind.table}_{start:%Y%m%d}")
        table = sql.Identifier(kind.table)
        cursor.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS)").format(name, table))
        if kind.table == "call":
            cursor.execute(sql.SQL("ALTER TABLE {} SET (fillfactor = 80)").format(name))
        cursor.execute(
            sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
                table, name, sql.Literal(_bound(kind, start)), sql.Literal(_bound(kind, end))
            )
        )
    _made.add((kind.table, start))


def _bound(kind: Partitioned, moment: datetime) -> str:
    if moment == FIRST:
        return "-infinity"
    return moment.date().isoformat() if kind.column == "first_day" else moment.isoformat()


def _covered(cursor: "Cursor[Any]", table: str, start: datetime, end: datetime) -> bool:
    """Whether existing partitions hold some of this range."""
    return any(lo < end and start < hi for _, lo, hi in existing(cursor, table))


def existing(cursor: "Cursor[Any]", table: str) -> list[tuple[str, datetime, datetime]]:
    """(name, start, end) of a table's partitions, by time; -infinity is year 1."""
    cursor.execute(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i"
        " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass",
        [table],
    )
    found = []
    for name, text in cursor.fetchall():
        lo, hi = text.removeprefix("FOR VALUES FROM (").removesuffix(")").split(") TO (")
        found.append((name, _moment(lo), _moment(hi)))
    return sorted(found, key=lambda row: row[1])


def _moment(text: str) -> datetime:
    text = text.strip("'")
    if text in ("-infinity", "MINVALUE"):
        return datetime(1, 1, 1, tzinfo=UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def day_start(day: date) -> datetime:
    """Midnight UTC of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def make_ahead(*, now: datetime) -> None:
    """Make the partitions of the next two weeks, so that no load has to."""
    with transaction.atomic(), connection.cursor() as cursor:
        ensure(cursor.cursor, now, now + 2 * WEEK, now=now)
