"""What is looked at before anything starts. Each check raises StartError or returns nothing."""

import contextlib
import errno
import fcntl
import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import psycopg

from config.failure import StartError
from config.programs import HOST

NEEDED_MB = 200
OLDEST_POSTGRES = 15
BROKER_PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}
CONNECT_SECONDS = 5

_ERRNO: Mapping[int, str] = {
    errno.ENOSPC: "the disk is full; free some space, or set FLOWLEDGER_DATA to a folder on another disk",
    errno.EDQUOT: "the disk quota is used up; free some space, or set FLOWLEDGER_DATA to another disk",
    errno.EACCES: "this user may not; set FLOWLEDGER_DATA to a folder it may write to, or start as its owner",
    errno.EPERM: "this user may not; set FLOWLEDGER_DATA to a folder it may write to, or start as its owner",
    errno.EROFS: "the disk is read-only; set FLOWLEDGER_DATA to a folder that can be written to",
    errno.ENOTDIR: "a part of the path is a file; set FLOWLEDGER_DATA to a folder",
    errno.EEXIST: "it is a file; set FLOWLEDGER_DATA to a folder",
}


def sentence(problem: OSError) -> StartError:
    """An error of the operating system, as a sentence with a remedy where one is known."""
    remedy = _ERRNO.get(problem.errno or 0, problem.strerror or str(problem))
    return StartError(f"Cannot use {problem.filename or 'the data folder'}: {remedy}.")


def lock(data: Path) -> IO[str]:
    """Holds the data folder for this process until the returned file is closed or the process ends."""
    data.mkdir(parents=True, exist_ok=True)
    file = data.joinpath("run.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise StartError(
            f"Flowledger already runs on {data} (process {file.read().strip() or 'unknown'}): stop that one "
            "first, or set FLOWLEDGER_DATA and PORT for a second one."
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def check_space(data: Path) -> None:
    """At least 200 MB have to be free where the data folder lies."""
    free = shutil.disk_usage(data).free // 2**20
    if free < NEEDED_MB:
        raise StartError(
            f"The disk that holds {data} is full ({free} MB free, {NEEDED_MB} MB needed): free some space, "
            "or set FLOWLEDGER_DATA to a folder on another disk."
        )


def reserve_port(port: int) -> socket.socket:
    """Holds the port until the returned socket is closed: it has to be free and ours to take.

    The web server's processes share the port (SO_REUSEPORT) and would share it with strangers as well; the
    reservation, which accepts nothing itself, turns the next start away even before the web server is up.
    """
    if not 0 < port < 2**16:
        raise StartError(f"PORT={port} is no port: give a number from 1 to 65535, for instance PORT=8000.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise StartError(f"Port {port} is kept for root: choose one over 1023 with PORT=8000.") from None
        except OSError:
            raise StartError(
                f"Port {port} is in use: stop what listens there, or choose another, "
                f"for instance PORT={port + 1 if port < 2**16 - 1 else 8000}."
            ) from None
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # and not REUSEADDR: a probe has to notice it
    with contextlib.suppress(OSError):  # what a program that has just ended left in TIME_WAIT is no reason
        held.bind((HOST, port))
    return held


def check_database(url: str) -> None:
    """A database given by DATABASE_URL has to answer and be new enough. The password is never shown."""
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
            version = connection.info.server_version // 10000
    except psycopg.Error as problem:
        raise StartError(
            f"The database of DATABASE_URL cannot be reached ({_without_password(url)}): "
            f"{_first_reason(problem)}; start it or correct the URL, or unset DATABASE_URL to use the "
            "embedded one."
        ) from None
    if version < OLDEST_POSTGRES:
        raise StartError(
            f"The database of DATABASE_URL is PostgreSQL {version}, at least {OLDEST_POSTGRES} is needed: "
            "use a newer server, or unset DATABASE_URL to use the embedded one."
        )


def check_broker(url: str) -> None:
    """A broker with a server of its own has to accept connections."""
    parts = urlsplit(url)
    if parts.scheme not in BROKER_PORTS:
        return
    host = parts.hostname or "localhost"
    try:
        port = parts.port or BROKER_PORTS[parts.scheme]
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError) as problem:
        raise StartError(
            f"The broker of CELERY_BROKER_URL cannot be reached ({_without_password(url)}): {problem}; "
            "start it or correct the URL, or unset CELERY_BROKER_URL to use the database as broker."
        ) from None


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _first_reason(problem: psycopg.Error) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(problem).__name__
