"""The API of budgets: as the contract has it, kept as code, refused in words, and nobody else's."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import AuditLine
from guardrails.budget_models import Budget, BudgetStanding
from tests.guardrails.alerting import make_channel
from tests.guardrails.budgeting import make_budget, spend
from tests.personas import bearer, make_key, make_project

pytestmark = pytest.mark.django_db
GOOD = {"name": "Triage", "scope": {"flow": "support-triage"}, "window": "month", "limit": "1000.00"}
CONTRACT = [
    "id", "name", "scope", "window", "limit", "spent", "unpriced_calls", "forecast", "state", "resets_at",
    "complete_until",
]  # fmt: skip


def ask(client, method, path, key, body=None, **headers):
    content = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
    send = getattr(client, method)
    extra = {"data": content, "content_type": "application/json"} if content is not None else {}
    return send(path, headers={**bearer(key), **headers}, **extra)


def test_a_budget_is_made_read_replaced_and_removed(client):
    project = make_project(zone="Europe/Berlin")
    make_channel(project, "ops")
    key = make_key(project, "admin")
    spend(project, "12.5", at=timezone.now() - timedelta(seconds=5))
    made = ask(client, "post", "/v1/budgets", key, {**GOOD, "channels": ["ops"], "owner": "Ana Ruiz"})
    assert made.status_code == 201
    body = made.json()
    assert list(body)[: len(CONTRACT)] == CONTRACT
    assert (body["spent"], body["limit"], body["state"]) == ("12.50", "1000.00", "ok")
    assert (body["thresholds"], body["on"], body["unit"]) == ([50, 80, 100], ["actual", "forecast"], "USD")
    assert body["forecast"] is None
    assert body["days_known"] == 0
    path = f"/v1/budgets/{body['id']}"
    changed = ask(client, "put", path, key, {**body, "limit": "10"})  # an answer may be sent back
    assert (changed.status_code, changed.json()["state"]) == (200, "over")
    assert changed.json()["channels"] == ["ops"]
    assert [one["name"] for one in ask(client, "get", "/v1/budgets", key).json()["budgets"]] == ["Triage"]
    assert ask(client, "delete", path, key).status_code == 204
    assert ask(client, "get", path, key).status_code == 404
    actions = AuditLine.objects.filter(project=project, action__startswith="budget.").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "budget.created", "budget.changed", "budget.removed",
    ]  # fmt: skip
    assert all(key.startswith(line.actor.removeprefix("key ")) for line in actions)


def test_what_it_says_is_the_stored_standing_and_an_etag_spares_the_rest(client):
    project = make_project()
    key = make_key(project, "guard")
    budget = make_budget(project)
    path = f"/v1/budgets/{budget.pk}"
    first = ask(client, "get", path, key)
    tag = first["ETag"]
    again = ask(client, "get", path, key, **{"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    BudgetStanding.objects.update(spent=Decimal(99), state="warned")
    moved = ask(client, "get", path, key, **{"If-None-Match": tag})
    assert (moved.status_code, moved.json()["spent"]) == (200, "99.00")
    assert moved["ETag"] != tag


def test_a_stale_standing_is_asked_for_again(client):
    project = make_project()
    key = make_key(project, "read")
    budget = make_budget(project)
    path = f"/v1/budgets/{budget.pk}"
    ask(client, "get", path, key)
    BudgetStanding.objects.update(evaluated_at=timezone.now() - timedelta(minutes=10))
    spend(project, 120, at=timezone.now() - timedelta(seconds=9))
    assert ask(client, "get", path, key).json()["state"] == "over"
    yesterday = timezone.now() - timedelta(days=1)
    BudgetStanding.objects.update(window_end=yesterday)  # a window that is over stops nobody any longer
    assert ask(client, "get", path, key).json()["resets_at"] > yesterday.isoformat()


def test_the_etag_answer_is_one_statement_beside_the_key(client, django_assert_max_num_queries):
    project = make_project()
    key = make_key(project, "read")
    budget = make_budget(project)
    ask(client, "get", f"/v1/budgets/{budget.pk}", key)
    with django_assert_max_num_queries(3):
        ask(client, "get", f"/v1/budgets/{budget.pk}", key)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"scope": None}, "scope"),
        ({"scope": []}, "scope"),
        ({"scope": {"user": "u-1"}}, "scope"),
        ({"scope": {"flow": "a", "model": "b"}}, "scope"),
        ({"scope": {"flow": ""}}, "scope.flow"),
        ({"scope": {"flow": 7}}, "scope.flow"),
        ({"scope": {"flow": ["a"]}}, "scope.flow"),
        ({"window": None}, "window"),
        ({"window": "year"}, "window"),
        ({"window": ["month"]}, "window"),
        ({"limit": None}, "limit"),
        ({"limit": "-5"}, "limit"),
        ({"limit": 0}, "limit"),
        ({"limit": "NaN"}, "limit"),
        ({"limit": "1e400"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": True}, "limit"),
        ({"limit": "0.0000001"}, "limit"),
        ({"limit": "1.5", "unit": "tokens"}, "limit"),
        ({"unit": "EUR"}, "unit"),
        ({"thresholds": []}, "thresholds"),
        ({"thresholds": [0]}, "thresholds"),
        ({"thresholds": [-5, 50]}, "thresholds"),
        ({"thresholds": [2000]}, "thresholds"),
        ({"thresholds": [50.5]}, "thresholds"),
        ({"thresholds": ["50"]}, "thresholds"),
        ({"thresholds": 80}, "thresholds"),
        ({"thresholds": list(range(1, 30))}, "thresholds"),
        ({"on": ["hope"]}, "on"),
        ({"on": []}, "on"),
        ({"carry_over": "yes"}, "carry_over"),
        ({"channels": ["nowhere"]}, "channels"),
        ({"environment": 3}, "environment"),
        ({"owner": "x" * 200}, "owner"),
        ({"budget": 3}, "budget"),
    ],
)
def test_a_body_that_is_no_budget_is_refused_by_field(client, change, field):
    project = make_project()
    key = make_key(project, "admin")
    answer = ask(client, "post", "/v1/budgets", key, {**GOOD, **change})
    problem = answer.json()["error"]
    assert (answer.status_code, problem["field"]) == (400, field)
    assert problem["message"]
    assert problem["hint"]
    assert not Budget.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "{", '"x"', "\xff", "null", "[" * 500])
def test_a_body_that_is_no_object_is_refused(client, body):
    key = make_key(make_project(), "admin")
    assert ask(client, "post", "/v1/budgets", key, body or " ").status_code == 400


def test_the_same_name_is_a_conflict(client):
    project = make_project()
    key = make_key(project, "admin")
    ask(client, "post", "/v1/budgets", key, GOOD)
    twice = ask(client, "post", "/v1/budgets", key, GOOD)
    assert (twice.status_code, twice.json()["error"]["field"]) == (409, "name")
    other = ask(client, "post", "/v1/budgets", key, {**GOOD, "name": "Other"}).json()
    assert ask(client, "put", f"/v1/budgets/{other['id']}", key, GOOD).status_code == 409
    elsewhere = make_key(make_project("Elsewhere"), "admin")
    assert ask(client, "post", "/v1/budgets", elsewhere, GOOD).status_code == 201


@pytest.mark.parametrize(
    ("scope", "reads", "writes"),
    [("admin", 200, 201), ("read", 200, 403), ("guard", 200, 403), ("ingest", 403, 403), ("evals", 403, 403)],
)
def test_each_scope_may_do_what_it_says(client, scope, reads, writes):
    project = make_project()
    budget = make_budget(project)
    key = make_key(project, scope)
    path = f"/v1/budgets/{budget.pk}"
    assert ask(client, "get", path, key).status_code == reads
    assert ask(client, "get", "/v1/budgets", key).status_code == reads
    assert ask(client, "post", "/v1/budgets", key, GOOD).status_code == writes
    assert ask(client, "put", path, key, {**GOOD, "name": "all"}).status_code == (
        200 if writes == 201 else 403
    )
    assert ask(client, "delete", path, key).status_code == (204 if writes == 201 else 403)


def test_another_projects_budget_is_not_there(client):
    budget = make_budget(make_project())
    key = make_key(make_project("Other"), "admin")
    path = f"/v1/budgets/{budget.pk}"
    assert ask(client, "get", path, key).status_code == 404
    assert ask(client, "put", path, key, GOOD).status_code == 404
    assert ask(client, "delete", path, key).status_code == 404
    assert ask(client, "get", "/v1/budgets", key).json() == {"budgets": []}
    assert client.get(path).status_code == 401


@pytest.mark.parametrize("number", ["99999999999999999999999", "0", "x"])
def test_an_id_that_is_none_is_not_found(client, number):
    key = make_key(make_project(), "read")
    assert ask(client, "get", f"/v1/budgets/{number}", key).status_code == 404


def test_names_are_text_and_nothing_else(client):
    project = make_project()
    key = make_key(project, "admin")
    name = "<script>alert(1)</script>'; DROP TABLE guardrails_budget; --"
    made = ask(client, "post", "/v1/budgets", key, {**GOOD, "name": name, "scope": {"customer": name[:60]}})
    assert (made.status_code, made.json()["name"]) == (201, name)


def test_every_digit_of_what_is_spent_is_there(client):
    project = make_project()
    spend(project, "0.000000123456", at=timezone.now() - timedelta(seconds=9))
    budget = make_budget(project)
    answer = ask(client, "get", f"/v1/budgets/{budget.pk}", make_key(project, "read"))
    assert answer.json()["spent"] == "0.000000123456"
