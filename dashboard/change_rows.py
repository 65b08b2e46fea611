"""Rows of changes: as the list, the panel of Overview and the list beside a chart show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse

from accounts.models import Project
from analytics.changes_list import Line, Wanted, page
from analytics.effects import Effect
from analytics.effects_store import measured
from analytics.periods import Period
from dashboard import formats
from dashboard.change_texts import Did, change_text, did, flows_text, kind_text
from dashboard.markers import Marker, markers_for

RECENT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One change in words. `at` in the project's zone, `seen`: where the first call came at another minute."""

    id: int
    kind: str
    text: str
    flows: str
    all_flows: str
    at: str
    iso: str
    who: str
    noticed: bool
    seen: str
    not_evaluated: bool
    did: tuple[Did, ...]
    href: str
    link: str
    note: str
    letter: str = ""


def rows_of(project: Project, lines: Sequence[Line], *, now: datetime) -> tuple[Row, ...]:
    """The rows of these changes, with what they did as it was measured last."""
    kept = measured(project, lines)
    return tuple(row_of(project, line, kept, now=now) for line in lines)


def row_of(
    project: Project, line: Line, kept: Mapping[int, tuple[Effect, ...]], *, now: datetime, letter: str = ""
) -> Row:
    """One row."""
    at = formats.moment(line.at, zone=project.zone, now=now)
    return Row(
        id=line.id,
        kind=kind_text(line),
        text=change_text(line),
        flows=flows_text(line),
        all_flows=", ".join(line.flows),
        at=at,
        iso=line.at.isoformat(),
        who="noticed" if line.noticed and line.kind != "price" else line.by,
        noticed=line.noticed,
        seen=_seen(line, project.zone, now) if not line.noticed else "",
        not_evaluated=line.not_evaluated,
        did=did(kept[line.id]) if line.id in kept else (),
        href=reverse("change", args=[project.slug, line.id]),
        link=line.link,
        note=line.note,
        letter=letter,
    )


def _seen(line: Line, zone: str, now: datetime) -> str:
    """ "seen at 14:05" on the same day, else with the day."""
    if line.first_call_at is None:
        return "not seen yet" if line.flows or line.values else ""
    tz = ZoneInfo(zone)
    if line.first_call_at.astimezone(tz).date() == line.at.astimezone(tz).date():
        return f"seen at {line.first_call_at.astimezone(tz):%H:%M}"
    return f"seen {formats.moment(line.first_call_at, zone=zone, now=now)}"


def recent(project: Project, *, environment: str, before: datetime, now: datetime) -> tuple[Row, ...]:
    """The newest changes of an environment ("" = all), for a panel."""
    environments = (environment,) if environment else ()
    found = page(project, Wanted(environments=environments, end=before, limit=RECENT)).lines
    return rows_of(project, found, now=now)


def marked(
    project: Project, flows: Sequence[str], period: Period, environment: str, *, now: datetime
) -> tuple[list[Marker], tuple[Row, ...]]:
    """The markers of a chart, and the list that repeats their letters."""
    markers = markers_for(project, flows, period, environment)
    kept = measured(project, [one.line for one in markers])
    return markers, tuple(row_of(project, one.line, kept, now=now, letter=one.letter) for one in markers)
