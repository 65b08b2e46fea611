"""`make run` as its user sees it: what it prints, how it ends, what survives a kill, what stops it from starting."""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import processes
from config.postgres import Cluster
from config.programs import HOST
from config.supervise import MARK
from tests import cluster as test_cluster

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0  # seconds; a healthy start takes two


class Started:
    """A running `config.run`, its lines, and the processes that work for its data folder."""

    def __init__(self, module: str, environment: dict[str, str]) -> None:
        self.data = environment["FLOWLEDGER_DATA"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={**inherited(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.seen: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip())
        self._lines.put(None)

    def until(self, text: str) -> str:
        """Waits for a line that contains `text` and returns it."""
        deadline = time.monotonic() + PATIENCE
        while (line := self._lines.get(timeout=max(0.0, deadline - time.monotonic()))) is not None:
            self.seen.append(line)
            if text in line:
                return line
        raise AssertionError("\n".join([f"ended without {text!r}:", *self.seen]))

    def end(self, signum: int = signal.SIGTERM) -> int:
        self.process.send_signal(signum)
        return self.process.wait(PATIENCE)

    def children(self) -> set[int]:
        return set(processes.marked(f"{MARK}={self.data}"))

    def child(self, name: str) -> int:
        return next(pid for pid in self.children() if last_argument(pid) == name)


def last_argument(pid: int) -> str:
    shown = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, check=False)
    return (shown.stdout.decode().split() or [""])[-1]


def inherited() -> dict[str, str]:
    ours = ("DATABASE_URL", "FLOWLEDGER_", "CELERY_", "PORT", "DJANGO_", MARK)
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    return condition()


@pytest.fixture(scope="module")
def environment(open_folder) -> dict[str, str]:
    return {
        "FLOWLEDGER_DATA": str(open_folder / "run"),
        "PORT": str(free_port()),
        "SECRET_KEY": "for tests only",
    }


@pytest.fixture
def start(environment) -> Iterator[Callable[..., Started]]:
    started: list[Started] = []

    def go(**changes: str) -> Started:
        started.append(Started("tests.config.programs", {**environment, **changes}))
        return started[-1]

    yield go
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)
        processes.end(one.children(), grace=1)
    last = Cluster(data=Path(environment["FLOWLEDGER_DATA"]))
    last.start()
    last.stop()


@pytest.fixture
def ready(start: Callable[..., Started]) -> Started:
    one = start()
    one.until("Flowledger is ready")
    return one


def test_a_start_prints_where_it_is_and_how_to_sign_in(ready, environment):
    assert ready.seen[-1].endswith(f"http://127.0.0.1:{environment['PORT']}")
    assert ready.until("login:") == "login: a@example.com / secret"


def test_lines_carry_the_name_of_their_process_and_go_to_the_file_as_well(ready):
    assert "worker   | up" in ready.seen
    assert "worker   | up" in Path(ready.data, "flowledger.log").read_text()


def test_the_password_is_not_in_the_log_file(ready):
    ready.until("login:")
    assert "secret" not in Path(ready.data, "flowledger.log").read_text()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_leaves_no_process(ready, signum):
    server = Cluster(data=Path(ready.data))
    server.start()
    left = ready.children()
    assert len(left) == 4  # web, what web started, worker, beat
    assert ready.end(signum) == 0
    assert not [pid for pid in left if processes.is_running(pid)]
    assert not server.is_running()


def test_a_killed_child_is_restarted(ready):
    first = ready.child("worker")
    os.kill(first, signal.SIGKILL)
    ready.until("ended (SIGKILL)")
    ready.until("| up")
    assert ready.child("worker") != first


def test_what_a_killed_child_had_started_does_not_survive_it(ready):
    parent = ready.child("web")
    own = ready.child("started-by-web")
    os.kill(parent, signal.SIGKILL)
    assert eventually(lambda: not processes.is_running(own))


def test_a_killed_database_is_restarted(ready):
    server = Cluster(data=Path(ready.data))
    server.start()
    os.kill(server.pid, signal.SIGKILL)
    ready.until("postgres ended, restarting it")
    ready.until("ready to accept connections")


def test_after_a_killed_supervisor_the_next_start_takes_over_its_database(ready, start):
    left = ready.children()
    ready.end(signal.SIGKILL)
    second = start()
    assert "adopted" in second.until("postgres |")
    second.until("Flowledger is ready")
    assert not [pid for pid in left if processes.is_running(pid)]


def test_a_child_that_ends_again_and_again_stops_the_start(start):
    one = start(WORKER_FAILS="1")
    assert "The process worker ends again and again: no luck" in one.until("flowledger:")
    assert one.process.wait(PATIENCE) == 1


def test_a_second_start_on_the_same_data_is_refused(ready, start):
    told = start().until("flowledger:")
    assert told.startswith(
        f"flowledger: Flowledger already runs on {ready.data} (process {ready.process.pid})"
    )


def test_the_port_is_held_before_the_web_server_is_up(start, open_folder):
    first = start(WEB_WAITS="1")
    first.until("worker   | up")
    told = start(FLOWLEDGER_DATA=str(open_folder / "beside")).until("flowledger:")
    assert "is in use" in told


def test_a_port_in_use_is_named(start):
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        one = start(PORT=str(port))
        assert one.until("flowledger:").startswith(
            f"flowledger: Port {port} is in use: stop what listens there"
        )
        assert one.process.wait(PATIENCE) == 1


REFUSED = {
    "a database that does not answer": (
        {"DATABASE_URL": "postgresql://me:hush@127.0.0.1:9/x"},
        "The database of DATABASE_URL cannot be reached (postgresql://127.0.0.1:9/x)",
    ),
    "a database that is no Postgres": ({"DATABASE_URL": "mysql://localhost/x"}, "DATABASE_URL"),
    "a database URL that is none": ({"DATABASE_URL": "::"}, "DATABASE_URL"),
    "a broker that does not answer": (
        {"CELERY_BROKER_URL": "redis://:hush@127.0.0.1:9/0"},
        "The broker of CELERY_BROKER_URL cannot be reached (redis://127.0.0.1:9/0)",
    ),
    "a broker of an unknown kind": ({"CELERY_BROKER_URL": "carrier://pigeon"}, "CELERY_BROKER_URL"),
    "a port that is a word": ({"PORT": "http"}, "PORT='http' cannot be used"),
    "a port out of range": ({"PORT": "70000"}, "PORT=70000 is no port"),
    "a data folder that is a file": ({"FLOWLEDGER_DATA": "/etc/hostname"}, "/etc/hostname"),
    "a data folder below a file": ({"FLOWLEDGER_DATA": "/etc/hostname/data"}, "/etc/hostname/data"),
    "a data folder that cannot be written": ({"FLOWLEDGER_DATA": "/proc/flowledger"}, "/proc/flowledger"),
    "a bad switch": ({"FLOWLEDGER_DEMO": "perhaps"}, "FLOWLEDGER_DEMO='perhaps' cannot be used"),
}


@pytest.mark.parametrize(("changes", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_setting_stops_the_start_with_one_sentence(environment, changes, told):
    done = subprocess.run(
        [sys.executable, "-m", "tests.config.programs"],
        cwd=ROOT,
        env={**inherited(), **environment, **changes},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("flowledger: ")
    assert told in done.stderr
    assert "hush" not in done.stderr + done.stdout


def test_a_given_database_is_used_instead_of_the_embedded_one(start, open_folder):
    data = open_folder / "given"
    one = start(DATABASE_URL=test_cluster.ensure(), FLOWLEDGER_DATA=str(data))
    one.until("Flowledger is ready")
    assert not (data / "postgres").exists()
    assert one.end() == 0
