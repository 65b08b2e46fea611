"""Ingestion end to end: from HTTP to rolled up, in events a second and CPU an event, beside a COPY of the same rows."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from bench import clients
from bench.clients import Pace, Sent
from bench.product import Product, cpu_of
from bench.traffic import Body, World

CLIENTS = 4
LOOK_SECONDS = 0.1
_seeds = iter(range(1, 1_000_000))
Maker = Callable[..., Iterator[Body]]


@dataclass(frozen=True)
class EndToEnd:
    """One run: items, seconds until the last was accepted and until it was rolled up, CPU seconds by process."""

    items: int
    accepted: float
    rolled_up: float
    cpu: dict[str, float]
    backlog: int
    refused: int
    took: list[float]

    @property
    def per_second(self) -> float:
        """Items a second from the first request until everything was rolled up."""
        return self.items / self.rolled_up

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU an item of all processes of the product."""
        return sum(self.cpu.values()) / self.items * 1e6


def bodies_for(make: Maker, *, items: int, size: int) -> list[list[Body]]:
    """Bodies for every client, with their times just now."""
    at_us = int(time.time() * 1e6)
    share = max(size, items // CLIENTS)
    return [list(make(World(next(_seeds)), at_us=at_us, items=share, size=size)) for _ in range(CLIENTS)]


def end_to_end(product: Product, bodies: list[list[Body]], pace: Pace) -> EndToEnd:
    """Sends, waits until all of it is rolled up, and says what it took."""
    with psycopg.connect(product.url(), autocommit=True) as database:
        before = product.cpu()
        with clients.start(product.port, product.keys(), bodies, pace) as running:
            backlog = 0
            while not running.done():
                time.sleep(LOOK_SECONDS)
                backlog = max(backlog, waiting(database))
            sent = running.result()
        until_empty(database)
        rolled_up = time.time()
        after = product.cpu()
    return _result(sent, rolled_up, {name: after[name] - before.get(name, 0.0) for name in after}, backlog)


def _result(sent: list[Sent], rolled_up: float, cpu: dict[str, float], backlog: int) -> EndToEnd:
    began = min(one.began for one in sent)
    return EndToEnd(
        items=sum(one.items for one in sent),
        accepted=max(one.ended for one in sent) - began,
        rolled_up=rolled_up - began,
        cpu=cpu,
        backlog=backlog,
        refused=sum(one.refused for one in sent),
        took=sorted(seconds for one in sent for seconds in one.took),
    )


def waiting(database: "psycopg.Connection[Any]") -> int:
    """Records in the inbox."""
    row = database.execute("SELECT coalesce(sum(items), 0) FROM inbox").fetchone()
    assert row is not None
    return int(row[0])


def until_empty(database: "psycopg.Connection[Any]") -> None:
    """Waits until nothing waits."""
    while database.execute("SELECT 1 FROM inbox LIMIT 1").fetchone():
        time.sleep(0.02)


@dataclass(frozen=True)
class Copied:
    """The yardstick: rows, seconds, CPU seconds of Python and of Postgres."""

    rows: int
    seconds: float
    python: float
    postgres: float

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU a row."""
        return (self.python + self.postgres) / self.rows * 1e6


def raw_copy(product: Product, *, rows: int = 100_000) -> Copied:
    """The newest rows of `call`, copied row by row into a table with its columns, partitions and unique index."""
    with psycopg.connect(product.url()) as database:
        columns = _like_call(database)
        found = database.execute(f"SELECT {columns} FROM call LIMIT {rows}").fetchall()
        server = database.info.backend_pid
        start, python, postgres = time.monotonic(), time.process_time(), cpu_of(server)
        with database.cursor().copy(f"COPY bench_copy ({columns}) FROM STDIN") as copy:
            for row in found:
                copy.write_row(row)
        database.commit()
        done = Copied(
            len(found), time.monotonic() - start, time.process_time() - python, cpu_of(server) - postgres
        )
        database.execute("DROP TABLE bench_copy")
    return done


def _like_call(database: "psycopg.Connection[Any]") -> str:
    database.execute("DROP TABLE IF EXISTS bench_copy")
    database.execute(
        "CREATE TABLE bench_copy (LIKE call, PRIMARY KEY (project_id, started_at, id))"
        " PARTITION BY RANGE (started_at)"
    )
    row = database.execute("SELECT date_trunc('week', min(started_at)) FROM call").fetchone()
    assert row is not None
    for week in range(3):
        start, end = (f"'{row[0]}'::timestamptz + interval '{number} weeks'" for number in (week, week + 1))
        bounds = [database.execute(f"SELECT {text}").fetchone() for text in (start, end)]
        low, high = (bound[0] for bound in bounds if bound is not None)
        database.execute(
            f"CREATE TABLE bench_copy_{week} PARTITION OF bench_copy FOR VALUES FROM ('{low}') TO ('{high}')"
        )
    found = database.execute(
        "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = 'call'::regclass AND attnum > 0 AND NOT attisdropped"
    ).fetchone()
    assert found is not None
    return str(found[0])
