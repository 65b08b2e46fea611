"""Months: the billing period of a project, in its zone, and the one before it. Pure."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from analytics import periods
from analytics.periods import Period, day_start, months_before, quarter_floor

_SHAPE = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1970, 2200
LATE_AFTER = timedelta(days=1)  # after a month's end; what comes later is late


def read_month(text: str) -> date | None:
    """The first day of `2026-11`; None for anything else."""
    found = _SHAPE.fullmatch(text)
    if not found or not (FIRST_YEAR <= int(found[1]) <= LAST_YEAR and 1 <= int(found[2]) <= 12):
        return None
    return date(int(found[1]), int(found[2]), 1)


def month_text(month: date) -> str:
    """2026-11"""
    return f"{month:%Y-%m}"


def month_after(month: date) -> date:
    """The first day of the next month."""
    return months_before(month, -1)


def current_month(zone: str, now: datetime) -> date:
    """The month that runs."""
    return now.astimezone(ZoneInfo(zone)).date().replace(day=1)


def month_of(month: date, *, zone: str, now: datetime) -> Period:
    """The month as a period; `until` says how far the running one has come."""
    start, end = day_start(month, zone), day_start(month_after(month), zone)
    return Period(start=start, end=end, zone=zone, until=quarter_floor(now) if start <= now < end else None)


def before(period: Period, *, kept_from: datetime) -> Period:
    """The whole month before; of a running month the same stretch: up to the same day and hour.

    Where those hours are no longer kept (`kept_from`), up to the end of the day before."""
    base = periods.previous(replace(period, name="mtd") if period.until else period)
    midnight = day_start(base.end.astimezone(base.tz).date(), base.zone)
    if base.end != midnight and midnight < kept_from and midnight > base.start:
        return replace(base, end=midnight)
    return base


def late_from(period: Period) -> datetime:
    """From when on a call of that month is late."""
    return period.end + LATE_AFTER
