"""Exports that are taken and mailed on a day of every month.

One row (ScheduleRun) stands for a schedule's work on a month: whoever finds it due claims it by a conditional
update, so that two workers, or a worker that was killed and started again, do it once. What cannot be known after
a kill between the mail server's answer and our commit is whether the mail went out: it is sent again, under the
same Message-ID, by which mail programs recognise it.
"""

import smtplib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Q

from accounts import audit
from accounts.models import Project
from analytics.apart import apart
from analytics.formats import count, plain
from analytics.periods import months_before
from finance import typed
from finance.exports import FORMS, file_name, file_of, take
from finance.models import Export, Schedule, ScheduleRun
from finance.months import current_month, month_text
from finance.shown import decimals_of
from finance.statement import DEFAULT_GROUPS, GROUPS, Ask

HOUR = time(6)  # of the project's zone: after the night, before the desk
MOST_RECIPIENTS = 20
MOST_ATTEMPTS = 24
CLAIM = timedelta(hours=1)  # a claim that led to nothing is void after that
LOOK_BACK = 3  # months that were missed while nothing ran


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A schedule as it was typed, checked."""

    day: int
    form: str
    group_by: tuple[str, ...]
    recipients: tuple[str, ...]


def read_wish(given: Mapping[str, str]) -> Wish:
    """Read a form. Raises ValueError with a sentence."""
    day = given.get("day", "").strip()
    if not (day.isascii() and day.isdigit() and len(day) < 3 and 1 <= int(day) <= 28):
        raise typed.BadEntryError("The day is 1 to 28: every month has it.")
    if given.get("form") not in FORMS:
        raise typed.BadEntryError(f"The form is one of {', '.join(FORMS)}.")
    groups = tuple(name for name in given.get("group_by", "").split(",") if name) or DEFAULT_GROUPS
    if unknown := [name for name in groups if name not in GROUPS]:
        raise typed.BadEntryError(f"Lines cannot be by {unknown[0][:40]!r}, but by {', '.join(GROUPS)}.")
    return Wish(day=int(day), form=given["form"], group_by=groups, recipients=_recipients(given))


def _recipients(given: Mapping[str, str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(given.get("recipients", "").replace(",", " ").replace(";", " ").split()))
    if not 1 <= len(found) <= MOST_RECIPIENTS:
        raise typed.BadEntryError(f"Name 1 to {MOST_RECIPIENTS} e-mail addresses.")
    for address in found:
        try:
            validate_email(address)
        except ValidationError as problem:
            raise typed.BadEntryError(f"{address[:60]!r} is no e-mail address.") from problem
    return found


@transaction.atomic
def add(project: Project, wish: Wish, *, by: str, now: datetime) -> Schedule:
    """Start a schedule; the first export goes out on the next such day."""
    made = Schedule.objects.create(
        project=project, day=wish.day, form=wish.form, group_by=list(wish.group_by),
        recipients=list(wish.recipients), created_by=by, created_at=now,
    )  # fmt: skip
    audit.record(project=project, actor=by, action="schedule.added", target=str(made), day=wish.day,
                 form=wish.form, recipients=list(wish.recipients))  # fmt: skip
    return made


@transaction.atomic
def stop(schedule: Schedule, *, by: str, now: datetime) -> None:
    """End a schedule; what it sent stays listed."""
    if Schedule.objects.filter(pk=schedule.pk, stopped_at=None).update(stopped_at=now):
        audit.record(project=schedule.project, actor=by, action="schedule.stopped", target=str(schedule))


def due_at(schedule: Schedule, month: date) -> datetime:
    """When the statement of a month goes out: that day of the month after it, at six."""
    after = months_before(month, -1)
    return datetime.combine(after.replace(day=schedule.day), HOUR, ZoneInfo(schedule.project.zone))


def next_due(schedule: Schedule, now: datetime) -> datetime:
    """When the next statement goes out."""
    running = current_month(schedule.project.zone, now)
    this = due_at(schedule, months_before(running, 1))
    return this if this > max(now, schedule.created_at) else due_at(schedule, running)


def run_due(*, now: datetime) -> int:
    """Do what is due; returns how many mails went out."""
    sent = 0
    for schedule in Schedule.objects.filter(stopped_at=None).select_related("project").order_by("id"):
        for month in _due_months(schedule, now):
            run, _ = ScheduleRun.objects.get_or_create(schedule=schedule, month=month)
            if _claim(run, now):
                with apart("statement", schedule):
                    sent += _do(run, schedule, now=now)
    return sent


def _due_months(schedule: Schedule, now: datetime) -> Iterator[date]:
    """Months whose day has come since the schedule began, oldest first."""
    running = current_month(schedule.project.zone, now)
    for back in range(LOOK_BACK, 0, -1):
        month = months_before(running, back)
        if schedule.created_at < due_at(schedule, month) <= now:
            yield month


def _claim(run: ScheduleRun, now: datetime) -> bool:
    """Whether this worker is the one that does it."""
    left = Q(attempts__lt=MOST_ATTEMPTS)
    free = left & (Q(state="waiting") | Q(state="sending", tried_at__lt=now - CLAIM))
    return bool(
        ScheduleRun.objects.filter(free, pk=run.pk).update(
            state="sending", tried_at=now, attempts=F("attempts") + 1
        )
    )


def _do(run: ScheduleRun, schedule: Schedule, *, now: datetime) -> int:
    """Take the export, mail it, say how it went. Whatever the mail server refuses is tried again later."""
    ask = Ask(project=schedule.project, month=run.month, group_by=tuple(schedule.group_by))
    export = take(ask, schedule.form, now=now, by=str(schedule))
    values: dict[str, object] = {"export": export, "problem": ""}
    if not settings.EMAIL_URL:
        values |= {"state": "no_email", "done_at": now}
    else:
        try:
            mail(
                export,
                schedule.recipients,
                message_id=f"<statement-{schedule.pk}-{month_text(run.month)}@flowledger>",
            )
            values |= {"state": "sent", "done_at": now}
        except (smtplib.SMTPException, OSError, ValueError) as problem:
            values |= {"state": "waiting", "problem": str(problem)[:300]}
    ScheduleRun.objects.filter(pk=run.pk).update(**values)
    return int(values["state"] == "sent")


def mail(export: Export, recipients: Sequence[str], *, message_id: str) -> None:
    """Send an export as an attachment. Raises SMTPException or OSError."""
    project = export.project
    total = f"{export.currency} {plain(typed.amount_or_zero(export.total), decimals_of(export.currency))}"
    month = f"{export.month:%B %Y}"
    text = (
        f"{month} comes to {total} for {project.name}: {count(export.calls)} calls in {count(export.lines)} lines, "
        f"all environments, days of {project.zone}.\n\n"
        f"{settings.PUBLIC_URL}/p/{project.slug}/finance/{month_text(export.month)}\n\n"
        f"SHA-256 of the file: {export.sha256}\n"
    )
    message = EmailMessage(f"{project.name}, {month}: {total}".replace("\n", " "), text, to=list(recipients),
                           headers={"Message-ID": message_id})  # fmt: skip
    message.attach(file_name(export), file_of(export), FORMS[export.form].content_type.split(";")[0])
    message.send()
