"""Scores by the read API: their names, intervals beside rows, the worst runs; only with a key that may read."""

import pytest
from django.test import Client

from accounts.keys import create_key
from tests.analytics.ledger import MINUTE, T0, call, load, send
from tests.analytics.test_scores import project, score, told  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
PERIOD = "from=2026-11-24&to=2026-11-25"


@pytest.fixture
def get(project):  # noqa: F811
    send(project, [call(1, trace="t-1"), call(2, trace="t-2", model="gpt-4o"), call(3)])
    load(project)
    told(
        project,
        score(run="t-1", truth=False),
        score(run="t-2"),
        score(call="call-3", call_us=T0 + 3 * MINUTE, truth=False, source="user"),
    )
    secret = create_key(project=project, scopes=["read"])[1]
    return lambda path: Client().get(path, headers={"Authorization": f"Bearer {secret}"})


def test_intervals_stand_beside_rows(get):
    body = get(f"/v1/query?measures=pass_rate:thumbs&group_by=model&order=model&{PERIOD}").json()
    assert [row[0] for row in body["rows"]] == ["gpt-4o", "gpt-4o-mini"]
    assert [one["n"] for one in body["intervals"]["pass_rate:thumbs"]] == [1, 2]
    assert body["total_intervals"]["pass_rate:thumbs"]["n"] == 3
    assert "intervals" not in get(f"/v1/query?measures=cost&{PERIOD}").json()


def test_the_names_of_scores(get):
    body = get("/v1/dimensions/score").json()
    first = body["values"][0]
    assert (first["value"], first["kind"], first["confirmed"]) == ("thumbs", "boolean", False)
    assert [one["source"] for one in first["scorers"]] == ["user"]
    assert {one["value"] for one in body["values"][1:]} == {
        "cut_off",
        "filtered",
        "empty_answer",
        "failed_tool",
        "rescued",
    }
    assert [one["value"] for one in get("/v1/dimensions/score?q=cut").json()["values"]] == ["cut_off"]


def test_the_worst_runs_of_a_score(get):
    runs = get(f"/v1/runs?order=worst:thumbs&{PERIOD}").json()["runs"]
    assert [run["id"] for run in runs] == ["call-3", "t-1", "t-2"]
    only = get(f"/v1/runs?order=worst:thumbs&model=gpt-4o&{PERIOD}").json()["runs"]
    assert [run["id"] for run in only] == ["t-2"]
    refused = get("/v1/runs?order=worst:thumb")
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "order")


@pytest.mark.parametrize("path", ["/v1/calls?judge_version=v1", "/v1/runs?source=user"])
def test_lists_know_no_judges(get, path):
    assert get(path).status_code == 422


def test_another_projects_scores_are_not_seen(get, project):  # noqa: F811
    other = type(project).objects.create(slug="other", name="Other")
    stranger = create_key(project=other, scopes=["read"])[1]
    headers = {"Authorization": f"Bearer {stranger}"}
    assert Client().get("/v1/query?measures=score:thumbs", headers=headers).status_code == 422
    names = [one["value"] for one in Client().get("/v1/dimensions/score", headers=headers).json()["values"]]
    assert "thumbs" not in names
    sender = create_key(project=project, scopes=["ingest"])[1]
    headers = {"Authorization": f"Bearer {sender}"}
    assert Client().get("/v1/dimensions/score", headers=headers).status_code == 403
