"""`manage.py drain`: load everything that waited when it was called, whoever loads it."""

import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from analytics.load import drain


class Command(BaseCommand):
    """Returns when all of it is loaded."""

    help = "Load everything that waits in the inbox now."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, or wait for the loader that holds a lane, until the rows of now are gone."""
        last = _newest()
        loaded = 0
        while last and _waits(last):
            done = drain(now=timezone.now)
            loaded += done
            if not done:
                time.sleep(0.1)  # another loader holds the lane
        self.stdout.write(f"{loaded} records loaded")


def _newest() -> int | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM inbox")
        found: int | None = cursor.fetchone()[0]
    return found


def _waits(last: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM inbox WHERE id <= %s)", [last])
        return bool(cursor.fetchone()[0])
