"""Budgets that crossed a threshold become alerts, each crossing once; their window's end is their own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from accounts.models import Project
from guardrails.alert_models import Alert, AlertEvent
from guardrails.budget_models import Budget, BudgetCrossing
from guardrails.history import QUIETLY, record

WINDOW_OVER = f"the window is over; {QUIETLY}"


def cross(project: Project, *, now: datetime) -> list[AlertEvent]:
    """Alerts for crossings that have none yet, and the end of those whose window is over; their events.

    A crossing that nobody is to hear of (moved flows, imported history) makes none."""
    ended = _ended(project, now)
    known = Alert.objects.filter(project=project, crossing_id__isnull=False).values("crossing_id")
    fresh = BudgetCrossing.objects.filter(budget__project=project, quiet="", window_end__gt=now)
    rows = fresh.exclude(pk__in=known).select_related("budget").order_by("at", "threshold", "pk")
    alerts = [_alert(project, one) for one in rows]
    Alert.objects.bulk_create(alerts, ignore_conflicts=True)
    made = Alert.objects.filter(crossing_id__in=[alert.crossing_id for alert in alerts])
    return record(((alert, "firing", "") for alert in made.order_by("pk")), now=now) + ended


def _alert(project: Project, crossing: BudgetCrossing) -> Alert:
    kind = "forecast to reach" if crossing.kind == "forecast" else "reached"
    return Alert(
        project=project, budget_id=crossing.budget_id, crossing_id=crossing.pk, state="firing", since=crossing.at,
        name=f"{crossing.budget.name} {kind} {crossing.threshold} %", fired_at=crossing.at, value=crossing.spent,
        bound=crossing.limit, evaluated_until=crossing.at,
    )  # fmt: skip


def _ended(project: Project, now: datetime) -> list[AlertEvent]:
    """The end of a window is no news: history only."""
    over = BudgetCrossing.objects.filter(budget__project=project, window_end__lte=now)
    left = BudgetCrossing.objects.filter(budget__project=project)
    alerts = Alert.objects.filter(project=project, resolved_at=None, crossing_id__isnull=False)
    done = [
        *alerts.filter(crossing_id__in=over.values("pk")),
        *alerts.exclude(crossing_id__in=left.values("pk")),
    ]
    for alert in done:
        alert.state, alert.resolved_at, alert.evaluated_until = "resolved", now, now
    Alert.objects.bulk_update(done, ["state", "resolved_at", "evaluated_until"])
    return record(((alert, "resolved", QUIETLY) for alert in done), now=now)


def crossing_of(alert: Alert) -> BudgetCrossing | None:
    """The crossing that a budget's alert tells of; None when its budget is gone."""
    return BudgetCrossing.objects.filter(pk=alert.crossing_id or 0).select_related("budget").first()


def channels_of(alert: Alert) -> Sequence[str]:
    """The names of the channels that hear of a budget's alert."""
    budget = Budget.objects.filter(pk=alert.budget_id or 0).first()
    names: Sequence[str] = budget.channels if budget else ()
    return names


def scope_filters(alert: Alert) -> Mapping[str, tuple[str, ...]]:
    """What a budget's alert is about, as filters: its scope and environment."""
    budget = Budget.objects.filter(pk=alert.budget_id or 0).select_related("project").first()
    if budget is None:
        return {}
    found = {budget.dimension: (budget.value,)} if budget.dimension else {}
    environment = budget.environment or budget.project.main_environment
    return found | ({} if environment == "*" else {"environment": (environment,)})


def budget_of(alert: Alert) -> dict[str, Any]:
    """What a message says of the budget: what `GET /v1/budgets/<id>` says, so that a receiver can stop itself."""
    crossing = crossing_of(alert)
    if crossing is None:
        return {"budget": alert.name, "budget_id": alert.budget_id}
    budget = crossing.budget
    standing = getattr(budget, "standing", None)
    return {
        "budget": budget.name, "budget_id": budget.pk, "threshold": crossing.threshold, "on": crossing.kind,
        "scope": {budget.dimension: budget.value} if budget.dimension else {}, "window": budget.window,
        "unit": budget.unit, "spent": f"{standing.spent:f}" if standing and standing.spent is not None else None,
        "unpriced_calls": standing.unpriced_calls if standing else None,
        "budget_state": standing.state if standing else None, "resets_at": crossing.window_end,
        "complete_until": standing.complete_until if standing else crossing.at,
    }  # fmt: skip
