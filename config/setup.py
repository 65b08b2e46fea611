"""`python -m config.setup`: what has to be done to database and files before the processes start.

One process instead of one for each command: loading Django takes longer than most of them.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

STAMP = ".made-of"


def main() -> None:
    """Migrates the database, then collects the static files if any of them changed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    collect_static()


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


if __name__ == "__main__":
    main()
