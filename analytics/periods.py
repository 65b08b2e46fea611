"""Periods: which stretch of time a question is about, and which one it is compared with.

Days, weeks and months are those of a zone; intervals are half-open; shifts go by the calendar, so that a
month before 31 March ends with February. Quarter hours are the finest thing that rollups know.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Past = tuple[tuple[str, datetime], ...]  # zones that held before, and until when, oldest first
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A stretch of time: `start` inclusive, `end` exclusive, both UTC; its days are those of `zone`.

    `name` is the word it was asked by ("mtd"), "" when it was given by dates. `until`: how far a period that
    still runs has come (start of the current quarter hour); a comparison ends at the same place. `earlier`: the
    zones that held before `zone`; days before such a change keep the bounds that they had.
    """

    start: datetime
    end: datetime
    zone: str
    name: str = ""
    until: datetime | None = None
    earlier: Past = ()

    @property
    def tz(self) -> ZoneInfo:
        """The zone, as Python wants it."""
        return ZoneInfo(self.zone)

    @property
    def first_day(self) -> date:
        """The local day in which the period starts."""
        return self.day_of(self.start)

    @property
    def last_day(self) -> date:
        """The last local day of which the period has a part (its first day when the period is empty)."""
        return max(self.first_day, self.day_of(self.end - timedelta(microseconds=1)))

    @property
    def whole_days(self) -> bool:
        """Whether the period starts and ends with a day of its zone."""
        return self.start == self.day_start(self.first_day) and self.end == self.day_start(
            self.day_of(self.end)
        )

    @property
    def days(self) -> int:
        """How many local days the period touches."""
        return (self.last_day - self.first_day).days + 1

    def local(self, moment: datetime) -> datetime:
        """The moment in the zone that held then."""
        held = next((zone for zone, until in self.earlier if moment < until), self.zone)
        return moment.astimezone(ZoneInfo(held))

    def day_of(self, moment: datetime) -> date:
        """The day that the moment belongs to."""
        return self.local(moment).date()

    def day_start(self, day: date) -> datetime:
        """The instant (UTC) at which a day of the period's zones begins."""
        return _at(day, time(), self)


def past(earlier: Iterable[Mapping[str, str]]) -> Past:
    """A project's earlier zones, as periods know them."""
    return tuple((one["zone"], datetime.fromisoformat(one["until"])) for one in earlier)


def day_start(day: date, zone: str) -> datetime:
    """The instant (UTC) at which a local day begins; where midnight is skipped, the instant of the jump."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def quarter_floor(moment: datetime) -> datetime:
    """Start of the quarter hour (UTC) that holds the moment."""
    moment = moment.astimezone(UTC)
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def quarter_ceil(moment: datetime) -> datetime:
    """The moment itself when it is a quarter hour's start, else the start of the next."""
    floor = quarter_floor(moment)
    return floor if floor == moment else floor + QUARTER


def months_before(day: date, months: int) -> date:
    """The same day `months` earlier; the last day of that month where it has fewer days."""
    index = day.year * 12 + day.month - 1 - months
    first = date(index // 12, index % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), month_start(first + timedelta(days=31)) - DAY)


def month_start(day: date) -> date:
    """First day of the month."""
    return day.replace(day=1)


def quarter_start(day: date) -> date:
    """First day of the quarter of the year."""
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def year_start(day: date) -> date:
    """First day of the year."""
    return date(day.year, 1, 1)


def _same(day: date) -> date:
    return day


@dataclass(frozen=True, slots=True)
class Named:
    """A period that has a word: its first day and the day after its last, from today's date.

    `unit_months`: a running period (until now) and the length of its unit in months, 0 = a day."""

    name: str
    label: str
    first: Callable[[date], date]
    after: Callable[[date], date]
    running: bool = False
    unit_months: int = 0


def _tomorrow(day: date) -> date:
    return day + DAY


NAMED: dict[str, Named] = {
    named.name: named
    for named in (
        Named("today", "Today", _same, _tomorrow, True, 0),
        Named("yesterday", "Yesterday", lambda d: d - DAY, _same),
        Named("7d", "7 days", lambda d: d - 7 * DAY, _same),
        Named("28d", "28 days", lambda d: d - 28 * DAY, _same),
        Named("mtd", "Month to date", month_start, _tomorrow, True, 1),
        Named("last_month", "Last month", lambda d: months_before(month_start(d), 1), month_start),
        Named("qtd", "Quarter to date", quarter_start, _tomorrow, True, 3),
        Named("ytd", "Year to date", year_start, _tomorrow, True, 12),
    )
}


def named(name: str, *, zone: str, now: datetime, earlier: Past = ()) -> Period:
    """The period of that word as of `now`. Raises KeyError for a word that does not exist."""
    rule = NAMED[name]
    any_time = Period(start=now, end=now, zone=zone, earlier=earlier)
    today = any_time.day_of(now)
    return replace(
        any_time,
        start=any_time.day_start(rule.first(today)),
        end=any_time.day_start(rule.after(today)),
        name=name,
        until=quarter_floor(now) if rule.running else None,
    )


def previous(period: Period) -> Period:
    """The unit before up to the same day and hour (today, mtd, qtd, ytd), else the equal stretch before.

    A period of whole months is preceded by as many whole months, one of whole days by as many days."""
    rule = NAMED.get(period.name)
    if rule and rule.running and period.until:
        return _unit_before(period, rule)
    if months := _whole_months(period):
        first = months_before(period.first_day, months)
        return _between(period, period.day_start(first), period.start)
    if period.whole_days:
        length = period.day_of(period.end) - period.first_day
        return _moved(period, length.days, period.end)
    return _between(period, period.start - (period.end - period.start), period.start)


def weekdays(period: Period) -> Period:
    """Moved back by the fewest whole weeks that clear the period, so that Mondays meet Mondays."""
    reach = reached(period)
    span = period.day_of(reach - timedelta(microseconds=1)) - period.first_day
    return _moved(period, (span.days // 7 + 1) * 7, reach)


def year_before(period: Period) -> Period:
    """The same dates a year before; 29 February becomes the 28th."""
    end = reached(period)
    local_start, local_end = period.local(period.start), period.local(end)
    start = _at(months_before(local_start.date(), 12), local_start, period)
    return _between(period, start, _year_before_end(local_end, period))


def _year_before_end(local_end: datetime, period: Period) -> datetime:
    """An end at midnight is moved by its last day: a period that ends with 29 February ends with the 28th."""
    if local_end.astimezone(UTC) == period.day_start(local_end.date()):
        return period.day_start(months_before(local_end.date() - DAY, 12) + DAY)
    return _at(months_before(local_end.date(), 12), local_end, period)


COMPARISONS: dict[str, Callable[[Period], Period]] = {
    "previous": previous,
    "weekdays": weekdays,
    "year": year_before,
}


def reached(period: Period) -> datetime:
    """Where the period ends as far as time has come."""
    return min(period.end, period.until) if period.until else period.end


def ending_yesterday(period: Period) -> Period:
    """A running period without today; unchanged when nothing would be left of it."""
    if period.until is None:
        return period
    end = period.day_start(period.day_of(period.until))
    return replace(period, end=end, until=end) if end > period.start else period


def _unit_before(period: Period, rule: Named) -> Period:
    start = period.local(period.start)
    reach = reached(period)
    end = period.local(reach)
    if rule.unit_months == 0:
        first, last = start.date() - DAY, end.date() - DAY
    else:
        first = months_before(start.date(), rule.unit_months)
        last = months_before(end.date(), rule.unit_months)
    if reach == period.day_start(end.date()) and reach > period.start and rule.unit_months:
        # It ends with a whole day, and so does the base: 31 March meets 28 February.
        last = months_before(end.date() - DAY, rule.unit_months) + DAY
    stop = _at(last, end, period)
    return _between(period, period.day_start(first), min(stop, period.start))


def _whole_months(period: Period) -> int:
    """How many whole calendar months the period is, 0 when it is none."""
    first, after = period.first_day, period.day_of(period.end)
    if not period.whole_days or first.day != 1 or after.day != 1:
        return 0
    return (after.year - first.year) * 12 + after.month - first.month


def _moved(period: Period, days: int, until: datetime) -> Period:
    start, end = period.local(period.start), period.local(until)
    return _between(
        period,
        _at(start.date() - timedelta(days=days), start, period),
        _at(end.date() - timedelta(days=days), end, period),
    )


def _between(period: Period, start: datetime, end: datetime) -> Period:
    """Another stretch of time in the period's zones."""
    return Period(start=start, end=end, zone=period.zone, earlier=period.earlier)


def _at(day: date, clock: datetime | time, period: Period) -> datetime:
    """That local day at the wall-clock time (and fold) of `clock`, in the zone that held then, as UTC."""
    moment = clock.time().replace(fold=clock.fold) if isinstance(clock, datetime) else clock
    for zone, until in period.earlier:
        found = datetime.combine(day, moment, ZoneInfo(zone)).astimezone(UTC)
        if found < until:
            return found
    return datetime.combine(day, moment, period.tz).astimezone(UTC)
