"""Periods in words and links: what the context bar says and where its arrows lead."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from analytics import periods
from analytics.periods import NAMED, Period
from dashboard import formats

# The periods of the context bar: its word, its key, its short label.
BAR = (
    ("today", "t", "Today"),
    ("7d", "w", "7 days"),
    ("28d", "f", "28 days"),
    ("mtd", "m", "Month to date"),
    ("last_month", "l", "Last month"),
    ("qtd", "q", "Quarter"),
    ("ytd", "y", "Year"),
)
AGAINST = (
    ("previous", "previous"),
    ("weekdays", "same weekdays"),
    ("year", "a year ago"),
    ("none", "nothing"),
)


@dataclass(frozen=True, slots=True)
class Words:
    """How sentences speak of a period: "this month so far", "than by this day in October", "as in October"."""

    now: str
    than: str
    as_in: str


def dates(period: Period, *, year: bool = True) -> str:
    """1–24 Nov 2026; a stretch that ends inside a day says until when: 1–24 Oct to 14:15."""
    shown = formats.days(period.first_day, period.last_day, year=year)
    if period.whole_days:
        return shown
    start, end = period.start.astimezone(period.tz), period.end.astimezone(period.tz)
    if (start.hour, start.minute) == (0, 0):
        return f"{shown} to {end:%H:%M}"
    if period.first_day == period.last_day:
        return f"{shown} {start:%H:%M}–{end:%H:%M}"
    return f"{formats.day(period.first_day)} {start:%H:%M} – {formats.day(period.last_day)} {end:%H:%M}"


def dates_reached(period: Period) -> str:
    """The dates of a running period with the time it has come to, as on paper."""
    if period.until is None:
        return dates(period)
    return f"{dates(period)}, to {period.until.astimezone(period.tz):%H:%M}"


def words(period: Period, base: Period | None) -> Words:
    """The phrases of a named period, else its dates."""
    month = f"{base.first_day:%B}" if base else ""
    named = {
        "today": Words("today so far", "by this time yesterday", "yesterday"),
        "yesterday": Words("yesterday", "the day before", "the day before"),
        "7d": Words("in these seven days", "in the seven days before", "in the seven days before"),
        "28d": Words("in these 28 days", "in the 28 days before", "in the 28 days before"),
        "mtd": Words("this month so far", f"by this day in {month}", f"in {month}"),
        "last_month": Words(f"in {period.first_day:%B}", f"in {month}", f"in {month}"),
        "qtd": Words("this quarter so far", "by this day last quarter", "last quarter"),
        "ytd": Words("this year so far", "by this day last year", "last year"),
    }
    stretch = dates(base, year=False) if base else ""
    plain = Words(f"in {dates(period)}", f"in {stretch}", f"in {stretch}")
    if base is None or base == periods.previous(period):
        return named.get(period.name, plain)
    return Words(named.get(period.name, plain).now, f"in {stretch}", f"in {stretch}")


def back(period: Period) -> tuple[date, date]:
    """The unit before, as (first day, day after the last)."""
    rule = NAMED.get(period.name)
    if rule and rule.running:
        return rule.first(period.first_day - periods.DAY), period.first_day
    before = periods.previous(period)
    return before.first_day, before.end.astimezone(period.tz).date()


def on(period: Period, now: datetime) -> tuple[date, date] | None:
    """The unit after, None where it has not begun."""
    first = period.end.astimezone(period.tz).date()
    if first > now.astimezone(period.tz).date():
        return None
    start, after = period.first_day, first
    if start.day == 1 and after.day == 1:
        months = (after.year - start.year) * 12 + after.month - start.month
        return first, periods.months_before(first, -months)
    return first, first + timedelta(days=max(1, (after - start).days))


def weekdays_differ(period: Period, base: Period | None) -> bool:
    """Whether the two sides hold another mix of weekdays."""
    return base is not None and (period.first_day - base.first_day).days % 7 != 0 and period.days > 1
