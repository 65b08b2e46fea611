"""The outbox: what is sent, again, never twice, in order, and until when."""

import json
from datetime import timedelta

import pytest

from guardrails import deliveries
from guardrails.alert_models import Alert, Delivery
from guardrails.webhook import Answered
from tests.guardrails.alerting import alert_of, at, evaluate, failing, make_channel, make_rule, traffic
from tests.guardrails.receivers import hook, mailbox
from tests.personas import bearer, make_key, make_member, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(settings):
    settings.WEBHOOK_ALLOW = ["127.0.0.0/8"]
    return make_project("Desk")


@pytest.fixture
def receiver():
    with hook() as made:
        yield made


def fire(project, **fields):
    rule = make_rule(project, channels=["ops"], **fields)
    failing(project, {1: 20})
    evaluate(project, 16)
    return rule


def deliver(minutes):
    return deliveries.deliver(now=at(minutes))


def test_an_alert_is_posted_as_the_contract_says(project, receiver):
    make_channel(project, url=receiver.url)
    rule = fire(project)
    assert deliver(16) == 1
    assert deliver(17) == 0
    (got,) = receiver.got
    body = json.loads(got.body)
    alert = alert_of(rule)
    assert {"id", "rule", "state", "value", "limit", "since", "resolved_at", "group", "runs", "url"} <= set(
        body
    )
    assert (body["id"], body["rule"], body["state"], body["value"], body["limit"]) == (
        alert.pk, "errors", "firing", 1, 0.1
    )  # fmt: skip
    assert len(body["runs"]) == 10
    assert body["runs"][0]["url"].startswith("http")
    assert body["cause"]["error_class"] == "overloaded"
    assert body["users"] == 1
    assert Delivery.objects.get().state == "done"


def test_a_receiver_that_fails_is_tried_again_with_the_same_id_and_body(project, receiver):
    make_channel(project, url=receiver.url)
    receiver.answers = [(500, {}, b"not now"), (404, {}, b"what"), (301, {"Location": "/x"}, b"")]
    fire(project)
    assert [deliver(minutes) for minutes in (16, 16.2, 17, 18, 19, 23)] == [0, 0, 0, 0, 0, 1]
    assert len(set(receiver.ids())) == 1
    assert len({one.body for one in receiver.got}) == 1
    kept = Delivery.objects.get()
    assert (kept.state, kept.tries, [one["status"] for one in kept.log]) == ("done", 4, [500, 404, 301, 200])
    assert kept.log[0]["answer"] == "not now"


def test_a_receiver_that_is_dead_for_a_day_is_given_up_later(project, monkeypatch):
    make_channel(project, url="http://127.0.0.1:9/x")
    fire(project)
    minutes, tries = 16.0, 0
    while Delivery.objects.get().state == "waiting":
        deliver(minutes)
        minutes += 10
        tries += 1
        assert tries < 400
    kept = Delivery.objects.get()
    assert kept.state == "failed"
    assert timedelta(days=1) <= at(minutes) - kept.created_at < timedelta(days=1, hours=2)
    assert 25 < kept.tries < 45
    assert len(kept.log) == deliveries.KEPT_TRIES


def test_resolved_waits_behind_firing(project, receiver):
    make_channel(project, url=receiver.url)
    rule = fire(project)
    receiver.answers = [(500, {}, b""), (500, {}, b"")]
    deliver(16)
    traffic(project, {17: 50})
    evaluate(project, 31)
    assert alert_of(rule).state == "resolved"
    deliver(31)
    deliver(35)
    deliver(40)
    assert [json.loads(one.body)["state"] for one in receiver.got] == [
        "firing",
        "firing",
        "firing",
        "resolved",
    ]


def test_a_claim_belongs_to_one_worker_until_its_lease_is_over(project, receiver):
    make_channel(project, url=receiver.url)
    fire(project)
    assert len(deliveries.claim(now=at(16))) == 1
    assert deliveries.claim(now=at(16)) == []
    assert deliver(17) == 0  # the worker that claimed it is dead, its lease is not over
    assert deliver(18) == 1
    assert Delivery.objects.get().tries == 2


def test_a_late_mark_of_a_worker_thought_dead_changes_nothing(project, receiver):
    make_channel(project, url=receiver.url)
    fire(project)
    (slow,) = deliveries.claim(now=at(16))
    deliver(18)
    deliveries._mark(slow, Answered(False, 500, "late"), at(19))
    assert Delivery.objects.get().state == "done"


def test_a_slow_channel_leaves_room_for_the_others(project, receiver):
    make_channel(project, url="http://127.0.0.1:9/x")
    make_channel(project, "other", url=receiver.url)
    terms = {"measure": "calls", "channels": ["ops"]}
    rules = [make_rule(project, f"r-{n}", condition={"above": n}, **terms) for n in range(10)]
    make_rule(project, "last", channels=["other"])
    failing(project, {1: 20})
    evaluate(project, 16)
    assert Alert.objects.count() == len(rules) + 1
    first = deliveries.claim(now=at(16))
    assert [one.channel.name for one in first].count("ops") == deliveries.OF_A_CHANNEL
    assert "other" in {one.channel.name for one in first}


def test_two_evaluations_of_one_change_queue_it_once(project, receiver):
    make_channel(project, url=receiver.url)
    fire(project)
    for _ in range(3):
        evaluate(project, 16)
        deliver(16)
    assert len(receiver.got) == 1


def test_deliveries_are_shown_with_their_answers(project, receiver, client):
    make_channel(project, url=receiver.url)
    receiver.answers = [(418, {}, b"short and stout")]
    rule = fire(project)
    deliver(16)
    headers = bearer(make_key(project, "read"))
    (shown,) = client.get(f"/v1/alerts/{alert_of(rule).pk}", headers=headers).json()["deliveries"]
    assert (shown["channel"], shown["state"], shown["tries"]) == ("ops", "waiting", 1)
    assert (shown["answers"][0]["status"], shown["answers"][0]["answer"]) == (418, "short and stout")


def test_mail_goes_to_members_with_the_deliverys_message_id(project, settings):
    make_member(project, "owner", email="ana@example.com")
    make_member(project, "viewer", email="bo@example.com")
    with mailbox() as box:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{box.port}"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        make_channel(project, kind="email", url="members")
        fire(project)
        assert deliver(16) == 1
    ((to, text),) = box.mails
    assert to == ["ana@example.com", "bo@example.com"]
    assert f"Message-ID: <{Delivery.objects.get().pk}@flowledger>" in text
    assert "Alert: http" in text


def test_apprise_sends_through_a_mail_server(project, settings):
    with mailbox() as box:
        url = f"mailto://127.0.0.1:{box.port}?from=fl@example.com&to=ops@example.com&mode=insecure&smtp=127.0.0.1"
        make_channel(project, kind="apprise", url=url)
        fire(project)
        assert deliver(16) == 1, Delivery.objects.get().log
    assert box.mails[0][0] == ["ops@example.com"]


def test_without_mail_it_waits_and_says_why(project, settings):
    settings.EMAIL_URL = ""
    make_channel(project, kind="email", url="members")
    fire(project)
    assert deliver(16) == 0
    assert "EMAIL_URL" in Delivery.objects.get().log[0]["answer"]


def test_another_secret_key_is_an_answer_not_an_error(project, settings):
    make_channel(project)
    fire(project)
    settings.SECRET_KEY = "changed"
    assert deliver(16) == 0
    assert "another SECRET_KEY" in Delivery.objects.get().log[0]["answer"]
