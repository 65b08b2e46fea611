"""The whole product, its processes killed with -9 at random while clients send and repeat what failed.

At the end everything that was acknowledged is in the ledger exactly once, and the rollups say the same.
"""

import http.client
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psycopg
import pytest

from analytics.intern import call_key
from bench import traffic
from bench.clients import connect, post
from bench.product import ROOT, Key, Product, children_of, temporary
from bench.traffic import Body, World
from tests.faults.conftest import FULL, SEED

EVENTS, SPANS, KILLS = (200_000, 50_000, 50) if FULL else (6_000, 1_500, 7)
BETWEEN_KILLS = 4.0 if FULL else 2.0  # seconds
PATIENCE = 1200.0 if FULL else 120.0
ACCEPTED = (200, 202)


@dataclass
class Client:
    """Sends its bodies, each until it is acknowledged, with what it has at hand when the next kill comes."""

    product: Product
    key: Key
    bodies: list[Body]
    pause: float
    acknowledged: set[str] = field(default_factory=set)
    repeats: int = 0
    failures: list[str] = field(default_factory=list)

    def run(self) -> None:
        deadline = time.monotonic() + PATIENCE
        for body in self.bodies:
            while not self._sent(body):
                self.repeats += 1
                if time.monotonic() > deadline:
                    self.failures.append("nobody answers any more")
                    return
                time.sleep(0.3)
            self.acknowledged.update(body.calls)
            time.sleep(self.pause)

    def _sent(self, body: Body) -> bool:
        connection = connect(self.product.port)
        try:
            status = post(connection, self.key, body)
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if status >= 500 and status != 503:
            self.failures.append(f"{body.path} answered {status}")
        return status in ACCEPTED


def kill(pids: list[int]) -> bool:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
    return bool(pids)


def one_of(product: Product, name: str, draw: random.Random) -> list[int]:
    found = sorted(pid for pid, known in product.pids().items() if known == name)
    return [draw.choice(found)] if found else []


def kill_backend(product: Product, draw: random.Random) -> bool:
    found = children_of(product.postmaster())
    return kill([draw.choice(found)] if found else [])


def cut_broker(product: Product, draw: random.Random) -> bool:
    """Ends the broker's sessions: those of the product that do not name themselves."""
    try:
        with psycopg.connect(product.url(), autocommit=True) as database:
            found = database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND application_name <> 'flowledger'"
            ).fetchall()
    except (psycopg.Error, RuntimeError):
        return False
    return bool(found)


def kill_supervisor(product: Product, draw: random.Random) -> bool:
    """The next start takes over what it left."""
    assert product.process is not None
    kill([product.process.pid])
    product.process.wait()
    product.launch()
    product.wait_until_ready()
    return True


DEATHS: dict[str, Callable[[Product, random.Random], bool]] = {
    "web": lambda product, draw: kill(one_of(product, "web", draw)),
    "worker": lambda product, draw: kill(one_of(product, "worker", draw)),
    "beat": lambda product, draw: kill(one_of(product, "beat", draw)),
    "postgres": lambda product, draw: kill([product.postmaster()] if product.postmaster() else []),
    "session": kill_backend,
    "broker": cut_broker,
    "supervisor": kill_supervisor,
}


@pytest.fixture
def product() -> Iterator[Product]:
    started = Product(temporary(), projects=2)
    try:
        started.start()
        yield started
    finally:
        started.stop()
        shutil.rmtree(started.data, ignore_errors=True)


def clients_of(product: Product) -> list[Client]:
    at_us = int(time.time() * 1e6)
    pause = (BETWEEN_KILLS * KILLS) / ((EVENTS / 100 + SPANS / 100) / 4)
    clients = []
    for number, key in enumerate(product.keys()):
        native = list(traffic.native(World(SEED + number), at_us=at_us, items=EVENTS // 2, size=100))
        spans = list(traffic.otlp(World(SEED + 50 + number), at_us=at_us, items=SPANS // 2, size=100))
        middle = len(native) // 2
        clients += [Client(product, key, part, pause) for part in (native[:middle], native[middle:], spans)]
    return clients


def kill_until(done: Callable[[], bool], product: Product) -> list[str]:
    """Kills in a random order, every kind as often as the others; what was killed."""
    draw = random.Random(SEED)
    order = [name for _ in range(KILLS) for name in draw.sample(list(DEATHS), len(DEATHS))][:KILLS]
    killed = []
    for name in order:
        time.sleep(BETWEEN_KILLS * draw.uniform(0.5, 1.5))
        if done():
            break
        deadline = time.monotonic() + 30
        while not DEATHS[name](product, draw) and time.monotonic() < deadline:
            time.sleep(0.1)
        killed.append(name)
    return killed


def until_loaded(product: Product) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < deadline, product.log()[-3000:]
        try:
            with psycopg.connect(product.url()) as database:
                if database.execute("SELECT count(*) FROM inbox").fetchone() == (0,):
                    return
        except (psycopg.Error, RuntimeError):
            pass  # it is being started again
        time.sleep(0.2)


def ledger_of(product: Product, project: int) -> tuple[list[str], int, int]:
    """(keys of the calls, calls that the rollups count, records set aside)."""
    with psycopg.connect(product.url()) as database:
        keys = database.execute("SELECT id FROM call WHERE project_id = %s", [project]).fetchall()
        counted = database.execute(
            "SELECT coalesce(sum(calls), 0) FROM usage_day WHERE project_id = %s", [project]
        ).fetchone()
        dead = database.execute("SELECT count(*) FROM inbox_dead").fetchone()
    assert counted is not None
    assert dead is not None
    return [key.hex for (key,) in keys], int(counted[0]), int(dead[0])


def verified(product: Product, slug: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "verify", slug],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "DATABASE_URL": product.url(), "FLOWLEDGER_DATA": str(product.data),
             "DJANGO_SETTINGS_MODULE": "config.settings"},
    )  # fmt: skip
    return "" if done.returncode == 0 else f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def test_what_was_acknowledged_is_in_the_ledger_exactly_once(product):
    clients = clients_of(product)
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    killed = kill_until(lambda: not any(thread.is_alive() for thread in threads), product)
    for thread in threads:
        thread.join()
    assert [client.failures for client in clients if client.failures] == []
    assert len(killed) >= KILLS * 2 // 3, killed
    until_loaded(product)
    for number, key in enumerate(product.keys(), 1):
        acknowledged = {
            call_key(call) for client in clients if client.key == key for call in client.acknowledged
        }
        found, counted, dead = ledger_of(product, key.project)
        assert dead == 0
        assert set(found) == acknowledged, killed
        assert len(found) == counted == len(acknowledged), killed
        assert verified(product, f"bench-{number}") == ""
    print(f"\nkilled: {', '.join(killed)}; {sum(client.repeats for client in clients)} requests repeated")
