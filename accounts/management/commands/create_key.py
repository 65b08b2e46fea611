"""`create_key PROJECT --scopes ingest,read [--name N] [--expires D]`: prints the key, once."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.keys import create_key
from accounts.models import SCOPES, Project


class Command(BaseCommand):
    """Nothing but the key goes to standard output, so that a script can take it."""

    help = "Make an API key of a project and print it; it is shown only now."

    def add_arguments(self, parser: CommandParser) -> None:
        """PROJECT and what the key may do."""
        parser.add_argument("project", metavar="PROJECT", help="the project's slug")
        parser.add_argument("--scopes", required=True, help=f"separated by commas: {', '.join(SCOPES)}")
        parser.add_argument("--name", default="", help="shown in the list of keys")
        parser.add_argument("--expires", metavar="D", help="a day (its start, in UTC) or an RFC 3339 time")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with a sentence that says what to do."""
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']!r}. {_known()}")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        expires_at = _instant(options["expires"]) if options["expires"] else None
        try:
            _, secret = create_key(
                project=project, scopes=scopes, name=options["name"], expires_at=expires_at
            )
        except ValueError as problem:
            raise CommandError(f"The key cannot be made: {problem}.") from problem
        self.stdout.write(secret)


def _known() -> str:
    slugs = list(Project.objects.order_by("slug").values_list("slug", flat=True)[:20])
    return f"There are {', '.join(slugs)}." if slugs else "Make one with create_project."


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as problem:
        raise CommandError(f"--expires {text!r} is no time. Write it like 2027-01-31.") from problem
    return found if found.tzinfo else found.replace(tzinfo=UTC)
