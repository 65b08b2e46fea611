"""The pages of the place Guardrails."""

from django.urls import reverse

from accounts.models import Project
from dashboard.frame import Choice

PAGES = (("Budgets", "budgets"), ("Alerts", "alerts"), ("Rules", "rules"))


def nav(project: Project, current: str) -> tuple[Choice, ...]:
    """Links to all of them, the current one marked."""
    return tuple(Choice(label, reverse(name, args=[project.slug]), name == current) for label, name in PAGES)
