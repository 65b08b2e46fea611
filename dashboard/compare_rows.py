"""Every measure of both sides of Compare, with its difference, percent or points, and interval."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString

from analytics.answer import answer
from analytics.effects import BETTER, NOT_COMPARABLE, WORSE, Effect, effects_between
from analytics.effects_read import Sides, read_side
from analytics.measures import MEASURES
from analytics.result import Result
from dashboard import deltas, effect_plot, formats
from dashboard.change_texts import difference_text, interval_text, value_text
from dashboard.compare_sides import Pair
from dashboard.deltas import Delta
from dashboard.quality_measure import OUTCOMES, delta_of, few, moved
from dashboard.scope import Scope
from dashboard.tables import enough, known

TONES = {WORSE: "worse", BETTER: "better"}
# Measures as the engine knows them, by heading; `None` where what is tested stands (scores, signs).
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Volume", ("calls", "runs", "total_tokens", "tokens_per_call")),
    ("Cost", ("cost", "cost_per_run", "cost_per_success", "cost_per_call", "cache_hit_rate")),
    ("Latency and errors", ("p50_run_duration", "p95_run_duration", "p95_latency", "p95_ttft", "error_rate")),
    ("Quality", ("outcome_rate",)),
)
ASKED = tuple(name for _, names in GROUPS for name in names if name != "tokens_per_call")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRow:
    """One measure of both sides. `interval`: of the difference; `n`: samples on each side."""

    label: str
    a: str
    b: str
    delta: Delta
    difference: str
    interval: str
    plot: SafeString
    n: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The table, and what it is made from."""

    groups: tuple[tuple[str, tuple[MeasureRow, ...]], ...]
    head: SafeString
    effects: tuple[Effect, ...]
    a: Result
    b: Result
    notes: tuple[str, ...]


def totals(scope: Scope) -> Result:
    """Everything of one side that the engine has."""
    return answer(scope.query(measures=(*ASKED, "unpriced_calls"), base=None, compare=""), now=scope.now)


def compared(pair: Pair, a: Result, b: Result) -> Compared:
    """The measures of both sides. Raises ApiError 422, 503."""
    project, now = pair.b.scope.project, pair.b.scope.now
    first, second = (
        read_side(project, side.scope.asked.filters, side.period, now) for side in (pair.a, pair.b)
    )
    effects = effects_between(project, Sides(before=first, after=second, share=None), now=now)
    axis = effect_plot.axis_for(effects)
    by_name = {one.measure: one for one in effects}
    groups = []
    for heading, names in GROUPS:
        rows = [_row(name, by_name.get(name), a, b, axis) for name in names]
        if heading == "Quality":
            rows += [_tested(one, axis) for one in effects if one.measure.startswith("score:")]
        groups.append((heading, tuple(row for row in rows if row is not None)))
    return Compared(
        groups=tuple((heading, rows) for heading, rows in groups if rows),
        head=effect_plot.head(axis),
        effects=effects,
        a=a,
        b=b,
        notes=tuple(_notes(effects, a, b)),
    )


def _row(name: str, effect: Effect | None, a: Result, b: Result, axis: effect_plot.Axis) -> MeasureRow | None:
    if effect is not None:
        return _tested(effect, axis)
    return _outcomes(a, b) if name == OUTCOMES.measure else _plain(name, a, b)


def _plain(name: str, a: Result, b: Result) -> MeasureRow | None:
    """A measure whose difference is not tested."""
    if name not in MEASURES:
        return None
    measure = MEASURES[name]
    before, after = known(a.totals).get(name), known(b.totals).get(name)
    if before is None and after is None:
        return None
    moved_by = deltas.delta(
        after, before, measure=measure, base_total=before, enough=enough(a.totals, b.totals)
    )
    return MeasureRow(
        label=measure.label, a=shown(name, before), b=shown(name, after), delta=moved_by,
        difference=_difference(name, before, after), interval="", plot=SafeString(), title=measure.sentence,
    )  # fmt: skip


def _difference(name: str, before: Any, after: Any) -> str:
    """In the measure's own unit, beside the percent; "" where the delta says it already."""
    if before is None or after is None or MEASURES[name].unit in ("ratio", "ms"):
        return ""
    amount = Decimal(str(after)) - Decimal(str(before))
    text = shown(name, amount)
    return f"+{text}" if amount > 0 else text


def shown(name: str, value: Any) -> str:
    """A value as Compare writes it: amounts exact."""
    if value is None:
        return formats.MISSING
    unit = MEASURES[name].unit
    return SHOWN.get("unit" if unit.startswith("USD/") else unit, formats.count)(value)


def _unit_money(value: Any) -> str:
    return formats.money(value, decimals=min(6, max(4, formats.unit_cost_decimals([value]))))


def _ratio(value: Any) -> str:
    return formats.share(value)


SHOWN: Mapping[str, Callable[[Any], str]] = {
    "USD": formats.money, "unit": _unit_money, "ms": formats.duration, "ratio": _ratio,
}  # fmt: skip


def _outcomes(a: Result, b: Result) -> MeasureRow | None:
    name = OUTCOMES.measure
    sides = [(one.totals.get(name), one.total_intervals.get(name)) for one in (a, b)]
    if not any(sure and sure.n for _, sure in sides):
        return None
    (before, before_sure), (after, after_sure) = sides
    found = moved(after, after_sure, before, before_sure)
    texts = [formats.MISSING if few(sure) else OUTCOMES.show(value) for value, sure in sides]
    counts = [formats.count(sure.n if sure else 0) for _, sure in sides]
    return MeasureRow(
        label=OUTCOMES.label, a=texts[0], b=texts[1], delta=delta_of(OUTCOMES, found), difference="",
        interval=f"{_bare(found.low)} to {_bare(found.high)}" if found else "under 30 on a side", plot=SafeString(),
        n=f"{counts[0]}, {counts[1]}", title=MEASURES[name].sentence,
    )  # fmt: skip


def _bare(value: float) -> str:
    return OUTCOMES.show_moved(value).removesuffix(f"{formats.NBSP}pp")


def _tested(effect: Effect, axis: effect_plot.Axis) -> MeasureRow:
    tone = TONES.get(effect.verdict, "")
    test = effect.test
    if test is None:
        words = "not comparable" if effect.verdict == NOT_COMPARABLE else "too few to compare"
        delta = Delta("n/a", words=words, quiet=True)
    else:
        rose = test.difference > 0
        words = ", ".join(word for word in ("more" if rose else "less", tone) if word)
        arrow = "▲" if rose else "▼"
        delta = Delta(difference_text(effect, test.difference), arrow if test.difference else "", tone, words)
    return MeasureRow(
        label=effect.label,
        a=value_text(effect, effect.before),
        b=value_text(effect, effect.after),
        delta=delta,
        difference=_percent(effect),
        interval=interval_text(effect) or effect.reason,
        plot=effect_plot.plot(axis, effect),
        n=f"{formats.count(effect.n_before)}, {formats.count(effect.n_after)}",
        title=effect.verdict,
    )


def _percent(effect: Effect) -> str:
    """Of amounts and times the percent too; ratios and scores move in points."""
    if effect.unit in ("ratio", "share", "score") or effect.test is None or not effect.before:
        return ""
    return formats.percent_change(effect.test.difference / float(effect.before))


def _notes(effects: Sequence[Effect], a: Result, b: Result) -> list[str]:
    changed = [one.label for one in effects if one.verdict == NOT_COMPARABLE]
    found = (
        [f"{', '.join(changed)}: the judge changed between the sides, so they are not compared."]
        if changed
        else []
    )
    unpriced = [one.totals.get("unpriced_calls") or 0 for one in (a, b)]
    if any(unpriced):
        found.append(
            f"Calls without a price are in neither cost: {formats.count(unpriced[0])} in A, "
            f"{formats.count(unpriced[1])} in B."
        )
    return found
