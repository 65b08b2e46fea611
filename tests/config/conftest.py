"""Data folders, and another user, for the tests of the processes."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import binaries
from config.postgres import Cluster, home_of

OTHER_USER = "nobody"


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that every account may pass through, with a space in its name."""
    folder = Path(tempfile.mkdtemp(prefix="flowledger test "))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def cluster(open_folder) -> Iterator[Cluster]:
    """A server that the tests of a module start, stop and kill as they like."""
    cluster = Cluster(data=open_folder / "data", fsync=False, mortal=True)
    yield cluster
    cluster.stop()


@pytest.fixture
def closed_folder(tmp_path) -> Iterator[Path]:
    """A data folder that only its owner may enter; what the service account got instead goes with it."""
    tmp_path.chmod(0o700)
    data = tmp_path / "data"
    yield data
    if data.exists():
        home = home_of(data, binaries.database_account())
        shutil.rmtree(home)


@pytest.fixture
def as_other_user() -> Callable[[Callable[[], str]], str]:
    """Runs a function in a fork as an unprivileged user and gives back what it returned.

    A fork, because that user need not be able to read this Python's own files.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; the tests around this one ran as an ordinary one")
    account = binaries._lookup(OTHER_USER)
    assert account is not None
    binaries._copied(*binaries._wheel())
    return lambda function: _forked(account, function)


def _forked(account: binaries.Account, function: Callable[[], str]) -> str:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.write(writer, _reported(account, function).encode())
        os.kill(os.getpid(), signal.SIGKILL)  # nothing of pytest's own may run in the child
    os.close(writer)
    with os.fdopen(reader) as file:
        told = file.read()
    os.waitpid(pid, 0)
    return told


def _reported(account: binaries.Account, function: Callable[[], str]) -> str:
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    try:
        return function()
    except BaseException as problem:  # the parent's assertion shows it
        return f"{type(problem).__name__}: {problem}"
