"""The product, started as `make run` starts it, in a folder and on a port of its own; its processes are watched."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from config import processes
from config.binaries import database_account
from config.postgres import Cluster, Lock, home_of, running_url
from config.programs import HOST
from config.supervise import MARK

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 300.0
OURS = ("DATABASE_URL", "FLOWLEDGER_", "CELERY_", "PORT", "DJANGO_", MARK)
TICKS = os.sysconf("SC_CLK_TCK")
# What a command line has in it -> the name under which its process is told.
NAMES = (("granian", "web"), (" worker ", "worker"), (" beat ", "beat"), ("bench.start", "supervisor"))


@dataclass(frozen=True)
class Key:
    """A project and the secret of its key."""

    project: int
    secret: str


@dataclass
class Product:
    """A running `config.run` over a folder."""

    data: Path
    projects: int = 1
    static: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts and waits until the web server answers and the keys are there."""
        self.port = self.port or free_port()
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Starts config.run without waiting. Its lines are in DATA/flowledger.log."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        environment |= {
            "FLOWLEDGER_DATA": str(self.data), "PORT": str(self.port), "FLOWLEDGER_DEMO": "0",
            "SECRET_KEY": "for benchmarks only", **self.settings,
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.start", str(self.projects), *(() if self.static else ("--no-static",))],
            cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def wait_until_ready(self) -> None:
        """Raises RuntimeError with the end of the log when it does not come up."""
        deadline = time.monotonic() + START_SECONDS
        while not (self.data.joinpath("bench-keys").exists() and self.answers()):
            if time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                raise RuntimeError(f"the product did not start:\n{self.log()[-3000:]}")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether the web server answers anything."""
        try:
            urllib.request.urlopen(f"http://{HOST}:{self.port}/healthz", timeout=5).close()
        except urllib.error.HTTPError as answer:
            return answer.code < 500
        except OSError:
            return False
        return True

    def log(self) -> str:
        """The product's log."""
        file = self.data / "flowledger.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def keys(self) -> list[Key]:
        """The projects and their keys."""
        lines = self.data.joinpath("bench-keys").read_text().splitlines()
        return [Key(int(project), secret) for project, secret in (line.split() for line in lines)]

    def url(self) -> str:
        """The database's URL."""
        found = running_url(self.data)
        if found is None:
            raise RuntimeError("the database does not run")
        return found

    def stop(self) -> None:
        """Ends all of it, also after the supervisor was killed."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        processes.end(list(processes.marked(f"{MARK}={self.data}")), grace=2)
        if running_url(self.data):
            left = Cluster(data=self.data)
            left.start()
            left.stop()

    def postmaster(self) -> int:
        """The database server's first process, 0 if there is none."""
        lock = Lock.read(home_of(self.data, database_account()) / "data")
        return lock.pid if lock else 0

    def pids(self) -> dict[int, str]:
        """Every process of the product by name; those of the database are `postgres`."""
        found = {pid: name_of(pid) for pid in processes.marked(f"{MARK}={self.data}")}
        if self.process is not None:
            found[self.process.pid] = "supervisor"
        if postmaster := self.postmaster():
            found |= dict.fromkeys([postmaster, *children_of(postmaster)], "postgres")
        return {pid: name for pid, name in found.items() if name}

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU (user and system) by name, of live processes and of those that they have reaped."""
        total: dict[str, float] = {}
        for pid, name in self.pids().items():
            total[name] = total.get(name, 0.0) + cpu_of(pid)
        return total

    def memory(self) -> dict[str, list[float]]:
        """Proportional set size (MB) of every process by name."""
        total: dict[str, list[float]] = {}
        for pid, name in self.pids().items():
            total.setdefault(name, []).append(pss_of(pid))
        return total


def temporary() -> Path:
    """A fresh data folder that the database's account may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="flowledger-bench-"))
    folder.chmod(0o711)
    return folder


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def name_of(pid: int) -> str:
    """What a process of the product is, from its command line; empty if it is gone."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
    return next((name for text, name in NAMES if text in command), "other")


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def cpu_of(pid: int) -> float:
    """Seconds of CPU of a process and of its children that have ended; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def pss_of(pid: int) -> float:
    """Megabytes of memory of a process, shared pages divided among those that share them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
