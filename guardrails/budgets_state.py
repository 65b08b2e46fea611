"""Where a budget stands, as pages, API and messages say it: figures of one window, judged. Nothing is asked here."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from guardrails.budget_models import Budget, BudgetStanding
from guardrails.windows import Window

Amount = Decimal | None
Passed = frozenset[tuple[str, int]]  # (kind, threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """A budget in one window. Amounts in the budget's unit; None = unknown. `limit` is with what was `carried` over;
    `forecast` to the end of the window, with its 80 % interval, None below 14 days of history (`days` of them)."""

    budget: Budget
    window: Window
    spent: Amount
    limit: Decimal
    carried: Decimal
    unpriced_calls: int
    forecast: Amount
    interval: tuple[Decimal, Decimal] | None
    days: int
    state: str  # ok, warned, over
    complete_until: datetime
    evaluated_at: datetime

    @property
    def share(self) -> Amount:
        """What is spent of the limit; 1 = all of it."""
        return None if self.spent is None else self.spent / self.limit

    @property
    def forecast_share(self) -> Amount:
        """What is forecast of the limit."""
        return None if self.forecast is None else self.forecast / self.limit

    @property
    def left(self) -> Amount:
        """What may still be spent; below 0 when it is over."""
        return None if self.spent is None else self.limit - self.spent

    @property
    def resets_at(self) -> datetime:
        """When the next window begins."""
        return self.window.end


def state_from(budget: Budget, standing: BudgetStanding) -> BudgetState:
    """A stored standing, as everybody reads it."""
    window = Window(budget.window, standing.window_start, standing.window_end, budget.project.zone)
    low, high = _plus(standing.spent, standing.rest_low), _plus(standing.spent, standing.rest_high)
    return BudgetState(
        budget=budget,
        window=window,
        spent=standing.spent,
        limit=budget.limit + standing.carried,
        carried=standing.carried,
        unpriced_calls=standing.unpriced_calls,
        forecast=_plus(standing.spent, standing.rest),
        interval=(low, high) if low is not None and high is not None else None,
        days=standing.days,
        state=standing.state,
        complete_until=standing.complete_until,
        evaluated_at=standing.evaluated_at,
    )


def _plus(spent: Amount, rest: Amount) -> Amount:
    return None if spent is None or rest is None else spent + rest


def forecast_thresholds(budget: Budget) -> tuple[int, ...]:
    """The thresholds that a forecast is measured by: 100 % and beyond, or the highest where all are lower. That a
    month will reach half of its budget is no news."""
    ahead = tuple(threshold for threshold in budget.thresholds if threshold >= 100)
    return ahead or tuple(budget.thresholds[-1:])


def passed(budget: Budget, *, spent: Amount, forecast: Amount, limit: Decimal) -> Passed:
    """The thresholds at or below what is spent, and those that only the forecast reaches."""
    found: set[tuple[str, int]] = set()
    reached = {threshold for threshold in budget.thresholds if _reaches(spent, limit, threshold)}
    if "actual" in budget.on:
        found |= {("actual", threshold) for threshold in reached}
    if "forecast" in budget.on:
        ahead = (t for t in forecast_thresholds(budget) if t not in reached and _reaches(forecast, limit, t))
        found |= {("forecast", threshold) for threshold in ahead}
    return frozenset(found)


def judged(budget: Budget, *, spent: Amount, forecast: Amount, limit: Decimal) -> str:
    """over: the limit is spent. warned: a threshold is passed, or will be. Else ok."""
    if _reaches(spent, limit, 100):
        return "over"
    return "warned" if passed(budget, spent=spent, forecast=forecast, limit=limit) else "ok"


def _reaches(amount: Amount, limit: Decimal, threshold: int) -> bool:
    return amount is not None and amount * 100 >= limit * threshold
