"""Where the month will end, for any filters: what is spent to date, and the forecast of the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from accounts.models import Project
from analytics.answer import answer
from analytics.forecast import Forecast, days_known, forecast
from analytics.periods import DAY, Period, day_start, month_start, months_before
from analytics.query import Filter, Query

HISTORY_DAYS = 84  # of which a forecast is learnt
PROFILE_DAYS = 7  # of which the hours of a day are learnt
LEAST_HOURS = 6  # fewer hours with spend say nothing of a day's shape
MICRO = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A month so far and at its end, in USD. `estimate` and `interval` (80 %) are None below 14 days of history;
    `days` are known. `to_date` None: calls, and nothing known of their cost."""

    month: Period
    to_date: Decimal | None
    unpriced_calls: int
    estimate: Decimal | None
    interval: tuple[Decimal, Decimal] | None
    days: int
    complete_until: datetime


def outlook(project: Project, *, filters: Sequence[Filter] = (), now: datetime) -> Outlook:
    """The running month of a project's zone, narrowed by filters. Raises ApiError 422, 503."""
    zone = project.zone
    today = now.astimezone(ZoneInfo(zone)).date()
    first = month_start(today)
    after = months_before(first, -1)
    month = Period(start=day_start(first, zone), end=day_start(after, zone), zone=zone)
    query = Query(project=project, period=month, measures=("cost", "unpriced_calls"), filters=tuple(filters))
    result = answer(query, now=now, trust=False)
    amounts = _history(query, now)
    coming = [day_left(project, at=now, now=now), *[1.0] * ((after - today).days - 1)]
    found = forecast(amounts, first_day=today - HISTORY_DAYS * DAY, coming=coming)
    to_date = result.totals["cost"]
    estimate, low, high = _ends(to_date, found)
    return Outlook(
        month=month,
        to_date=to_date,
        unpriced_calls=result.totals["unpriced_calls"],
        estimate=estimate,
        interval=(low, high) if low is not None and high is not None else None,
        days=days_known(amounts),
        complete_until=result.complete_until,
    )


def _ends(to_date: Decimal | None, found: Forecast | None) -> tuple[Decimal | None, ...]:
    if to_date is None or found is None:
        return None, None, None
    return tuple(to_date + in_money(amount) for amount in (found.rest, found.low, found.high))


def in_money(amount: float) -> Decimal:
    """A simulated amount, to a millionth."""
    return Decimal(repr(amount)).quantize(MICRO)


def _history(query: Query, now: datetime) -> list[float]:
    """Cost of the HISTORY_DAYS whole days before today, oldest first; what is unknown counts as nothing."""
    project, zone = query.project, query.project.zone
    today = now.astimezone(ZoneInfo(zone)).date()
    first = today - HISTORY_DAYS * DAY
    period = Period(start=day_start(first, zone), end=day_start(today, zone), zone=zone)
    daily = Query(
        project=project, period=period, measures=("cost",), filters=query.filters, grain="day", limit=1
    )
    amounts = {row[0].date(): float(row[1] or 0) for row in answer(daily, now=now, trust=False).rows}
    return [amounts.get(first + n * DAY, 0.0) for n in range(HISTORY_DAYS)]


def day_left(project: Project, *, at: datetime, now: datetime) -> float:
    """How much of a day's spend usually comes after this time of day, 0 to 1; evenly spread where too little is
    known."""
    zone = project.zone
    local = at.astimezone(ZoneInfo(zone))
    start, end = day_start(local.date(), zone), day_start(local.date() + DAY, zone)
    week = Period(start=day_start(local.date() - PROFILE_DAYS * DAY, zone), end=start, zone=zone)
    query = Query(project=project, period=week, measures=("cost",), grain="hour")
    by_hour = [0.0] * 24
    for row in answer(query, now=now, trust=False).rows:
        by_hour[row[0].hour] += float(row[1] or 0)
    whole = sum(by_hour)
    if not whole or sum(amount > 0 for amount in by_hour) < LEAST_HOURS:
        return 1 - (at - start) / (end - start)
    running = by_hour[local.hour] * (1 - (local.minute * 60 + local.second) / 3600)
    return (running + sum(by_hour[local.hour + 1 :])) / whole
