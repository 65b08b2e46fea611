"""What an answer is made of: columns, rows, totals, comparison, completeness, trust. Frozen."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from analytics.intervals import Interval
from analytics.periods import Period
from analytics.trust import Trust

Row = tuple[Any, ...]
Intervals = dict[str, tuple[Interval | None, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. `additive`: whether its rows add up to the total (None for time and dimensions)."""

    name: str
    kind: Literal["time", "dimension", "measure"]
    label: str
    unit: str | None = None
    additive: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The same question about the base period; its rows have the same columns and the same groups."""

    period: Period
    rows: tuple[Row, ...]
    totals: dict[str, Any]
    intervals: Intervals = field(default_factory=dict)
    total_intervals: dict[str, Interval | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The answer to one query.

    Rows follow `columns`: an aware datetime in the query's zone (grain other than `all`), a text per
    dimension, then a value per measure: int, float, Decimal (USD) or None = unknown. `totals` is by measure
    name, over everything, also what `(rest)` holds. `groups`: how many there are in the period, `cut` of
    them in `(rest)`. `intervals`: of measures that have them, one for each row, in the order of the rows, and
    `total_intervals` those of the totals: 95 % bounds and the number of samples (analytics/intervals.py).
    """

    period: Period
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    totals: dict[str, Any]
    compare: Compared | None
    complete_until: datetime
    trust: Trust
    groups: int = 0
    cut: int = 0
    notes: tuple[str, ...] = field(default=())
    intervals: Intervals = field(default_factory=dict)
    total_intervals: dict[str, Interval | None] = field(default_factory=dict)

    def index(self, name: str) -> int:
        """Where a column stands. Raises KeyError when the answer has no such column."""
        for position, column in enumerate(self.columns):
            if column.name == name:
                return position
        raise KeyError(name)

    def by_group(self) -> dict[tuple[str, ...], dict[str, Any]]:
        """Measures by group, for a query with grain `all`: {("gpt-4o",): {"cost": Decimal, …}}."""
        return _by_group(self.columns, self.rows)

    def base_by_group(self) -> dict[tuple[str, ...], dict[str, Any]]:
        """The same of the base period; empty without a comparison."""
        return _by_group(self.columns, self.compare.rows) if self.compare else {}


def _by_group(columns: tuple[Column, ...], rows: tuple[Row, ...]) -> dict[tuple[str, ...], dict[str, Any]]:
    dimensions = [i for i, column in enumerate(columns) if column.kind == "dimension"]
    measures = [(i, column.name) for i, column in enumerate(columns) if column.kind == "measure"]
    return {tuple(row[i] for i in dimensions): {name: row[i] for i, name in measures} for row in rows}
