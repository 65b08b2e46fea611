"""A real worker, started as `make run` starts it, over each broker: what is sent is done."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from pgmq.install import install_pgmq_from_sql

from config.programs import HOST, worker_flags
from tests import cluster
from tests.config.test_run import PATIENCE, ROOT, eventually, free_port

SEND = """
import sys, time
from tests.config.broker_app import append
for number in range(int(sys.argv[2])):
    append.delay(sys.argv[1], f"{number} {time.time()}")
"""


@pytest.fixture
def pgmq_broker() -> str:
    """The broker in the tests' own Postgres, in a database of its own kind: the one the server came with."""
    with psycopg.connect(cluster.ensure()) as connection:
        row = connection.execute("SELECT to_regclass('pgmq.meta')").fetchone()
        if row == (None,):
            install_pgmq_from_sql(conn=connection)
    return "pgmq://"


@pytest.fixture
def redis_broker(tmp_path) -> Iterator[str]:
    """A Redis of the test's own. Debian's package redis-server brings the program; CI installs it."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    flags = ["--port", str(port), "--bind", HOST, "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen([program, *flags], stdout=subprocess.DEVNULL)
    yield f"redis://{HOST}:{port}/0"
    server.terminate()
    server.wait(PATIENCE)


@pytest.fixture
def environment(request) -> dict[str, str]:
    broker = request.getfixturevalue(f"{request.param}_broker")
    return {
        **os.environ,
        "DATABASE_URL_TEST": cluster.ensure(),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "CELERY_BROKER_URL": broker,
    }


@pytest.fixture
def worker(environment) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "celery", "-A", "tests.config.broker_app", "worker", *worker_flags()]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    yield process
    process.terminate()
    try:
        process.wait(PATIENCE)
    finally:
        process.kill()


@pytest.mark.parametrize("environment", ["pgmq", "redis"], indirect=True)
def test_a_worker_does_each_task_once(environment, worker, tmp_path):
    done = tmp_path / "done"
    done.touch()
    subprocess.run([sys.executable, "-c", SEND, str(done), "50"], cwd=ROOT, env=environment, check=True)
    assert eventually(lambda: len(done.read_text().splitlines()) >= 50)
    numbers = [int(line.split()[0]) for line in done.read_text().splitlines()]
    assert sorted(numbers) == list(range(50))
    assert worker.poll() is None
