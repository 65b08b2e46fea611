"""Budgets: what they have spent, and which thresholds are told, once each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from analytics.load import load_lane
from analytics.models import Feature, Flow
from guardrails.budget_models import Budget, BudgetCrossing, BudgetStanding
from guardrails.budgets_ask import Asker
from guardrails.budgets_evaluate import budgets_of, evaluate
from tests.analytics.ledger import send
from tests.guardrails.budgeting import (
    DAY,
    MINUTE,
    NOON,
    change_budget,
    costing,
    look,
    loud,
    make_budget,
    quiet,
    spend,
    stand,
)
from tests.personas import make_project

pytestmark = pytest.mark.django_db


def test_a_threshold_is_told_once_however_often_it_is_evaluated():
    project = make_project()
    make_budget(project)
    spend(project, 55)
    for minute in range(3):
        look(project, NOON + minute * MINUTE)
    assert loud(project) == [("all", "actual", 50)]
    spend(project, 30, at=NOON + 5 * MINUTE)
    look(project, NOON + 6 * MINUTE)
    look(project, NOON + 7 * MINUTE)
    assert loud(project) == [("all", "actual", 50), ("all", "actual", 80)]
    assert quiet(project) == []


def test_of_thresholds_passed_together_only_the_highest_is_told():
    project = make_project()
    make_budget(project)
    spend(project, 120)
    look(project)
    assert loud(project) == [("all", "actual", 100)]
    assert quiet(project) == [("actual", 50, "passed"), ("actual", 80, "passed")]
    assert stand(project).state == "over"


def test_the_next_window_begins_with_nothing_told():
    project = make_project()
    make_budget(project, window="day")
    spend(project, 60)
    look(project)
    tomorrow = NOON + DAY
    look(project, tomorrow)
    assert stand(project, tomorrow).spent == 0
    spend(project, 60, at=tomorrow + MINUTE)
    look(project, tomorrow + 2 * MINUTE)
    assert loud(project) == [("all", "actual", 50)] * 2


def test_what_comes_in_the_last_minute_of_a_window_is_told_of_that_window():
    project = make_project()
    make_budget(project, window="day")
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    look(project, midnight - MINUTE)
    spend(project, 90, at=midnight - timedelta(seconds=30))
    look(project, midnight + MINUTE)
    crossing = BudgetCrossing.objects.get(quiet="")
    assert (crossing.threshold, crossing.window_end) == (80, midnight)
    look(project, midnight + 2 * MINUTE)
    assert loud(project) == [("all", "actual", 80)]


def test_late_calls_move_yesterday_and_the_month_and_tell_nothing_of_yesterday():
    project = make_project()
    daily, monthly = (
        make_budget(project, "daily", window="day"),
        make_budget(project, "monthly", limit="1000"),
    )
    spend(project, 10)
    look(project, NOON)
    look(project, NOON + DAY)
    spend(project, 500, at=NOON - MINUTE, now=NOON + DAY)
    look(project, NOON + DAY + MINUTE)
    assert loud(project) == [("monthly", "actual", 50)]
    assert BudgetStanding.objects.get(budget=daily).spent == 0
    assert BudgetStanding.objects.get(budget=monthly).spent == 510


def test_a_flow_that_moves_into_a_feature_tells_nothing_of_days_gone_by():
    project = make_project()
    make_budget(project, scope={"feature": "support"})
    spend(project, 45)
    spend(project, 40, flow="sales-chat", feature="sales", at=NOON - DAY)
    look(project)
    Flow.objects.filter(name="sales-chat").update(feature=Feature.objects.get(name="support"))
    look(project, NOON + MINUTE)
    assert stand(project, NOON + MINUTE).spent == 85
    assert loud(project) == []
    assert quiet(project) == [("actual", 50, "moved"), ("actual", 80, "moved")]
    assert BudgetCrossing.objects.first().mapping == ["sales-chat", "support-triage"]
    spend(project, 20, at=NOON + 2 * MINUTE)
    look(project, NOON + 3 * MINUTE)
    assert loud(project) == [("all", "actual", 100)]


def test_spend_of_the_minute_in_which_a_flow_moves_is_told():
    project = make_project()
    make_budget(project, scope={"feature": "support"})
    spend(project, 45)
    spend(project, 40, flow="sales-chat", feature="sales", at=NOON - DAY)
    look(project)
    Flow.objects.filter(name="sales-chat").update(feature=Feature.objects.get(name="support"))
    spend(project, 10, at=NOON + MINUTE)
    look(project, NOON + 2 * MINUTE)
    assert loud(project) == [("all", "actual", 50)]
    assert quiet(project) == [("actual", 80, "moved")]


def test_a_threshold_that_only_a_move_passed_is_told_when_spend_gets_there_after_the_move_is_undone():
    project = make_project()
    make_budget(project, scope={"feature": "support"})
    spend(project, 45)
    spend(project, 40, flow="sales-chat", feature="sales", at=NOON - DAY)
    look(project)
    sales, support = Feature.objects.get(name="sales"), Feature.objects.get(name="support")
    for minute, feature in ((1, support), (2, sales)):
        Flow.objects.filter(name="sales-chat").update(feature=feature)
        look(project, NOON + minute * MINUTE)
    assert quiet(project) == []
    spend(project, 10, at=NOON + 3 * MINUTE)
    look(project, NOON + 4 * MINUTE)
    assert loud(project) == [("all", "actual", 50)]


def test_a_new_flow_of_the_feature_is_spend_like_any_other():
    project = make_project()
    make_budget(project, scope={"feature": "support"})
    spend(project, 45)
    look(project, datetime(2026, 11, 24, 0, 0, tzinfo=UTC))
    spend(project, 40, flow="support-draft", at=NOON)
    Flow.objects.filter(name="support-draft").update(first_seen_at=NOON)
    look(project, NOON + MINUTE)
    assert loud(project) == [("all", "actual", 80)]


def test_a_raised_limit_is_told_anew_and_what_was_told_is_not():
    project = make_project()
    budget = make_budget(project, thresholds=[80])
    spend(project, 85)
    look(project)
    budget = change_budget(budget, limit="105")
    look(project, NOON + MINUTE)
    assert loud(project) == [("all", "actual", 80)]
    assert quiet(project) == [("actual", 80, "told")]
    budget = change_budget(budget, limit="200")
    look(project, NOON + 2 * MINUTE)
    spend(project, 80, at=NOON + 3 * MINUTE)
    look(project, NOON + 4 * MINUTE)
    assert [threshold for _, _, threshold in loud(project)] == [80]


def test_two_evaluations_of_the_same_minute_tell_once():
    project = make_project()
    make_budget(project)
    spend(project, 60)
    first, second = budgets_of(project), budgets_of(project)
    evaluate(project, now=NOON, budgets=first)
    evaluate(
        project, now=NOON + MINUTE, budgets=second
    )  # asked with what was known before the first one wrote
    assert loud(project) == [("all", "actual", 50)]
    assert BudgetStanding.objects.count() == 1


def test_unpriced_calls_stand_beside_what_is_spent():
    project = make_project()
    make_budget(project)
    spend(project, 30)
    send(
        project,
        list(costing([0], at=NOON + MINUTE, reported_cost=None, model="nobody-knows-it", provider="x")),
    )
    load_lane(project.lane, now=NOON)
    state = stand(project, NOON + 2 * MINUTE)
    assert (state.spent, state.unpriced_calls) == (Decimal(30), 1)


def test_spend_of_which_nothing_is_known_is_unknown_not_nothing():
    project = make_project()
    make_budget(project)
    send(project, list(costing([0], at=NOON, reported_cost=None, model="nobody-knows-it", provider="x")))
    load_lane(project.lane, now=NOON)
    state = stand(project)
    assert (state.spent, state.share, state.unpriced_calls) == (None, None, 1)
    assert state.state == "ok"


@pytest.mark.parametrize(
    ("scope", "spent"),
    [
        ({}, 6),
        ({"feature": "support"}, 2),
        ({"flow": "draft"}, 4),
        ({"customer": "tessel"}, 4),
        ({"provider": "anthropic"}, 4),
        ({"model": "gpt-4o-mini"}, 2),
        ({"cost_centre": "4711"}, 2),
        ({"flow": "nobody-calls-it"}, 0),
        ({"customer": "'; DROP TABLE call; --"}, 0),
    ],
)
def test_a_budget_is_on_its_scope_in_the_main_environment(scope, spent):
    project = make_project()
    make_budget(project, scope=scope)
    spend(project, 2)
    spend(project, 4, flow="draft", feature="mail", customer="tessel", provider="anthropic", model="claude-sonnet-4-5",
          at=NOON + MINUTE)  # fmt: skip
    spend(project, 100, environment="staging", at=NOON + 2 * MINUTE)
    Feature.objects.filter(name="support").update(cost_centre="4711")
    assert stand(project, NOON + 3 * MINUTE).spent == spent


@pytest.mark.parametrize(("environment", "spent"), [("staging", 100), ("*", 102), ("production", 2)])
def test_a_budget_may_name_another_environment_or_all(environment, spent):
    project = make_project()
    make_budget(project, environment=environment)
    spend(project, 2)
    spend(project, 100, environment="staging", at=NOON + MINUTE)
    assert stand(project, NOON + 2 * MINUTE).spent == spent


def test_a_budget_in_tokens_counts_tokens():
    project = make_project()
    make_budget(project, unit="tokens", limit=2000)
    spend(project, 2)
    state = stand(project)
    assert (state.spent, state.share) == (1100, Decimal("0.55"))


def test_what_the_window_before_left_is_carried_over_when_asked_for():
    project = make_project()
    make_budget(project, window="day", carry_over=True)
    spend(project, 30, at=NOON - DAY)
    spend(project, 120)
    state = stand(project)
    assert (state.carried, state.limit, state.state) == (70, 170, "warned")


def test_a_renamed_flow_goes_on_being_watched():
    project = make_project()
    make_budget(project, scope={"flow": "support-triage"})
    spend(project, 60)
    renamed = Flow.objects.create(project=project, name="triage")
    Flow.objects.filter(name="support-triage").update(alias_of=renamed)
    assert stand(project).spent == 60


def test_a_thousand_budgets_are_a_few_questions():
    project = make_project()
    spend(project, *[1] * 10)
    Budget.objects.bulk_create(
        Budget(project=project, name=f"c{n}", dimension="customer", value=f"c{n}", window=window, limit=10,
               thresholds=[50], on=["actual", "forecast"])
        for n, window in enumerate(["day", "month"] * 500)
    )  # fmt: skip
    asked = []
    original = Asker._ask
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Asker, "_ask", lambda *a, **k: asked.append(1) or original(*a, **k))
        assert len(look(project).states) == 1000
    assert len(asked) == 3  # day, month, and the days of which forecasts are learnt
