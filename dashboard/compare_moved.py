"""Where it changed: flows, models or customers of both sides, those first whose cost moved most; rows add up."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from analytics.answer import answer
from analytics.dimensions import LABELS, REST
from analytics.measures import MEASURES, Measure
from dashboard import deltas, formats
from dashboard.compare_sides import Pair, Side
from dashboard.deltas import Delta
from dashboard.frame import Choice
from dashboard.scope import Scope
from dashboard.tables import enough, known

BY = (("flow", "Flow"), ("model", "Model"), ("prompt_version", "Prompt version"), ("customer", "Customer"))
ROWS = 10
GROUPS = 1000
OF_RUNS = ("cost_per_run", "p95_run_duration", "runs")
Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedRow:
    """One group of both sides."""

    name: str
    href: str
    a: str
    b: str
    change: str
    delta: Delta
    cells: tuple[tuple[str, str, Delta], ...]
    is_label: bool = False
    note: str = ""


def by_of(scope: Scope) -> str:
    """The dimension that is asked for; the first that is not narrowed to one value already."""
    asked = scope.value("by")
    if asked in dict(BY):
        return asked
    fixed = {one.dimension for one in scope.asked.filters}
    return next((name for name, _ in BY if name not in fixed), BY[0][0])


def tabs(scope: Scope) -> tuple[Choice, ...]:
    """The dimensions as links."""
    chosen = by_of(scope)
    return tuple(Choice(label, scope.url(by=name), name == chosen) for name, label in BY)


@dataclass(frozen=True, slots=True)
class _Rows:
    """How a row is made: the cost's column, the page's base total, and what stands beside the cost."""

    column: formats.Column
    base: Decimal | None
    extra: tuple[tuple[Measure, formats.Column], ...]

    def row(self, name: str, before: Figures, after: Figures, href: str = "", note: str = "") -> MovedRow:
        was, now = known(before).get("cost"), known(after).get("cost")
        return MovedRow(
            name=name, href=href, note=note, is_label=name in LABELS,
            a=self.column.show(was if before else None), b=self.column.show(now if after else None),
            change=_signed(self.column, deltas.amount_moved(now, was)),
            delta=deltas.delta(now, was, measure=MEASURES["cost"], base_total=self.base),
            cells=tuple(_cell(measure, shown, before, after) for measure, shown in self.extra),
        )  # fmt: skip


def _cell(measure: Measure, shown: formats.Column, before: Figures, after: Figures) -> tuple[str, str, Delta]:
    """A measure before, after, and how it moved."""
    was, now = before.get(measure.name), after.get(measure.name)
    moved = deltas.delta(now, was, measure=measure, enough=enough(before, after))
    return shown.show(was), shown.show(now), moved


def where(scope: Scope, pair: Pair) -> dict[str, Any]:
    """Rows by the size of their move, `(rest)`, total."""
    by = by_of(scope)
    runs = by != "customer"
    measures = ("cost", "calls", "unpriced_calls", *(OF_RUNS if runs else ()))
    (a, a_total), (b, b_total) = (_asked(side, by, measures) for side in (pair.a, pair.b))
    names = sorted({*a, *b} - {REST}, key=lambda name: (-abs(_amount(a, b, name)), name))
    every = [figures.get("cost") for figures in (*a.values(), *b.values(), a_total, b_total)]
    column = formats.column_for("USD", "cost", every)
    base = a_total.get("cost")
    extra = (
        tuple((MEASURES[name], _columns(name, a, b, a_total, b_total)) for name in OF_RUNS[:2])
        if runs
        else ()
    )
    row = _Rows(column, base, extra).row
    rows = [row(name, a.get(name, {}), b.get(name, {}), _into(scope, by, name)) for name in names[:ROWS]]
    if names[ROWS:] or REST in a or REST in b:
        left = [*names[ROWS:], REST]
        rows.append(row(REST, _summed(a, left), _summed(b, left), note=f"{len(names) - ROWS} more"))
    return {
        "label": dict(BY)[by],
        "extras": [(measure.label, shown.unit) for measure, shown in extra],
        "rows": rows,
        "total": row("Total", a_total, b_total),
        "a": pair.a.label,
        "b": pair.b.label,
    }


def _asked(side: Side, by: str, measures: tuple[str, ...]) -> tuple[dict[str, Figures], Figures]:
    query = side.scope.query(
        measures=measures, group_by=(by,), order="-cost", limit=GROUPS, base=None, compare=""
    )
    result = answer(query, now=side.scope.now, trust=False)
    return {group[0]: figures for group, figures in result.by_group().items()}, result.totals


def _amount(a: Mapping[str, Figures], b: Mapping[str, Figures], name: str) -> Decimal:
    return deltas.amount_moved(b.get(name, {}).get("cost"), a.get(name, {}).get("cost")) or Decimal(0)


def _columns(name: str, *sides: Any) -> formats.Column:
    a, b, a_total, b_total = sides
    values = [figures.get(name) for figures in (*a.values(), *b.values(), a_total, b_total)]
    return formats.column_for(MEASURES[name].unit, name, values)


def _summed(side: Mapping[str, Figures], names: list[str]) -> Figures:
    """What adds up; rates of many groups together are not known from their rows."""
    found = [side[name] for name in names if name in side]
    if not found:
        return {}
    costs = [figures["cost"] for figures in found if figures["cost"] is not None]
    return {
        "cost": sum(costs, Decimal(0)) if costs else None,
        "calls": sum(figures["calls"] for figures in found),
        "unpriced_calls": sum(figures["unpriced_calls"] for figures in found),
    }


def _signed(column: formats.Column, amount: Decimal | None) -> str:
    if amount is None:
        return formats.MISSING
    shown = column.show(amount)
    return f"+{shown}" if amount > 0 and shown[0] not in "<>" else shown


def _into(scope: Scope, by: str, name: str) -> str:
    """Narrowed to the row, by the next dimension."""
    if name in LABELS and name not in ("(none)", "(unattributed)"):
        return ""
    following = {"flow": "model", "model": "flow", "prompt_version": "model", "customer": "flow"}[by]
    own: dict[str, str | None] = {f"{side}{by}": None for side in ("a.", "b.")}
    if any(key in scope.params for key in own):
        return ""
    return scope.narrowed("", by, name, by=following)
