"""`python -m bench --large [--calls N] [--keep FOLDER]`: answers, pages and loading at N stored calls of 90 days.

One day comes in by HTTP and through the loader; SQL copies it, its runs and its rollups 89 days back, with other ids
and other customers. Then what is stored is what the loader would have stored, and `verify` finds no difference.
"""

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from analytics import partitions
from analytics.intern import CUSTOMER, name_id
from bench import clients, ingest
from bench.clients import Pace
from bench.product import Product
from bench.traffic import CUSTOMERS, MODELS, Body, World

DAYS = 90
QUARTER_HOUR_DAYS = 34
REGULARS, ALL_CUSTOMERS, JOIN_A_DAY = 1_000, 6_000, 45
DAY_US = 86_400_000_000
DONE = "bench-large"
# Columns that are not copied as they are; n is the number of days back.
SHIFTED = {
    "started_at": "{0} - n.back", "received_at": "{0} - n.back", "ended_at": "{0} - n.back",
    "trace_started_at": "{0} - n.back", "trace_ended_at": "{0} - n.back", "bucket": "{0} - n.back",
    "first_day": "{0} - n.days", "day": "{0} - n.days",
    "id": "md5({0}::text || n.days)::uuid", "trace": "md5({0}::text || n.days)::uuid",
    "run": "md5({0}::text || n.days)::uuid", "customer_id": "coalesce(other.id, {0})",
}  # fmt: skip
TIME_OF = {
    "call": "started_at", "run": "started_at", "exemplar": "bucket", "audience_day": "day", "usage_day": "day",
    "customer_day": "day", "run_day": "day", "usage": "bucket", "customer_bucket": "bucket", "run_bucket": "bucket",
}  # fmt: skip
FINE = ("usage", "customer_bucket", "run_bucket", "exemplar")


class Wide(World):
    """Every flow on all 20 models, two versions of its prompt and two releases at a time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.models = [list(MODELS) for _ in self.models]

    def _call(self, flow: int, start_us: int) -> dict[str, Any]:
        given = super()._call(flow, start_us)
        version = 1 + flow % 3 + (self.draw.random() < 0.1)
        release = "web@4.3.0" if self.draw.random() < 0.1 else "web@4.2.0"
        return given | {"prompt": {"name": f"prompt-{flow}", "version": str(version)}, "release": release}


def filled(product: Product, *, calls: int) -> None:
    """Fills a running product, unless its folder is filled already."""
    told = product.data / DONE
    if told.exists():
        return
    began, first = time.monotonic(), datetime.now(UTC).date() - timedelta(days=1)
    per_day = calls // DAYS
    load_day(product, first, items=per_day)
    print(f"one day loaded: {per_day:,} calls in {time.monotonic() - began:.0f} s", flush=True)
    with psycopg.connect(product.url(), autocommit=True) as database:
        _prepare(database, first)
        for back in range(1, DAYS):
            copy_day(database, first, back)
        database.execute("VACUUM ANALYZE")
        row = database.execute("SELECT count(*) FROM call").fetchone()
    print(f"{row[0] if row else 0:,} calls stored after {time.monotonic() - began:.0f} s", flush=True)
    told.write_text(first.isoformat())


def load_day(product: Product, day: date, *, items: int, size: int = 1_000) -> None:
    """Sends a day of traffic and waits until it is folded."""
    end_us = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1e6) + DAY_US
    bodies = list(_bodies(Wide(1), end_us, items, size))
    clients.run(product.port, product.keys(), [bodies], Pace(3_600))
    with psycopg.connect(product.url(), autocommit=True) as database:
        ingest.until_empty(database)
        while database.execute("SELECT 1 FROM usage WHERE batch > 0 LIMIT 1").fetchone():
            time.sleep(0.5)
        while database.execute("SELECT 1 FROM run_day WHERE batch > 0 LIMIT 1").fetchone():
            time.sleep(0.5)


def _bodies(world: World, end_us: int, items: int, size: int) -> Iterator[Body]:
    # A trace lasts a second: it shall not end in the next day.
    events = world.events(end_us - 2_000_000, DAY_US - 2_000_000)
    for start in range(0, items, size):
        batch = list(itertools.islice(events, min(size, items - start)))
        yield Body("/v1/events", "application/json", msgspec.json.encode({"events": batch}), len(batch))


def _prepare(database: "psycopg.Connection[Any]", first: date) -> None:
    """Partitions of all days, names of all customers, and who stands in for whom on which day."""
    now = datetime.now(UTC)
    with database.transaction():
        partitions.ensure(
            psycopg.Cursor(database), now - timedelta(days=DAYS + 2), now + timedelta(days=7), now=now
        )
    project = database.execute("SELECT min(project_id) FROM call").fetchone()
    assert project is not None
    ids = [name_id(f"customer-{number}") for number in range(ALL_CUSTOMERS)]
    with database.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO name VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(project[0], CUSTOMER, ids[n], f"customer-{n}") for n in range(ALL_CUSTOMERS)],
        )
        cursor.execute("CREATE TEMP TABLE other_customer (days int, was bigint, id bigint)")
        with cursor.copy("COPY other_customer FROM STDIN") as copy:
            for days in range(1, DAYS):
                for n in range(REGULARS, CUSTOMERS):
                    pool = ALL_CUSTOMERS - REGULARS
                    copy.write_row((days, ids[n], ids[REGULARS + (n - REGULARS + JOIN_A_DAY * days) % pool]))
        cursor.execute("ANALYZE other_customer")


def copy_day(database: "psycopg.Connection[Any]", first: date, back: int) -> None:
    """Everything of the loaded day again, `back` days earlier."""
    with database.transaction():
        database.execute("SET LOCAL synchronous_commit = off")
        for table, column in TIME_OF.items():
            if back <= QUARTER_HOUR_DAYS or table not in FINE:
                database.execute(_copy(database, table, column, first, back))


def _copy(database: "psycopg.Connection[Any]", table: str, column: str, first: date, back: int) -> bytes:
    found = database.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [table],
    ).fetchall()
    names = [row[0] for row in found]
    values = [SHIFTED.get(name, "{0}").format(f"u.{name}") for name in names]
    others = (
        f"LEFT JOIN other_customer other ON other.days = {back} AND other.was = u.customer_id"
        if "customer_id" in names
        else ""
    )
    when = (
        f"u.day = '{first}'"
        if column == "day"
        else f"u.{column} >= '{first}Z' AND u.{column} < '{first + timedelta(days=1)}Z'"
    )
    values = [v if "other." not in v or others else v.replace("other.id, ", "") for v in values]
    return (
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table} u {others}"
        f" CROSS JOIN (SELECT {back} AS days, interval '{back} days' AS back) n WHERE {when}"
    ).encode()


def opened(folder: str) -> Product:
    """A product over a folder that stays."""
    data = Path(folder)
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o711)
    return Product(data)
