"""What the operating system knows about processes: is one alive, will it die with us, which are ours."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

PROC = Path("/proc")
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def is_running(pid: int) -> bool:
    """Whether the process exists and is more than a zombie that nobody has reaped yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _state(pid) not in ("Z", "X", "")


def _state(pid: int) -> str:
    if PROC.joinpath("self").exists():
        try:
            return PROC.joinpath(str(pid), "stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return ""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1]


def die_with_parent(signum: int) -> Callable[[], None]:
    """A `preexec_fn` that asks Linux to send `signum` to the child when its parent dies, however it dies.

    Elsewhere it does nothing; there the next start ends what was left over (`marked`).
    """
    parent = os.getpid()

    def ask() -> None:
        ask_for_parent_death(signum)
        if os.getppid() != parent:  # the parent died between fork and here
            os._exit(1)

    return ask


def ask_for_parent_death(signum: int) -> None:
    """Has Linux send `signum` to this process when its parent dies."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)


def marked(entry: str) -> Iterator[int]:
    """Processes that carry `entry` (`NAME=value`) in the environment they were started with."""
    return _marked_in_proc(entry) if PROC.joinpath("self").exists() else _marked_by_ps(entry)


def _marked_in_proc(entry: str) -> Iterator[int]:
    for folder in PROC.glob("[0-9]*"):
        try:
            environment = folder.joinpath("environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if entry.encode() in environment:
            yield int(folder.name)


def _marked_by_ps(entry: str) -> Iterator[int]:
    shown = subprocess.run(
        ["ps", "-axEww", "-o", "pid=,command="], capture_output=True, text=True, check=False
    )
    for line in shown.stdout.splitlines():
        pid, _, rest = line.strip().partition(" ")
        if entry in rest:
            yield int(pid)


def end(pids: Iterable[int], *, grace: float) -> None:
    """SIGTERM, then after `grace` seconds SIGKILL, until none of them runs."""
    left = [pid for pid in pids if send(pid, signal.SIGTERM)]
    deadline = time.monotonic() + grace
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [pid for pid in left if is_running(pid)]
    for pid in left:
        send(pid, signal.SIGKILL)


def send(pid: int, signum: int) -> bool:
    """Sends a signal; False if the process is gone."""
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return False
    return True
