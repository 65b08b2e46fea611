"""A ledger table: groups with amount, share, change, sparkline and further measures, closed by a total.

Made from the same Result as the chart above it and the CSV beside it, so that they cannot disagree.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString

from analytics.dimensions import DIMENSIONS, LABELS, NONE, OTHER, REST, SEVERAL, UNATTRIBUTED
from analytics.measures import MEASURES
from analytics.result import Result
from dashboard import buckets, deltas, formats, shares, sparklines
from dashboard.deltas import Delta
from dashboard.scope import Scope

# Where rows that are no members of the set stand: after all that are.
LAST = {REST: 1, OTHER: 2, SEVERAL: 3, UNATTRIBUTED: 4, NONE: 5}
Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One further figure of a row; `mark`: of the footnote under a total that is no sum; `wide`: shown only where
    there is room."""

    text: str
    mark: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head: label, unit in grey, the link that sorts by it, and whether it is the sorted one."""

    label: str
    unit: str = ""
    href: str = ""
    sorted: str = ""  # ascending or descending
    sentence: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote, with the way to mend what it tells of."""

    text: str
    mark: str = ""
    strong: str = ""
    href: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row, or the total."""

    name: str
    value: str
    href: str = ""
    kind: str = ""
    token: str = ""
    share: str = ""
    bar: SafeString | None = None
    previous: str = ""
    change: str = ""
    delta: Delta | None = None
    spark: SafeString | None = None
    cells: tuple[Cell, ...] = ()
    is_label: bool = False
    mark: str = ""
    value_mark: str = ""
    budget: Any = None  # dashboard.overview_budgets.Used


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All of it, ready to be written."""

    id: str
    caption: str
    dimension_label: str
    kind_label: str
    main: Head
    heads: tuple[Head, ...]
    rows: tuple[Line, ...]
    total: Line
    compares: bool
    shows_previous: bool
    compact: bool
    additive: bool
    spark_head: str
    notes: tuple[Note, ...] = ()
    budgets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a table is to show. `result`: grain `all`, one dimension; `over_time`: the same groups by `grain`;
    `link`, `kind`, `token`: what a row leads to, the grey word behind its name, its swatch; `sort`: the link
    that orders by a measure."""

    result: Result
    over_time: Result | None
    grain: str
    dimension: str
    measure: str
    extras: tuple[str, ...]
    link: Callable[[str], str]
    sort: Callable[[str], Head]
    kind: Callable[[str], str] = lambda name: ""
    token: Callable[[str], str] = lambda name: ""
    id: str = "table"
    spark_head: str = ""
    caption: str = ""
    kind_label: str = ""
    shows_previous: bool = False
    compact: bool = False  # change in percent only
    unpriced: str = ""  # where calls without a price are listed
    show_all: str = ""  # the link that opens `(rest)`
    wide: tuple[str, ...] = ()  # extras that only a wide page shows
    budget: Callable[[str, str], Any] | None = (
        None  # (dimension, value) -> the budget beside a row; "" = the total
    )


def table(plan: Plan) -> Table:
    """Build it. The order of the rows is the answer's, with `(rest)` and its like behind."""
    maker = _Maker(plan)
    marks = _marks(maker)
    rows = tuple(maker.line(name, part) for name, part in zip(maker.names, maker.parts, strict=True))
    return Table(
        id=plan.id,
        caption=plan.caption,
        dimension_label=_label(plan.dimension),
        kind_label=plan.kind_label,
        main=replace(plan.sort(plan.measure), unit=maker.main_column.unit),
        heads=tuple(
            replace(plan.sort(name), unit=maker.columns[name].unit, wide=name in plan.wide)
            for name in plan.extras
        ),
        rows=tuple(replace(row, mark=marks.get(row.name, "")) for row in rows),
        total=maker.total(marks),
        compares=plan.result.compare is not None,
        shows_previous=plan.shows_previous,
        compact=plan.compact,
        additive=maker.main.additive,
        spark_head=plan.spark_head if plan.over_time else "",
        budgets=plan.budget is not None,
        notes=_notes(maker, marks),
    )


SUPERSCRIPTS = "¹²³"
UNPRICED, NO_SUM = "unpriced", "no sum"


def _marks(maker: "_Maker") -> dict[str, str]:
    """Which footnotes there are, with their superscripts in reading order."""
    plan, trust = maker.plan, maker.plan.result.trust
    is_money = maker.main.unit.startswith("USD")
    wanted = (
        (UNATTRIBUTED, UNATTRIBUTED in maker.names),
        (UNPRICED, is_money and trust.unpriced_calls > 0),
        (NO_SUM, any(not MEASURES[name].additive for name in (plan.measure, *plan.extras))),
    )
    return dict(zip((name for name, needed in wanted if needed), SUPERSCRIPTS, strict=False))


def _notes(maker: "_Maker", marks: Mapping[str, str]) -> tuple[Note, ...]:
    plan = maker.plan
    trust, cut = plan.result.trust, plan.result.cut
    found = []
    if UNATTRIBUTED in marks:
        found.append(Note("Calls that named no flow.", marks[UNATTRIBUTED]))
    if UNPRICED in marks:
        calls = f"{formats.count(trust.unpriced_calls)} {'call' if trust.unpriced_calls == 1 else 'calls'}"
        text = f"{calls} without a price {'is' if trust.unpriced_calls == 1 else 'are'} not in it."
        found.append(Note(text, marks[UNPRICED], href=plan.unpriced, link="List" if plan.unpriced else ""))
    if NO_SUM in marks:
        found.append(Note("Taken over everything together; these columns do not add up.", marks[NO_SUM]))
    if cut:
        found.append(
            Note(f"holds {cut} more;", strong=REST, href=plan.show_all, link=f"show all {plan.result.groups}")
        )
    if maker.filling and plan.over_time:
        found.append(
            Note("Hollow bar: still filling." if maker.main.additive else "The last point is still filling.")
        )
    return tuple(found)


def _label(dimension: str) -> str:
    known = DIMENSIONS.get(dimension)
    return known.label if known else dimension.replace("tag:", "Tag ")


class _Maker:
    """Makes the lines of one table: what all of them share is computed once."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.main = plan, MEASURES[plan.measure]
        result = plan.result
        self.current = {group[0]: known(figures) for group, figures in result.by_group().items()}
        self.base = {group[0]: known(figures) for group, figures in result.base_by_group().items()}
        found = [*self.current, *(name for name in self.base if name not in self.current)]
        self.names = sorted(found, key=lambda name: LAST.get(name, 0))
        values = [self.current.get(name, {}).get(plan.measure) for name in self.names]
        self.parts = shares.shares(values) if self.main.additive else [None] * len(values)
        self.scale = shares.full_scale(self.parts)
        self.totals = result.totals
        self.base_totals = result.compare.totals if result.compare else {}
        self.columns = {name: self._column(name, self.current.values()) for name in plan.extras}
        self.main_column = self._column(
            plan.measure, (*self.current.values(), *self.base.values(), result.totals)
        )
        over_time = plan.over_time
        self.sparks = buckets.by_group(over_time, measure=plan.measure, grain=plan.grain) if over_time else {}
        self.filling = result.period.until is not None

    @staticmethod
    def _column(name: str, rows: Iterable[Figures]) -> formats.Column:
        return formats.column_for(MEASURES[name].unit, name, [figures.get(name) for figures in rows])

    def line(self, name: str, part: Decimal | None) -> Line:
        """A row."""
        current, base = self.current.get(name, {}), self.base.get(name, {})
        value = current.get(self.plan.measure)
        return Line(
            name=name,
            href=self.plan.link(name),
            kind=self.plan.kind(name),
            token=self.plan.token(name),
            share=shares.show(part, value) if self.main.additive else "",
            bar=sparklines.share_bar(part, scale=self.scale) if self.main.additive else None,
            spark=self._spark(self.sparks.get((name,), ())),
            cells=tuple(
                Cell(self.columns[extra].show(current.get(extra)), wide=extra in self.plan.wide)
                for extra in self.plan.extras
            ),
            is_label=name in LABELS,
            budget=self.plan.budget(self.plan.dimension, name) if self.plan.budget else None,
            **self._figures(current, base),
        )

    def total(self, marks: Mapping[str, str]) -> Line:
        """The total: a column that does not add up shows the value over everything, with a mark."""
        no_sum = marks.get(NO_SUM, "")
        return Line(
            name="Total",
            share=f"100.0{formats.NBSP}%" if any(self.parts) else "",
            spark=self._spark(self._total_spark()),
            cells=tuple(
                Cell(
                    self.columns[extra].show(self.totals.get(extra)),
                    "" if MEASURES[extra].additive else no_sum,
                    extra in self.plan.wide,
                )
                for extra in self.plan.extras
            ),
            value_mark=marks.get(UNPRICED, "") if self.main.additive else no_sum,
            budget=self.plan.budget("", "") if self.plan.budget else None,
            **self._figures(self.totals, self.base_totals),
        )

    def _figures(self, current: Figures, base: Figures) -> dict[str, Any]:
        """Value, previous, change and delta of a line."""
        name = self.plan.measure
        now, before = current.get(name), base.get(name)
        found: dict[str, Any] = {"value": self.main_column.show(now)}
        if self.plan.result.compare is None:
            return found
        moved = deltas.amount_moved(now, before)
        return found | {
            "previous": self.main_column.show(before),
            "change": self._change(moved) if self.main.additive else "",
            "delta": deltas.delta(
                now,
                before,
                measure=self.main,
                base_total=self.base_totals.get(name),
                enough=enough(current, base),
            ),
        }

    def _change(self, moved: Decimal | None) -> str:
        if moved is None:
            return formats.MISSING
        shown = self.main_column.show(moved)
        return f"+{shown}" if moved > 0 and shown[0] not in "<>" else shown

    def _spark(self, values: Sequence[Any]) -> SafeString:
        if not self.main.additive:
            return sparklines.line(values) if values else SafeString()
        return sparklines.bars(values, filling=self.filling)

    def _total_spark(self) -> Sequence[Any]:
        return buckets.summed(self.sparks) if self.main.additive and self.sparks else ()


def known(figures: Figures) -> Figures:
    """Amounts of 0 beside calls without a price are unknown, never 0."""
    if not figures.get("unpriced_calls"):
        return figures
    return {
        name: None if not value and MEASURES[name].unit.startswith("USD") else value
        for name, value in figures.items()
    }


def enough(current: Figures, base: Figures) -> bool:
    """Whether both sides have the calls (or runs) that a rate or latency needs to be compared."""
    return all(
        (figures.get("calls") or figures.get("runs") or 0) >= deltas.ENOUGH_RUNS
        for figures in (current, base)
        if "calls" in figures or "runs" in figures
    )


def sorter(scope: Scope, path: str, measure: str, dimension: str) -> Callable[[str], Head]:
    """Makes heads: each a link that orders the same page by its measure, the sorted one marked."""
    order = scope.value("order", f"-{measure}")
    column, descending = order.removeprefix("-"), order.startswith("-")

    def head(name: str) -> Head:
        is_sorted = name == column
        down = not (is_sorted and descending)
        href = scope.url(path, group_by=dimension, order=f"-{name}" if down else name)
        direction = ("descending" if descending else "ascending") if is_sorted else ""
        return Head(SHORT.get(name, MEASURES[name].label), "", href, direction, MEASURES[name].sentence)

    return head


# Heads have less room than menus.
SHORT = {
    "cost": "Cost",
    "total_tokens": "Tokens",
    "cache_hit_rate": "Cached of input",
    "error_rate": "Errors",
    "p95_latency": "Call p95",
    "p95_run_duration": "Run p95",
}
