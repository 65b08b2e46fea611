"""The programs of `make run`, each with its flags, and the steps that come before them."""

import sys
from dataclasses import dataclass
from pathlib import Path

from config.supervise import Program

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
WEB_WORKERS = 2
# A request that waits for the database blocks its thread. What is over backpressure waits in the socket.
WEB_THREADS = 8
BACKPRESSURE = 64
WORKER_THREADS = 4
# Celery's warning about root is about pickled messages; ours are JSON.
AS_ROOT = ("-W", "ignore::UserWarning:celery.platforms")


@dataclass(frozen=True)
class Options:
    """What a start needs to know of the settings. database_url is empty where the embedded server is used."""

    data: Path
    port: int
    database_url: str
    broker_url: str

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


@dataclass(frozen=True)
class Plan:
    """What a start runs.

    database, static: steps that end by themselves, before anything that needs them. first: makes what a first
    start needs beside them, and prints how to sign in. web, others: run until the end.
    """

    database: Program
    first: Program
    static: Program
    web: Program
    others: tuple[Program, ...]


def plan(options: Options) -> Plan:
    """The real programs."""
    return Plan(
        database=Program("database", _python("config.setup", "database")),
        first=Program("first", (sys.executable, str(ROOT / "manage.py"), "first_start"), kept=True),
        static=Program("static", _python("config.setup", "static")),
        web=Program("web", _python("granian", *_web_flags(options.port))),
        others=(
            Program("worker", _celery("worker", *worker_flags())),
            # The clock goes last: its ticks wake the worker, which else looks for its end every two seconds.
            Program("beat", _celery("beat", *_beat_flags(options.data)), last=True),
        ),
    )


def worker_flags() -> tuple[str, ...]:
    """One process with threads: 88 MB instead of 129; what it leaves out only talks to other workers."""
    return (
        *("-P", "threads", "-c", str(WORKER_THREADS), "-l", "WARNING"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


def _web_flags(port: int) -> tuple[str, ...]:
    return (
        *("--interface", "wsgi", "--host", HOST, "--port", str(port), "--http", "1", "--no-ws"),
        *("--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS)),
        *("--backpressure", str(BACKPRESSURE), "--workers-kill-timeout", "3", "--log-level", "error"),
        *("--respawn-failed-workers", "--respawn-interval", "0.2"),
        "config.wsgi:application",
    )


def _beat_flags(data: Path) -> tuple[str, ...]:
    return ("-s", str(data / "beat-schedule"), "--pidfile=", "-l", "WARNING")


def _celery(command: str, *flags: str) -> tuple[str, ...]:
    return _python("celery", "--quiet", "-A", "config.celery", command, *flags)


def _python(module: str, *flags: str) -> tuple[str, ...]:
    return (sys.executable, *AS_ROOT, "-m", module, *flags)
