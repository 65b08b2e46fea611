"""`manage.py undo_import PROJECT BATCH`: takes an import back."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from analytics.management.arguments import project_named
from analytics.undo import CannotUndoError, undo


class Command(BaseCommand):
    """Takes all calls of an import out of the ledger again."""

    help = "Take back an import: its calls, their runs, and what they added to every figure."

    def add_arguments(self, parser: CommandParser) -> None:
        """PROJECT BATCH."""
        parser.add_argument("project")
        parser.add_argument("batch", type=int, help="the number that import_calls printed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Undo, and say how many calls were taken out."""
        project = project_named(options["project"])
        try:
            done = undo(project, options["batch"], now=timezone.now())
        except CannotUndoError as problem:
            raise CommandError(str(problem)) from problem
        waited = f", {done.waiting} records that waited" if done.waiting else ""
        self.stdout.write(f"import {options['batch']} undone: {done.calls} calls taken out{waited}")
