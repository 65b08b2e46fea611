"""Change markers: a letter for each change of a period, by time, on every chart over time and in the list beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.urls import reverse

from accounts.models import Project
from analytics.changes_list import Line, Wanted, page
from analytics.periods import Period
from dashboard.change_texts import change_text, kind_text
from dashboard.charts import Figure, escaped

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST = len(LETTERS)  # the latest ones, where there are more
NEAR = 20  # px: closer ones share a box
WIDE = 1100  # px of a chart's plot on a wide page
TOP = 30  # px above the plots that the boxes need
GRAINS = {
    "15min": timedelta(minutes=15), "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7),
    "month": timedelta(days=30),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Marker:
    """One change on a chart: its letter, its exact time (aware), what it was in words, and where it leads.

    `line` is the change itself, for the list beside the chart."""

    letter: str
    at: datetime
    text: str
    href: str
    line: Line


def markers_for(
    project: Project, flows: Iterable[str], period: Period, environment: str = ""
) -> list[Marker]:
    """The markers of a period [start, end), by time; `flows` by today's names, none = all; `environment` "" = all."""
    wanted = Wanted(
        flows=tuple(flows), environments=(environment,) if environment else (), start=period.start, end=period.end,
        limit=MOST,
    )  # fmt: skip
    found = reversed(page(project, wanted).lines)
    return [
        Marker(
            letter, line.at, f"{kind_text(line)} {change_text(line)}",
            reverse("change", args=[project.slug, line.id]), line,
        )
        for letter, line in zip(LETTERS, found, strict=False)
    ]  # fmt: skip


def add_markers(
    figure: Figure, markers: Sequence[Marker], *, period: Period, grain: str = "", width: int = WIDE
) -> Figure:
    """The figure with a line through all its plots at each marker's time and the letter above.

    `grain`: of a chart whose buckets stand at their start (Explore's); "" where they stand in their middle."""
    if not markers:
        return figure
    layout = dict(figure["layout"])
    tz, shift = ZoneInfo(period.zone), GRAINS.get(grain, timedelta()) / 2
    boxes = _boxes(markers, (period.end - period.start) * NEAR / width)
    layout["shapes"] = [*layout.get("shapes", []), *(_line(_x(one.at, tz, shift)) for one in markers)]
    notes = [_box(group, _x(group[0].at, tz, shift)) for group in boxes]
    layout["annotations"] = [*layout.get("annotations", []), *notes]
    layout["margin"] = {**layout["margin"], "t": max(TOP, layout["margin"].get("t", 0))}
    return {**figure, "layout": layout}


def _boxes(markers: Sequence[Marker], near: timedelta) -> list[list[Marker]]:
    """Markers that would cover each other, together."""
    boxes: list[list[Marker]] = []
    for marker in markers:
        if boxes and marker.at - boxes[-1][0].at < near:
            boxes[-1].append(marker)
        else:
            boxes.append([marker])
    return boxes


def _x(at: datetime, tz: ZoneInfo, shift: timedelta) -> str:
    """Local wall-clock text, as all of a chart's times."""
    return (at.astimezone(tz).replace(tzinfo=None) - shift).isoformat(sep=" ", timespec="minutes")


def _line(x: str) -> Figure:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1,
        "line": {"color": "--mark", "width": 1}, "layer": "above",
    }  # fmt: skip


def _box(group: Sequence[Marker], x: str) -> Figure:
    """The letter (and how many more) above the line; the name carries the address that a click opens."""
    first = group[0]
    text = first.letter if len(group) == 1 else f"{first.letter} +{len(group) - 1}"
    return {
        "xref": "x", "yref": "paper", "x": x, "y": 1, "yanchor": "bottom", "yshift": 3, "showarrow": False,
        "text": text, "font": {"size": 11, "color": "--paper", "weight": 700}, "bgcolor": "--mark", "borderpad": 3,
        "captureevents": True, "name": first.href,
        "hovertext": "<br>".join(f"{one.letter} {escaped(one.text)}" for one in group),
    }  # fmt: skip
