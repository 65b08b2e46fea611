"""Which stretches of time a change is judged by: as long before as after, and the same weekdays. Pure.

After: from the change until the flow's next one, four weeks at most. Before: the same length, moved back by the fewest
whole weeks, as far as the change before allows; else the stretch right before.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from analytics.periods import DAY, Period, day_start, quarter_ceil, quarter_floor

LONGEST = timedelta(days=28)
WEEK = timedelta(days=7)
_TICK = timedelta(microseconds=1)
WEEKDAYS = "The weekdays of both sides differ: there is no clean stretch whole weeks before."
HOURS = "The day of the change is left out: its hours are no longer kept."


@dataclass(frozen=True, slots=True)
class Windows:
    """Both sides, and what a reader has to know of them."""

    before: Period
    after: Period
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When it was, in which zone, what it is now; `kept`: from when on quarter hours are; `others`: the flow's other
    changes; `first`: the flow's first call."""

    at: datetime
    zone: str
    now: datetime
    kept: datetime
    others: tuple[datetime, ...] = ()
    first: datetime | None = None


def windows(moment: Moment) -> Windows | None:
    """The sides of a change; None when there is nothing after it yet, or nothing before."""
    found = _fine(moment)
    return found if found is None or found.before.start >= moment.kept else _by_days(moment)


def _fine(moment: Moment) -> Windows | None:
    """To the quarter hour; the one in which the change fell is left out."""
    before_it, after_it = quarter_floor(moment.at), quarter_ceil(moment.at)
    until = min([quarter_floor(moment.now), *(quarter_floor(one) for one in _later(moment))])
    since = max((quarter_ceil(one) for one in _earlier(moment)), default=None)
    length = _length(_room(until - after_it, before_it - since if since else None))
    if length <= timedelta(0):
        return None
    start = after_it - -(-length // WEEK) * WEEK
    clean = start + length <= before_it and (since is None or start >= since)
    start = start if clean else before_it - length
    return Windows(
        Period(start=start, end=start + length, zone=moment.zone),
        Period(start=after_it, end=after_it + length, zone=moment.zone),
        () if clean or not length % WEEK else (WEEKDAYS,),
    )


def _by_days(moment: Moment) -> Windows | None:
    """By whole days, where hours are no longer kept; the day of the change is left out."""
    day = _day(moment.at, moment.zone)
    first = day if day_start(day, moment.zone) == moment.at else day + DAY
    until = min([_day(moment.now, moment.zone), *(_day(one, moment.zone) for one in _later(moment))])
    since = max((_day(one - _TICK, moment.zone) + DAY for one in _earlier(moment)), default=None)
    length = _length(_room(until - first, day - since if since else None))
    if length < DAY:
        return None
    start = first - -(-length // WEEK) * WEEK
    clean = start + length <= day and (since is None or start >= since)
    start = start if clean else day - length
    notes = (HOURS,) if first != day else ()
    return Windows(
        _days(start, length, moment.zone),
        _days(first, length, moment.zone),
        notes if clean or not length % WEEK else (*notes, WEEKDAYS),
    )


def _earlier(moment: Moment) -> Iterable[datetime]:
    yield from (one for one in moment.others if one < moment.at)
    if moment.first is not None and moment.first < moment.at:
        yield moment.first


def _later(moment: Moment) -> Iterable[datetime]:
    return (one for one in moment.others if one > moment.at)


def _room(after: timedelta, before: timedelta | None) -> timedelta:
    return min(after, LONGEST) if before is None else min(after, before, LONGEST)


def _length(room: timedelta) -> timedelta:
    """Whole weeks from one week on, whole days from one day on, else what there is."""
    unit = next((unit for unit in (WEEK, DAY) if room >= unit), None)
    return room // unit * unit if unit else room


def _day(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def _days(start: date, length: timedelta, zone: str) -> Period:
    return Period(start=day_start(start, zone), end=day_start(start + length, zone), zone=zone)
