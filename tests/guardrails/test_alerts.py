"""The engine: what fires, what does not, who hears of it."""

from datetime import timedelta

import pytest

from analytics.models import Flow
from guardrails.alert_models import Alert, AlertEvent, Delivery
from ingest import inbox
from tests.analytics.ledger import call, load, send
from tests.guardrails.alerting import (
    alert_of,
    at,
    evaluate,
    failing,
    make_channel,
    make_rule,
    states,
    traffic,
)
from tests.personas import make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project("Desk", zone="Europe/Berlin")


def test_it_fires_once_and_recovers_once(project):
    make_channel(project)
    rule = make_rule(project, channels=["ops"])
    traffic(project, {1: 40})
    failing(project, {2: 10})
    evaluate(project, 16)
    evaluate(project, 17)
    alert = alert_of(rule)
    assert (alert.state, float(alert.value), alert.n, float(alert.bound)) == ("firing", 0.2, 50, 0.1)
    assert alert.low < 0.2 < alert.high
    traffic(project, {20: 40})
    evaluate(project, 31)
    evaluate(project, 32)
    alert.refresh_from_db()
    assert alert.state == "resolved"
    assert [event.kind for event in alert.events.order_by("number")] == ["firing", "resolved"]
    assert Delivery.objects.filter(event__alert=alert).count() == 2


def test_for_has_to_pass_first(project):
    rule = make_rule(project, **{"for": "30min"})
    failing(project, range(1, 60, 4))
    evaluate(project, 16)
    assert alert_of(rule).state == "pending"
    evaluate(project, 40)
    assert alert_of(rule).state == "pending"
    evaluate(project, 46)
    assert alert_of(rule).state == "firing"


def test_a_pending_alert_that_recovers_leaves_nothing(project):
    rule = make_rule(project, **{"for": "30min"})
    failing(project, {1: 5})
    evaluate(project, 16)
    traffic(project, {20: 40})
    evaluate(project, 31)
    assert states(rule) == []


def test_a_loader_that_is_behind_neither_fires_nor_clears(project):
    low = make_rule(project, "quiet", measure="calls", condition={"below": 5})
    gone = make_rule(project, "gone", condition="no_data", measure="calls")
    broken = make_rule(project, "broken")
    failing(project, range(1, 15))
    evaluate(project, 16)
    assert [states(rule) for rule in (low, gone, broken)] == [[], [], [("", "firing")]]
    send(project, [call(0, id="late", started_us=int(at(20).timestamp() * 1e6))], now=at(17))
    for minutes in (31, 46, 120):
        evaluate(project, minutes)
        assert [states(rule) for rule in (low, gone, broken)] == [[], [], [("", "firing")]]
    load(project, now=at(121))
    evaluate(project, 121)
    assert [states(rule) for rule in (low, gone)] == [[("", "firing")], [("", "no_data")]]


def test_yesterdays_calls_that_arrive_today_fire_nothing(project):
    rules = [
        make_rule(project, "hourly", window="1h"),
        make_rule(project, "day", measure="cost", condition={"above": "0.001"}, window="day"),
    ]
    traffic(project, {1: 3})
    evaluate(project, 16)
    assert [states(rule) for rule in rules] == [[], []]
    failing(project, {minute - 24 * 60: 20 for minute in range(60)})
    traffic(project, {2 - 24 * 60: 500})
    evaluate(project, 17)
    evaluate(project, 31)
    assert [states(rule) for rule in rules] == [[], []]


def test_a_sum_fires_while_its_window_still_fills_a_rate_only_when_it_is_sure(project):
    spend = make_rule(project, "spend", measure="calls", condition={"above": 20}, window="1h")
    rate = make_rule(project, "rate")
    traffic(project, {1: 18})
    failing(project, {2: 3})
    evaluate(project, 3)
    assert states(spend) == [("", "firing")]
    assert states(rate) == []  # 3 of 21 may be chance
    failing(project, {4: 20})
    evaluate(project, 5)
    assert states(rate) == [("", "firing")]


def test_each_customer_of_this_month(project):
    rule = make_rule(
        project, "dear", measure="cost", each="customer", condition={"above": "0.002"}, window="month"
    )
    traffic(project, {1: 30}, customer="acme")
    traffic(project, {1: 2}, customer="tessel")
    traffic(project, {-40 * 24 * 60: 90}, customer="tessel")  # the month before
    evaluate(project, 16)
    assert states(rule) == [("acme", "firing")]
    evaluate(project, 8 * 24 * 60)  # December
    assert states(rule) == [("acme", "resolved")]


def test_change_against_the_same_hours(project):
    rule = make_rule(project, measure="calls", condition={"change_over": 50, "against": "same_hours"}, window="1h",
                     min_count=0)  # fmt: skip
    for week in (1, 2, 3):
        traffic(project, {-week * 7 * 24 * 60 - minute: 10 * week for minute in range(1, 60, 6)})
    traffic(project, {-minute: 20 for minute in range(1, 60, 6)})
    evaluate(project, 0)
    assert states(rule) == []
    traffic(project, dict.fromkeys(range(1, 60, 6), 40))
    traffic(project, {minute - 7 * 24 * 60: 20 for minute in range(1, 60, 6)}, user="other")
    traffic(project, {minute - 14 * 24 * 60: 20 for minute in range(1, 60, 6)}, user="other")
    evaluate(project, 60)
    alert = alert_of(rule)
    assert (alert.state, int(alert.value), int(alert.base), int(alert.bound)) == ("firing", 400, 200, 300)


def test_one_earlier_week_is_no_usual(project):
    rule = make_rule(project, measure="calls", condition={"change_over": 50, "against": "same_hours"})
    traffic(project, {-7 * 24 * 60 - 2: 1})
    traffic(project, {-2: 100})
    evaluate(project, 0)
    assert states(rule) == []


def test_no_data_of_each_flow_that_was_there(project):
    rule = make_rule(project, "silent", measure="calls", condition="no_data", each="flow", window="30min")
    traffic(project, {-60: 3}, flow="triage")
    traffic(project, {-60: 3, 20: 1}, flow="answer")
    evaluate(project, 31)
    assert states(rule) == [("triage", "no_data")]
    traffic(project, {40: 1, 41: 1}, flow="triage")
    traffic(project, {40: 1, 41: 1}, flow="answer")
    evaluate(project, 46)
    assert states(rule) == [("triage", "resolved")]


def test_too_few_calls_are_no_breach_and_no_recovery(project):
    rule = make_rule(project, min_count=10)
    failing(project, {1: 9})
    evaluate(project, 16)
    assert states(rule) == []
    failing(project, {17: 10})
    evaluate(project, 31)
    assert states(rule) == [("", "firing")]
    evaluate(project, 46)  # nothing comes any more: not resolved, and nobody is told
    assert states(rule) == [("", "no_data")]
    traffic(project, {47: 40})
    evaluate(project, 61)
    assert states(rule) == [("", "resolved")]


def test_imported_history_fires_nothing(project):
    from analytics.models import ImportBatch  # noqa: PLC0415

    rule = make_rule(project, measure="calls", condition={"above": 50}, window="month")
    evaluate(project, 0)
    batch = ImportBatch.objects.create(project=project, file_name="old.csv", format="csv", started_at=at(1),
                                       finished_at=at(2), first_at=at(-5000), last_at=at(-10))  # fmt: skip
    records = [call(0, id=f"i-{n}", started_us=int(at(-10 - n).timestamp() * 1e6)) for n in range(60)]
    inbox.put(
        records, kind=inbox.Kind.CALLS, sender=inbox.Sender(project.pk, import_batch=batch.pk), now=at(1)
    )
    load(project, now=at(2))
    for minutes in (2, 3, 60):
        evaluate(project, minutes)
    assert states(rule) == [("", "held")]
    assert AlertEvent.objects.count() == 0
    assert Alert.objects.filter(rule=rule, told_at__isnull=False).count() == 0


def test_a_flow_that_is_renamed_goes_on_being_watched(project):
    single = make_rule(project, "one flow", filters={"flow": ["support-triage"]})
    each = make_rule(project, "each flow", each="flow")
    failing(project, {1: 20})
    evaluate(project, 16)
    assert states(single) == [("", "firing")]
    assert states(each) == [("support-triage", "firing")]
    new = Flow.objects.create(project=project, name="triage")
    Flow.objects.filter(project=project, name="support-triage").update(alias_of=new)
    failing(project, {17: 20})
    evaluate(project, 31)
    assert states(single) == [("", "firing")]
    assert states(each) == [("triage", "firing")]


def test_an_outage_of_a_provider_is_one_message(project):
    make_channel(project)
    rule = make_rule(project, each="flow", channels=["ops"])
    other = make_rule(project, "all", channels=["ops"])
    for number in range(4):
        traffic(project, {1: 5}, flow=f"flow-{number}", provider="openai")
        failing(project, {2: 10}, flow=f"flow-{number}", provider="anthropic", model="claude-sonnet-4-5")
    failing(project, {3: 10}, flow="ours", error_class="our_request")
    evaluate(project, 16)
    assert len(states(rule)) == 5
    told = {
        (one.rule.name, one.group)
        for one in Alert.objects.filter(told_at__isnull=False).select_related("rule")
    }
    assert len(told) == 2  # the outage, and the flow whose own requests are wrong
    assert ("errors", "ours") in told
    assert (
        Alert.objects.filter(provider="anthropic").count()
        == 5 + (alert_of(other).provider == "anthropic") - 1
    )
    assert Delivery.objects.count() == 2
    for minutes in (17, 18, 19):
        evaluate(project, minutes)
    assert Delivery.objects.count() == 2


def test_a_rule_that_depends_on_another_waits_behind_it(project):
    make_channel(project)
    make_rule(project, "provider", filters={"provider": ["openai"]}, channels=["ops"], measure="errors",
              condition={"above": 5})  # fmt: skip
    rule = make_rule(project, "flow", channels=["ops"], depends_on="provider")
    failing(project, {1: 20}, error_class="our_request")
    evaluate(project, 16)
    assert alert_of(rule).grouped_under.rule.name == "provider"
    assert [one.event.alert.rule.name for one in Delivery.objects.all()] == ["provider"]


def test_many_groups_at_once_are_one_message(project):
    make_channel(project)
    rule = make_rule(project, measure="calls", each="customer", condition={"above": 1}, channels=["ops"])
    for number in range(9):
        traffic(project, {1: 3}, customer=f"c-{number}")
    for minutes in (16, 17, 18, 31):
        evaluate(project, minutes)
    assert len(states(rule)) == 9
    assert Delivery.objects.exclude(event__kind="resolved").count() == 1


def test_a_muted_alert_is_told_when_the_mute_is_over(project):
    make_channel(project)
    rule = make_rule(project, channels=["ops"], window="1h",
                     mutes=[{"from": at(0).isoformat(), "until": at(40).isoformat()}])  # fmt: skip
    failing(project, {1: 20})
    evaluate(project, 16)
    assert states(rule) == [("", "firing")]
    assert Delivery.objects.count() == 0
    evaluate(project, 41)
    assert Delivery.objects.count() == 1


def test_reminders_until_somebody_acknowledges(project):
    make_channel(project)
    rule = make_rule(project, channels=["ops"], renotify="1h", window="6h")
    failing(project, {1: 20})
    for minutes in (16, 60, 77, 100, 140):
        evaluate(project, minutes)
    kinds = [event.kind for event in alert_of(rule).events.order_by("number")]
    assert kinds == ["firing", "reminder", "reminder"]
    alert = alert_of(rule)
    alert.acknowledged_at = at(141)
    alert.save()
    evaluate(project, 300)
    assert alert.events.count() == 3


def test_a_thousand_rules_ask_a_handful_of_questions(project):
    rules = [make_rule(project, f"flow-{n}", filters={"flow": [f"flow-{n}"]}) for n in range(20)]
    rules += [make_rule(project, f"dear-{n}", filters={"flow": [f"flow-{n}"]}, each="customer", measure="cost",
                        condition={"above": 100}, window="month") for n in range(20)]  # fmt: skip
    traffic(project, {1: 5}, flow="flow-1")
    failing(project, {1: 9}, flow="flow-3")
    outcome = evaluate(project, 16)
    assert outcome.rules == 40
    assert outcome.questions == 3  # whole and filling quarter hours; the month by flow and customer
    assert states(rules[3]) == [("", "firing")]
    assert sum(len(states(rule)) for rule in rules) == 1


def test_time_never_runs_backwards(project):
    rule = make_rule(project)
    failing(project, {1: 20})
    evaluate(project, 60)
    assert states(rule) == []
    evaluate(project, 16)  # a second evaluator whose clock, or inbox, is behind
    assert states(rule) == []
    assert timedelta(0) < at(60) - at(16)
