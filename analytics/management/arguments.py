"""What the commands share: finding a project, reading a day."""

from datetime import date

from django.core.management.base import CommandError

from accounts.models import Project


def project_named(slug: str) -> Project:
    """The project with this slug. Raises CommandError with the slugs there are."""
    found = Project.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Project.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise CommandError(f"There is no project {slug!r}. There are: {known or 'none yet'}.")
    return found


def day(text: str) -> date:
    """A day as YYYY-MM-DD. Raises CommandError."""
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise CommandError(f"{text!r} is no day: write it as 2026-11-24.") from problem
