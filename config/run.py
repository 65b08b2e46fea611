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
from pathlib import Path
from types import FrameType

from config import checks, processes, programs
from config.failure import StartError
from config.postgres import Cluster
from config.programs import Options, Plan
from config.stream import Pipe, Stream
from config.supervise import SPOKEN, Child, Supervisor

READY_SECONDS = 1.0
WITH_PARENT = "--with-parent"  # given by make: who kills make means all of it
STOPPING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
NOISE = ("the database system is starting up",)  # its clients try again; once is not worth a line a second


def main(arguments: list[str], plan: Callable[[Options], Plan] = programs.plan) -> int:
    """Runs until it is told to stop: 0. 1 and a sentence on standard error if it cannot."""
    _on_signals(_interrupt)
    if WITH_PARENT in arguments:
        processes.ask_for_parent_death(signal.SIGTERM)
    try:
        _run(_options(), plan)
    except KeyboardInterrupt:
        return 0
    except StartError as problem:
        return _complain(problem)
    except OSError as problem:
        return _complain(checks.sentence(problem))
    return 0


def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for signum in STOPPING:
        nohup = signum == signal.SIGHUP and signal.getsignal(signum) is signal.SIG_IGN
        if not nohup:  # it has asked to outlive the terminal; Ctrl-C counts even where a shell ignores it
            signal.signal(signum, handler)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _options() -> Options:
    """Reads the settings; config.settings ends the process with a sentence where one is bad."""
    settings = importlib.import_module("config.settings")
    database_url = os.environ.get("DATABASE_URL", "")  # the settings also know the embedded server's
    return Options(settings.DATA, settings.PORT, database_url, settings.CELERY_BROKER_URL)


def _run(options: Options, plan: Callable[[Options], Plan]) -> None:
    os.chdir(programs.ROOT)
    with checks.lock(options.data):
        checks.check_space(options.data)
        stream = Stream(options.data / "flowledger.log")
        supervisor = Supervisor(options.data, stream, {"DJANGO_SETTINGS_MODULE": "config.settings"})
        supervisor.end_leftovers()
        port = checks.reserve_port(options.port)
        checks.check_broker(options.broker_url)
        with port, _database(options, stream) as cluster, _stopping(supervisor, stream):
            supervisor.set_environment("DATABASE_URL", cluster.url if cluster else options.database_url)
            first = _start(supervisor, plan(options))
            _watch(supervisor, options, cluster, first)


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


def _start(supervisor: Supervisor, plan: Plan) -> Child:
    """Starts everything in its order; the child that makes the data of a first start goes on beside it."""
    supervisor.run(plan.database)
    first = supervisor.launch_once(plan.first)
    for program in plan.others:
        supervisor.start(program)
    supervisor.run(plan.static)
    supervisor.start(plan.web)
    return first


def _watch(supervisor: Supervisor, options: Options, cluster: Cluster | None, first: Child) -> None:
    """Restarts what dies, for ever; tells once when all is ready."""
    log = _follow(cluster.log, cluster.log_start) if cluster else None
    ready = False
    while True:
        supervisor.tick()
        if cluster and log:
            _watch_database(supervisor, cluster, log)
        if not ready:
            ready = _is_ready(supervisor, options, first)


def _follow(log: Path, start: int) -> Pipe:
    descriptor = os.open(log, os.O_RDONLY)
    os.lseek(descriptor, start, os.SEEK_SET)
    return Pipe(descriptor, grows=True)


def _watch_database(supervisor: Supervisor, cluster: Cluster, log: Pipe) -> None:
    for line in log.lines():
        if not any(noise in line for noise in NOISE):
            supervisor.stream.line("postgres", line)
    if not cluster.is_running():
        supervisor.stream.line("run", "postgres ended, restarting it")
        cluster.start()


def _is_ready(supervisor: Supervisor, options: Options, first: Child) -> bool:
    """Whether the installation answers; prints how to use it when it does for the first time."""
    if hopeless := supervisor.hopeless():
        raise StartError(f"The process {hopeless.program.name} ends again and again: {hopeless.said}")
    if first.is_running or not _answers(options):
        return False
    lines = supervisor.outcome(first)
    supervisor.stream.show("\n".join(["", f"Flowledger is ready: {options.url}", *lines, ""]))
    supervisor.stream.line("run", f"ready on {options.url}")
    return True


def _answers(options: Options) -> bool:
    try:
        with urllib.request.urlopen(f"{options.url}/readyz", timeout=READY_SECONDS) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        time.sleep(0.05)
        return False


def _complain(problem: StartError) -> int:
    print(f"{SPOKEN}{problem}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
