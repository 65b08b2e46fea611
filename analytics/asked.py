"""Reading times out of a question's parameters: periods by word or by dates, zones, comparisons."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.utils.dateparse import parse_date, parse_datetime

from accounts.errors import ApiError
from accounts.models import Project
from accounts.zones import known_zones, nearest_zone
from analytics.changes_since import SINCE, since
from analytics.periods import (
    COMPARISONS,
    DAY,
    NAMED,
    Period,
    ending_yesterday,
    named,
    past,
    quarter_ceil,
    quarter_floor,
)

DEFAULT_PERIOD = "mtd"
FIRST_YEAR, LAST_YEAR = 1970, 2200
Times = tuple[Period, Period | None, tuple[str, ...]]


def refuse(field: str, message: str, hint: str, code: str = "bad_query") -> ApiError:
    """A 422 that says what cannot be answered and what can."""
    return ApiError(422, code, message, field=field, hint=hint)


def times(given: Mapping[str, str], *, project: Project, now: datetime) -> Times:
    """(period, base period or None, notes). Raises ApiError 422."""
    period = _period(given, project, now)
    if given.get("compare_from") or given.get("compare_to"):
        if given.get("compare"):
            raise refuse(
                "compare", "compare and compare_from are two ways to say one thing.", "Give one of them."
            )
        return period, _between(given, "compare_", period, now), ()
    word = given.get("compare", "")
    if not word:
        return period, None, ()
    if word not in COMPARISONS:
        raise refuse("compare", f"There is no comparison {word!r}.", f"Use one of {', '.join(COMPARISONS)}.")
    return _compared(period, word, kept_from(now))


def kept_from(now: datetime) -> datetime:
    """From when on quarter hours are kept."""
    return quarter_floor(now) - timedelta(days=settings.QUARTER_HOUR_DAYS)


def _compared(period: Period, word: str, kept: datetime) -> Times:
    """Both sides of a comparison. A base that ends inside a day whose quarter hours are gone makes both sides
    end with yesterday, so that like meets like."""
    try:
        base = COMPARISONS[word](period)
    except (OverflowError, ValueError) as problem:
        raise refuse("compare", "That lies before the calendar.", "Choose a later period.") from problem
    if _first_edge(base) >= kept:
        return period, base, ()
    cut = ending_yesterday(period)
    if cut != period:
        return (
            cut,
            COMPARISONS[word](cut),
            ("Both sides end with yesterday: the base's hours are no longer kept.",),
        )
    whole = _outward(base)
    return period, whole, ("The base has whole days: its hours are no longer kept.",)


def _first_edge(period: Period) -> datetime:
    """The earliest quarter hour that is needed because the period starts or ends inside a day."""
    last = period.day_start(period.day_of(period.end))
    if period.start != period.day_start(period.first_day):
        return period.start
    return last if last != period.end else datetime.max.replace(tzinfo=UTC)


def _outward(period: Period) -> Period:
    last = period.last_day + DAY
    return replace(period, start=period.day_start(period.first_day), end=period.day_start(last))


def _period(given: Mapping[str, str], project: Project, now: datetime) -> Period:
    zone = given.get("zone") or project.zone
    earlier = past(project.earlier_zones) if zone == project.zone else ()
    if zone not in known_zones():
        raise refuse(
            "zone",
            f"There is no time zone {zone[:60]!r}.",
            f"Give an IANA name such as {nearest_zone(zone)}.",
        )
    if given.get("from") or given.get("to"):
        if given.get("period"):
            raise refuse("period", "period and from are two ways to say one thing.", "Give one of them.")
        return _between(given, "", Period(start=now, end=now, zone=zone, earlier=earlier), now)
    word = given.get("period") or DEFAULT_PERIOD
    if word.startswith(SINCE):
        days = Period(start=now, end=now, zone=zone, earlier=earlier)
        found = since(word, project=project, days=days, now=now, kept=kept_from(now))
        if found is None:
            raise refuse(
                "period", f"There is no change {word[:40]!r} to begin with.", "GET /v1/changes lists them."
            )
        return found
    if word not in NAMED:
        raise refuse(
            "period",
            f"There is no period {word!r}.",
            f"Use one of {', '.join(NAMED)}, since:<change>, or from and to.",
        )
    return named(word, zone=zone, now=now, earlier=earlier)


def _between(given: Mapping[str, str], prefix: str, days: Period, now: datetime) -> Period:
    """`from` inclusive, `to` exclusive; without `to` until the end of today. Only quarter hours are known.

    `days`: a period whose zones tell when a day begins."""
    if not given.get(f"{prefix}from"):
        raise refuse(f"{prefix}from", f"{prefix}to needs {prefix}from.", f"Add {prefix}from=<date>.")
    start = _moment(given[f"{prefix}from"], f"{prefix}from", days)
    if given.get(f"{prefix}to"):
        end = _moment(given[f"{prefix}to"], f"{prefix}to", days)
    else:
        end = days.day_start(days.day_of(now) + DAY)
    if end > quarter_floor(now):
        end = quarter_ceil(end)  # the quarter hour that runs is known only as far as it has come
    for field, moment in ((f"{prefix}from", start), (f"{prefix}to", end)):
        if moment != quarter_floor(moment):
            raise refuse(
                field,
                "Times are answered to the quarter hour.",
                f"The nearest is {days.local(quarter_floor(moment)).isoformat()}.",
            )
    if end <= start:
        raise refuse(
            f"{prefix}to", "The period ends before it starts.", f"{prefix}to is exclusive: give a later one."
        )
    until = quarter_floor(now) if start < quarter_floor(now) < end else None
    return Period(start=start, end=end, zone=days.zone, until=until, earlier=days.earlier)


def _moment(text: str, field: str, days: Period) -> datetime:
    """A date (its start) or a time with offset (without one: in the zone of `days`), as UTC."""
    try:
        day, moment = _read(text)
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=days.tz)
        found = moment.astimezone(UTC) if moment is not None else days.day_start(day) if day else None
    except (ValueError, OverflowError):
        found = None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise refuse(
            field, f"{text[:40]!r} is no date or time.", "Write 2026-11-01 or 2026-11-01T10:30:00+01:00."
        )
    return found


def _read(text: str) -> tuple[date | None, datetime | None]:
    """An offset's plus sign that came unescaped in a URL is a space."""
    text = text.strip()
    if len(text) <= 10:
        return parse_date(text), None
    return None, parse_datetime(text.replace(" ", "+") if "T" in text else text)
