"""The buckets of a chart or sparkline: which there are, also the empty ones that answers leave out."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics import periods
from analytics.periods import DAY, Period
from analytics.result import Column, Result, Row
from dashboard import formats

Values = tuple[Any, ...]
FINE_DAYS = 2  # up to so many days a chart shows hours
DAILY_DAYS = 62
WEEKLY_DAYS = 400


def grain_for(period: Period, *, kept_from: datetime) -> str:
    """The grain in which a period is looked at: hours, days, weeks or months."""
    if period.days <= FINE_DAYS and period.start >= kept_from:
        return "hour"
    if period.days <= DAILY_DAYS:
        return "day"
    return "week" if period.days <= WEEKLY_DAYS else "month"


def buckets(period: Period, grain: str) -> tuple[datetime, ...]:
    """Starts of the buckets, in the period's zone, as far as time has come; the first may start before it."""
    end = periods.reached(period)
    if period.until is not None and period.until == period.start:
        end = period.start + periods.QUARTER  # the first quarter hour of today
    return tuple(start.astimezone(period.tz) for start in STARTS[grain](period) if start < end)


def _steps(length: timedelta) -> Callable[[Period], Iterator[datetime]]:
    """Buckets of fixed length, aligned to the local clock's whole hours (zones with half hours exist)."""

    def starts(period: Period) -> Iterator[datetime]:
        start = period.start
        if length > periods.QUARTER:
            local = period.start.astimezone(period.tz)
            start = (local - timedelta(minutes=local.minute, seconds=local.second)).astimezone(UTC)
        while start < period.end:
            yield start
            start += length

    return starts


def _days_by(
    first: Callable[[date], date], after: Callable[[date], date]
) -> Callable[[Period], Iterator[datetime]]:
    """Buckets of whole local days."""

    def starts(period: Period) -> Iterator[datetime]:
        day = first(period.first_day)
        while (start := periods.day_start(day, period.zone)) < period.end:
            yield start
            day = after(day)

    return starts


STARTS: dict[str, Callable[[Period], Iterator[datetime]]] = {
    "15min": _steps(periods.QUARTER),
    "hour": _steps(timedelta(hours=1)),
    "day": _days_by(lambda day: day, lambda day: day + DAY),
    "week": _days_by(lambda day: day - day.weekday() * DAY, lambda day: day + 7 * DAY),
    "month": _days_by(periods.month_start, lambda day: periods.months_before(day, -1)),
}


def by_group(result: Result, *, measure: str, grain: str) -> dict[tuple[str, ...], Values]:
    """A measure's values over all buckets of the period, by group; an empty bucket of an additive measure is 0,
    of another it is unknown."""
    return _spread(result.columns, result.rows, buckets(result.period, grain), measure)


def base_by_group(result: Result, *, measure: str, grain: str) -> dict[tuple[str, ...], Values]:
    """The same of the base period; empty without a comparison."""
    if result.compare is None:
        return {}
    return _spread(result.columns, result.compare.rows, buckets(result.compare.period, grain), measure)


def _spread(
    columns: tuple[Column, ...], rows: tuple[Row, ...], starts: tuple[datetime, ...], measure: str
) -> dict[tuple[str, ...], Values]:
    place = {start.astimezone(UTC): index for index, start in enumerate(starts)}
    at = next(i for i, column in enumerate(columns) if column.name == measure)
    dimensions = [i for i, column in enumerate(columns) if column.kind == "dimension"]
    empty = 0 if columns[at].additive else None
    found: dict[tuple[str, ...], list[Any]] = {}
    for row in rows:
        index = place.get(row[0].astimezone(UTC))
        if index is not None:
            group = tuple(row[i] for i in dimensions)
            found.setdefault(group, [empty] * len(starts))[index] = row[at]
    return {group: tuple(values) for group, values in found.items()}


def summed(groups: dict[tuple[str, ...], Values]) -> Values:
    """Bucket by bucket the sum over all groups, for additive measures."""
    return tuple(sum(value or 0 for value in column) for column in zip(*groups.values(), strict=True))


LONGEST_HEAD = 16
EACH = {"15min": "by quarter hour", "hour": "hourly", "day": "daily", "week": "weekly", "month": "monthly"}


def spark_head(period: Period, grain: str) -> str:
    """A sparkline column's head: "1–24 Nov, daily"; of dates too long for a column only how often."""
    days = formats.days(period.first_day, period.last_day, year=False)
    return f"{days}, {EACH[grain]}" if len(days) <= LONGEST_HEAD else EACH[grain].capitalize()
