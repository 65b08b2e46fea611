"""Exports that go out every month: on their day, once, also after a crash, and never silently not."""

import smtplib
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail

from finance import schedules
from finance.exports import file_of
from finance.models import ScheduleRun
from finance.schedules import Wish, add, next_due, run_due, stop

DUE = datetime(2026, 11, 2, 5, 0, tzinfo=UTC)  # 06:00 in Berlin
MADE = datetime(2026, 10, 20, tzinfo=UTC)
WISH = Wish(
    day=2, form="csv", group_by=("feature", "provider"), recipients=("a@example.com", "b@example.com")
)


@pytest.fixture(autouse=True)
def _mails(settings):
    settings.EMAIL_URL = "smtp://mail.example.com"


@pytest.fixture
def schedule(filled):
    return add(filled, WISH, by="m.lang@example.com", now=MADE)


def test_it_goes_out_on_its_day_at_six_in_the_projects_zone_and_once(schedule):
    assert next_due(schedule, MADE) == DUE
    assert run_due(now=DUE - timedelta(minutes=1)) == 0
    assert run_due(now=DUE) == 1
    assert [run_due(now=DUE + timedelta(hours=n)) for n in range(3)] == [0, 0, 0]
    (sent,) = mail.outbox
    assert sent.to == ["a@example.com", "b@example.com"]
    assert sent.subject.startswith("Acme, October 2026: USD ")
    run = ScheduleRun.objects.get()
    assert (run.month, run.state, run.attempts) == (date(2026, 10, 1), "sent", 1)
    assert run.export is not None
    name, content, kind = sent.attachments[0]
    assert name.endswith("-2026-10-feature-provider.csv")
    assert kind == "text/csv"
    assert (content.encode() if isinstance(content, str) else content) == file_of(run.export)
    assert next_due(schedule, DUE) == datetime(2026, 12, 2, 5, 0, tzinfo=UTC)


def test_a_schedule_made_after_its_day_waits_for_the_next_month(filled):
    add(filled, WISH, by="x", now=DUE + timedelta(hours=1))
    assert run_due(now=DUE + timedelta(days=5)) == 0
    assert run_due(now=datetime(2026, 12, 2, 6, tzinfo=UTC)) == 1


def test_a_month_that_was_missed_is_made_up_for(schedule):
    assert run_due(now=datetime(2026, 12, 3, tzinfo=UTC)) == 2
    assert [f"{run.month:%Y-%m}" for run in ScheduleRun.objects.order_by("month")] == ["2026-10", "2026-11"]


def test_a_mail_server_that_refuses_is_tried_again(schedule, monkeypatch):
    def refuse(*_, **__):
        raise smtplib.SMTPServerDisconnected("no")

    monkeypatch.setattr(schedules, "mail", refuse)
    assert run_due(now=DUE) == 0
    run = ScheduleRun.objects.get()
    assert (run.state, run.problem) == ("waiting", "no")
    monkeypatch.undo()
    assert run_due(now=DUE + timedelta(minutes=15)) == 1


def test_a_worker_that_was_killed_while_sending_leaves_a_claim_that_ends(schedule):
    ScheduleRun.objects.create(
        schedule=schedule, month=date(2026, 10, 1), state="sending", tried_at=DUE, attempts=1
    )
    assert run_due(now=DUE + timedelta(minutes=30)) == 0
    assert run_due(now=DUE + timedelta(minutes=61)) == 1
    assert mail.outbox[0].extra_headers["Message-ID"] == f"<statement-{schedule.pk}-2026-10@flowledger>"


def test_without_e_mail_the_export_is_taken_and_said_not_to_be_sent(schedule, settings):
    settings.EMAIL_URL = ""
    assert run_due(now=DUE) == 0
    run = ScheduleRun.objects.get()
    assert run.export is not None
    assert (run.state, run.export.lines > 0, mail.outbox) == ("no_email", True, [])


def test_a_stopped_schedule_sends_nothing(schedule):
    stop(schedule, by="x", now=MADE)
    assert run_due(now=DUE) == 0
    assert schedule.project.audit.filter(action__startswith="schedule.").count() == 2
