"""The models of this app, as Django looks for them; each part has a module of its own."""

from guardrails.alert_models import Alert, AlertEvent, Channel, Delivery, DigestReader, Evaluation, Rule
from guardrails.budget_models import Budget, BudgetCrossing, BudgetStanding

__all__ = [
    "Alert",
    "AlertEvent",
    "Budget",
    "BudgetCrossing",
    "BudgetStanding",
    "Channel",
    "Delivery",
    "DigestReader",
    "Evaluation",
    "Rule",
]
