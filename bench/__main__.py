"""`python -m bench [--short]`: starts the product in a folder of its own, measures, prints tables, leaves nothing."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import psycopg

from bench import answers, fresh, ingest, large, pages
from bench.clients import Pace
from bench.ingest import EndToEnd
from bench.product import Product, temporary
from bench.table import quantile, show
from bench.traffic import native, otlp

RELATIONS = """
    SELECT c.relname, sum(pg_total_relation_size(coalesce(i.inhrelid, c.oid)))::bigint
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhparent = c.oid
    WHERE c.relname = ANY(%s) AND c.relkind IN ('r', 'p') GROUP BY 1 ORDER BY 1
"""
TABLES = (
    "call", "run", "span", "usage", "usage_day", "customer_bucket", "customer_day", "run_bucket", "run_day",
    "usage_coarse", "usage_coarse_day", "usage_coarse_month", "customer_coarse_day", "customer_coarse_month",
    "run_coarse", "run_coarse_day", "run_coarse_month",
)  # fmt: skip


def main() -> None:
    """All sections, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a tenth of the traffic, for a first look")
    parser.add_argument(
        "--large", action="store_true", help="answers, pages and loading at many stored calls"
    )
    parser.add_argument(
        "--calls", type=int, default=10_000_000, help="with --large: how many calls are stored"
    )
    parser.add_argument("--keep", metavar="FOLDER", help="with --large: where they stay, to be used again")
    given = parser.parse_args()
    if given.large:
        at_large(given.calls, given.keep)
        return
    seconds = 3.0 if given.short else 20.0
    product = Product(temporary())
    try:
        product.start()
        ingest.end_to_end(product, ingest.bodies_for(native, items=4_000, size=1_000), Pace(20))
        capacity = throughput(product, seconds)
        half(product, capacity, seconds)
        steps(product, seconds)
        sizes(product)
        memory(product)
        questions(product)
    finally:
        product.stop()
        shutil.rmtree(product.data, ignore_errors=True)


def at_large(calls: int, keep: str | None) -> None:
    """What the product takes when it is nearly empty, then with `calls` stored."""
    small = Product(temporary())
    try:
        small.start()
        ingest.end_to_end(small, ingest.bodies_for(native, items=100_000, size=1_000), Pace(600))
        steps(small, 20.0)
    finally:
        small.stop()
        shutil.rmtree(small.data, ignore_errors=True)
    product = large.opened(keep) if keep else Product(temporary())
    product.static = True  # pages name their files by what is in them
    try:
        product.start()
        large.filled(product, calls=calls)
        show_asked("Questions", pages.asked(product, times=20))
        show_asked("Pages", pages.opened(product, times=20))
        steps(product, 20.0)
        sizes(product)
    finally:
        product.stop()
        if not keep:
            shutil.rmtree(product.data, ignore_errors=True)


def throughput(product: Product, seconds: float) -> float:
    """Events and spans a second, in requests of several sizes; the events a second of requests of 1,000."""
    kinds = (
        ("events by 1,000", native, 1_000, int(9_000 * seconds), seconds),
        ("events by 100", native, 100, int(3_000 * seconds), seconds / 2),
        ("events by 10", native, 10, int(500 * seconds), seconds / 4),
        ("events by 1", native, 1, int(100 * seconds), seconds / 4),
        ("OTLP spans by 512", otlp, 512, int(1_500 * seconds), seconds),
    )
    done = {
        name: ingest.end_to_end(
            product, ingest.bodies_for(make, items=items, size=size), Pace(limit)
        )
        for name, make, size, items, limit in kinds
    }  # fmt: skip
    copied = ingest.raw_copy(product, rows=int(5_000 * seconds))
    rows = [_row(name, one, copied.cpu_us) for name, one in done.items()]
    rows.append(
        (
            "COPY of the same rows",
            copied.rows,
            copied.rows / copied.seconds,
            "",
            copied.cpu_us,
            1.0,
            "",
            "",
            "",
        )
    )
    columns = (
        "end to end",
        "items",
        "items/s",
        "accepted/s",
        "CPU us",
        "x COPY",
        "web",
        "worker",
        "postgres",
    )
    show("Ingestion, from the first request until all is rolled up", columns, rows)
    return done["events by 1,000"].per_second


def _row(name: str, one: EndToEnd, yardstick: float) -> tuple[object, ...]:
    parts = [one.cpu.get(process, 0.0) / one.items * 1e6 for process in ("web", "worker", "postgres")]
    return (
        name, one.items, one.per_second, one.items / one.accepted, one.cpu_us, one.cpu_us / yardstick, *parts,
    )  # fmt: skip


def half(product: Product, capacity: float, seconds: float) -> None:
    """Acknowledgement and freshness at half of capacity."""
    rows = []
    for size in (100, 1_000):
        found = fresh.at_half(product, capacity=capacity, size=size, seconds=seconds)
        for name, values in (("acknowledged", found.took), ("in answers", found.fresh)):
            times = [quantile(values, share) for share in (0.5, 0.99)]
            rows.append((f"{name}, by {size:,}", found.rate, len(values), *times))
    show("At half of capacity, ms", ("", "events/s", "measured", "p50", "p99"), rows)


def steps(product: Product, seconds: float) -> None:
    """Where the time of one loader goes; the product's own stand still meanwhile."""
    still = [pid for name in ("beat", "worker") for pid, known in product.pids().items() if known == name]
    for pid in still:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(3)  # the worker ends what the clock has given it, and holds no lock when it is stopped
    try:
        for kind, items in (("native", int(3_000 * seconds)), ("otlp", int(1_000 * seconds))):
            found = _steps(product, kind, items)
            rows = [(step, spent / items * 1e6) for step, spent in sorted(found["steps"].items())]
            rows.append(("all, by the clock", found["seconds"] / items * 1e6))
            rows += [(f"CPU of {name}", found[name] / items * 1e6) for name in ("python", "postgres")]
            show(f"One loader, {kind}: us an item", ("step", "us"), rows)
    finally:
        for pid in still:
            os.kill(pid, signal.SIGCONT)


def _steps(product: Product, kind: str, items: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.steps", kind, str(items)],
        env={**os.environ, "DATABASE_URL": product.url(), "FLOWLEDGER_DATA": str(product.data), "SECRET_KEY": "bench"},
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def sizes(product: Product) -> None:
    """Bytes a row with indexes, after compaction has run as far as it has."""
    with psycopg.connect(product.url(), autocommit=True) as database:
        rows = []
        for name, size in database.execute(RELATIONS, [list(TABLES)]).fetchall():
            found = database.execute(f"SELECT count(*) FROM {name}").fetchone()
            count = found[0] if found else 0
            rows.append((name, count, size, size / count if count else 0.0))
    show("Stored", ("table", "rows", "bytes", "bytes a row"), rows)


def memory(product: Product) -> None:
    """Proportional set size."""
    rows = [(name, len(sizes), max(sizes), sum(sizes)) for name, sizes in product.memory().items()]
    show("Memory, MB", ("processes", "number", "largest", "all"), rows)


def questions(product: Product) -> None:
    """The ten commonest questions."""
    show_asked("Answers", answers.ask_all(product, product.keys()[0], times=20))


def show_asked(title: str, asked: list[answers.Asked]) -> None:
    """Times of questions or pages."""
    rows = [(one.name, one.status, quantile(one.took, 0.5), quantile(one.took, 0.95)) for one in asked]
    show(f"{title}, ms of the round trip", ("", "status", "p50", "p95"), rows)


if __name__ == "__main__":
    main()
