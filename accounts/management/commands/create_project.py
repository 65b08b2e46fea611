"""`create_project NAME [--timezone Z] [--currency C]`: prints the slug."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.projects import BadValueError, create_project


class Command(BaseCommand):
    """The administrators of the installation become its owners, so that someone can open its pages."""

    help = "Make a project and print its slug."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME and what a project may be given at once."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--timezone", default="UTC", help="its time zone, for instance Europe/Berlin")
        parser.add_argument("--currency", default="USD", help="what amounts are shown in, for instance EUR")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with a sentence that says what to do."""
        try:
            project = create_project(
                name=options["name"], zone=options["timezone"], currency=options["currency"],
                owners=User.objects.filter(is_admin=True),
            )  # fmt: skip
        except BadValueError as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(project.slug)
