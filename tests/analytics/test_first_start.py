"""The first start: an administrator, an empty project, a key that is shown once; the second changes nothing."""

import re
import shutil
import subprocess
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.keys import holder_of
from accounts.models import AuditLine, Member, Project, User
from analytics.demo import story as stories
from analytics.management.commands.first_start import curl
from ingest.wire import native
from ingest.wire.event import Rules

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(stories, "YEAR", timedelta(days=3))
    monkeypatch.setattr(stories, "CALLS_A_DAY", 300.0)
    settings.DEMO = False
    settings.ADMIN_EMAIL, settings.ADMIN_PASSWORD = "owner@example.com", ""


def start() -> str:
    """What a start prints for the person."""
    out = StringIO()
    call_command("first_start", stdout=out, stderr=StringIO())
    return out.getvalue()


def test_it_prints_a_password_that_signs_in_and_a_key_that_may_send() -> None:
    said = start()
    password = re.search(r"Sign in as owner@example.com with (\S+) ", said)
    key = re.search(r"default: (flk_live_\S+) ", said)
    assert password
    assert key
    assert User.objects.get(email="owner@example.com").check_password(password[1])
    holder = holder_of(key[1], now=timezone.now())
    assert holder
    assert holder.scopes == {"ingest"}
    assert holder.project.slug == "default"
    assert Member.objects.get(project__slug="default").role == "owner"


def test_a_given_password_is_used_and_not_printed(settings: Settings) -> None:
    settings.ADMIN_PASSWORD = "a long enough one"
    assert "a long enough one" not in start()
    assert User.objects.get(email="owner@example.com").check_password("a long enough one")


def test_the_second_start_makes_nothing_and_says_how_to_make_a_key() -> None:
    first = start()
    before = (User.objects.count(), Project.objects.count(), AuditLine.objects.count())
    second = start()
    assert (User.objects.count(), Project.objects.count(), AuditLine.objects.count()) == before
    assert "flk_live_" in first
    assert "flk_live_" not in second
    assert "create_key default --scopes ingest" in second


def test_what_was_removed_by_hand_does_not_come_back(settings: Settings) -> None:
    settings.DEMO = True
    start()
    for project in Project.objects.filter(slug__in=["default", "demo"]):
        project.delete()
    start()
    assert not Project.objects.filter(slug__in=["default", "demo"]).exists()


def test_the_demo_belongs_to_the_administrator_and_comes_when_it_is_switched_on(
    settings: Settings,
) -> None:
    start()
    assert not Project.objects.filter(slug="demo").exists()
    settings.DEMO = True
    start()
    demo = Project.objects.get(slug="demo")
    assert (demo.is_demo, demo.zone, demo.currency) == (True, "Europe/Berlin", "USD")
    assert demo.members.get().user.email == "owner@example.com"


def test_a_bad_address_is_said_in_a_sentence(settings: Settings) -> None:
    settings.ADMIN_EMAIL = "nobody"
    with pytest.raises(CommandError, match=r"FLOWLEDGER_ADMIN_EMAIL.*is no e-mail address"):
        start()
    assert not User.objects.exists()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_command_sends_an_event_that_is_accepted_when_it_is_pasted() -> None:
    told = curl(url="http://127.0.0.1:8000", key="flk_live_x").replace("curl ", "printf '%s\\n' ", 1)
    words = subprocess.run(["bash", "-c", told], capture_output=True, text=True, check=True).stdout
    body = words.split("-d\n", 1)[1]
    rules = Rules(now_us=int(timezone.now().timestamp() * 1e6))
    decoded = native.decode_events(body.encode(), ndjson=False, rules=rules)
    assert (len(decoded.records), decoded.rejections, decoded.warnings) == (1, [], [])
    record = decoded.records[0]
    assert re.fullmatch(r"first-call-[0-9a-f]{8}-\d+", record.id)
    assert (record.flow, record.environment) == ("support-triage", "production")
