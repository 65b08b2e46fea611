"""Whoever evaluates alerts or sends messages is killed with -9, between any two statements and in mid-send.

A real HTTP receiver and a real SMTP server say what arrived: no change of state is lost, and none is told twice.
"""

import itertools
import os
import signal
from datetime import timedelta
from types import SimpleNamespace

import pytest

from accounts.models import Project
from guardrails import deliveries, engine
from guardrails.alert_models import Alert, Delivery
from tests.faults.conftest import FINISHED, chosen, dies_at, ended, fork, points_of
from tests.guardrails.alerting import at, failing, make_channel, make_rule, traffic
from tests.guardrails.receivers import hook, mailbox

pytestmark = pytest.mark.usefixtures("database")
_numbers = itertools.count(1)


@pytest.fixture
def receivers(settings):
    with hook() as receiver, mailbox() as box:
        settings.WEBHOOK_ALLOW = ["127.0.0.0/8"]
        settings.EMAIL_URL = f"smtp://127.0.0.1:{box.port}"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        yield SimpleNamespace(hook=receiver, box=box)


def prepared(receivers):
    """A project whose three flows fail, and two channels that are to hear of it."""
    project = Project.objects.create(slug=f"killed-{next(_numbers)}", name="Killed")
    make_channel(project, url=receivers.hook.url)
    make_channel(project, "mail", kind="email", url="ops@example.com")
    for flow in ("a", "b", "c"):
        failing(project, {1: 10}, flow=flow, error_class="our_request")
    make_rule(project, each="flow", channels=["ops", "mail"])
    receivers.hook.got.clear()
    receivers.box.mails.clear()
    return project


def work(project, minutes=16.0):
    """What a worker does at a tick."""
    engine.evaluate_project(project, now=at(minutes))
    deliveries.deliver(now=at(minutes))


def told(receivers):
    """(messages by HTTP, of them different ones, mails, of them different ones)"""
    ids = receivers.hook.ids()
    mails = [text.split("Message-ID:")[1].split("\n")[0] for _, text in receivers.box.mails]
    return len(ids), len(set(ids)), len(mails), len(set(mails))


def assert_all_is_told_once(project, receivers, *, doubles):
    alerts = Alert.objects.filter(project=project)
    assert sorted(alerts.values_list("group", "state")) == [("a", "firing"), ("b", "firing"), ("c", "firing")]
    assert [event.kind for alert in alerts for event in alert.events.all()] == ["firing"] * 3
    assert set(Delivery.objects.filter(project=project).values_list("state", flat=True)) == {"done"}
    posts, different, mails, different_mails = told(receivers)
    assert (different, different_mails) == (3, 3)
    assert posts <= 3 + doubles
    assert mails <= 3 + doubles


def test_a_kill_between_two_statements_loses_no_state_and_tells_nothing_twice(receivers):
    project = prepared(receivers)
    points = points_of(lambda: work(project))
    assert_all_is_told_once(project, receivers, doubles=0)
    assert points > 20
    deaths = doubled = 0
    for point in chosen(range(1, points + 1)):
        project = prepared(receivers)
        deaths += dies_at(point, lambda: work(project))  # noqa: B023 - done before the next one
        sent = len(receivers.hook.got)
        work(project, 16.5)  # the next tick; a dead worker's lease is not over
        work(project, 18)
        work(project, 18)
        # Between a receiver's answer and its mark a repeat cannot be told from a first try: it has the same id.
        assert_all_is_told_once(project, receivers, doubles=sent)
        doubled += told(receivers)[0] > 3
    assert deaths > 4
    assert doubled < deaths


def test_a_kill_in_mid_send_repeats_with_the_same_id(receivers):
    project = prepared(receivers)
    engine.evaluate_project(project, now=at(16))
    receivers.hook.slow = 3.0
    child = fork(lambda: deliveries.deliver(now=at(16)))
    while not receivers.hook.got:
        os.sched_yield()
    os.kill(child, signal.SIGKILL)
    assert ended(child) == -signal.SIGKILL
    receivers.hook.slow = 0.0
    first = set(receivers.hook.ids())
    work(project, 17)
    assert set(receivers.hook.ids()) == first  # the lease is not over
    work(project, 18)
    assert_all_is_told_once(project, receivers, doubles=3)


def test_four_workers_at_once_tell_once(receivers):
    project = prepared(receivers)
    children = [fork(lambda: work(project)) for _ in range(4)]
    assert [ended(child) for child in children] == [FINISHED] * 4
    work(project, 16.2)
    assert_all_is_told_once(project, receivers, doubles=0)


def test_recovery_after_a_kill_is_told_after_the_alert(receivers):
    project = prepared(receivers)
    dies_at(12, lambda: work(project))
    for flow in ("a", "b", "c"):
        traffic(project, {17: 80}, flow=flow)
    for minutes in (18, 31, 33, 35):
        work(project, minutes)
    kinds = [
        delivery.event.kind
        for delivery in Delivery.objects.filter(project=project, channel__name="ops").select_related("event")
        .order_by("finished_at", "created_at")
    ]  # fmt: skip
    assert sorted(kinds) == ["firing"] * 3 + ["resolved"] * 3
    assert told(receivers)[1] == 6
    assert timedelta(0) < at(35) - at(31)
