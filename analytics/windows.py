"""In which stretches of time the rows of a filtered list are: rollups know, so the ledger is read only there.

The ledger has no index on what can be corrected; reading it backwards for a rare flow would read all of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Cursor

from analytics.asked import kept_from
from analytics.asks import Ask
from analytics.compile import Asked, on_row, series_sql
from analytics.dimensions import CUSTOMER, RUNS, USAGE
from analytics.families import day_bounds
from analytics.periods import DAY, QUARTER, quarter_floor
from analytics.sources import SOURCES, Source

# ruff: noqa: S608 - built from registries and constants
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=2)  # calls may be up to an hour ahead
Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Sieve:
    """How a rollup tells where rows of the list are: conditions on its rows, and a sum that must not be 0."""

    source: Source
    conditions: tuple[str, ...]
    counted: str
    by_series: bool


def bounds_of(ask: Ask, *, now: datetime) -> Window:
    """[from, to) of a list: its period, else everything; no later than where the page before ended."""
    period = ask.query.period
    start, end = (period.start, period.end) if ask.bounded else (FIRST, now + AHEAD)
    return start, (min(end, ask.after[0] + timedelta(microseconds=1)) if ask.after else end)


def windows(
    cursor: "Cursor[Any]", ask: Ask, *, runs: bool, need: int, now: datetime
) -> Iterator[list[Window]]:
    """Stretches that hold rows of the list, newest first, in helpings: quarter hours, then older days."""
    start, end = bounds_of(ask, now=now)
    asked = Asked(ask.query, ask.query.period.zone, {})
    sieve = _run_sieve(ask, asked) if runs else _call_sieve(ask, asked)
    if sieve is None:
        yield [(start, end)]
        return
    kept = kept_from(now)
    if end > kept:
        bounds = (max(quarter_floor(start), kept), end)
        yield [(at, at + QUARTER) for at in _found(cursor, asked, sieve, "bucket", bounds, need)]
    if start < kept:
        last = min(end, kept)
        around = ((start - DAY).date(), (last + DAY).date())  # a day more on each side: zones differ by less
        found = _found(cursor, asked, sieve, "day", around, need)
        days = [day_bounds(ask.query.project, day) for day in found]
        yield from _growing([(first, min(after, last)) for first, after in days])


def _growing(days: list[Window]) -> Iterator[list[Window]]:
    """One day, then two, then four: a frequent thing is on the first, a rare one needs few statements."""
    size = 1
    while days:
        yield days[:size]
        days, size = days[size:], size * 2


def _found(
    cursor: "Cursor[Any]", asked: Asked, sieve: Sieve, column: str, bounds: tuple[Any, Any], need: int
) -> list[Any]:
    """Quarter hours or days, newest first, that hold at least one row each."""
    table = sieve.source.fine_table if column == "bucket" else sieve.source.day_table
    first, after = asked.put(bounds[0]), asked.put(bounds[1])
    where = [
        f"u.project_id = {asked.put(asked.query.project.pk)} AND u.{column} >= {first} AND u.{column} < {after}",
        *(["u.series_id IN (SELECT id FROM dims)"] if sieve.by_series else []),
        *sieve.conditions,
    ]
    cursor.execute(
        f"WITH dims AS MATERIALIZED ({series_sql(asked, {})}) SELECT u.{column} FROM {table} u"
        f" WHERE {' AND '.join(where)} GROUP BY 1 HAVING sum({sieve.counted}) > 0"
        f" ORDER BY 1 DESC LIMIT {asked.put(need)}".encode(),
        asked.parameters.values,
        prepare=False,
    )
    return [row[0] for row in cursor.fetchall()]


def _call_sieve(ask: Ask, asked: Asked) -> Sieve | None:
    """For calls: the series, error classes and cost statuses of `usage`, or else a customer's own rollup."""
    customers = tuple(
        on_row(one, dimension, asked)
        for one, dimension in asked.filters
        if dimension.kind == "customer" and not one.negated
    )
    if customers:
        return Sieve(SOURCES[CUSTOMER], customers, "u.calls", by_series=False)
    conditions = tuple(
        on_row(one, dimension, asked)
        for one, dimension in asked.filters
        if dimension.kind in ("class", "status")
    )
    by_series = _has_texts(asked)
    counted = "u.calls"
    if ask.cost_statuses and set(ask.cost_statuses) <= {"partial", "unpriced"}:
        counted = " + ".join(f"u.{status}" for status in ask.cost_statuses)
    if not (conditions or by_series or counted != "u.calls"):
        return None
    return Sieve(SOURCES[USAGE], conditions, counted, by_series)


def _run_sieve(ask: Ask, asked: Asked) -> Sieve | None:
    """For runs: their series and failures."""
    by_series = _has_texts(asked)
    if ask.order == "failed":
        return Sieve(SOURCES[RUNS], (), "u.failures", by_series)
    return Sieve(SOURCES[RUNS], (), "u.runs", by_series) if by_series else None


def _has_texts(asked: Asked) -> bool:
    return any(dimension.text for _, dimension in asked.filters)
