"""The demo's budgets and rules: made once, not again after somebody removed them, never in another project."""

from datetime import UTC, datetime

import pytest

from analytics.demo import opinions
from guardrails import budgets, demo
from guardrails.alert_models import Rule
from guardrails.budget_models import Budget
from tests.personas import make_project

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def project(monkeypatch):
    monkeypatch.setattr(demo, "is_filled", lambda project: True)
    made = make_project()
    made.is_demo = True
    made.save()
    opinions.define(made, now=NOW)
    return made


def names(project):
    return set(Budget.objects.filter(project=project).values_list("name", flat=True))


def test_they_are_made_once_and_do_not_come_back(project):
    demo.ensure(project, now=NOW)
    demo.ensure(project, now=NOW)
    assert names(project) == {given["name"] for given in demo.BUDGETS}
    assert Rule.objects.filter(project=project).count() == len(demo.RULES)
    for budget in Budget.objects.filter(project=project):
        budgets.remove(budget, by="owner@example.com")
    demo.ensure(project, now=NOW)
    assert names(project) == set()


def test_other_projects_get_none(project):
    project.is_demo = False
    demo.ensure(project, now=NOW)
    assert names(project) == set()


def test_they_wait_until_the_year_is_loaded(project, monkeypatch):
    monkeypatch.setattr(demo, "is_filled", lambda project: False)
    demo.ensure(project, now=NOW)
    assert names(project) == set()
