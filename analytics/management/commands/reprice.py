"""`manage.py reprice PROJECT --from D --to D [--dry-run]`: what corrected prices change; then corrects it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from analytics.management.arguments import day, project_named
from analytics.reprice import flow_names, reprice


class Command(BaseCommand):
    """Prices calls again."""

    help = "Show what corrected prices change, by flow and month, then correct the calls."

    def add_arguments(self, parser: CommandParser) -> None:
        """PROJECT --from D --to D [--dry-run]."""
        parser.add_argument("project")
        parser.add_argument("--from", dest="first", type=day, required=True)
        parser.add_argument("--to", dest="last", type=day, required=True)
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the difference, then that it is applied, or that nothing was changed."""
        project = project_named(options["project"])
        difference = reprice(
            project,
            first=options["first"],
            last=options["last"],
            now=timezone.now(),
            dry_run=options["dry_run"],
        )
        names = flow_names(project)
        self.stdout.write("month    flow  calls  before USD  after USD  difference USD")
        for (flow_id, month), line in sorted(difference.lines.items(), key=lambda item: item[0][::-1]):
            change = line.after - line.before
            self.stdout.write(
                f"{month:%Y-%m}  {names.get(flow_id, flow_id)}  {line.calls}  {line.before}  {line.after}  {change:+}"
            )
        calls = sum(line.calls for line in difference.lines.values())
        self.stdout.write(f"{calls} calls {'would change' if options['dry_run'] else 'changed'}")
