"""Why a page has no figures: no call ever, none in this period, or filtered away. Each says where to go."""

from dataclasses import dataclass, replace
from datetime import date

from django.db import connection
from django.urls import reverse

from accounts.models import ApiKey, Project
from analytics import periods
from analytics.answer import answer
from analytics.query import Filter, Query
from dashboard import formats, spans_of_time
from dashboard.frame import Choice
from dashboard.panels import State
from dashboard.scope import ALL, Scope

WITHOUT_LIMIT = 4  # so many filters are tried by leaving each out


@dataclass(frozen=True, slots=True)
class Extent:
    """The first and last day on which a project has calls."""

    first: date
    last: date


def extent_of(project: Project) -> Extent | None:
    """The project's first and last day with calls, both ends of a primary key; None before the first call."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(day), max(day) FROM usage_day WHERE project_id = %s", [project.id])
        row = cursor.fetchone()
    return Extent(row[0], row[1]) if row and row[0] else None


def why_empty(scope: Scope) -> State:
    """The state of a panel whose question has no call."""
    extent = extent_of(scope.project)
    if extent is None:
        return _never(scope)
    unfiltered = _calls(scope, ())
    environment = tuple(f for f in scope.asked.filters if f.dimension == "environment")
    in_environment = _calls(scope, environment) if environment else unfiltered
    if scope.filters and in_environment:
        return _filtered(scope, in_environment)
    if unfiltered:
        return _other_environment(scope, unfiltered)
    return _none_in_period(scope, extent)


def _calls(scope: Scope, filters: tuple[Filter, ...]) -> int:
    query: Query = replace(
        scope.asked, measures=("calls",), filters=filters, base=None, compare="", group_by=()
    )
    return int(answer(query, now=scope.now).totals["calls"] or 0)


def _never(scope: Scope) -> State:
    key = (
        ApiKey.objects.filter(project=scope.project, revoked_at=None).order_by("-last_used_at", "-id").first()
    )
    used = "There is no key yet."
    if key:
        when = (
            formats.moment(key.last_used_at, zone=scope.project.zone, now=scope.now)
            if key.last_used_at
            else "never"
        )
        used = f"The key {key.name or key.prefix + '…'} was last used {when}."
    start = reverse("start", args=[scope.project.slug])
    return State(
        say="No call has reached this project yet.",
        note=f"{used} A call shows up here about five seconds after it is sent.",
        ways=(Choice("Send the first event", start, value="primary"),),
    )


def _none_in_period(scope: Scope, extent: Extent) -> State:
    last = formats.day(extent.last, year=extent.last.year != scope.period.last_day.year)
    week = {"from": str(extent.last - 6 * periods.DAY), "to": str(extent.last + periods.DAY)}
    everything = {"from": str(extent.first), "to": str(extent.last + periods.DAY)}
    shown = formats.days(extent.last - 6 * periods.DAY, extent.last, year=False)
    return State(
        say=f"No call {spans_of_time.words(scope.period, None).now}.",
        note=f"The last one came on {last}.",
        ways=(
            Choice(f"Go to {shown}", scope.with_period(**week)),
            Choice("All time", scope.with_period(**everything)),
        ),
    )


def _other_environment(scope: Scope, calls: int) -> State:
    name = ", ".join(scope.environments)
    return State(
        say=f"No call in {name} {spans_of_time.words(scope.period, None).now}.",
        note=f"In all environments there are {formats.count(calls)}.",
        ways=(Choice("All environments", scope.url(environment=ALL)),),
    )


def _filtered(scope: Scope, calls: int) -> State:
    """How many calls there would be without each filter, most first."""
    found = []
    for one in scope.filters[:WITHOUT_LIMIT]:
        kept = tuple(f for f in scope.asked.filters if f is not one)
        found.append((_calls(scope, kept), one))
    found.sort(key=lambda pair: -pair[0])
    said = "; ".join(
        f"without {one.dimension.replace('_', ' ')} {', '.join(one.values)} there are {formats.count(count)}"
        for count, one in found
        if count
    )
    ways = tuple(
        Choice(f"Drop {one.dimension.replace('_', ' ')}", scope.url(**{one.dimension: None, "after": None}))
        for count, one in found
    )
    every = dict.fromkeys((one.dimension for one in scope.filters), None)
    clear = (Choice("Clear all", scope.url(**every, after=None)),) if len(ways) > 1 else ()
    return State(
        say=f"These filters leave nothing of {formats.count(calls)} calls.",
        note=f"{said[:1].upper()}{said[1:]}." if said else "",
        ways=(*ways, *clear),
    )
