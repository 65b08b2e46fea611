"""Which measure is a flow's quality, and how its values, intervals and moves are written."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.models import Project
from analytics.intervals import FEW, Interval
from analytics.scores_models import FlowQuality, ScoreDefinition
from dashboard import formats
from dashboard.deltas import NO_CHANGE, TOO_FEW, UNKNOWN, Delta

ENOUGH = 30  # scores on a side; a bucket with fewer has a hollow point
MOST = 20  # scores of a project that one page asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """A measure of the query engine that says how good answers are. `share`: values are written in percent;
    `score`: the score's name, "" = outcomes of runs; `good`: the better way; `counted`: what samples are."""

    measure: str
    label: str
    share: bool
    good: str = "up"
    score: str = ""
    decimals: int = 3
    counted: str = "scores"
    primary: bool = False
    provisional: bool = False

    def show(self, value: float | None) -> str:
        """72.8 %; 0.927."""
        if value is None:
            return formats.MISSING
        return formats.share(value) if self.share else formats.plain(value, self.decimals)

    def show_moved(self, value: float) -> str:
        """−4.1 pp; +0.015."""
        return formats.points(value) if self.share else formats.plain(value, self.decimals, signed=True)

    def show_half(self, sure: Interval | None) -> str:
        """± 0.4: half the interval, in percent or in the score's own unit; "" where too few tell nothing."""
        if sure is None or sure.low is None or sure.high is None:
            return ""
        half = (sure.high - sure.low) / 2
        return f"±{formats.NBSP}{formats.plain(half * 100, 1) if self.share else formats.plain(half, self.decimals)}"


OUTCOMES = Quality(measure="outcome_rate", label="Success rate", share=True, counted="known outcomes")


def of_score(definition: ScoreDefinition, *, primary: bool = False) -> Quality:
    """A score as a flow's quality: numbers by their mean, true or false by its share, categories by what passes."""
    categorical = definition.kind == "categorical"
    wide = definition.high is not None and definition.high > 1
    return Quality(
        measure=f"{'pass_rate' if categorical else 'score'}:{definition.name}",
        label=f"{definition.name}, passed" if categorical else definition.name,
        share=definition.kind != "numeric",
        good="up" if categorical else definition.good,
        score=definition.name,
        decimals=2 if wide else 3,
        primary=primary,
        provisional=definition.confirmed_at is None,
    )


def scores_of(project: Project) -> tuple[Quality, ...]:
    """Every score of the project, by name, as many as a page asks for."""
    return tuple(
        of_score(one) for one in ScoreDefinition.objects.filter(project=project).order_by("name")[:MOST]
    )


def primaries(project: Project) -> dict[str, Quality]:
    """The primary score of each flow that has one, by today's name of the flow."""
    rows = FlowQuality.objects.filter(flow__project=project).select_related("flow__alias_of", "score")
    ordered = sorted(rows, key=lambda row: row.flow.alias_of_id is None)  # the flow's own word wins
    return {(row.flow.alias_of or row.flow).name: of_score(row.score, primary=True) for row in ordered}


def primary_of(project: Project, flow: str) -> Quality | None:
    """The primary score of one flow (today's name)."""
    rows = FlowQuality.objects.filter(flow__project=project).select_related("flow", "score")
    found = list(rows.filter(Q(flow__name=flow) | Q(flow__alias_of__name=flow)))
    found.sort(key=lambda row: row.flow.name != flow)
    return of_score(found[0].score, primary=True) if found else None


@dataclass(frozen=True, slots=True)
class Moved:
    """A difference of two values with its 95 % interval, and whether it is clear: zero lies outside."""

    difference: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval excludes zero."""
        return not self.low <= 0 <= self.high


def moved(
    now: float | None, sure: Interval | None, base: float | None, base_sure: Interval | None
) -> Moved | None:
    """Now minus base, its interval from those of both sides (G. Y. Zou and A. Donner, Statistics in Medicine 27, 2008:
    for two Wilson intervals it is Newcombe's); None with under 30 samples on a side."""
    if now is None or base is None or not (enough(sure) and enough(base_sure)):
        return None
    if sure is None or base_sure is None or None in (*sure, *base_sure):
        return None
    difference = now - base
    low = difference - math.hypot(now - (sure.low or 0.0), (base_sure.high or 0.0) - base)
    high = difference + math.hypot((sure.high or 0.0) - now, base - (base_sure.low or 0.0))
    return Moved(difference, low, high)


def enough(sure: Interval | None) -> bool:
    """Whether there are the 30 samples that a comparison needs."""
    return sure is not None and sure.n >= ENOUGH


def few(sure: Interval | None) -> bool:
    """Whether there are so few samples that a figure is not drawn."""
    return sure is None or sure.n < FEW


def delta_of(quality: Quality, found: Moved | None, *, known: bool = True) -> Delta:
    """The delta of a score: coloured when its interval excludes zero. `known`: both sides have a value at all."""
    if found is None:
        return TOO_FEW if known else UNKNOWN
    text = quality.show_moved(found.difference)
    if not any(digit in text for digit in "123456789"):
        return NO_CHANGE
    rose = found.difference > 0
    tone = ("better" if rose == (quality.good == "up") else "worse") if found.clear else ""
    words = ", ".join(word for word in ("more" if rose else "less", tone) if word)
    return Delta(text, "▲" if rose else "▼", tone, words)


def sure_of(result: Any, measure: str) -> Interval | None:
    """The interval of a measure's total in a Result or its compared side."""
    found: Mapping[str, Interval | None] = result.total_intervals if result is not None else {}
    return found.get(measure)


def by_rows(result: Any, measure: str) -> Callable[[int], Interval | None]:
    """The interval of a measure in the row at a place."""
    found = result.intervals.get(measure, ())
    return lambda place: found[place] if place < len(found) else None
