"""The weekly digest: when it is due, what it says, and that it comes once."""

from datetime import UTC, datetime

import pytest

from guardrails import deliveries, digest
from guardrails.alert_models import Delivery, DigestReader
from tests.analytics.ledger import call, load, send
from tests.guardrails.alerting import make_channel
from tests.guardrails.receivers import hook, mailbox
from tests.personas import make_member, make_project

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)  # half past eight in Berlin


@pytest.fixture
def project(settings):
    settings.WEBHOOK_ALLOW = ["127.0.0.0/8"]
    return make_project("Desk", zone="Europe/Berlin")


def spend(project, day, calls, **fields):
    """So many calls of 0.00021 dollars, times a thousand, on a day of November."""
    at = int(datetime(2026, 11, day, 12, tzinfo=UTC).timestamp() * 1e6)
    from ingest.records import Tokens  # noqa: PLC0415

    records = [call(0, id=f"{day}-{n}-{fields}", started_us=at + n, tokens=Tokens(input=1_000_000, output=0), **fields)
               for n in range(calls)]  # fmt: skip
    send(project, records, now=MONDAY)
    load(project, now=MONDAY)


def text_of(project):
    return digest.digest(project, monday=MONDAY.date(), now=MONDAY)["text"]


@pytest.mark.parametrize(("hour", "day", "is_due"), [
    (6, 23, False), (7, 23, True), (22, 23, True), (23, 23, False), (12, 24, False),
])  # fmt: skip
def test_it_is_due_on_monday_from_eight_in_the_projects_zone(project, hour, day, is_due):
    now = datetime(2026, 11, day, hour, tzinfo=UTC)
    assert (digest.due_week(project, now) is not None) == is_due


def test_it_says_what_moved_and_what_is_missing(project):
    spend(project, 10, 10, flow="triage")
    spend(project, 17, 40, flow="triage")
    spend(project, 17, 10, flow=None)
    spend(project, 17, 3, flow="triage", model="house-1")
    text = text_of(project)
    assert text.startswith("$7.50 spent in the week of 16–22 Nov, $6.00 more than in the week before.")
    assert "triage: $6.00, +$4.50" in text
    assert "3 calls without a price" in text
    assert "of the calls name no flow" in text


def test_one_line_when_nothing_moved(project):
    spend(project, 10, 10)
    spend(project, 17, 10)
    first, _, rest = text_of(project).partition("\n")
    assert first == (
        "$1.50 spent in the week of 16–22 Nov, as in the week before."
        " Nothing moved, nothing changed, and no budget is at risk."
    )
    assert rest.strip().startswith("http")


def test_a_week_without_a_call(project):
    assert text_of(project).startswith("No call in the week of 16–22 Nov.")


def test_channels_and_members_get_it_once(project, settings):
    member = make_member(project, "viewer", email="bo@example.com")
    DigestReader.objects.create(project=project, user=member.user)
    with hook() as receiver, mailbox() as box:
        settings.EMAIL_URL, settings.EMAIL_HOST, settings.EMAIL_PORT = "smtp://x", "127.0.0.1", box.port
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        make_channel(project, url=receiver.url, digest=True)
        make_channel(project, "quiet", url=receiver.url)
        assert [digest.queue_due(now=MONDAY) for _ in range(3)] == [2, 0, 0]
        assert deliveries.deliver(now=MONDAY) == 2
        assert deliveries.deliver(now=MONDAY) == 0
    assert len(receiver.got) == 1
    assert [to for to, _ in box.mails] == [["bo@example.com"]]
    assert Delivery.objects.filter(state="done").count() == 2


def test_who_is_no_member_any_more_gets_none(project):
    member = make_member(project, "viewer")
    DigestReader.objects.create(project=project, user=member.user)
    member.delete()
    assert digest.queue_due(now=MONDAY) == 0
