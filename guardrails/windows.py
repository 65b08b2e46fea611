"""Windows of budgets: the local day, ISO week, month or quarter that holds an instant. Pure, half-open, in UTC.

The length of a window is that of the calendar: a day has 23 or 25 hours when the clocks change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from analytics.periods import DAY, Period, day_start, month_start, months_before, quarter_start

FIRST_DAYS: dict[str, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": month_start,
    "quarter": quarter_start,
}
AFTER: dict[str, Callable[[date], date]] = {
    "day": lambda first: first + DAY,
    "week": lambda first: first + 7 * DAY,
    "month": lambda first: months_before(first, -1),
    "quarter": lambda first: months_before(first, -3),
}
WINDOWS = tuple(FIRST_DAYS)


@dataclass(frozen=True, slots=True)
class Window:
    """One window: `start` inclusive, `end` exclusive."""

    kind: str
    start: datetime
    end: datetime
    zone: str

    @property
    def period(self) -> Period:
        """The whole window, as the query engine asks for it."""
        return Period(start=self.start, end=self.end, zone=self.zone)

    @property
    def first_day(self) -> date:
        """Its first local day."""
        return self.start.astimezone(ZoneInfo(self.zone)).date()

    @property
    def days(self) -> tuple[date, ...]:
        """Its local days."""
        after = self.end.astimezone(ZoneInfo(self.zone)).date()
        return tuple(self.first_day + n * DAY for n in range((after - self.first_day).days))

    def elapsed(self, at: datetime) -> float:
        """How much of it is over, 0 to 1."""
        return min(max((at - self.start) / (self.end - self.start), 0.0), 1.0)


def window_of(kind: str, at: datetime, *, zone: str) -> Window:
    """The window that holds an aware instant. Raises KeyError for a kind that is not in WINDOWS."""
    first = FIRST_DAYS[kind](at.astimezone(ZoneInfo(zone)).date())
    return Window(kind, day_start(first, zone), day_start(AFTER[kind](first), zone), zone)


def before(window: Window) -> Window:
    """The window that ends where this one starts."""
    last = (window.start - timedelta(microseconds=1)).astimezone(UTC)
    return window_of(window.kind, last, zone=window.zone)
