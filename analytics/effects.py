"""What a change did: every measure and score of its flows before and after, tested, with one verdict each.

Before is the flow as it was; after are the calls that carry the change, where it shares the flow with others. All
tests of one answer share their false alarms (Benjamini-Hochberg).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Project
from analytics import effects_stats as stats
from analytics.asked import kept_from
from analytics.changes_list import Line, Wanted, page
from analytics.effects_read import Side, Sides, first_call, read_sides
from analytics.effects_scores import ENOUGH_SCORES, JUDGE_CHANGED, ScoreEffect, score_effects
from analytics.effects_windows import Moment, Windows, windows
from analytics.measures import MEASURES

WORSE, BETTER, UNCLEAR, TOO_FEW = "Worse", "Better", "No clear effect", "Too few"
NOT_COMPARABLE = "Not comparable"  # the judge changed
HIGHER, LOWER = "Higher", "Lower"  # of a measure that has no good direction
ENOUGH_RUNS = 100  # runs or calls, on each side
ALPHA = 0.05  # of q
# Kinds that end what a change before them did: another variant is in use from then on.
DIVIDE = ("prompt", "fingerprint", "model", "snapshot", "provider", "retrieval", "route")
AT_ONCE = timedelta(hours=1)  # changes so near to each other are one moment
MOST_FLOWS = 6  # of one change, tested each for itself
MOST_OTHERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One measure of one flow. `before`, `after` as the measure has them, None = unknown; `test` in its unit;
    `n`: what each side counts of `counted`; `q`: None where nothing was tested."""

    flow: str
    measure: str
    label: str
    unit: str
    good: str | None
    before: Any
    after: Any
    n_before: int
    n_after: int
    counted: str
    test: stats.Test | None = None
    q: float | None = None
    verdict: str = TOO_FEW
    reason: str = ""

    @property
    def better(self) -> tuple[float, float, float] | None:
        """(low, effect, high) in standard deviations, right is always better; None where it cannot be said."""
        found = self.test.in_sd if self.test and self.good else None
        return tuple(-value for value in reversed(found)) if found and self.good == "down" else found  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnFlow:
    """A change on one flow ("" = all of them): its windows (None: too early), its share of the traffic after."""

    flow: str
    windows: Windows | None
    share: float | None = None
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Tested:
    """How a measure is tested: what it counts, and the arithmetic over both sides."""

    measure: str
    counted: str
    test: Callable[[Side, Side], stats.Test | None]


def _cost(before: Side, after: Side) -> stats.Test | None:
    return stats.means(_mean_cost(before), _mean_cost(after))


def _mean_cost(side: Side) -> stats.Sample:
    """The mean from exact sums, the variance from the histogram."""
    histogram, cost = side.runs.get("cost_histogram"), side.runs.get("run_cost")
    found = stats.spread(histogram) if histogram else stats.Sample(0, 0.0, 0.0)
    runs = side.count("runs")
    return replace(found, mean=float(cost) / runs) if runs and cost is not None else found


def _p95(before: Side, after: Side) -> stats.Test | None:
    first, second = before.runs.get("duration"), after.runs.get("duration")
    return stats.percentiles(first, second, 0.95) if first and second else None


def _errors(before: Side, after: Side) -> stats.Test | None:
    return stats.rates(*((side.calls.get("errors") or 0, side.count("calls")) for side in (before, after)))


def _tokens(before: Side, after: Side) -> stats.Test | None:
    return stats.ratios(before.tokens_by_day, after.tokens_by_day)


TESTS = (
    Tested("cost_per_run", "runs", _cost),
    Tested("p95_run_duration", "runs", _p95),
    Tested("error_rate", "calls", _errors),
    Tested("tokens_per_call", "calls", _tokens),
)


def effects_of(
    project: Project, line: Line, *, now: datetime, flows: Sequence[str] = ()
) -> tuple[OnFlow, ...]:
    """The effects of one change on each of its flows, verdicts given over all of them together."""
    names = tuple(flows) or line.flows[:MOST_FLOWS] or ("",)
    return judged([_on_flow(project, line, name, now) for name in names])


def _on_flow(project: Project, line: Line, flow: str, now: datetime) -> OnFlow:
    environment = line.environment or project.main_environment
    found = windows(_moment(project, line, flow, environment, now))
    if found is None:
        return OnFlow(flow=flow, windows=None)
    sides = read_sides(project, line, flow=flow, environment=environment, windows=found, now=now)
    return OnFlow(flow=flow, windows=found, share=sides.share, effects=_effects(project, sides, flow, now))


def effects_between(project: Project, sides: Sides, *, now: datetime) -> tuple[Effect, ...]:
    """The same of any two sides, whatever they are: verdicts given over all of them together."""
    return judged([OnFlow(flow="", windows=None, effects=_effects(project, sides, "", now))])[0].effects


def _effects(project: Project, sides: Sides, flow: str, now: datetime) -> tuple[Effect, ...]:
    scores = (_of_score(one, flow) for one in score_effects(project, sides, now=now))
    return (*(_effect(one, flow, sides) for one in TESTS), *scores)


def _moment(project: Project, line: Line, flow: str, environment: str, now: datetime) -> Moment:
    at = line.seen.get(flow) or line.first_call_at or line.at
    kinds = tuple(dict.fromkeys((*DIVIDE, line.kind)))
    wanted = Wanted(
        flows=(flow,) if flow else (), kinds=kinds, environments=(environment,), limit=MOST_OTHERS
    )
    others = [one.first_call_at or one.at for one in page(project, wanted).lines if one.id != line.id]
    return Moment(
        at=at, zone=project.zone, now=now, kept=kept_from(now),
        others=tuple(one for one in others if abs(one - at) >= AT_ONCE),
        first=first_call(project, flow, environment),
    )  # fmt: skip


def _effect(tested: Tested, flow: str, sides: Sides) -> Effect:
    measure = MEASURES.get(tested.measure)
    n_before, n_after = sides.before.count(tested.counted), sides.after.count(tested.counted)
    enough = min(n_before, n_after) >= ENOUGH_RUNS
    return Effect(
        flow=flow,
        measure=tested.measure,
        label=measure.label if measure else "Tokens per call",
        unit=measure.unit if measure else "tokens",
        good=measure.good if measure else None,
        before=sides.before.value(tested.measure),
        after=sides.after.value(tested.measure),
        n_before=n_before,
        n_after=n_after,
        counted=tested.counted,
        test=tested.test(sides.before, sides.after) if enough else None,
        reason="" if enough else f"under {ENOUGH_RUNS} {tested.counted} on a side",
    )


def _of_score(found: ScoreEffect, flow: str) -> Effect:
    enough = ENOUGH_SCORES if found.counted == "scores" else ENOUGH_RUNS
    few = min(found.n_before, found.n_after) < enough
    reason = (
        JUDGE_CHANGED if not found.comparable else f"under {enough} {found.counted} on a side" if few else ""
    )
    return Effect(
        flow=flow,
        measure=f"score:{found.name}",
        label=found.name,
        unit=found.unit,
        good=found.good,
        before=found.before,
        after=found.after,
        n_before=found.n_before,
        n_after=found.n_after,
        counted=found.counted,
        test=None if few or not found.comparable else found.test,
        verdict=TOO_FEW if found.comparable else NOT_COMPARABLE,
        reason=reason,
    )


def judged(on_flows: Iterable[OnFlow]) -> tuple[OnFlow, ...]:
    """The same with q over all tests, and verdicts by it."""
    given = list(on_flows)
    tested = [effect for one in given for effect in one.effects if effect.test is not None]
    qs = stats.false_discovery([effect.test.p for effect in tested if effect.test])
    known = {id(effect): q for effect, q in zip(tested, qs, strict=True)}
    return tuple(
        replace(one, effects=tuple(_verdict(effect, known.get(id(effect))) for effect in one.effects))
        for one in given
    )


def _verdict(effect: Effect, q: float | None) -> Effect:
    if effect.test is None or q is None:
        return effect
    test = effect.test
    clear = q < ALPHA and not test.low <= 0 <= test.high
    rose = test.difference > 0
    if not clear:
        verdict = UNCLEAR
    elif effect.good is None:
        verdict = HIGHER if rose else LOWER
    else:
        verdict = BETTER if rose == (effect.good == "up") else WORSE
    return replace(effect, q=q, verdict=verdict)
