"""The database of the tests: a Postgres of their own in a temporary folder, gone when they end.

DATABASE_URL_TEST names another server to use instead. The workers of pytest-xdist inherit the URL from the
process that started them, and each makes its own database on that one server.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from config.postgres import Cluster
from config.processes import is_running

MARK = "FLOWLEDGER_TEST_SERVER"
PREFIX = "flowledger-test-"


def ensure() -> str:
    """Starts the server once for all processes of this test run and returns its URL."""
    if given := os.environ.get("DATABASE_URL_TEST"):
        return given
    if MARK not in os.environ:
        os.environ[MARK] = _start()
    return os.environ[MARK]


def _start() -> str:
    _sweep()
    cluster = Cluster(data=temporary_folder(), fsync=False, mortal=True)
    atexit.register(cluster.stop)  # runs before its folder goes
    return cluster.start()


def temporary_folder() -> Path:
    """A folder that goes when this process ends, or, if it is killed, with the next test run."""
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    folder.chmod(0o711)  # the service account of a root's test run has to pass
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _sweep() -> None:
    """Removes what test runs left behind that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).split("-")[0]
        if pid.isdigit() and not is_running(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
