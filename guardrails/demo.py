"""The demo project's budgets and rules: made once, gone with it; what was removed by hand does not come back."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import AuditLine, Project
from analytics.demo import is_filled
from guardrails import budgets, rules

BY = "system"
AGE = timedelta(days=90)  # the budgets are so old when the demo is made
BUDGETS: tuple[dict[str, Any], ...] = (
    {
        "name": "Support assistant",
        "scope": {"feature": "Support assistant"},
        "limit": "80.00",
        "owner": "Mara Lindqvist",
    },
    {
        "name": "Contract review",
        "scope": {"feature": "Contract review"},
        "limit": "60.00",
        "owner": "Jonas Weber",
    },
    {
        "name": "Email drafting",
        "scope": {"feature": "Email drafting"},
        "limit": "5.00",
        "owner": "Aiko Tanaka",
    },
    {
        "name": "Search answers",
        "scope": {"feature": "Search answers"},
        "limit": "15.00",
        "owner": "Tomás Silva",
    },
    {"name": "Anthropic", "scope": {"provider": "anthropic"}, "environment": "*", "limit": "150.00"},
    {"name": "globex", "scope": {"customer": "globex"}, "limit": "30.00"},
    {"name": "All of Kestrel Desk", "scope": {}, "environment": "*", "limit": "250.00"},
)
RULES: tuple[dict[str, Any], ...] = (
    {"name": "Errors of support answers", "measure": "error_rate", "filters": {"flow": ["support-answer"]},
     "condition": {"above": 0.15}, "window": "1h", "min_count": 20},
    {"name": "Tickets to the right team", "measure": "pass_rate:right_team", "filters": {"flow": ["support-triage"]},
     "condition": {"below": 0.9}, "window": "3d", "min_count": 100},
    {"name": "Any customer over $50 this month", "measure": "cost", "each": "customer", "condition": {"above": 50},
     "window": "month"},
    {"name": "Slow contract reviews", "measure": "p95_run_duration", "filters": {"flow": ["contract-review"]},
     "condition": {"above": 600_000}, "window": "1d", "min_count": 10},
)  # fmt: skip


def ensure(project: Project, *, now: datetime) -> None:
    """Make them where the project is the demo, its year is loaded, and it never had any."""
    if not project.is_demo or AuditLine.objects.filter(project=project, action="budget.created").exists():
        return
    if not is_filled(project):
        return  # what is spent and forecast is not known yet
    with transaction.atomic():
        for given in BUDGETS:
            definition = budgets.read({"window": "month", "thresholds": [80, 100], **given}, project=project)
            budgets.create(project, definition, by=BY, now=project.created_at - AGE)
        for rule in RULES:
            rules.read(rule, project=project, now=now).save()
