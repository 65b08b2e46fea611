"""The embedded Postgres: one cluster for each data folder, started, adopted, watched and stopped here.

The server listens on a unix socket only and lets in, by peer authentication, the account that runs the
product: no password exists. A server whose supervisor was killed goes on running; the next start adopts it.
"""

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

from config import binaries, processes
from config.failure import StartError
from config.pg_settings import HBA, IDENT, settings_file

ROLE = DATABASE = "flowledger"
LINK = "database-folder"
READY_SECONDS = 300.0  # a crash recovery replays at most max_wal_size
STOP_SECONDS = 20.0
POLL_SECONDS = 0.02
NEEDED_MB = 200
SOCKET_FOLDER_LONGEST = 90  # a socket's address holds 107 bytes on Linux, 103 on macOS
ABANDONED_SECONDS = 60.0
LONGEST_LOG = 10 * 2**20
PREFIX = "flowledger-"
INITDB = (
    f"--username={ROLE}",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth-local=peer",
    "--auth-host=scram-sha-256",
    "--data-checksums",
    "--no-instructions",
)


@dataclass(frozen=True)
class Lock:
    """What a running server says about itself in postmaster.pid."""

    pid: int
    sockets: Path
    ready: bool

    @classmethod
    def read(cls, folder: Path) -> "Lock | None":
        """The server's pid and socket folder, None if none runs or it has not come that far."""
        try:
            lines = folder.joinpath("postmaster.pid").read_text().splitlines()
            lock = cls(int(lines[0]), Path(lines[4]), lines[-1].strip() == "ready")
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return lock if lock.sockets.is_absolute() else None


@dataclass
class Cluster:
    """A Postgres server over one data folder.

    data: FLOWLEDGER_DATA, the product's data folder. fsync: False only for tests. mortal: dies with this
    process.
    """

    data: Path
    fsync: bool = True
    mortal: bool = False
    home: Path = field(init=False)
    sockets: Path | None = field(init=False, default=None)
    pid: int = field(init=False, default=0)
    adopted: bool = field(init=False, default=False)
    log_start: int = field(init=False, default=0)  # where in the log this start begins
    _server: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def start(self) -> str:
        """Starts or adopts the server and returns its URL. StartError if that cannot be."""
        self.account = binaries.database_account()
        self.home = home_of(self.data, self.account)
        self.programs = binaries.programs(self.account)
        self._check_version()
        self.log_start = _turned_over(self.log)
        self.adopted = self._adopt()
        if not self.adopted:
            _check_space(self.home)
            self._initialise()
            self._launch()
        self._create_database()
        return self.url

    @property
    def folder(self) -> Path:
        """What Postgres calls its data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}@{quote(str(self.sockets), safe='')}/{DATABASE}"

    def is_running(self) -> bool:
        """Whether the server's process lives; reaps it if it was ours and does not."""
        if self._server is not None:
            return self._server.poll() is None
        return self.pid != 0 and processes.is_running(self.pid)

    def stop(self) -> None:
        """Ends every session and the server (SIGINT: a fast, clean shutdown); removes the socket folder."""
        if self.is_running():
            processes.send(self.pid, signal.SIGINT)
            if not self._wait_for_end(STOP_SECONDS):
                processes.send(self.pid, signal.SIGQUIT)
                self._wait_for_end(STOP_SECONDS)
        self._server, self.pid = None, 0
        _remove_sockets(self.sockets)
        self.sockets = None

    def _wait_for_end(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return not self.is_running()

    def _check_version(self) -> None:
        found = self.folder / "PG_VERSION"
        if found.exists() and (version := found.read_text().strip()) != str(self.programs.major):
            raise StartError(
                f"The database in {self.folder} was made by PostgreSQL {version}, and this release brings "
                f"{self.programs.major}: set FLOWLEDGER_DATA to a new folder, or carry the data over with "
                f"pg_dump and pg_restore of PostgreSQL {version}."
            )

    def _adopt(self) -> bool:
        """Takes over a server that already runs on this folder; waits for one that starts or stops."""
        deadline = time.monotonic() + READY_SECONDS
        while (lock := Lock.read(self.folder)) and processes.is_running(lock.pid):
            if self._answers(lock.sockets):
                self.pid, self.sockets = lock.pid, lock.sockets
                return True
            if not lock.sockets.exists() or time.monotonic() > deadline:
                break  # the process number belongs to somebody else, or nobody can reach the server
            time.sleep(POLL_SECONDS)
        if lock and lock.sockets != self.sockets:
            _remove_sockets(lock.sockets)
        return False

    def _is_ready(self) -> bool:
        """Whether the server says so itself and then lets us in: asking earlier only fills its log."""
        lock = Lock.read(self.folder)
        return lock is not None and lock.pid == self.pid and lock.ready and self._answers(lock.sockets)

    def _answers(self, sockets: Path) -> bool:
        """Whether a server answers there and it is the one of this folder."""
        try:
            with _connect(sockets, "postgres") as connection:
                shown = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return shown is not None and Path(str(shown[0])).resolve() == self.folder.resolve()

    def _initialise(self) -> None:
        if not self.folder.joinpath("PG_VERSION").exists():
            # Made beside its place and renamed: a start killed half-way leaves nothing that looks complete.
            fresh = self.home / "data.new"
            shutil.rmtree(fresh, ignore_errors=True)
            self._initdb(fresh)
            with fresh.joinpath("postgresql.conf").open("a") as file:
                file.write("\ninclude_if_exists = 'flowledger.conf'\n")
            fresh.rename(self.folder)
        self._write("pg_hba.conf", HBA)
        self._write("pg_ident.conf", IDENT.format(role=ROLE, user=binaries.current_account().name))
        self._write("flowledger.conf", settings_file(fsync=self.fsync))

    def _initdb(self, target: Path) -> None:
        flags = INITDB if self.fsync else (*INITDB, "--no-sync")
        done = self._as_account([self.programs.path("initdb"), "-D", str(target), *flags], subprocess.PIPE)
        output, _ = done.communicate()
        if done.returncode:
            raise StartError(_sentence("Postgres could not create", self.home, output.decode()))

    def _write(self, name: str, text: str) -> None:
        """Writes a file of the server's, whole or not at all, owned by its account."""
        fresh = self.folder / f".{name}.new"
        fresh.write_text(text)
        fresh.chmod(0o600)
        os.chown(fresh, self.account.uid, self.account.gid)
        fresh.replace(self.folder / name)

    def _launch(self) -> None:
        # A restart keeps the address: the other processes have it in their environment.
        self.sockets = _made(self.sockets or _socket_folder(self.account), self.account)
        deadline = time.monotonic() + READY_SECONDS
        mark = self.log_start
        with self.log.open("ab") as log:
            self._spawn(log.fileno())
            while not self._is_ready():
                if not self.is_running():
                    told = self._told(mark)
                    if "still in use" not in told or time.monotonic() > deadline:
                        _remove_sockets(self.sockets)
                        raise StartError(_sentence("Postgres could not start on", self.home, told))
                    mark = log.tell()  # sessions of a killed server are still going away
                    self._spawn(log.fileno())
                time.sleep(POLL_SECONDS)

    def _spawn(self, log: int) -> None:
        flags = ("-D", str(self.folder), "-k", str(self.sockets), "-c", "listen_addresses=")
        self._server = self._as_account([self.programs.path("postgres"), *flags], log)
        self.pid = self._server.pid

    def _told(self, mark: int) -> str:
        with self.log.open("rb") as file:
            file.seek(mark)
            return file.read().decode(errors="replace")

    def _as_account(self, command: list[str], output: int) -> subprocess.Popen[bytes]:
        """Runs a program as the database's account, in a session of its own, so that Ctrl-C passes it by."""
        switch = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        environment = {"LC_ALL": "C.UTF-8", "PATH": os.defpath, "TZ": "UTC"}
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd="/",
            start_new_session=True,
            preexec_fn=processes.die_with_parent(signal.SIGINT) if self.mortal else None,  # noqa: PLW1509
            **(switch if os.geteuid() == 0 else {}),
        )

    def _create_database(self) -> None:
        assert self.sockets is not None  # noqa: S101 - start() has set it
        with _connect(self.sockets, "postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if not known:
                connection.execute(f"CREATE DATABASE {DATABASE}")
        with _connect(self.sockets, DATABASE) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


def running_url(data: Path) -> str | None:
    """The URL of the server that runs on this data folder, for commands started beside `make run`."""
    for home in _homes(data):
        try:
            lock = Lock.read(home / "data")
        except PermissionError:
            continue
        if lock and lock.sockets.exists():
            return f"postgresql://{ROLE}@{quote(str(lock.sockets), safe='')}/{DATABASE}"
    return None


def home_of(data: Path, account: binaries.Account) -> Path:
    """The folder that holds the database of this data folder, created if need be and owned by `account`.

    It is `postgres` in the data folder, or, where root's service account cannot get there, a folder of its
    own under /var/lib/flowledger that the data folder names: a moved data folder keeps its database.
    """
    data.mkdir(parents=True, exist_ok=True)
    known = [home for home in _homes(data) if home.joinpath("data", "PG_VERSION").exists()]
    if known:
        return known[0]
    return _made(data / "postgres", account) if account.can_enter(data) else _linked(data, account)


def _homes(data: Path) -> list[Path]:
    """Where the database of this data folder may lie, existing or not."""
    link = data / LINK
    return [data / "postgres"] + ([Path(link.read_text().strip())] if link.exists() else [])


def _linked(data: Path, account: binaries.Account) -> Path:
    link = data / LINK
    if not link.exists():
        link.write_text(str(binaries.SYSTEM_HOME / secrets.token_hex(6)))
    binaries.open_folder(binaries.SYSTEM_HOME)
    return _made(Path(link.read_text().strip()), account)


def _remove_abandoned(place: Path) -> None:
    """Removes empty socket folders over a minute old: their servers ended without whoever started them."""
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # not empty, not ours, or gone by now
            if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
                folder.rmdir()


def _made(folder: Path, account: binaries.Account) -> Path:
    """A folder that only `account` (and root) can enter, created if need be."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    os.chown(folder, account.uid, account.gid)
    return folder


def _socket_folder(account: binaries.Account) -> Path:
    """A fresh folder with a short path for the server's socket; only its account (and root) can enter."""
    wanted = ("/run", "/var/run") if os.geteuid() == 0 else (os.environ.get("XDG_RUNTIME_DIR", ""),)
    places = [place for place in (*wanted, tempfile.gettempdir(), "/tmp") if place]  # noqa: S108
    for place in places:
        if (
            os.access(place, os.W_OK)
            and account.can_enter(Path(place))
            and len(place) < SOCKET_FOLDER_LONGEST - 24
        ):
            _remove_abandoned(Path(place))
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    raise StartError(
        f"No folder for the database's socket: {' and '.join(places)} cannot be written to or "
        "have too long a path; set XDG_RUNTIME_DIR to a short one."
    )


def _turned_over(log: Path) -> int:
    """Sets a log over 10 MB aside; the size of the log that is written to from now on."""
    if not log.exists():
        return 0
    if log.stat().st_size > LONGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
        return 0
    return log.stat().st_size


def _remove_sockets(folder: Path | None) -> None:
    if folder is not None and folder.name.startswith(PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def _connect(sockets: Path, database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=str(sockets), user=ROLE, dbname=database, autocommit=True, connect_timeout=10)


def _check_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free // 2**20
    if free < NEEDED_MB:
        raise StartError(
            f"The disk that holds {folder} is full ({free} MB free, {NEEDED_MB} MB needed): "
            "free some space, or set FLOWLEDGER_DATA to a folder on another disk."
        )


def _sentence(what: str, home: Path, told: str) -> str:
    """One sentence out of what a Postgres program printed."""
    if "No space left on device" in told:
        return f"{what} {home}: the disk is full; free some space, or set FLOWLEDGER_DATA to another disk."
    lines = [line for line in told.splitlines() if any(word in line for word in ("FATAL", "PANIC", "error:"))]
    reason = (lines or told.strip().splitlines() or ["it said nothing"])[-1]
    reason = re.split(r"(?:FATAL|PANIC|error):\s*", reason)[-1].strip().rstrip(".")
    return f"{what} {home}: {reason} (its log is {home / 'postgres.log'})."
