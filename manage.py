#!/usr/bin/env python
"""Django's command line, with Flowledger's settings."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError, connection

NO_SERVER = (
    "flowledger: The database does not answer: start `make run` in another terminal, or set DATABASE_URL to a "
    "running Postgres."
)


def main() -> None:
    """Run the command; without a database one sentence says what to start."""
    try:
        execute_from_command_line(sys.argv)
    except OperationalError:
        if connection.connection is not None:  # it did answer: this is something else
            raise
        sys.exit(NO_SERVER)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main()
