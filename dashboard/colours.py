"""Which colour a member of a set has: given by 90-day spend when first asked, then kept on every page.

The largest seven of a dimension get a place in the palette. A page that shows members beyond those seven (a
filter can leave only small ones) lends them what is free on that page; the loan is not kept.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.models import Project
from analytics.answer import answer
from analytics.dimensions import LABELS
from analytics.periods import DAY, Period, day_start
from analytics.query import Query
from dashboard.models import Colour
from dashboard.tokens import CATEGORIES, REST

SPEND_DAYS = 90


def colours_of(shown: Sequence[str], *, project: Project, dimension: str, now: datetime) -> dict[str, str]:
    """The token (`c1`…`c7`, `rest`) of each of at most seven members, in the order shown."""
    kept = dict(Colour.objects.filter(project=project, dimension=dimension).values_list("value", "place"))
    if len(kept) < len(CATEGORIES) and any(value not in kept and value not in LABELS for value in shown):
        kept = _assign(kept, project=project, dimension=dimension, now=now)
    return lend(shown, kept)


def lend(shown: Sequence[str], kept: dict[str, int]) -> dict[str, str]:
    """Kept places first; what is free on this page for the others, in order; `rest` when nothing is free."""
    found = {value: CATEGORIES[kept[value] - 1] for value in shown if value in kept}
    free = iter(token for token in CATEGORIES if token not in found.values())
    for value in shown:
        if value not in found:
            found[value] = REST if value in LABELS else next(free, REST)
    return found


def _assign(kept: dict[str, int], *, project: Project, dimension: str, now: datetime) -> dict[str, int]:
    """Give the free places to the largest that have none. Two requests at once agree: the table is the judge."""
    free = [place for place in range(1, len(CATEGORIES) + 1) if place not in kept.values()]
    wanted = [value for value in largest(project=project, dimension=dimension, now=now) if value not in kept]
    rows = [
        Colour(project=project, dimension=dimension, value=value[:250], place=place)
        for value, place in zip(wanted, free, strict=False)
    ]
    Colour.objects.bulk_create(rows, ignore_conflicts=True)
    return dict(Colour.objects.filter(project=project, dimension=dimension).values_list("value", "place"))


def largest(*, project: Project, dimension: str, now: datetime) -> list[str]:
    """The seven members with the largest spend of the last 90 days, all environments."""
    today = now.astimezone(Period(start=now, end=now, zone=project.zone).tz).date()
    period = Period(
        start=day_start(today - timedelta(days=SPEND_DAYS), project.zone),
        end=day_start(today + DAY, project.zone),
        zone=project.zone,
    )
    query = Query(
        project=project,
        period=period,
        measures=("cost",),
        group_by=(dimension,),
        limit=len(CATEGORIES) + len(LABELS),
    )
    groups = (group[0] for group in answer(query, now=now).by_group())
    return [value for value in groups if value not in LABELS][: len(CATEGORIES)]
