"""The pages of alerts, rules and channels: what they show, who may change what."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from guardrails import acts, engine
from guardrails.alert_models import Alert, Channel, Delivery, DigestReader, Rule
from tests.analytics.ledger import call, load, send
from tests.guardrails.alerting import make_channel, make_rule

pytestmark = pytest.mark.django_db
RULE = {
    "name": "errors",
    "measure": "error_rate",
    "condition": "above",
    "limit": "5 %",
    "window": "15min",
    "each": "flow",
}
ROLES = ("owner", "editor", "viewer")


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def alert(project, now):
    """Twenty calls of one flow failed a few minutes ago."""
    make_channel(project)
    rule = make_rule(project, each="flow", channels=["ops"], window="1h")
    records = [
        call(0, id=f"f-{n}", started_us=int((now - timedelta(minutes=n % 5)).timestamp() * 1e6) + n, failed=True,
             error_class="overloaded", provider="anthropic", model="claude-sonnet-4-5", customer=f"c-{n % 3}",
             flow="<b>triage</b>")
        for n in range(20)
    ]  # fmt: skip
    send(project, records, now=now)
    load(project, now=now)
    engine.evaluate_project(project, now=now)
    return Alert.objects.get(rule=rule)


def path(name, project, *args):
    return reverse(name, args=[project.slug, *args])


def test_the_page_of_an_alert_leads_to_a_bad_run_in_one_click(project, alert, signed_in):
    client = signed_in("viewer")
    page = client.get(path("alert", project, alert.pk))
    text = page.content.decode()
    assert page.status_code == 200
    assert "firing" in text
    assert "the limit is 10.00" in text
    assert "overloaded from anthropic" in text
    assert "<b>triage</b>" not in text
    assert "Acknowledge" not in text  # a viewer looks
    assert len(page.context["runs"]) == 10
    assert page.context["runs"][0].outcome == "failed"
    assert client.get(page.context["runs"][0].href).status_code == 200
    assert client.get(page.context["all_runs"][0].href).status_code == 200
    figure = page.context["chart"].body.figure
    assert any(shape["line"]["color"] == "--worse" for shape in figure["layout"]["shapes"])


def test_a_number_beside_guardrails_says_how_many_fire(project, alert, signed_in):
    client = signed_in("viewer")
    text = client.get(path("settings", project)).content.decode()
    assert re.search(r'class="count">1<span class="sr"> alerts fire', text)
    page = client.get(path("alerts", project))
    assert "One alert fires" in page.content.decode()
    assert [row.state for row in page.context["rows"]] == ["firing"]
    assert client.get(path("alerts", project) + "?state=resolved").context["rows"] == []


def test_an_editor_acknowledges_and_mutes(project, alert, signed_in):
    client = signed_in("editor")
    assert "Acknowledge" in client.get(path("alert", project, alert.pk)).content.decode()
    client.post(path("alert_ack", project, alert.pk))
    client.post(path("alert_mute", project, alert.pk), {"for": "1h"})
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.muted_until is not None) == ("Editor", True)
    assert "acknowledged by Editor" in client.get(path("alert", project, alert.pk)).content.decode()
    assert "Unmute" in client.get(path("alert", project, alert.pk)).content.decode()
    assert client.post(path("alert_mute", project, alert.pk), {"for": "ever"}).status_code == 400


def test_a_rule_is_made_changed_and_deleted(project, signed_in):
    make_channel(project)
    client = signed_in("editor")
    assert (
        client.get(path("rule_new", project) + "?measure=cost&limit=50").context["given"]["measure"] == "cost"
    )
    client.post(path("rule_new", project), {**RULE, "channels": ["ops"], "quiet_from": "22:00", "quiet_to": "06:00",
                                            "quiet_days": ["sat"], "filter_more": "prompt=triage, other"})  # fmt: skip
    rule = Rule.objects.get(project=project)
    assert rule.condition == {"above": 0.05}
    assert rule.filters == {"prompt": ["triage", "other"]}
    assert rule.mutes == [{"from": "22:00", "to": "06:00", "days": ["sat"]}]
    given = client.get(path("rule", project, rule.pk)).context["given"]
    client.post(path("rule", project, rule.pk), {**{k: v for k, v in given.items() if v}, "limit": "0.07"})
    rule.refresh_from_db()
    assert (rule.condition, rule.channels, rule.filters) == (
        {"above": 0.07},
        ["ops"],
        {"prompt": ["triage", "other"]},
    )
    assert "errors" in client.get(path("rules", project)).content.decode()
    client.post(path("rule_delete", project, rule.pk))
    assert not Rule.objects.filter(project=project).exists()
    assert "No rule watches" in client.get(path("rules", project)).content.decode()


@pytest.mark.parametrize(("change", "said"), [
    ({"limit": "much"}, "is no number"), ({"window": "7min"}, "quarter hours"), ({"name": ""}, "name is missing"),
    ({"min_count": "few"}, "no whole number"),
    ({"each": "customer", "measure": "p95_latency"}, "cannot be watched by"),
    ({"filter_more": "colour=red"}, "no dimension"),
])  # fmt: skip
def test_what_cannot_be_a_rule_is_said_beside_the_form(project, signed_in, change, said):
    page = signed_in("editor").post(path("rule_new", project), {**RULE, **change})
    assert page.status_code == 400
    assert said in page.content.decode()
    assert not Rule.objects.exists()


def test_channels_keep_their_secret(project, signed_in):
    client = signed_in("owner")
    posted = {
        "name": "pager",
        "kind": "webhook",
        "url": "https://hooks.example.com/abc?token=tok-4711",
        "secret": "s3cret",
    }
    client.post(path("settings_channel_save", project), posted)
    text = client.get(path("settings_channels", project)).content.decode()
    assert "https://hooks.example.com/abc" in text
    assert "tok-4711" not in text
    assert "s3cret" not in text
    raw = bytes(Channel.objects.get().url) + bytes(Channel.objects.get().secret)
    assert b"hooks" not in raw
    assert b"s3cret" not in raw
    again = client.post(path("settings_channel_save", project), posted)
    assert (again.status_code, Channel.objects.count()) == (400, 1)
    bad = client.post(path("settings_channel_save", project), {**posted, "name": "x", "url": "ftp://x"})
    assert "begins with https://" in bad.content.decode()


def test_without_mail_the_page_says_so_and_the_digest_can_be_wanted(project, signed_in, people):
    client = signed_in("viewer")
    assert "E-mail is not configured" in client.get(path("settings_channels", project)).content.decode()
    client.post(path("settings_digest", project), {"wants": "1"})
    assert DigestReader.objects.filter(user=people["viewer"]).count() == 1
    client.post(path("settings_digest", project), {"wants": "0"})
    assert DigestReader.objects.count() == 0


def test_a_test_says_what_came_back(project, signed_in):
    make_channel(project, url="http://127.0.0.1:9/x")
    page = signed_in("owner").post(
        path("settings_channel_test", project, Channel.objects.get().pk), follow=True
    )
    assert "did not take the test" in page.content.decode()
    assert "not public" in page.content.decode()
    assert Delivery.objects.get().state == "failed"


def test_a_dead_evaluator_is_seen_on_every_page(project, signed_in):
    client = signed_in("viewer")
    assert "Alerts are not evaluated" not in client.get(path("settings", project)).content.decode()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO heartbeat (name, at) VALUES ('evaluator', now() - interval '6 minutes')")
    assert "Alerts are not evaluated" in client.get(path("settings", project)).content.decode()


READ = ("alerts", "rules", "settings_channels")


@pytest.mark.parametrize("role", [*ROLES, "stranger"])
def test_who_sees_what(project, alert, signed_in, role):
    client = signed_in(role)
    wanted = 404 if role == "stranger" else 200
    pages = [path(name, project) for name in READ]
    pages += [path("alert", project, alert.pk), path("rule", project, alert.rule_id)]
    assert [client.get(one).status_code for one in pages] == [wanted] * 5
    new = client.get(path("rule_new", project)).status_code
    assert new == {"stranger": 404, "viewer": 403}.get(role, 200)


@pytest.mark.parametrize("role", [*ROLES, "stranger"])
def test_who_changes_what(project, alert, signed_in, role):
    client, channel = signed_in(role), Channel.objects.get()
    rank = {"stranger": -1, "viewer": 0, "editor": 1, "owner": 2}[role]
    delivery = acts.trial_of(channel, now=timezone.now())
    posts = [
        (1, path("alert_ack", project, alert.pk), {}), (1, path("alert_mute", project, alert.pk), {}),
        (1, path("rule_new", project), RULE | {"name": "new"}), (1, path("rule", project, alert.rule_id), RULE),
        (2, path("settings_channel_save", project), {"name": "x", "kind": "email", "url": "members"}),
        (2, path("settings_delivery_again", project, delivery.pk), {}),
        (0, path("settings_digest", project), {"wants": "1"}),
        (1, path("rule_delete", project, alert.rule_id), {}),
        (2, path("settings_channel_delete", project, channel.pk), {}),
    ]  # fmt: skip
    for needed, address, posted in posts:
        status = client.post(address, posted).status_code
        if role == "stranger":
            assert status == 404, address
        elif rank < needed:
            assert status == 403, address
        else:
            assert status in (200, 302, 404), address


def test_another_projects_things_are_404(project, alert, signed_in, people):
    elsewhere = people["stranger"].memberships.get().project
    client, channel = signed_in("stranger"), Channel.objects.get()
    assert client.get(path("alert", elsewhere, alert.pk)).status_code == 404
    assert client.get(path("rule", elsewhere, alert.rule_id)).status_code == 404
    posts = [path("alert_ack", elsewhere, alert.pk), path("alert_mute", elsewhere, alert.pk),
             path("rule_delete", elsewhere, alert.rule_id), path("settings_channel_test", elsewhere, channel.pk),
             path("settings_channel_delete", elsewhere, channel.pk)]  # fmt: skip
    assert [client.post(one).status_code for one in posts] == [404] * 5
    client.post(path("settings_channel_save", elsewhere),
                {"name": "ops", "kind": "email", "url": "members", "channel": str(channel.pk)})  # fmt: skip
    channel.refresh_from_db()
    assert channel.kind == "webhook"
