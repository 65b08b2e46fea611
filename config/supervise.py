"""Child processes: started, logged, restarted when they die, and all of them ended at the end.

Everything happens in one thread: Linux sends a child its parent-death signal when the *thread* that started
it ends, and a fork beside other threads is a gamble.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config import processes
from config.failure import StartError
from config.stream import Pipe, Stream

MARK = "FLOWLEDGER_SUPERVISED"  # in every child's environment: the data folder it works for
STEADY_SECONDS = 20.0  # having lived that long, a process that dies is restarted at once
FIRST_WAIT, LONGEST_WAIT = 0.2, 15.0
HOPELESS_AFTER = 5  # deaths in a row before the first readiness: the start is given up
GRACE_SECONDS = 6.0
TICK_SECONDS = 0.1
SPOKEN = "flowledger: "  # how a sentence for people starts


@dataclass(frozen=True)
class Program:
    """A child to run.

    kept: its standard output goes to whoever started it, not to the log. last: it is ended after the others.
    """

    name: str
    command: tuple[str, ...]
    kept: bool = False
    last: bool = False


@dataclass
class Child:
    """One running program, and how often it died lately."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    due: float = 0.0
    kept: list[str] = field(default_factory=list)
    said: str = ""  # its last line in the log

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def count_death(self, now: float) -> float:
        """Seconds to wait before the next start: none after a steady life, else doubling up to 15 s."""
        self.deaths = 1 if now - self.started > STEADY_SECONDS else self.deaths + 1
        wait = 0.0 if self.deaths == 1 else min(LONGEST_WAIT, FIRST_WAIT * 2.0**self.deaths)
        self.due = now + wait
        return wait


class Supervisor:
    """Runs programs for one data folder; `tick` has to be called often."""

    def __init__(self, data: Path, stream: Stream, environment: Mapping[str, str]) -> None:
        self.stream = stream
        self.children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._mark = f"{MARK}={data}"
        self._environment = {**os.environ, **environment, MARK: str(data), "PYTHONUNBUFFERED": "1"}

    def set_environment(self, name: str, value: str) -> None:
        """What children started from now on find in their environment."""
        self._environment[name] = value

    def end_leftovers(self) -> None:
        """Ends children of an earlier supervisor on this data folder that was killed."""
        if left := [pid for pid in processes.marked(self._mark) if pid != os.getpid()]:
            self.stream.line("run", f"ending {len(left)} processes of an earlier run")
            processes.end(left, grace=GRACE_SECONDS)

    def start(self, program: Program) -> Child:
        """Starts a program that is to run until `stop`."""
        child = Child(program)
        self.children.append(child)
        self._launch(child)
        return child

    def run(self, program: Program) -> list[str]:
        """Runs a program to its end; its standard output. StartError with its last words if it fails."""
        child = Child(program)
        self._launch(child)
        while child.is_running:
            self.tick()
        return self.outcome(child)

    def launch_once(self, program: Program) -> Child:
        """Starts a program that ends by itself; look at it with `outcome` when it no longer runs."""
        child = Child(program)
        self._launch(child)
        return child

    def outcome(self, child: Child) -> list[str]:
        """The standard output of a program that has ended. StartError with its last words if it failed."""
        while self._selector_has(child):
            self.tick()
        assert child.process is not None  # noqa: S101 - it was launched
        if child.process.returncode:
            raise _failure(child)
        return child.kept

    def tick(self, seconds: float = TICK_SECONDS) -> None:
        """Carries lines to the log for up to `seconds`, then restarts what died and is due."""
        for key, _ in self._selector.select(seconds):
            self._read(key)
        now = time.monotonic()
        for child in self.children:
            if not child.is_running:
                self._revive(child, now)

    def hopeless(self) -> Child | None:
        """A program that died again and again."""
        return next((child for child in self.children if child.deaths >= HOPELESS_AFTER), None)

    def stop(self) -> None:
        """Ends every child and what it started: SIGTERM, then SIGKILL after a few seconds."""
        children, self.children = self.children, []
        for last in (False, True):
            self._end([child for child in children if child.program.last is last])
        processes.end([pid for pid in processes.marked(self._mark) if pid != os.getpid()], grace=0.5)
        self.tick(0)

    def _end(self, children: list[Child]) -> None:
        for child in children:
            if child.is_running and child.process is not None:
                processes.send(child.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while any(child.is_running for child in children) and time.monotonic() < deadline:
            self.tick(0.05)
        for child in children:
            _kill_group(child)

    def _launch(self, child: Child) -> None:
        child.started, child.due = time.monotonic(), 0.0
        child.process = subprocess.Popen(
            child.program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, and a group can be killed whole
            preexec_fn=processes.die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one thread only
        )
        for file, kept in ((child.process.stdout, child.program.kept), (child.process.stderr, False)):
            assert file is not None  # noqa: S101 - both are pipes
            self._selector.register(file, selectors.EVENT_READ, (child, Pipe(file.fileno()), kept))

    def _read(self, key: selectors.SelectorKey) -> None:
        child, pipe, kept = key.data
        for line in pipe.lines():
            if kept:
                child.kept.append(line)
            elif line:
                child.said = line
                self.stream.line(child.program.name, line)
        if pipe.ended:
            self._selector.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]

    def _selector_has(self, child: Child) -> bool:
        return any(key.data[0] is child for key in self._selector.get_map().values())

    def _revive(self, child: Child, now: float) -> None:
        if child.process is not None:
            status = child.process.returncode
            _kill_group(child)
            wait = child.count_death(now)
            child.process = None
            self.stream.line(
                "run", f"{child.program.name} ended ({_status(status)}), restart in {wait:.1f} s"
            )
        if now >= child.due:
            self._launch(child)


def _kill_group(child: Child) -> None:
    """Kills what a dead leader left in its group: a web server's workers would go on holding the port."""
    if child.process is not None:
        try:
            os.killpg(child.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
            return


def _status(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _failure(child: Child) -> StartError:
    """What a failed step said last; where that is a sentence meant for people, only that."""
    if child.said.startswith(SPOKEN):
        return StartError(child.said.removeprefix(SPOKEN))
    return StartError(f"The step {child.program.name} failed: {child.said or 'it said nothing'}")
