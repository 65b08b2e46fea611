"""`manage.py rebuild PROJECT --from D --to D`: rollups from the ledger."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from analytics.management.arguments import day, project_named
from analytics.rebuild import TooOld, rebuild


class Command(BaseCommand):
    """Builds the rollups of some days again."""

    help = "Build rollups again from the ledger, from the first day to before the last."

    def add_arguments(self, parser: CommandParser) -> None:
        """PROJECT --from D --to D."""
        parser.add_argument("project")
        parser.add_argument("--from", dest="first", type=day, required=True)
        parser.add_argument("--to", dest="last", type=day, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild and say how many days."""
        project = project_named(options["project"])
        try:
            days = list(rebuild(project, first=options["first"], last=options["last"], now=timezone.now()))
        except TooOld as problem:
            raise CommandError(f"{problem}.") from problem
        self.stdout.write(f"{len(days)} days rebuilt")
