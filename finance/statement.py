"""The statement of a month: lines by any dimensions, and what is missing from them, all through the query engine.

Page, JSON, CSV, XLSX and e-mail are made from one Statement, read in one snapshot, so that they cannot disagree.
All environments are in it, always. Amounts are exact; nothing is rounded here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accounts.models import Project
from analytics.answer import answer
from analytics.arrivals import arrivals
from analytics.asked import kept_from, refuse
from analytics.dimensions import DIMENSIONS, UNATTRIBUTED
from analytics.periods import Period
from analytics.query import MAX_LIMIT, Filter, Query, parse
from analytics.reading import reading
from analytics.result import Result
from analytics.trust import Trust
from finance import months
from finance.shown import Shown, shown_in

UNIT = "unit"
COUNTED = ("cost", "calls", "total_tokens", "unpriced_calls")
COST_ONLY = ("cost",)  # what a kind of unit divides
DEFAULT_GROUPS = ("feature", "provider", "model")
# What a statement is usually divided by, in the order in which it is offered.
GROUPS = tuple(
    name for name in ("cost_centre", "feature", "flow", "owner", "provider", "model", UNIT, "environment")
    if name in DIMENSIONS
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Which statement: a project's month (its first day), by what, of what."""

    project: Project
    month: date
    group_by: tuple[str, ...] = DEFAULT_GROUPS
    filters: tuple[Filter, ...] = ()

    def query(self, period: Period) -> Query:
        """The lines as a question to the engine."""
        measures = COST_ONLY if UNIT in self.group_by else COUNTED
        return Query(project=self.project, period=period, measures=measures, group_by=self.group_by,
                     filters=self.filters, order="-cost", limit=MAX_LIMIT)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, or the total. `usd` as the ledger has it, `amount` in the currency shown; None = unknown.
    Counts are None where the lines are kinds of unit, which divide nothing but cost."""

    group: tuple[str, ...]
    usd: Decimal | None
    amount: Decimal | None
    calls: int | None = None
    tokens: int | None = None
    unpriced: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Calls that are named beside the lines, and what they cost in the currency shown."""

    calls: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A month's statement.

    `lines` are largest first; `previous` the same of `base` by group, in this month's currency and rate;
    `late`: calls that came over a day after the month's end, `imported`: calls that an import brought after it;
    None where that cannot be told (analytics/arrivals.py). `cut`: groups beyond 10,000, in one line `(rest)`."""

    ask: Ask
    period: Period
    base: Period
    shown: Shown
    lines: tuple[Line, ...]
    total: Line
    previous: Mapping[tuple[str, ...], Line]
    previous_total: Line
    unattributed: Part
    late: Part | None
    imported: Part | None
    trust: Trust
    incomplete_calls: int  # without a price, or with a unit that has none
    cut: int
    notes: tuple[str, ...]

    @property
    def running(self) -> bool:
        """Whether the month has not ended."""
        return self.period.until is not None

    @property
    def complete_until(self) -> datetime:
        """Up to when the month's calls are in it; its end when all are."""
        return min(self.trust.complete_until, self.period.end)

    @property
    def complete(self) -> bool:
        """Whether the month has ended and nothing of it waits to be loaded."""
        return self.complete_until == self.period.end


def read_ask(
    given: Mapping[str, Sequence[str]], *, project: Project, month: date, now: datetime,
    default: tuple[str, ...] = DEFAULT_GROUPS,
) -> Ask:  # fmt: skip
    """What URL parameters ask for: `group_by`, and filters by the names of their dimensions.

    Raises ApiError 422, naming the field and what is known."""
    params = {name: list(values) for name, values in given.items()}
    params |= {"measures": ["cost"], "group_by": params.get("group_by") or [",".join(default)]}
    asked = parse(params, project=project, now=now)
    if any(one.dimension == UNIT for one in asked.filters):
        raise refuse(UNIT, "Calls are not divided by kinds of unit.", "Group the statement by unit instead.")
    return Ask(project=project, month=month, group_by=asked.group_by, filters=asked.filters)


def statement(ask: Ask, *, now: datetime) -> Statement:
    """Read it. Raises ApiError 422 for dimensions that no rollup knows together, 503 when it takes too long."""
    period = months.month_of(ask.month, zone=ask.project.zone, now=now)
    base = months.before(period, kept_from=kept_from(now))
    query = replace(ask.query(period), base=base)
    shown = shown_in(ask.project, ask.month)
    whole = replace(query, group_by=(), measures=COUNTED)
    unattributed = replace(whole, base=None, filters=(*whole.filters, Filter("flow", (UNATTRIBUTED,))))
    with reading():
        result = answer(query, now=now)
        beside = answer(whole, now=now) if query.measures == COST_ONLY else result
        nowhere = answer(unattributed, now=now, trust=False).totals
        late, imported = (_arrived(whole, shown, imported=one) for one in (False, True))
    total = _line((), {**beside.totals, "cost": result.totals["cost"]}, shown)
    before = result.compare.totals if result.compare else {}
    return Statement(
        ask=ask, period=period, base=base, shown=shown, total=total,
        lines=tuple(_line(group, figures, shown) for group, figures in result.by_group().items()),
        previous={group: _line(group, figures, shown) for group, figures in result.base_by_group().items()},
        previous_total=_line((), before, shown),
        unattributed=Part(calls=int(nowhere["calls"] or 0), amount=shown.of(nowhere["cost"])),
        late=late, imported=imported, trust=beside.trust, incomplete_calls=_incomplete(beside),
        cut=result.cut, notes=result.notes,
    )  # fmt: skip


def _line(group: tuple[str, ...], figures: Mapping[str, Any], shown: Shown) -> Line:
    usd = figures.get("cost")
    return Line(group=group, usd=usd, amount=shown.of(usd), calls=figures.get("calls"),
                tokens=figures.get("total_tokens"), unpriced=figures.get("unpriced_calls"))  # fmt: skip


def _arrived(query: Query, shown: Shown, *, imported: bool) -> Part | None:
    """What came after the month's end; of a month that runs nothing can be late."""
    if query.period.until is not None:
        return Part(calls=0, amount=Decimal(0))
    found = arrivals(query, after=months.late_from(query.period), imported=imported)
    if found is None:
        return None
    came = found.get(())
    return Part(calls=came.calls, amount=shown.of(came.cost)) if came else Part(calls=0, amount=Decimal(0))


def _incomplete(result: Result) -> int:
    calls, share = result.trust.calls, result.trust.priced_share
    return round((1 - share) * calls) if share is not None else 0
