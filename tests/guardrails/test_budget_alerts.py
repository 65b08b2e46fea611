"""A budget that crosses a threshold is one alert, told once, in the budget's own unit."""

from datetime import timedelta

import pytest

from guardrails import engine, messages, wording
from guardrails.alert_models import Alert
from tests.guardrails.budgeting import DAY, NOON, look, make_budget, spend
from tests.personas import make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project()


def alerts(project, *, at=NOON + timedelta(minutes=1)):
    look(project, at)
    engine.evaluate_project(project, now=at)
    return list(Alert.objects.filter(project=project).order_by("pk"))


def test_a_crossing_is_one_alert_however_often_it_is_looked_at(project):
    make_budget(project, "support", limit="100.00")
    spend(project, 85)
    first = alerts(project)
    assert [(one.name, one.state) for one in first] == [("support reached 80 %", "firing")]
    assert [one.pk for one in alerts(project, at=NOON + timedelta(minutes=2))] == [first[0].pk]


def test_the_end_of_its_window_ends_it_quietly(project):
    make_budget(project, "support", limit="100.00")
    spend(project, 85)
    alerts(project)
    (ended,) = alerts(project, at=NOON + 8 * DAY)
    assert (ended.state, ended.resolved_at) == ("resolved", NOON + 8 * DAY)


@pytest.mark.parametrize(
    ("unit", "limit", "said"),
    [("USD", "100.00", "$85.00 of $100.00"), ("tokens", "2000", "tokens of 2,000 tokens")],
)
def test_amounts_are_said_in_the_budgets_unit(project, unit, limit, said):
    make_budget(project, "support", limit=limit, unit=unit, thresholds=[10])
    spend(project, 85)
    (alert,) = alerts(project)
    sentence = wording.sentence(alert, project=project, now=NOON)
    assert said in sentence
    assert ("$" in sentence) == (unit == "USD")
    body = messages.alert_body(alert, project=project, now=NOON)
    assert (body["unit"], body["sentence"]) == (unit, sentence)
