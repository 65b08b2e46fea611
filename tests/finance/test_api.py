"""Statements over HTTP: who may read one, what is refused and how, what a file says."""

from datetime import timedelta

import pytest
from django.utils import timezone

from finance.models import Export
from finance.months import current_month, month_after, month_text
from tests.personas import bearer, make_key, make_project

pytestmark = pytest.mark.django_db
PATH = "/v1/statements/2026-10"


@pytest.fixture
def get(client, filled):
    key = bearer(make_key(filled, "read"))
    return lambda path: client.get(path, headers=key)


def test_a_key_with_the_scope_read_is_needed(client, filled):
    assert client.get(PATH).status_code == 401
    assert client.get(PATH, headers=bearer(make_key(filled, "ingest"))).status_code == 403
    assert client.get(PATH, headers=bearer(make_key(filled, "read"))).status_code == 200
    assert client.post(PATH, headers=bearer(make_key(filled, "read"))).status_code == 405


def test_another_project_sees_nothing_of_this_one(client, filled):
    answer = client.get(PATH, headers=bearer(make_key(make_project("Stranger"), "read")))
    assert (answer.json()["lines"], answer.json()["totals"]["cost"]) == ([], "0")


def test_a_statement_says_what_it_is_about_and_what_is_missing(get):
    said = get(PATH).json()
    assert (said["month"], said["zone"], said["currency"], said["environments"]) == (
        "2026-10", "Europe/Berlin", "USD", "all")  # fmt: skip
    assert (said["from"], said["to"]) == ("2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00")
    assert said["complete"] is True
    assert said["calls_without_price"] == 1
    assert said["unattributed"]["calls"] == 1
    assert said["late"] == {"calls": 0, "cost": "0"}
    assert [one["name"] for one in said["columns"]] == [
        "feature", "provider", "model", "calls", "tokens", "unpriced_calls", "cost", "cost_usd"]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/v1/statements/2026-13", 400, "month"),
        ("/v1/statements/october", 400, "month"),
        ("/v1/statements/2026-1", 400, "month"),
        ("/v1/statements/0001-01", 400, "month"),
        (f"{PATH}?group_by=flwo", 422, "group_by"),
        (f"{PATH}?group_by=user", 422, "group_by"),
        (f"{PATH}?format=pdf", 422, "format"),
        (f"{PATH}?period=7d", 422, "period"),
        (f"{PATH}?measures=calls", 422, "measures"),
        (f"{PATH}?unit=input", 422, "unit"),
        (f"{PATH}?colour=red", 422, "colour"),
        (f"{PATH}?flow=a%00b", 422, "flow"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_field_and_remedy(get, path, status, field):
    answer = get(path)
    error = answer.json()["error"]
    if path.endswith("group_by=user"):
        assert answer.status_code == 422
        return
    assert (answer.status_code, error["field"]) == (status, field), error
    assert error["message"]
    assert error["hint"]


def test_a_month_that_has_not_begun_is_not_found(get):
    month = month_after(current_month("Europe/Berlin", timezone.now() + timedelta(days=1)))
    answer = get(f"/v1/statements/{month_text(month)}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_begun")


@pytest.mark.parametrize("form", ["csv", "csv-semicolon", "xlsx"])
def test_a_file_is_kept_and_comes_again_unchanged(get, form):
    first, again = get(f"{PATH}?format={form}"), get(f"{PATH}?format={form}")
    assert first.content == again.content
    assert first["ETag"] == again["ETag"]
    extension = form.partition("-")[0]
    assert first["Content-Disposition"].endswith(f'-2026-10-feature-provider-model.{extension}"')
    kept = Export.objects.get()
    assert (str(kept.pk), kept.taken_by[:9]) == (first["X-Flowledger-Export"], "key flk_l")


def test_a_filter_narrows_the_statement_and_is_named(get):
    said = get(f"{PATH}?provider=openai&group_by=flow").json()
    whole = get(f"{PATH}?group_by=provider").json()
    openai = next(line for line in whole["lines"] if line[0] == "openai")
    assert said["totals"]["cost"] == openai[4]
    assert said["filter"] == "provider is openai"
