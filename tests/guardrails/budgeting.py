"""What the tests of budgets share: budgets as the API makes them, calls of a known cost, evaluations at a time."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import Project
from analytics.models import Flow
from guardrails import budgets
from guardrails.budget_models import Budget, BudgetCrossing
from guardrails.budgets_evaluate import Evaluated, budgets_of, evaluate, states_of
from guardrails.budgets_state import BudgetState
from tests.analytics.ledger import call, load, send

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MADE = datetime(2026, 8, 1, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def make_budget(project: Project, name: str = "all", *, now: datetime = MADE, **fields: Any) -> Budget:
    """A budget of 100 USD a month on the whole project, unless told otherwise."""
    given = {"name": name, "scope": {}, "window": "month", "limit": "100.00", **fields}
    return budgets.create(project, budgets.read(given, project=project), by="test", now=now)


def change_budget(budget: Budget, *, now: datetime = NOON, **fields: Any) -> Budget:
    """The same budget with other fields."""
    given = {
        "name": budget.name, "scope": budgets.scope_of(budget), "window": budget.window, "limit": str(budget.limit),
        "thresholds": budget.thresholds, **fields,
    }  # fmt: skip
    return budgets.change(budget, budgets.read(given, project=budget.project), by="test", now=now)


def spend(
    project: Project, *costs: float | str, at: datetime = NOON, now: datetime | None = None, **fields: Any
) -> None:
    """Calls that were charged so much, one a second from `at` on; sent and loaded."""
    records = list(costing(costs, at=at, **fields))
    send(project, records, now=now or at)
    load(project, now=now or at)
    Flow.objects.filter(project=project, first_seen_at__gt=now or at).update(first_seen_at=now or at)


def costing(costs: Iterable[float | str], *, at: datetime, **fields: Any) -> Iterable[Any]:
    """Such calls, not sent."""
    tag = "-".join(str(value) for value in fields.values())
    for n, cost in enumerate(costs):
        started = int((at + timedelta(seconds=n)).timestamp() * 1_000_000)
        given = {"id": f"{tag}-{started}", "started_us": started, "reported_cost": Decimal(str(cost))}
        yield call(0, **{**given, **fields})


def look(project: Project, at: datetime = NOON) -> Evaluated:
    """One evaluation."""
    return evaluate(project, now=at)


def stand(project: Project, at: datetime = NOON) -> BudgetState:
    """Where the only budget stands."""
    (state,) = states_of(project, now=at)
    return state


def loud(project: Project) -> list[tuple[str, str, int]]:
    """What somebody hears of, oldest first: (budget, kind, threshold)."""
    rows = BudgetCrossing.objects.filter(budget__project=project, quiet="").order_by("pk")
    return list(rows.values_list("budget__name", "kind", "threshold"))


def quiet(project: Project) -> list[tuple[str, int, str]]:
    """What nobody hears of: (kind, threshold, why)."""
    rows = (
        BudgetCrossing.objects.filter(budget__project=project).exclude(quiet="").order_by("kind", "threshold")
    )
    return list(rows.values_list("kind", "threshold", "quiet"))


__all__ = ["budgets_of"]
