"""`manage.py first_start`: what an installation needs before its first call; every start runs it, the rest is fast.

Standard output is for the person who started it: how to sign in, and how to send a first call. What is shown
only once (password, key) is made last, in one transaction: a start that was killed before has lost nothing.
"""

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.administrator import BadAddressError, ensure_administrator
from accounts.keys import create_key
from accounts.members import add_member
from accounts.models import Project, User
from accounts.projects import create_project
from analytics import demo, partitions, pricebook, removal

DEFAULT = "default"
BY = "system"
EVENT = (
    '{{"id": "first-call-{id}-\'$(date +%s)\'", "timestamp": "\'$(date -u +%Y-%m-%dT%H:%M:%SZ)\'",\n'
    '       "feature": "support", "flow": "support-triage", "user": "u-1", "customer": "acme",\n'
    '       "provider": "openai", "model": "gpt-4.1-mini", "duration_ms": 840,\n'
    '       "usage": {{"input_tokens": 1200, "output_tokens": 85}}}}'
)


class Command(BaseCommand):
    """Idempotent: what was made once and removed by hand does not come back."""

    requires_system_checks = ()  # they import every page; this runs at every start
    help = "Make what an installation needs before its first call; changes nothing the second time."

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when FLOWLEDGER_ADMIN_EMAIL is no address."""
        now = timezone.now()
        pricebook.sync()
        partitions.make_ahead(now=now)
        removal.finish()
        project = _default()
        shown = demo.ensure(now=now) if settings.DEMO else None
        if shown is not None and not demo.is_filled(shown):
            self.stderr.write(f"the demo project is filled with {demo.fill(shown):,} made-up calls")
        for line in _people(project, shown):
            self.stdout.write(line)


def _default() -> Project | None:
    """The empty project of one's own, made at the first start; None once it was removed."""
    if not removal.was_made(DEFAULT):
        create_project(name="Default", slug=DEFAULT, by=BY)
    return Project.objects.filter(slug=DEFAULT).first()


@transaction.atomic
def _people(project: Project | None, shown: Project | None) -> list[str]:
    """The administrator, owner of both projects, and the key; what to print about them."""
    try:
        admin, password = ensure_administrator(email=settings.ADMIN_EMAIL, password=settings.ADMIN_PASSWORD)
    except BadAddressError as problem:
        raise CommandError(f"FLOWLEDGER_ADMIN_EMAIL: {problem}") from problem
    for known in (project, shown):
        if known is not None and not known.members.exists():
            add_member(project=known, user=admin, role="owner", by=BY)
    lines = [_sign_in(admin, password)]
    if project is not None:
        lines += _first_call(project) if not project.keys.exists() else _another_key(project)
    return lines


def _sign_in(admin: User, password: str | None) -> str:
    if password is None:
        return (
            f"Sign in as {admin.email}. A forgotten password:"
            f" .venv/bin/python manage.py changepassword {admin.email}"
        )
    told = "the password of FLOWLEDGER_ADMIN_PASSWORD" if settings.ADMIN_PASSWORD else password
    note = "" if settings.ADMIN_PASSWORD else "   (shown only now)"
    return f"Sign in as {admin.email} with {told}{note}"


def _first_call(project: Project) -> list[str]:
    _, secret = create_key(project=project, scopes=["ingest"], name="first start", by=BY)
    return [
        f"Ingest key of the project {project.slug}: {secret}   (shown only now)",
        "Send a first call, then look at it:",
        "",
        *curl(url=f"http://127.0.0.1:{settings.PORT}", key=secret).splitlines(),
    ]


def _another_key(project: Project) -> list[str]:
    command = f".venv/bin/python manage.py create_key {project.slug} --scopes ingest"
    return [f"Keys are shown only once; a new one for the project {project.slug}: {command}"]


def curl(*, url: str, key: str) -> str:
    """A command that sends one call; pasted again it sends another one, at its own second."""
    return (
        f"curl {url}/v1/events \\\n"
        f'  -H "Authorization: Bearer {key}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{EVENT.format(id=secrets.token_hex(4))}'"
    )
