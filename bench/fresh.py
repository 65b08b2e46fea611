"""Half of capacity: how soon a request is acknowledged, and how soon what it brought is in answers."""

import time
from dataclasses import dataclass
from typing import Any

import psycopg

from analytics.intern import call_key
from bench import clients
from bench.clients import Pace
from bench.ingest import CLIENTS, bodies_for
from bench.product import Key, Product
from bench.traffic import World, native

PROBE_SECONDS = 0.25
LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Half:
    """Seconds, ascending: of acknowledgements, and from a probe's acknowledgement until it counts in rollups."""

    rate: float
    took: list[float]
    fresh: list[float]


def at_half(product: Product, *, capacity: float, size: int, seconds: float) -> Half:
    """Sends at half of `capacity` (items a second) in requests of `size`, with probes between."""
    rate = capacity / 2
    bodies = bodies_for(native, items=int(rate * seconds), size=size)
    pace = Pace(seconds, every=size * CLIENTS / rate)
    key = product.keys()[0]
    with clients.start(product.port, [key], bodies, pace) as running:
        fresh = _probe(product, key, seconds)
        sent = running.result()
    took = sorted(each for one in sent for each in one.took)
    return Half(sum(one.items for one in sent) / seconds, took, sorted(fresh))


def _probe(product: Product, key: Key, seconds: float) -> list[float]:
    """A call and its rollup rows are committed together: it counts as soon as the ledger has it."""
    events = native(World(int(time.time())), at_us=int(time.time() * 1e6), items=10_000, size=1)
    connection, end, due = clients.connect(product.port), time.monotonic() + seconds, 0.0
    waiting: dict[str, float] = {}
    fresh: list[float] = []
    with psycopg.connect(product.url(), autocommit=True) as database:
        while (now := time.monotonic()) < end or (waiting and now < end + 30):
            if due <= now < end:
                body = next(events)
                clients.post(connection, key, body)
                waiting[call_key(body.calls[0])] = time.monotonic()
                due = now + PROBE_SECONDS
            for found in _loaded(database, key, list(waiting)):
                fresh.append(time.monotonic() - waiting.pop(found))
            time.sleep(LOOK_SECONDS)
    return fresh


def _loaded(database: "psycopg.Connection[Any]", key: Key, calls: list[str]) -> list[str]:
    if not calls:
        return []
    rows = database.execute(
        "SELECT id FROM call WHERE project_id = %s AND started_at > now() - interval '10 minutes'"
        " AND id = ANY(%s::uuid[])",
        [key.project, calls],
    ).fetchall()
    return [row[0].hex for row in rows]
