"""Time zones of a project: which names there are, and which one held at an instant. Pure: no Django.

A change of zone applies from a day on: days before it keep the bounds they had, so nothing is counted again.
"""

import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from difflib import get_close_matches
from functools import cache


@cache
def known_zones() -> frozenset[str]:
    """The IANA names, less those that only some machines have."""
    return frozenset(name for name in zoneinfo.available_timezones() if name not in ("localtime", "Factory"))


def nearest_zone(name: str) -> str:
    """A name that may have been meant, for the hint of an error."""
    last = {zone.rpartition("/")[2].lower(): zone for zone in sorted(known_zones())}
    found = get_close_matches(name.rpartition("/")[2].lower().replace(" ", "_"), last, n=1)
    return last[found[0]] if found else "Europe/Berlin"


def zone_at(instant: datetime, *, zone: str, earlier: Iterable[Mapping[str, str]]) -> str:
    """The zone that held at an aware instant; `earlier`: `[{"zone", "until"}]`, oldest first, half-open."""
    for past in earlier:
        if instant < datetime.fromisoformat(past["until"]):
            return past["zone"]
    return zone


def next_midnight(now: datetime, *, zone: str) -> datetime:
    """The start of the next day in the zone, as an aware instant: when a change of zone begins to apply."""
    here = zoneinfo.ZoneInfo(zone)
    tomorrow = now.astimezone(here).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), tzinfo=here)
