"""The strip: five or six figures on one ruled row, each with its change and a small graphic."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString

from analytics.answer import answer
from analytics.asked import kept_from
from analytics.measures import MEASURES
from analytics.result import Result
from dashboard import buckets, deltas, formats, sparklines
from dashboard.scope import Scope
from dashboard.tables import enough

WIDTH, HEIGHT = 176, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class StripCell:
    """One figure. `amount`: an amount's change in its own unit, beside the percent."""

    label: str
    figure: formats.Figure
    href: str = ""
    delta: deltas.Delta | None = None
    amount: str = ""
    spark: SafeString | None = None
    note: str = ""  # in place of a delta
    tone: str = ""
    words: bool = False  # the figure is a word


def strip(scope: Scope, result: Result, wanted: Sequence[tuple[str, str]]) -> tuple[StripCell, ...]:
    """Cells for (label, measure) pairs, from the totals of `result`; a cell leads to Explore of its measure."""
    grain = buckets.grain_for(scope.period, kept_from=kept_from(scope.now))
    names = tuple(name for _, name in wanted)
    over_time = answer(
        scope.query(measures=names, grain=grain, base=None, compare=""), now=scope.now, trust=False
    )
    return tuple(_cell(scope, result, over_time, grain, pair) for pair in wanted)


def _cell(scope: Scope, result: Result, over_time: Result, grain: str, wanted: tuple[str, str]) -> StripCell:
    label, name = wanted
    measure = MEASURES[name]
    now, base = result.totals.get(name), result.compare.totals if result.compare else {}
    values = buckets.by_group(over_time, measure=name, grain=grain).get((), ())
    filling = result.period.until is not None
    draw = sparklines.bars if measure.additive else sparklines.line
    given = {"filling": filling} if measure.additive else {}
    return StripCell(
        label=label,
        figure=formats.figure_for(measure.unit, name, now),
        href=scope.url(reverse("explore", args=[scope.project.slug]), measures=name),
        delta=deltas.delta(now, base.get(name), measure=measure, base_total=base.get(name),
                           enough=enough(result.totals, base)) if result.compare else None,
        amount=_amount(now, base.get(name)) if base.get(name) and measure.unit == "USD" else "",
        spark=draw(values, width=WIDTH, height=HEIGHT, label=_told(label, values, measure.unit, name), **given),
    )  # fmt: skip


def _amount(now: formats.Number | None, base: formats.Number | None) -> str:
    moved = deltas.amount_moved(now, base)
    return formats.money_answer(moved, signed=True) if moved else ""


def _told(label: str, values: Sequence[formats.Number | None], unit: str, name: str) -> str:
    """One sentence for readers: "Calls: 24 points, from 180k to 231k"."""
    known = [value for value in values if value is not None]
    if not known:
        return f"{label}: no points"
    shown = [formats.figure_for(unit, name, value) for value in (min(known), max(known))]
    low, high = (f"{one.text} {one.unit}".strip() for one in shown)
    return f"{label}: {len(values)} points, from {low} to {high}"
