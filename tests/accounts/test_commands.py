"""Commands: standard output is the slug or the key alone; a refusal is one sentence."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.keys import holder_of
from accounts.models import ApiKey, AuditLine, Project
from tests.personas import make_project, make_user

pytestmark = pytest.mark.django_db


def said(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def test_create_project_prints_the_slug_alone():
    assert said("create_project", "Acme Support", "--timezone", "Europe/Berlin", "--currency", "EUR") == (
        "acme-support\n"
    )
    project = Project.objects.get(slug="acme-support")
    assert (project.name, project.zone, project.currency) == ("Acme Support", "Europe/Berlin", "EUR")
    assert AuditLine.objects.get(project=project).actor == "command"


def test_a_project_made_on_the_server_belongs_to_the_administrators():
    admin = make_user(is_admin=True)
    make_user()
    said("create_project", "Acme")
    assert [(member.user, member.role) for member in Project.objects.get().members.all()] == [
        (admin, "owner")
    ]


def test_create_key_prints_a_working_key_alone():
    project = make_project("Acme")
    secret = said("create_key", "acme", "--scopes", "ingest, read", "--name", "web").strip()
    holder = holder_of(secret, now=timezone.now())
    assert holder
    assert (holder.project, holder.scopes) == (project, frozenset({"ingest", "read"}))
    assert ApiKey.objects.get().name == "web"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2099-01-31", datetime(2099, 1, 31, tzinfo=UTC)),
        ("2099-01-31T12:00:00+01:00", datetime(2099, 1, 31, 11, tzinfo=UTC)),
        ("2099-01-31T12:00:00Z", datetime(2099, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_a_key_may_expire(written, meant):
    make_project("Acme")
    said("create_key", "acme", "--scopes", "read", "--expires", written)
    assert ApiKey.objects.get().expires_at == meant


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create_project", ""], "1 to 100 characters"),
        (["create_project", "A", "--timezone", "Berlin"], "Europe/Berlin"),
        (["create_project", "A", "--currency", "gold"], "ISO 4217"),
        (["create_key", "nope", "--scopes", "read"], "There are acme"),
        (["create_key", "acme", "--scopes", ""], "at least one scope"),
        (["create_key", "acme", "--scopes", "write"], "no such scope: write"),
        (["create_key", "acme", "--scopes", "read", "--expires", "soon"], "2027-01-31"),
        (["create_key", "acme", "--scopes", "read", "--expires", "2020-01-01"], "in the future"),
    ],
)
def test_a_refusal_says_what_to_do_in_one_line(arguments, message):
    make_project("Acme")
    with pytest.raises(CommandError, match=message) as refused:
        said(*arguments)
    assert "\n" not in str(refused.value)
    assert not ApiKey.objects.exists()
