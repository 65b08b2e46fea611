"""The statement as a matrix: lines down, one of their dimensions across, subtotals by cost centre, last month beside.

Made from one Statement, whose lines are the cells; sums are exact, and each figure is rounded once, when written.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from analytics.dimensions import DIMENSIONS, LABELS, NONE, OTHER, REST, SEVERAL
from analytics.measures import EXACT, MEASURES
from dashboard import deltas, formats
from dashboard.deltas import Delta
from dashboard.tables import LAST
from finance.shown import decimals_of
from finance.statement import Line, Statement

CENTRE = "cost_centre"
NARROW = 4  # with more columns there is no room for the grey word behind a name, nor for the difference
ACROSS = 5  # columns of members; beyond that the smaller ones share one
LAST_ALL = {**LAST, NONE: 6}
CANNOT_OPEN = (REST, OTHER, SEVERAL)
Amount = Decimal | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as it is shown, and exactly; `href`: the calls behind it."""

    text: str
    exact: str = ""
    href: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line, subtotal or the total. `centre` stands on the first line of its cost centre only."""

    name: str
    cells: tuple[Cell, ...]
    amount: Cell
    before: Cell
    difference: Cell
    delta: Delta | None
    centre: str = ""
    href: str = ""
    kind: str = ""
    budget: str = ""
    mark: str = ""
    subtotal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All of it, ready to be written."""

    by: str
    across: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    total: Row
    centres: bool
    budgets: bool
    wide: bool
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the table is to show. The statement's lines are by (cost centre, if any), `by`, `across`.

    `link`: the address of a row (dimension, name); `calls`: of the calls of a row and column."""

    found: Statement
    by: str
    across: str
    link: Callable[[Mapping[str, str]], str]
    calls: Callable[[Mapping[str, str]], str]
    budgets: Mapping[str, str] = field(default_factory=dict)  # of rows, and of "" = the whole
    kind: Callable[[str], str] = lambda name: ""


def table(plan: Plan) -> Table:
    """Build it."""
    made = _Maker(plan)
    rows = tuple(made.rows())
    return Table(
        by=DIMENSIONS[plan.by].label,
        across=DIMENSIONS[plan.across].label,
        heads=tuple(name if name != REST else f"{name}, {len(made.rest)}" for name in made.columns),
        rows=rows,
        total=made.total(),
        centres=made.centres,
        budgets=bool(plan.budgets),
        wide=len(made.columns) > NARROW,
        lines=len(plan.found.lines),
    )


@dataclass(slots=True)
class _Sum:
    """Amounts of one row by column, all of them together, and those of the month before. Unknown stays unknown."""

    cells: dict[str, Amount] = field(default_factory=dict)
    now: Amount = None
    before: Amount = None
    here: bool = False
    was: bool = False

    def add(self, column: str, amount: Amount) -> None:
        """An amount of this month; 0 beside calls without a price comes as unknown."""
        self.cells[column] = plus(self.cells.get(column), amount)
        self.now, self.here = plus(self.now, amount), True

    def add_before(self, amount: Amount) -> None:
        """An amount of the month before."""
        self.before, self.was = plus(self.before, amount), True


def plus(one: Amount, other: Amount) -> Amount:
    """The exact sum of what is known."""
    if one is None or other is None:
        return other if one is None else one
    return EXACT.add(one, other)


def _known(line: Line) -> Amount:
    return None if line.unpriced and not line.amount else line.amount


class _Maker:
    """Makes the rows of one table: what all of them share is computed once."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.found = plan, plan.found
        self.places = {name: place for place, name in enumerate(self.found.ask.group_by)}
        self.sums: dict[tuple[str, str], _Sum] = {}
        self.whole = _Sum()
        self.columns, self.rest = self._columns()
        for line in self.found.lines:
            for into in (self._sum(line), self.whole):
                into.add(self._column(line), _known(line))
        for line in self.found.previous.values():
            for into in (self._sum(line), self.whole):
                into.add_before(_known(line))
        centres = {centre for centre, _ in self.sums}
        self.centres = CENTRE in self.places and centres != {NONE}
        amounts = [one.now for one in self.sums.values()] + [one.before for one in self.sums.values()]
        decimals = decimals_of(self.found.shown.currency)
        self.decimals = max(decimals, formats.amount_decimals(amounts)) if decimals else 0

    def _value(self, line: Line, dimension: str) -> str:
        place = self.places.get(dimension)
        return NONE if place is None or len(line.group) <= place else line.group[place]

    def _sum(self, line: Line) -> _Sum:
        key = (self._value(line, CENTRE), self._value(line, self.plan.by))
        return self.sums.setdefault(key, _Sum())

    def _columns(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(the columns, largest first; those that share the last one)"""
        totals: dict[str, Decimal] = {}
        for line in self.found.lines:
            name = self._value(line, self.plan.across)
            totals[name] = EXACT.add(totals.get(name, Decimal(0)), line.amount or Decimal(0))
        names = sorted(totals, key=lambda name: (LAST_ALL.get(name, 0), -totals[name], name))
        if len(names) <= ACROSS + 1:
            return tuple(names), ()
        return (*names[:ACROSS], REST), tuple(names[ACROSS:])

    def _column(self, line: Line) -> str:
        name = self._value(line, self.plan.across)
        return REST if name in self.rest else name

    def rows(self) -> Sequence[Row]:
        """Cost centres largest first, their lines likewise, a subtotal under more than one."""
        by_centre: dict[str, list[str]] = {}
        for centre, name in self.sums:
            by_centre.setdefault(centre if self.centres else NONE, []).append(name)
        found: list[Row] = []
        for centre in sorted(by_centre, key=lambda one: self._order(one, self._centre_sum(one))):
            keys = [key for key in self.sums if not self.centres or key[0] == centre]
            keys.sort(key=lambda key: self._order(key[1], self.sums[key]))
            for place, key in enumerate(keys):
                shown = ("–" if centre == NONE else centre) if self.centres and not place else ""
                found.append(self._row(key[1], self.sums[key], centre=shown, of=key))
            if self.centres and len(keys) > 1:
                name = "No cost centre" if centre == NONE else centre
                found.append(replace(self._row(name, self._centre_sum(centre)), subtotal=True))
        return found

    @staticmethod
    def _order(name: str, amounts: _Sum) -> tuple[int, Decimal, str]:
        return (LAST_ALL.get(name, 0), -(amounts.now or Decimal(0)), name)

    def _centre_sum(self, centre: str) -> _Sum:
        total = _Sum()
        for key, one in self.sums.items():
            if not self.centres or key[0] == centre:
                for column, amount in one.cells.items():
                    total.add(column, amount)
                if one.was:
                    total.add_before(one.before)
        return total

    def total(self) -> Row:
        """The last line: what the statement itself comes to."""
        whole = replace(self.whole, now=self.found.total.amount, before=self.found.previous_total.amount)
        row = self._row(f"{self.found.ask.month:%B %Y}", whole)
        return replace(row, budget=self.plan.budgets.get("", ""))

    def _row(self, name: str, amounts: _Sum, *, centre: str = "", of: tuple[str, str] | None = None) -> Row:
        plan, narrowed = self.plan, self._narrowed(of)
        now = amounts.now if amounts.here or of is None else Decimal(0)
        before = amounts.before if amounts.was or of is None else Decimal(0)
        opens = of is not None and name not in CANNOT_OPEN
        moved = deltas.amount_moved(now, before)
        return Row(
            name=name,
            centre=centre,
            href=plan.link(narrowed) if opens else "",
            kind=plan.kind(name) if of and name not in LABELS and len(self.columns) <= NARROW else "",
            cells=tuple(self._cell(amounts, column, narrowed if opens else {}) for column in self.columns),
            amount=self._show(now, plan.calls(narrowed) if opens and now else ""),
            before=self._show(before) if amounts.was or of is None else Cell(formats.MISSING, quiet=True),
            difference=self._signed(moved),
            delta=deltas.delta(
                now, before, measure=MEASURES["cost"], base_total=self.found.previous_total.amount
            ),
            budget=plan.budgets.get(name, "") if of else "",
        )

    def _narrowed(self, of: tuple[str, str] | None) -> dict[str, str]:
        if of is None:
            return {}
        return {self.plan.by: of[1]} | ({CENTRE: of[0]} if self.centres else {})

    def _cell(self, amounts: _Sum, column: str, narrowed: Mapping[str, str]) -> Cell:
        if column not in amounts.cells:
            return Cell("0", "0", quiet=True)
        opens = narrowed and column not in CANNOT_OPEN and amounts.cells[column] != 0
        href = self.plan.calls({**narrowed, self.plan.across: column}) if opens else ""
        return self._show(amounts.cells[column], href)

    def _show(self, amount: Amount, href: str = "") -> Cell:
        if amount is None:
            return Cell(formats.MISSING, quiet=True)
        text = formats.money(amount, decimals=self.decimals, symbol="") if amount else "0"
        return Cell(text, f"{amount:f}", href, quiet=not amount)

    def _signed(self, amount: Amount) -> Cell:
        if not amount:
            return Cell("0" if amount is not None else formats.MISSING, quiet=True)
        text = formats.money(amount, decimals=self.decimals, symbol="", signed=True)
        return Cell(text, f"{amount:f}")
