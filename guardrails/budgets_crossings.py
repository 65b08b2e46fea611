"""Which thresholds were newly crossed, and whether anybody is to hear of it.

Quiet is what no spend of now caused: a flow that moved in and brought its past (`moved`), imported history
(`imported`), what was told under an earlier definition (`told`), and the lower ones of thresholds that were passed
together (`passed`): one message says the highest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from guardrails.budget_models import Budget, BudgetCrossing
from guardrails.budgets_state import Amount, Passed, passed
from guardrails.windows import Window

UNDONE = ("moved", "imported")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A budget's figures in one window. `grown`: what is spent without flows that moved in, None = none did."""

    budget: Budget
    window: Window
    spent: Amount
    forecast: Amount
    limit: Decimal
    grown: Amount = None
    moved: bool = False
    imported: bool = False
    mapping: tuple[str, ...] | None = None

    @property
    def passed(self) -> Passed:
        """The thresholds that it is past."""
        return passed(self.budget, spent=self.spent, forecast=self.forecast, limit=self.limit)

    @property
    def passed_by_itself(self) -> Passed:
        """Those that it would be past without the flows that moved in; nothing is forecast from a move."""
        if not self.moved:
            return self.passed
        return passed(self.budget, spent=self.grown, forecast=None, limit=self.limit)


def newly_crossed(found: Found, known: Iterable[BudgetCrossing], *, at: datetime) -> list[BudgetCrossing]:
    """Unsaved crossings of one window. `known`: all of this window that are recorded, of any revision."""
    recorded = list(known)
    mine = {(one.kind, one.threshold) for one in recorded if one.revision == found.budget.revision}
    earlier = [one for one in recorded if one.revision != found.budget.revision]
    new = sorted(found.passed - mine)
    own = found.passed_by_itself
    quiet = {key: _reason(found, key, own, earlier) for key in new}
    for kind, threshold in new:
        higher = (t for k, t in new if k == kind and t > threshold and not quiet[k, t])
        if not quiet[kind, threshold] and any(higher):
            quiet[kind, threshold] = "passed"
    return [_crossing(found, key, quiet[key], at) for key in new]


def _reason(found: Found, key: tuple[str, int], own: Passed, earlier: Sequence[BudgetCrossing]) -> str:
    kind, threshold = key
    if found.imported:
        return "imported"
    if key not in own:
        return "moved"
    told = any(one.kind == kind and one.threshold >= threshold for one in earlier)
    return "told" if told else ""


def _crossing(found: Found, key: tuple[str, int], quiet: str, at: datetime) -> BudgetCrossing:
    kind, threshold = key
    amount = found.spent if kind == "actual" else found.forecast
    return BudgetCrossing(
        budget=found.budget,
        revision=found.budget.revision,
        window_start=found.window.start,
        window_end=found.window.end,
        kind=kind,
        threshold=threshold,
        at=at,
        spent=amount or Decimal(0),
        limit=found.limit,
        unit=found.budget.unit,
        quiet=quiet,
        mapping=None if found.mapping is None else list(found.mapping),
    )


def undone(found: Found, known: Iterable[BudgetCrossing]) -> list[int]:
    """Ids of quiet crossings that are no longer true: the flow moved back, the import was taken back. When spend
    itself gets there, it is news."""
    return [
        one.pk for one in known
        if one.quiet in UNDONE and one.revision == found.budget.revision and one.kind == "actual"
        and (one.kind, one.threshold) not in found.passed
    ]  # fmt: skip
