"""docs/budgets.md does what it says: its kill switch stops, and its answer has the fields that it shows."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from guardrails.budget_models import BudgetStanding
from tests.guardrails.budgeting import make_budget, spend
from tests.personas import bearer, make_key, make_project

DOC = (Path(__file__).parents[2] / "docs" / "budgets.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOC, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.django_db(transaction=True)
def test_the_kill_switch_stops_at_the_limit_and_goes_on_with_the_next_window(live_server):
    project = make_project()
    budget = make_budget(project)
    names: dict = {}
    exec(block("python"), names)  # noqa: S102 - our own documentation
    gate = names["BudgetGate"](
        f"{live_server.url}/v1/budgets/{budget.pk}", make_key(project, "guard"), every=0
    )
    assert gate.open()
    assert gate.open()  # a 304 by now
    spend(project, 120, at=timezone.now() - timedelta(seconds=9))
    BudgetStanding.objects.update(evaluated_at=timezone.now() - timedelta(hours=1))
    assert not gate.open()
    BudgetStanding.objects.update(spent=0, state="ok", evaluated_at=timezone.now())
    assert gate.open()
    stranger = names["BudgetGate"](gate.url, "flk_wrong", every=0)
    assert stranger.open()  # what is not known stops nobody


@pytest.mark.django_db
def test_the_answer_has_the_fields_that_the_page_shows(client):
    project = make_project()
    budget = make_budget(project)
    answer = client.get(f"/v1/budgets/{budget.pk}", headers=bearer(make_key(project, "read"))).json()
    assert set(json.loads(block("json"))) <= set(answer)
