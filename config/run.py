"""`make run`: the database, then the web server, the worker and the clock of Flowledger, as one process tree.

The order: settings, checks, Postgres, migrations and static files, the three programs, the data of a first
start; then it watches, until SIGTERM, Ctrl-C or a closed terminal. All of them end with it; only Postgres
survives a SIGKILL, to be adopted by the next start.
"""

import contextlib
import importlib
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from config import checks, processes
from config.failure import StartError
from config.postgres import Cluster
from config.stream import Pipe, Stream
from config.supervise import Child, Program, Supervisor

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
WEB_WORKERS = 2
# A request that waits for the database blocks its thread. What is over backpressure waits in the socket.
WEB_THREADS = 8
BACKPRESSURE = 64
WORKER_THREADS = 4
READY_SECONDS = 1.0
# Celery's warning about root is about pickled messages; ours are JSON.
AS_ROOT = ("-W", "ignore::UserWarning:celery.platforms")
WITH_PARENT = "--with-parent"  # given by make: who kills make means all of it


@dataclass(frozen=True)
class Options:
    """What a start needs to know of the settings."""

    data: Path
    port: int
    database_url: str
    broker_url: str

    @property
    def url(self) -> str:
        return f"http://{checks.HOST}:{self.port}"


def _python(module: str, *flags: str) -> tuple[str, ...]:
    return (PYTHON, *AS_ROOT, "-m", module, *flags)


def _first_start() -> Program:
    known = any(ROOT.glob("*/management/commands/first_start.py"))
    return Program("first", (PYTHON, "manage.py", *(["first_start"] if known else ["check"])), kept=True)


def main(arguments: list[str]) -> int:
    """Runs until it is told to stop: 0. 1 and a sentence on standard error if it cannot."""
    _on_signals(_interrupt)
    if WITH_PARENT in arguments:
        processes.ask_for_parent_death(signal.SIGTERM)
    try:
        _run(_options())
    except KeyboardInterrupt:
        return 0
    except StartError as problem:
        return _complain(problem)
    except OSError as problem:
        return _complain(checks.sentence(problem))
    return 0


def programs(options: Options) -> tuple[Program, ...]:
    """The programs that run as long as Flowledger does."""
    return (
        Program("web", _python("granian", *_web_flags(options))),
        Program("worker", _celery("worker", *_worker_flags())),
        # The clock goes last: its ticks wake the worker, which else looks for its own end every two seconds.
        Program("beat", _celery("beat", *_beat_flags(options)), last=True),
    )


def _celery(command: str, *flags: str) -> tuple[str, ...]:
    return _python("celery", "--quiet", "-A", "config.celery", command, *flags)


def _web_flags(options: Options) -> tuple[str, ...]:
    return (
        *("--interface", "wsgi", "--host", checks.HOST, "--port", str(options.port)),
        *("--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS)),
        *("--backpressure", str(BACKPRESSURE), "--workers-kill-timeout", "3", "--http", "1", "--no-ws"),
        *("--respawn-failed-workers", "--respawn-interval", "0.2", "--log-level", "error"),
        "config.wsgi:application",
    )


def _worker_flags() -> tuple[str, ...]:
    """One process with threads: 88 MB instead of 129; what it leaves out only talks to other workers."""
    return (
        *("-P", "threads", "-c", str(WORKER_THREADS), "-l", "WARNING"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


def _beat_flags(options: Options) -> tuple[str, ...]:
    return ("-s", str(options.data / "beat-schedule"), "--pidfile=", "-l", "WARNING")


def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(signum, handler)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _options() -> Options:
    """Reads the settings; config.settings ends the process with a sentence where one is bad."""
    settings = importlib.import_module("config.settings")
    database_url = os.environ.get("DATABASE_URL", "")  # the settings also know the embedded server's
    return Options(settings.DATA, settings.PORT, database_url, settings.CELERY_BROKER_URL)


def _run(options: Options) -> None:
    os.chdir(ROOT)
    with checks.lock(options.data):
        checks.check_space(options.data)
        stream = Stream(options.data / "flowledger.log")
        supervisor = Supervisor(options.data, stream, {"DJANGO_SETTINGS_MODULE": "config.settings"})
        supervisor.end_leftovers()
        checks.check_port(options.port)
        checks.check_broker(options.broker_url)
        with _database(options, stream) as cluster, _stopping(supervisor, stream):
            supervisor.set_environment("DATABASE_URL", cluster.url if cluster else options.database_url)
            first = _start(supervisor, options)
            _watch(supervisor, options, cluster, first)


def _start(supervisor: Supervisor, options: Options) -> Child:
    """Starts everything in its order; the child that makes the data of a first start goes on beside it."""
    supervisor.run(Program("database", _python("config.setup", "database")))
    first = supervisor.launch_once(_first_start())
    web, *others = programs(options)
    for program in others:
        supervisor.start(program)
    supervisor.run(Program("static", _python("config.setup", "static")))
    supervisor.start(web)
    return first


@contextlib.contextmanager
def _database(options: Options, stream: Stream) -> Iterator[Cluster | None]:
    """The embedded server while the block runs; None where DATABASE_URL names another one."""
    if options.database_url:
        checks.check_database(options.database_url)
        yield None
        return
    cluster = Cluster(data=options.data)
    try:
        cluster.start()
        stream.line("postgres", f"{'adopted' if cluster.adopted else 'started'} in {cluster.home}")
        yield cluster
    finally:
        _on_signals(signal.SIG_IGN)
        cluster.stop()


@contextlib.contextmanager
def _stopping(supervisor: Supervisor, stream: Stream) -> Iterator[None]:
    """Ends all children when the block ends; a second signal does not disturb that."""
    try:
        yield
    finally:
        _on_signals(signal.SIG_IGN)
        stream.line("run", "stopping")
        supervisor.stop()


def _watch(supervisor: Supervisor, options: Options, cluster: Cluster | None, first: Child) -> None:
    """Restarts what dies, for ever; tells once when all is ready."""
    log = _follow(cluster.log, cluster.log_start) if cluster else None
    ready = False
    while True:
        supervisor.tick()
        if cluster and log:
            _watch_database(supervisor, cluster, log)
        if not ready and not first.is_running:
            ready = _is_ready(supervisor, options, first)


def _follow(log: Path, start: int) -> Pipe:
    descriptor = os.open(log, os.O_RDONLY)
    os.lseek(descriptor, start, os.SEEK_SET)
    return Pipe(descriptor, grows=True)


def _watch_database(supervisor: Supervisor, cluster: Cluster, log: Pipe) -> None:
    for line in log.lines():
        supervisor.stream.line("postgres", line)
    if not cluster.is_running():
        supervisor.stream.line("run", "postgres ended, restarting it")
        cluster.start()


def _is_ready(supervisor: Supervisor, options: Options, first: Child) -> bool:
    """Whether the installation answers; prints how to use it when it does for the first time."""
    lines = supervisor.outcome(first)
    if hopeless := supervisor.hopeless():
        raise StartError(f"The process {hopeless.program.name} ends again and again: {hopeless.said}")
    if not _answers(options):
        return False
    supervisor.stream.show("\n".join(["", f"Flowledger is ready: {options.url}", *lines, ""]))
    return True


def _answers(options: Options) -> bool:
    try:
        with urllib.request.urlopen(f"{options.url}/readyz", timeout=READY_SECONDS) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        time.sleep(0.05)
        return False


def _complain(problem: StartError) -> int:
    print(f"flowledger: {problem}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
