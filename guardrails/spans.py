"""Stretches of time as rules name them: "15min", "4h", "7d", or a running day, week, month or quarter of the zone."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from analytics.periods import (
    DAY,
    QUARTER,
    Period,
    day_start,
    month_start,
    quarter_ceil,
    quarter_floor,
    quarter_start,
)

_SHAPE = re.compile(r"(\d{1,5}) ?(min|h|d|w)", re.ASCII)
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": DAY, "w": 7 * DAY}
_FIRST_DAYS = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": month_start,
    "quarter": quarter_start,
}
CALENDAR = tuple(_FIRST_DAYS)
BASE_WEEKS = (1, 2, 3, 4)
LONGEST = 28 * DAY
LONGEST_COMPARED = 6 * DAY  # quarter hours are kept 35 days: four weeks back, and the window


def span(text: str) -> timedelta:
    """A length of time: 15min, 4h, 7d, 2w. Raises ValueError for anything else."""
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    return int(found[1]) * _UNITS[found[2]]


def closed(window: str, *, until: datetime, zone: str) -> Period:
    """The newest stretch of whole quarter hours that is complete at the watermark `until`; a calendar window up to
    and with the quarter hour that runs."""
    if window in CALENDAR:
        return _calendar(window, until, zone)
    end = quarter_floor(until)
    return Period(start=end - span(window), end=end, zone=zone)


def running(window: str, *, until: datetime, zone: str) -> Period:
    """The stretch that ends with the quarter hour that runs: at most as long as the window."""
    if window in CALENDAR:
        return _calendar(window, until, zone)
    end = quarter_floor(until) + QUARTER
    return Period(start=end - span(window), end=end, zone=zone)


def looked_at(window: str, *, until: datetime, zone: str) -> Period:
    """Both of them together: all that a verdict at `until` was made from."""
    whole, filling = closed(window, until=until, zone=zone), running(window, until=until, zone=zone)
    return replace(whole, end=max(whole.end, filling.end))


def _calendar(window: str, until: datetime, zone: str) -> Period:
    """From the start of the local day, week, month or quarter in which the last complete instant lies."""
    last = until - timedelta(microseconds=1)
    first: date = _FIRST_DAYS[window](last.astimezone(ZoneInfo(zone)).date())
    return Period(start=day_start(first, zone), end=quarter_ceil(until), zone=zone)


def same_hours(period: Period, *, weeks: int) -> Period:
    """The same wall-clock hours so many weeks before."""
    return replace(
        period, start=_back(period.start, weeks, period.zone), end=_back(period.end, weeks, period.zone)
    )


def _back(moment: datetime, weeks: int, zone: str) -> datetime:
    local = moment.astimezone(ZoneInfo(zone))
    day = local.date() - timedelta(weeks=weeks)
    moved = datetime.combine(day, local.time().replace(fold=local.fold), ZoneInfo(zone))
    return quarter_floor(moved.astimezone(UTC))


def is_muted(mutes: list[dict[str, Any]], *, at: datetime, zone: str) -> bool:
    """Whether one of a rule's mute windows holds the moment."""
    local = at.astimezone(ZoneInfo(zone))
    return any(_mutes(one, at, local) for one in mutes)


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _mutes(one: dict[str, Any], at: datetime, local: datetime) -> bool:
    if "until" in one:
        begins = datetime.fromisoformat(one["from"]) if one.get("from") else at
        return begins <= at < datetime.fromisoformat(one["until"])
    start, end, clock = one["from"], one["to"], f"{local:%H:%M}"
    days = one.get("days") or DAYS
    overnight = start >= end
    if clock >= start and (overnight or clock < end):
        return DAYS[local.weekday()] in days
    return overnight and clock < end and DAYS[local.weekday() - 1] in days
