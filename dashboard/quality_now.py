"""Scores now: every score of every flow with its interval, against the period before; those that fell first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from analytics.answer import answer
from analytics.asked import kept_from
from analytics.dimensions import OTHER, REST, SEVERAL
from analytics.intervals import Interval
from analytics.result import Result
from dashboard import buckets, formats, sparklines
from dashboard.deltas import Delta
from dashboard.flow_links import flow_url
from dashboard.quality_measure import (
    OUTCOMES,
    Moved,
    Quality,
    delta_of,
    enough,
    few,
    moved,
    primaries,
    scores_of,
)
from dashboard.scope import Scope

FLOWS = 500
ROWS = 12
SPARK = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """One score of one flow, now and before."""

    flow: str
    quality: Quality
    value: float | None
    sure: Interval | None
    base: float | None
    base_sure: Interval | None

    @property
    def moved(self) -> Moved | None:
        """The difference; None where a side has too few."""
        return moved(self.value, self.sure, self.base, self.base_sure)

    @property
    def clear(self) -> bool:
        """Whether it moved for certain."""
        found = self.moved
        return found is not None and found.clear

    @property
    def fell(self) -> bool:
        """Whether it moved for certain, and the wrong way."""
        found = self.moved
        return found is not None and found.clear and (found.difference > 0) != (self.quality.good == "up")


@dataclass(frozen=True, slots=True, kw_only=True)
class NowRow:
    """One row of the table."""

    flow: str
    href: str
    score: str
    primary: bool
    value: str
    half: str
    base: str
    state: str
    tone: str
    delta: Delta
    spark: SafeString
    n: str


def scores_now(scope: Scope) -> tuple[Now, ...]:
    """Every score that some flow has in the period, its primary one or not; outcomes of flows that have no score."""
    known = scores_of(scope.project)
    by_flow = primaries(scope.project)
    measures = tuple(dict.fromkeys((*(one.measure for one in known), OUTCOMES.measure)))
    result = answer(
        scope.query(measures=measures, group_by=("flow",), limit=FLOWS), now=scope.now, trust=False
    )
    now, base = _sides(result)
    found = []
    for flow, (figures, sure) in now.items():
        if flow in (REST, OTHER, SEVERAL):
            continue
        before, before_sure = base.get(flow, ({}, {}))
        own = [one for one in known if (sure.get(one.measure) or _NONE).n]
        for one in own or [OUTCOMES]:
            if not (sure.get(one.measure) or _NONE).n:
                continue
            primary = by_flow.get(flow)
            quality = primary if primary is not None and primary.measure == one.measure else one
            found.append(
                Now(flow=flow, quality=quality, value=figures.get(one.measure), sure=sure.get(one.measure),
                    base=before.get(one.measure), base_sure=before_sure.get(one.measure))
            )  # fmt: skip
    return tuple(sorted(found, key=_order))


_NONE = Interval(None, None, 0)
Side = tuple[Mapping[str, Any], Mapping[str, Interval | None]]


def _sides(result: Result) -> tuple[dict[str, Side], dict[str, Side]]:
    """(figures, intervals) by flow, of the period and of its base."""
    sides: list[dict[str, Side]] = []
    for rows, intervals in (
        (result.by_group(), result.intervals),
        (result.base_by_group(), result.compare.intervals if result.compare else {}),
    ):
        sides.append(
            {
                group[0]: (
                    figures,
                    {name: found[place] for name, found in intervals.items() if place < len(found)},
                )
                for place, (group, figures) in enumerate(rows.items())
            }
        )
    return sides[0], sides[1]


def _order(one: Now) -> tuple[bool, bool, float, str, str]:
    """What fell most first, in standard widths of its interval; then by flow."""
    found = one.moved
    size = abs(found.difference) / (found.high - found.low or 1.0) if found else 0.0
    return not one.fell, not one.clear, -size if one.clear else 0.0, one.flow, one.quality.label


def over_time(scope: Scope, shown: Sequence[Now]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """The values by bucket of (flow, measure), for sparklines; buckets with too few samples are gaps."""
    measures = tuple(dict.fromkeys(one.quality.measure for one in shown))
    if not measures:
        return {}
    grain = buckets.grain_for(scope.period, kept_from=kept_from(scope.now))
    query = scope.query(
        measures=measures, group_by=("flow",), grain=grain, limit=FLOWS, base=None, compare=""
    )
    result = answer(query, now=scope.now, trust=False)
    starts = {start.timestamp(): place for place, start in enumerate(buckets.buckets(scope.period, grain))}
    found: dict[tuple[str, str], list[Any]] = {}
    for place, row in enumerate(result.rows):
        at = starts.get(row[0].timestamp())
        for name in measures:
            line = found.setdefault((row[1], name), [None] * len(starts))
            if at is not None and not few(result.intervals[name][place]):
                line[at] = row[result.index(name)]
    return {key: tuple(values) for key, values in found.items()}


def rows(scope: Scope, shown: Sequence[Now]) -> tuple[NowRow, ...]:
    """The rows of the table."""
    sparks = over_time(scope, shown)
    return tuple(_row(scope, one, sparks.get((one.flow, one.quality.measure), ())) for one in shown)


def _row(scope: Scope, one: Now, values: tuple[Any, ...]) -> NowRow:
    quality = one.quality
    said = not few(one.sure)
    state, tone = _state(one)
    return NowRow(
        flow=one.flow,
        href=flow_url(scope, one.flow),
        score=quality.label,
        primary=quality.primary,
        value=quality.show(one.value) if said else formats.MISSING,
        half=quality.show_half(one.sure) if said else "",
        base=quality.show(one.base) if not few(one.base_sure) else formats.MISSING,
        state=state,
        tone=tone,
        delta=delta_of(quality, one.moved, known=one.base is not None),
        spark=sparklines.line(values, width=SPARK),
        n=formats.count(one.sure.n if one.sure else 0),
    )


def _state(one: Now) -> tuple[str, str]:
    """What can be said of it: too few, fell, rose, steady."""
    if few(one.sure):
        return f"{one.sure.n if one.sure else 0} of 10 needed", ""
    if one.base is None:
        return "new", ""
    if not (enough(one.sure) and enough(one.base_sure)):
        return "too few to compare", ""
    if not one.clear:
        return "steady", ""
    return ("▼ worse", "worse") if one.fell else ("▲ better", "better")
