"""Price changes, noticed from the price book: a model that flows use costs something else from an instant on."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from django.db import connection, transaction
from django.db.models import Count, Max, Q

from accounts.models import Project
from analytics.changes_models import Change, ChangeFlow, PriceMark
from analytics.models import Flow, Price
from analytics.pricebook import books
from pricing.book import PriceBook, Stretch, Target
from pricing.entry import EPOCH, MILLION

BY = "price book"
UNITS = ("input", "cache_read", "cache_write", "output")
SAID = ("input", "output")  # the units that stand in its words
MANY = 2_000  # targets of a project that are looked at


@dataclass(frozen=True, slots=True)
class Used:
    """A price's target as calls name it, since when, and by which flows (raw names)."""

    target: Target
    first_at: datetime
    flows: tuple[str, ...]


def notice_prices(project: Project, *, now: datetime) -> int:
    """Make the project's noticed price changes as the book says; returns how many are new or gone.

    Read again when an entry was added or withdrawn, a call used a model for the first time, or an hour has passed."""
    version = _version(project, now)
    if PriceMark.objects.filter(project=project, version=version).exists():
        return 0
    expected = {
        (f"{used.target.provider or ''}/{used.target.model}"[:200], at): (said, used)
        for used in _used(project)
        for at, said in _steps(books.of(project.pk), used, now)
    }
    with transaction.atomic():
        done = _store(project, expected)
        PriceMark.objects.update_or_create(project=project, defaults={"version": version})
    return done


def _version(project: Project, now: datetime) -> str:
    book = Price.objects.filter(Q(project=None) | Q(project=project)).aggregate(
        newest=Max("id"), withdrawn=Count("withdrawn_at")
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(first_at) FROM sighting WHERE project_id = %s", [project.pk])
        seen = cursor.fetchone()
    return f"{book['newest']}/{book['withdrawn']}/{seen}/{now:%Y-%m-%dT%H}"[:200]


def _used(project: Project) -> list[Used]:
    """What calls were priced by: provider, model, answering model; the flows that used it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.provider, s.model, s.response_model, min(g.first_at), array_agg(DISTINCT s.flow_id)"
            " FROM series s JOIN sighting g ON g.project_id = s.project_id AND g.series_id = s.id"
            " WHERE s.project_id = %s AND s.model IS NOT NULL AND s.flow_id <> 0 GROUP BY 1, 2, 3 LIMIT %s",
            [project.pk, MANY],
        )
        rows = cursor.fetchall()
    names = dict(Flow.objects.filter(project=project).values_list("pk", "name"))
    merged: dict[tuple[str | None, str], list[tuple[Target, datetime, set[str]]]] = defaultdict(list)
    for provider, model, answered, first_at, flows in rows:
        used_by = {names[number] for number in flows if number in names}
        merged[provider, model].append((Target(provider, model, answered), first_at, used_by))
    return [_together(targets) for targets in merged.values()]


def _together(targets: list[tuple[Target, datetime, set[str]]]) -> Used:
    """One model answers as several snapshots: its price is that of the one seen last."""
    newest = max(targets, key=lambda one: (one[1], one[0].response_model or ""))
    flows = set().union(*(flows for _, _, flows in targets))
    return Used(newest[0], min(first_at for _, first_at, _ in targets), tuple(sorted(flows)))


def _steps(book: PriceBook, used: Used, now: datetime) -> Iterator[tuple[datetime, tuple[str, str]]]:
    """When the target's price became another while calls used it, with both prices in words."""
    for earlier, later in _neighbours(book.stretches(used.target)):
        at = EPOCH + timedelta(microseconds=later.start)
        if not used.first_at < at <= now:
            continue
        before, after = _rates(earlier, at), _rates(later, at)
        if before and after and before != after:
            yield at.astimezone(UTC), (_said(before), _said(after))


def _neighbours(stretches: Sequence[Stretch]) -> Iterator[tuple[Stretch, Stretch]]:
    return pairwise(stretches)


def _rates(stretch: Stretch, at: datetime) -> dict[str, Decimal]:
    """USD per million tokens by unit, discounts taken off; empty where the book has no price."""
    rates = stretch.rates
    if stretch.by_clock is not None:
        rates = stretch.at_clock((at - EPOCH) // timedelta(microseconds=1))
    found = {unit: rates.rate(unit) for unit in UNITS} if rates is not None else {}
    return {unit: rate.usd * MILLION / rate.per for unit, rate in found.items() if rate is not None}


def _said(rates: dict[str, Decimal]) -> str:
    """As people compare prices: USD per million tokens in and out."""
    return " / ".join(f"${round(rates[unit], 6).normalize():f}" for unit in SAID if unit in rates)


def _store(project: Project, expected: dict[tuple[str, datetime], tuple[tuple[str, str], Used]]) -> int:
    kept = {
        (row.subject, row.at): row
        for row in Change.objects.filter(project=project, kind="price", noticed=True)
    }
    gone = [row.pk for identity, row in kept.items() if identity not in expected]
    Change.objects.filter(pk__in=gone).delete()
    done = len(gone)
    for (subject, at), ((before, after), used) in expected.items():
        change = kept.get((subject, at))
        if change is None:
            change = Change.objects.create(
                project=project,
                kind="price",
                subject=subject,
                before=before,
                after=after,
                at=at,
                by=BY,
                noticed=True,
            )
            done += 1
        elif (change.before, change.after) != (before, after):
            Change.objects.filter(pk=change.pk).update(before=before, after=after)
            done += 1
        for name in used.flows:
            ChangeFlow.objects.get_or_create(change=change, name=name, environment="")
    return done
