"""Suspects: the changes of a period that were tested on scores, by the strength of their evidence, and drops that no
change explains."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.safestring import SafeString

from analytics.changes_list import Line, Wanted, page
from analytics.effects import BETTER, NOT_COMPARABLE, TOO_FEW, UNCLEAR, WORSE, Effect
from analytics.effects_store import measured
from dashboard import effect_plot, formats
from dashboard.change_texts import (
    MARKS,
    TONES,
    change_text,
    difference_text,
    interval_text,
    kind_text,
    value_text,
)
from dashboard.flow_links import flow_url
from dashboard.quality_now import Now
from dashboard.scope import Scope

MOST_CHANGES = 200  # the newest of a period
CLEAREST, UNJUDGED = 6, 2  # as many are shown at first
ORDER = (WORSE, BETTER, UNCLEAR, TOO_FEW, NOT_COMPARABLE)
JUDGED = (WORSE, BETTER, UNCLEAR)
NO_CHANGE = "no change found"


@dataclass(frozen=True, slots=True)
class Suspect:
    """One change and what it did to one score of one flow."""

    line: Line
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectRow:
    """One row: a suspect, or a drop without a change."""

    verdict: str
    tone: str
    mark: str
    text: str
    href: str
    note: str
    flow: str
    flow_href: str
    score: str
    before: str
    after: str
    difference: str
    interval: str
    plot: SafeString
    n_before: str
    n_after: str
    q: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """All of them, the strongest evidence first; `unexplained`: scores that fell with no change that did it."""

    changes: int
    found: tuple[Suspect, ...]
    unexplained: tuple[Now, ...]

    @property
    def tested(self) -> int:
        """How many changes were tested on a score."""
        return len({one.line.id for one in self.found if one.effect.test is not None})

    def of(self, verdict: str) -> tuple[Suspect, ...]:
        """Those with a verdict."""
        return tuple(one for one in self.found if one.effect.verdict == verdict)


def suspects(scope: Scope, now: Iterable[Now]) -> Suspects:
    """The changes of the page's period with their effects on scores as they were measured last; of the base period
    only those that did what the scores show."""
    start = scope.base.start if scope.base else scope.period.start
    wanted = Wanted(
        flows=scope.asked.values_of("flow"), environments=scope.environments, start=start, end=scope.period.end,
        limit=MOST_CHANGES,
    )  # fmt: skip
    lines = page(scope.project, wanted).lines
    kept = measured(scope.project, lines)
    every = [Suspect(line, one) for line in lines for one in kept.get(line.id, ()) if _is_about_quality(one)]
    fell = [one for one in now if one.fell]
    blamed = {(one.effect.flow, one.effect.measure) for one in every if one.effect.verdict == WORSE}
    said = {place for one in fell for place in _places(one)}
    found = [
        one
        for one in every
        if one.line.at >= scope.period.start
        or (one.effect.verdict == WORSE and (one.effect.flow, one.effect.measure) in said)
    ]
    return Suspects(
        changes=sum(line.at >= scope.period.start for line in lines),
        found=tuple(sorted(found, key=_strength)),
        unexplained=tuple(one for one in fell if not blamed.intersection(_places(one))),
    )


def _places(one: Now) -> tuple[tuple[str, str], tuple[str, str]]:
    """Where a change that explains it has its effect: on the flow, or on all flows."""
    measure = f"score:{one.quality.score}"
    return (one.flow, measure), ("", measure)


def _is_about_quality(effect: Effect) -> bool:
    """Scores always; what runs themselves tell only when it moved."""
    if not effect.measure.startswith("score:"):
        return False
    return effect.counted == "scores" or effect.verdict in (WORSE, BETTER)


def _strength(one: Suspect) -> tuple[int, float, float]:
    effect = one.effect
    size = abs((effect.better or (0.0, 0.0, 0.0))[1])
    return (
        ORDER.index(effect.verdict) if effect.verdict in ORDER else len(ORDER),
        effect.q if effect.q is not None else 2.0,
        -size,
    )


def rows(scope: Scope, found: Suspects, *, every: bool) -> tuple[SafeString, tuple[SuspectRow, ...], int]:
    """(the axis, the rows, how many there are): worse, unexplained, then the rest; the clearest ones unless `every`."""
    shown = found.found if every else _clearest(found.found)
    axis = effect_plot.axis_for(one.effect for one in shown)
    made = [_row(scope, one, axis) for one in shown]
    worse = sum(one.effect.verdict == WORSE for one in shown)
    made[worse:worse] = [_unexplained(scope, one) for one in found.unexplained]
    return effect_plot.head(axis), tuple(made), len(found.found) + len(found.unexplained)


def _clearest(found: Sequence[Suspect]) -> tuple[Suspect, ...]:
    judged = [one for one in found if one.effect.verdict in JUDGED]
    clear = [one for one in judged if one.effect.verdict != UNCLEAR]
    others = [one for one in found if one.effect.verdict not in JUDGED]
    return (*judged[: max(CLEAREST, len(clear))], *others[:UNJUDGED])


def _row(scope: Scope, one: Suspect, axis: effect_plot.Axis) -> SuspectRow:
    line, effect = one.line, one.effect
    return SuspectRow(
        verdict=effect.verdict,
        tone=TONES.get(effect.verdict, ""),
        mark=MARKS.get(effect.verdict, ""),
        text=change_text(line),
        href=reverse("change", args=[scope.project.slug, line.id]),
        note=f"{kind_text(line)}, {_at(scope, line.at)}",
        flow=effect.flow or "all flows",
        flow_href=flow_url(scope, effect.flow) if effect.flow else "",
        score=effect.label,
        before=value_text(effect, effect.before),
        after=value_text(effect, effect.after),
        difference=difference_text(effect, effect.test.difference if effect.test else None),
        interval=interval_text(effect) or effect.reason,
        plot=effect_plot.plot(axis, effect),
        n_before=formats.count(effect.n_before),
        n_after=formats.count(effect.n_after),
        q=q_text(effect.q),
    )


def _unexplained(scope: Scope, one: Now) -> SuspectRow:
    moved = one.moved
    bounds = (
        tuple(
            one.quality.show_moved(side).removesuffix(f"{formats.NBSP}pp") for side in (moved.low, moved.high)
        )
        if moved
        else ()
    )
    return SuspectRow(
        verdict=WORSE,
        tone="worse",
        mark="▼",
        text=NO_CHANGE,
        href="",
        note="against the period before",
        flow=one.flow,
        flow_href=flow_url(scope, one.flow),
        score=one.quality.label,
        before=one.quality.show(one.base),
        after=one.quality.show(one.value),
        difference=one.quality.show_moved(moved.difference) if moved else formats.MISSING,
        interval=" to ".join(bounds),
        plot=SafeString(),
        n_before=formats.count(one.base_sure.n if one.base_sure else 0),
        n_after=formats.count(one.sure.n if one.sure else 0),
        q=formats.MISSING,
    )


def _at(scope: Scope, at: datetime) -> str:
    return formats.moment(at, zone=scope.project.zone, now=scope.now)


def q_text(q: float | None) -> str:
    """< 0.001; 0.72."""
    if q is None:
        return formats.MISSING
    return "< 0.001" if q < 0.001 else formats.plain(q, 3 if q < 0.01 else 2)


def counts(found: Suspects) -> Mapping[str, int]:
    """How many suspects have each verdict."""
    return {verdict: len(found.of(verdict)) for verdict in ORDER}
