"""`python -m config.setup STEP`: what has to be done to database and files before the processes start."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection, transaction
from pgmq.install import install_pgmq_from_sql

STAMP = ".made-of"


def main(step: str) -> None:
    """Does one of STEPS. KeyError if there is none of that name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    STEPS[step]()


def prepare_database() -> None:
    """Migrates the database and prepares the broker in it."""
    call_command("migrate", interactive=False, verbosity=0)
    install_broker()


def install_broker() -> bool:
    """Creates the tables of the broker that lives in the database. False if there is nothing to do."""
    if not settings.CELERY_BROKER_URL.startswith("pgmq"):
        return False
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SELECT to_regclass('pgmq.meta')")
        if cursor.fetchone()[0] is not None:
            return False
        install_pgmq_from_sql(conn=cursor.connection)
    return True


def collect_static() -> bool:
    """Collects and compresses the static files. False if they are those of the last time."""
    root = Path(settings.STATIC_ROOT)
    stamp, now = root / STAMP, fingerprint()
    if stamp.exists() and stamp.read_text() == now:
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=root.exists())
    stamp.write_text(now)
    return True


def fingerprint() -> str:
    """Changes when a static file's path, size or time does, or the way in which they are stored."""
    seen = hashlib.sha256(str(settings.STORAGES).encode())
    for line in sorted(_described()):
        seen.update(line.encode())
    return seen.hexdigest()


def _described() -> Iterator[str]:
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = os.stat(storage.path(path))
            yield f"{path} {status.st_size} {status.st_mtime_ns}\n"


STEPS: dict[str, Callable[[], object]] = {"database": prepare_database, "static": collect_static}

if __name__ == "__main__":
    main(sys.argv[1])
