"""The period `since:<change>`: from a change until the end of today."""

from dataclasses import replace
from datetime import datetime

from accounts.models import Project
from analytics.changes_models import Change
from analytics.periods import DAY, Period, quarter_floor

SINCE = "since:"


def since(word: str, *, project: Project, days: Period, now: datetime, kept: datetime) -> Period | None:
    """The period of such a word; None when there is no such change, or it lies ahead.

    It begins with the change's quarter hour; where those are no longer kept, with its day. `days`: a period whose
    zones tell when a day begins; `kept`: from when on quarter hours are."""
    number = word.removeprefix(SINCE)
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    change = Change.objects.filter(project=project, pk=int(number)).first()
    if change is None or change.at >= now:
        return None
    start = quarter_floor(change.at)
    if start < kept:
        start = days.day_start(replace(days, start=start, end=start).first_day)
    last = replace(days, start=now, end=now).first_day
    return replace(days, start=start, end=days.day_start(last + DAY), name=word, until=quarter_floor(now))
