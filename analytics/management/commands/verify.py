"""`manage.py verify PROJECT`: whether the rollups are what the ledger says; exits 1 on any difference."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from analytics.management.arguments import project_named
from analytics.verify import verify

SHOWN = 50


class Command(BaseCommand):
    """Compares every rollup with the ledger."""

    help = "Compare rollups with the ledger; exit 1 on any difference."

    def add_arguments(self, parser: CommandParser) -> None:
        """PROJECT."""
        parser.add_argument("project")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the differences, or that there is none."""
        project = project_named(options["project"])
        found = list(verify(project, now=timezone.now()))
        for difference in found[:SHOWN]:
            key = " ".join(map(str, difference.key))
            self.stdout.write(f"{difference.table} {key}: {difference.stored}; ledger: {difference.expected}")
        self.stdout.write(f"{len(found)} differences" if found else "no difference")
        if found:
            sys.exit(1)
