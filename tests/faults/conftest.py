"""A database of its own for tests whose processes die: nothing of it is rolled back, all of it is dropped."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from analytics import batch, pricebook
from analytics import load as loader

FULL = os.environ.get("FAULTS") == "full"
SEED = int(os.environ.get("FAULTS_SEED", "11"))
FINISHED = 7  # the exit code of a child that did all of its work


@pytest.fixture(scope="module")
def database(django_db_blocker) -> Iterator[None]:
    """A migrated database, used by this process and by those that it forks; what they write is committed."""
    with django_db_blocker.unblock():
        original, own = connection.settings_dict["NAME"], f"faults_{os.getpid()}"
        connection.close()
        _administer("CREATE DATABASE {}", own)
        connection.settings_dict["NAME"] = own
        loader.forget()
        call_command("migrate", verbosity=0)
        pricebook.sync()
        yield
        connection.close()
        connection.settings_dict["NAME"] = original
        _administer("DROP DATABASE {} WITH (FORCE)", own)


def _administer(text: str, name: str) -> None:
    parameters = {**connection.get_connection_params(), "dbname": "postgres"}
    known = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{k: parameters[k] for k in known if parameters.get(k)}, autocommit=True) as server:
        server.execute(sql.SQL(text).format(sql.Identifier(name)))


@pytest.fixture
def small_batches(monkeypatch) -> None:
    """Loads of 70 records: small tests too have batches that are made ready while another one is loaded."""
    for function in (loader._load, batch.read):
        monkeypatch.setitem(function.__kwdefaults__, "most", 70)
    monkeypatch.setattr(loader, "BATCH", 70)


def fork(work: Callable[[], Any]) -> int:
    """Does `work` in a child process with a connection of its own; its process id."""
    connection.close()
    pid = os.fork()
    if pid:
        return pid
    try:
        loader.forget()
        work()
        os._exit(FINISHED)
    except BaseException as problem:  # the parent's assertion shows it
        os.write(2, f"{type(problem).__name__}: {problem}\n".encode())
        os._exit(1)


def ended(pid: int) -> int:
    """Waits for a child; its exit code, negative for the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def dies_at(number: int, work: Callable[[], Any]) -> bool:
    """Does `work` in a child that is killed at point `number`; False if it has fewer: before each statement,
    before and after each commit."""

    def kill(reached: int) -> None:
        if reached == number:
            os.kill(os.getpid(), signal.SIGKILL)

    code = ended(fork(_at_each_point(kill, work)))
    assert code in (-signal.SIGKILL, FINISHED)
    _wait_for_backends()
    return code != FINISHED


def points_of(work: Callable[[], Any]) -> int:
    """How many such points `work` has."""
    reader, writer = os.pipe()
    code = ended(fork(_at_each_point(lambda reached: os.write(writer, b"."), work)))
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        told = file.read()
    assert code == FINISHED
    _wait_for_backends()
    return len(told)


def _at_each_point(act: Callable[[int], Any], work: Callable[[], Any]) -> Callable[[], None]:
    """`work`, with `act` at each point; for a child only, whose psycopg is changed for good."""

    def go() -> None:
        _watch(act)
        work()

    return go


def _watch(act: Callable[[int], Any]) -> None:
    reached = 0

    def count() -> None:
        nonlocal reached
        reached += 1
        act(reached)

    def counted(owner: Any, name: str, *, after: bool = False) -> None:
        real = getattr(owner, name)

        def method(*arguments: Any, **options: Any) -> Any:
            count()
            result = real(*arguments, **options)
            if after:
                count()
            return result

        setattr(owner, name, method)

    for name in ("execute", "executemany", "copy"):
        counted(psycopg.Cursor, name)
    counted(psycopg.Connection, "commit", after=True)


def _wait_for_backends() -> None:
    """A killed client's session holds its locks until the server has noticed."""
    loader.forget()
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if not cursor.fetchone()[0]:
                return
            assert time.monotonic() < deadline
            time.sleep(0.002)


def chosen(points: Sequence[int]) -> list[int]:
    """All points of a full run; a seeded few of a short one, always the first and the last."""
    if FULL or len(points) <= 8:
        return list(points)
    return sorted({points[0], points[-1], *random.Random(SEED).sample(list(points), 7)})
