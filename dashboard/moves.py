"""What moved: the flows whose cost changed most, each with the reason that the figures give; and Overview's answer."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse

from analytics.answer import answer
from analytics.dimensions import LABELS, REST, UNATTRIBUTED
from analytics.periods import COMPARISONS
from analytics.result import Result
from dashboard import answers, formats, spans_of_time
from dashboard.answers import Answer, Spend
from dashboard.deltas import AMOUNT_MATTERS
from dashboard.scope import Scope

MOVES = 6
FLOWS = 500  # as many flow names as a project has
RATE_MOVED = Decimal("0.05")
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One flow's move: the amount, its tone, and what the figures say of the reason."""

    amount: str
    tone: str
    name: str
    said: str
    href: str


def moves(scope: Scope) -> tuple[Move, ...]:
    """The flows that moved most, by amount; those under 1 % of the base are left out."""
    query = scope.query(
        measures=("cost", "runs", "cost_per_run"), group_by=("flow",), order="-cost", limit=FLOWS
    )
    result = answer(query, now=scope.now, trust=False)
    current = {group[0]: figures for group, figures in result.by_group().items()}
    base = {group[0]: figures for group, figures in result.base_by_group().items()}
    whole = Decimal(result.compare.totals.get("cost") or 0) if result.compare else Decimal(0)
    if not whole:
        return ()  # everything is new, and the table says so
    found = [(_cost(current.get(name)) - _cost(base.get(name)), name) for name in {*current, *base} - {REST}]
    found = [pair for pair in found if pair[0] and abs(pair[0]) >= AMOUNT_MATTERS * whole]
    found.sort(key=lambda pair: (-abs(pair[0]), pair[1]))
    return tuple(
        _move(scope, name, amount, current.get(name), base.get(name)) for amount, name in found[:MOVES]
    )


def _cost(figures: Figures | None) -> Decimal:
    return Decimal((figures or {}).get("cost") or 0)


def _move(scope: Scope, name: str, amount: Decimal, current: Figures | None, base: Figures | None) -> Move:
    compare = reverse("compare", args=[scope.project.slug])
    return Move(
        amount=formats.money_answer(amount, signed=True),
        tone="worse" if amount > 0 else "better",
        name=name,
        said=_reason(current or {}, base or {}),
        href=scope.narrowed(compare, "flow", name, by="model"),
    )


def _reason(current: Figures, base: Figures) -> str:
    """Runs or cost per run, whichever moved more."""
    runs, before = current.get("runs") or 0, base.get("runs") or 0
    if not before:
        return f"is new, {formats.count(runs)} runs"
    if not runs:
        return f"had {formats.count(before)} runs, now none"
    each, each_before = current.get("cost_per_run"), base.get("cost_per_run")
    by_runs = Decimal(runs) / Decimal(before) - 1
    by_cost = Decimal(each) / Decimal(each_before) - 1 if each and each_before else Decimal(0)
    cost, cost_before = formats.money_answer(each), formats.money_answer(each_before)
    said = []
    if abs(by_cost) >= RATE_MOVED and cost != cost_before:
        said.append(f"costs {cost} a run, was {cost_before}")
    if abs(by_runs) >= RATE_MOVED:
        percent = formats.share(abs(by_runs))
        said.append(f"{percent} {'more' if by_runs > 0 else 'fewer'} runs")
    if abs(by_runs) > abs(by_cost):
        said.reverse()
    return "; ".join(said[:2]) or f"{formats.count(runs)} runs, were {formats.count(before)}"


def weekday_matched(scope: Scope) -> Result | None:
    """The total against the same weekdays, where the base by date has other weekdays; None where it has not."""
    if not spans_of_time.weekdays_differ(scope.period, scope.base):
        return None
    base = COMPARISONS["weekdays"](scope.period)
    return answer(scope.query(measures=("cost",), base=base, compare="weekdays"), now=scope.now, trust=False)


def overview_answer(scope: Scope, result: Result | None) -> Answer:
    """Overview's sentence, from the Result of the features."""
    if result is None:
        return ()
    matched = weekday_matched(scope)
    compare = result.compare
    facts = Spend(
        words=spans_of_time.words(scope.period, scope.base),
        cost=result.totals["cost"],
        calls=result.totals["calls"],
        base=compare.totals.get("cost") if compare else None,
        weekdays=matched.compare.totals.get("cost") if matched and matched.compare else None,
        mover=_mover(result),
    )
    return answers.overview(facts)


def _mover(result: Result) -> tuple[str, Decimal] | None:
    """The feature that moved most in the direction of the total."""
    current, base = result.by_group(), result.base_by_group()
    names = [group for group in {*current, *base} if group[0] not in LABELS or group[0] == UNATTRIBUTED]
    moved = [(group[0], _cost(current.get(group)) - _cost(base.get(group))) for group in names]
    total = sum((amount for _, amount in moved), Decimal(0))
    along = [pair for pair in moved if pair[1] * total > 0]
    return max(along, key=lambda pair: (abs(pair[1]), pair[0]), default=None)
