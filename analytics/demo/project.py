"""The demo project in the database: made once, filled through the inbox, kept going, removed."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Project
from accounts.projects import create_project
from analytics import load, removal
from analytics.demo import opinions
from analytics.demo.product import FLOWS
from analytics.demo.story import Story
from analytics.demo.traffic import traffic
from analytics.models import Feature, Flow
from analytics.pricebook import row_of
from ingest import inbox
from pricing import own

SLUG, NAME = "demo", "Kestrel Desk"
OWNERS = {  # of each feature: who looks after it, who pays
    "Support assistant": ("Mara Lindqvist", "CC-410 Support"),
    "Contract review": ("Jonas Weber", "CC-320 Legal"),
    "Meeting notes": ("Priya Nair", "CC-210 Workplace"),
    "Search answers": ("Tomás Silva", "CC-120 Search"),
    "Email drafting": ("Aiko Tanaka", "CC-210 Workplace"),
}
BY = "system"
PIECE = timedelta(days=14)  # handed to the inbox at once
CATCH_UP = timedelta(hours=24)  # a server that slept longer leaves a gap
FULL = timedelta(hours=12)  # a filled project has a call so shortly before it was made, at any hour
PATIENCE = 170.0  # seconds; what is not loaded by then is loaded by the worker
TWICE = 400  # of so many calls one comes twice, as from a client that did not hear the answer
LOCK = 7302


def ensure(*, now: datetime) -> Project | None:
    """The demo project, made if it never was; None when it was removed by hand."""
    if not removal.was_made(SLUG):
        _make(now)
    return Project.objects.filter(slug=SLUG, is_demo=True).first()


@transaction.atomic
def _make(now: datetime) -> None:
    project = create_project(name=NAME, slug=SLUG, zone="Europe/Berlin", is_demo=True, by=BY)
    project.created_at = now
    project.save(update_fields=["created_at"])
    story = Story(now)
    for plan in FLOWS:
        if plan.new_for is None:
            owner, centre = OWNERS[plan.feature]
            feature, _ = Feature.objects.get_or_create(
                project=project, name=plan.feature, defaults={"owner": owner, "cost_centre": centre}
            )
            Flow.objects.create(
                project=project, name=plan.name, feature=feature, first_seen_at=story.begins,
                confirmed_at=story.begins,
            )  # fmt: skip
    opinions.define(project, now=now)
    entry = own.discount(
        "openai", "gpt-4.1", Decimal(10), valid_from=story.price_from, recorded_at=now,
        note="Volume discount of the new contract",
    )  # fmt: skip
    row_of(entry, project_id=project.pk).save()
    audit.record(project=project, actor=BY, action="price.added", target="openai/gpt-4.1", discount="10 %")


def is_filled(project: Project) -> bool:
    """Whether the demo's year is loaded. A demo that was cut short is filled from where it ended."""
    last = _last_call(project)
    return last is not None and last >= project.created_at - FULL


def fill(project: Project) -> int:
    """Make the year before the project was made and load it; returns the number of calls made.

    Calls come by time, so nearly every rollup row is the only one of its key: folding them can wait for the beat."""
    story = Story(project.created_at)
    _load(project)
    last = _last_call(project)
    since = last + timedelta(microseconds=1) if last else story.begins
    made = sum(_send(project, story, period) for period in _pieces(since, story.anchor))
    _load(project)
    return made


def trickle(*, now: datetime) -> None:
    """What the demo product's users did since the last time."""
    project = Project.objects.filter(slug=SLUG, is_demo=True).first() if settings.DEMO else None
    if project is None:
        return
    with transaction.atomic():
        # Calls that wait would be made a second time: the next tick makes them.
        if not _alone() or _waits(project) or not is_filled(project):
            return
        last = _last_call(project) or now
        since = max(last + timedelta(microseconds=1), now - CATCH_UP)
        _send(project, Story(project.created_at), (since, now))


def remove(*, project: Project, by: audit.By = None) -> None:
    """Remove the demo with all its rows; it does not come back at the next start."""
    removal.remove_project(project, by=by)


def _send(project: Project, story: Story, period: tuple[datetime, datetime]) -> int:
    """Hand the calls of a period to the inbox; returns how many."""
    since, until = period
    calls = list(traffic(story, since=since, until=until))
    heard = [call for at, call in enumerate(calls, 1) for _ in range(1 if at % TWICE else 2)]
    inbox.put(
        heard, kind=inbox.Kind.CALLS, sender=inbox.Sender(project.pk), now=until,
        rejected=len(calls) // 2_000,
    )  # fmt: skip
    return len(calls)


def _pieces(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """At most so much at once, and never over a month's end: calls that arrive with a later month are late."""
    while since < until:
        following = (
            since.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
        ).replace(day=1)
        stop = min(since + PIECE, until, following)
        yield since, stop
        since = stop


def _load(project: Project) -> None:
    """Load what waits for the project, beside the worker."""
    deadline = time.monotonic() + PATIENCE
    while _waits(project) and time.monotonic() < deadline:
        if not load.drain(now=timezone.now, lanes=[project.lane]):
            time.sleep(0.02)


def _waits(project: Project) -> bool:
    return (
        _one("SELECT exists (SELECT FROM inbox WHERE lane = %(lane)s AND project_id = %(project)s)", project)
        is True
    )


def _last_call(project: Project) -> datetime | None:
    found = _one("SELECT max(started_at) FROM call WHERE project_id = %(project)s", project)
    return found if isinstance(found, datetime) else None


def _one(query: str, project: Project) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query, {"lane": project.lane, "project": project.pk})
        row = cursor.fetchone()
    return row[0] if row else None


def _alone() -> bool:
    """Whether no other process is making the demo's calls just now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, 0)", [LOCK])
        return bool(cursor.fetchone()[0])
