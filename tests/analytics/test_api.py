"""The read API at its edge: who may ask, what comes back, and how it says no."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from analytics.ledger_codes import COST_STATUSES
from analytics.query import RESERVED
from tests.analytics.ledger import call, load, send
from tests.personas import bearer, make_key, make_project

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def project():
    """Ten calls of the last quarter of an hour: three of a run, seven on their own, two of them failed."""
    project = make_project()
    now = timezone.now()
    records = [
        call(
            number,
            started_us=int((now - number * MINUTE).timestamp() * 1e6),
            trace="run-77" if number < 3 else None,
            session="s-9" if number < 3 else None,
            user="u-run" if number < 3 else f"u-{number % 3}",
            flow="=triage" if number == 9 else "triage",
            failed=number in (4, 5),
            error_class="timeout" if number in (4, 5) else "",
            error_type="ReadTimeout" if number in (4, 5) else None,
            duration_us=1_000_000 * (number + 1),
        )
        for number in range(10)
    ]
    send(project, records, now=now)
    load(project, now=now)
    return project


@pytest.fixture
def get(client, project):
    """GET with a reading key of the project."""
    key = bearer(make_key(project, "read"))
    return lambda path: client.get(path, headers=key)


PATHS = ["/v1/query?measures=cost", "/v1/dimensions/flow", "/v1/calls", "/v1/runs", "/v1/trust"]


@pytest.mark.parametrize("path", [*PATHS, "/v1/calls/x", "/v1/runs/x"])
def test_a_key_with_the_scope_read_is_needed(client, project, path):
    assert client.get(path).status_code == 401
    assert client.get(path, headers=bearer(make_key(project, "ingest"))).status_code == 403
    assert (
        client.get(path, headers={"Authorization": "Bearer flk_live_x"}).json()["error"]["code"]
        == "key_invalid"
    )


@pytest.mark.parametrize("path", PATHS)
def test_another_project_sees_nothing_of_this_one(client, project, path):
    stranger = make_project("Stranger")
    answer = client.get(path, headers=bearer(make_key(stranger, "read")))
    assert answer.status_code == 200
    assert "triage" not in answer.content.decode()
    assert "run-77" not in answer.content.decode()


def test_anothers_call_and_run_are_not_found(client, project, get):
    mine = get("/v1/calls").json()["calls"][0]["id"]
    stranger = bearer(make_key(make_project("Stranger"), "read"))
    assert get(f"/v1/calls/{mine}").status_code == 200
    for path in (f"/v1/calls/{mine}", "/v1/runs/run-77", f"/v1/runs/{mine}"):
        answer = client.get(path, headers=stranger)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_query_answers_with_money_as_text_and_what_it_can_be_trusted_for(get):
    body = get("/v1/query?measures=cost,calls,error_rate&group_by=flow&period=7d&from=").json()
    assert body["rows"] == []
    body = get(
        f"/v1/query?measures=cost,calls,error_rate&group_by=flow&from={_yesterday()}&compare=previous"
    ).json()
    assert [column["name"] for column in body["columns"]] == ["flow", "cost", "calls", "error_rate"]
    assert body["columns"][1] == {"name": "cost", "kind": "measure", "unit": "USD", "additive": True}
    assert body["totals"]["calls"] == 10
    assert sum(Decimal(row[1]) for row in body["rows"]) == Decimal(body["totals"]["cost"]) > 0
    assert body["compare"]["totals"] == {"cost": "0", "calls": 0, "error_rate": None}
    assert body["trust"]["priced_share"] == 1
    assert body["complete_until"].startswith(f"{timezone.now():%Y-%m-%d}")


def test_csv_is_rfc_4180_and_starts_no_formula(get):
    answer = get(f"/v1/query?measures=calls&group_by=flow&from={_yesterday()}&format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    text = answer.content.decode()
    assert text.endswith("\r\n")
    assert list(csv.reader(io.StringIO(text))) == [["flow", "calls"], ["triage", "9"], ["'=triage", "1"]]


@pytest.mark.parametrize(
    ("query", "field", "hint"),
    [
        ("measures=costs", "measures", "Nearest: cost"),
        ("", "measures", "Known are calls"),
        ("measures=score:thumbs", "measures", ""),
        ("measures=cost&group_by=flwo", "group_by", "Nearest: flow"),
        ("measures=cost&grain=minute", "grain", "15min"),
        ("measures=cost&zone=Berlin", "zone", "Europe/Berlin"),
        ("measures=cost&period=8d", "period", "7d"),
        ("measures=cost&from=yesterday", "from", "2026-11-01"),
        ("measures=cost&from=9999-99-99", "from", "Write"),
        ("measures=cost&from=2026-11-01T10:07:00Z&to=2026-11-02", "from", "2026-11-01T10:00:00+00:00"),
        ("measures=cost&from=2026-11-02&to=2026-11-01", "to", "later"),
        ("measures=cost&to=2026-11-01", "from", "Add from"),
        ("measures=cost&period=7d&from=2026-11-01", "period", "one of them"),
        ("measures=cost&compare=last", "compare", "previous"),
        ("measures=cost&order=-calls", "order", "cost"),
        ("measures=cost&limit=0", "limit", "1 to 10000"),
        ("measures=cost&limit=99999", "limit", "1 to 10000"),
        ("measures=cost&format=xml", "format", "csv"),
        ("measures=cost&colour=red", "colour", ""),
        ("measures=cost&flow=%00", "flow", "Remove"),
        ("measures=runs&group_by=customer", "group_by", "runs can be grouped"),
        ("measures=p95_latency&group_by=customer&period=28d", "from", "shorter period"),
        ("measures=cost&group_by=user&period=28d", "from", "shorter period"),
        ("measures=calls&group_by=unit", "group_by", "measures=cost"),
        ("measures=cost&grain=hour&from=2026-01-01&to=2026-01-05", "grain", "day"),
        ("measures=users&grain=hour&period=today", "grain", "day"),
        ("measures=cost&grain=day&zone=Asia/Tokyo&from=2026-01-01&to=2026-01-05", "zone", "UTC"),
        ("measures=cost&from=2026-01-01T10:00:00Z&to=2026-01-05", "from", "2026-01-02"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_names_the_field_and_the_nearest_question(get, query, field, hint):
    answer = get(f"/v1/query?{query}")
    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (422, field), error
    assert hint in error["hint"], error
    assert set(error) == {"code", "message", "field", "hint"}


def test_values_of_a_dimension_come_with_their_calls(get):
    assert get("/v1/dimensions/flow").json()["values"] == [
        {"value": "triage", "calls": 9}, {"value": "=triage", "calls": 1}]  # fmt: skip
    assert get("/v1/dimensions/flow?q=%3DTRI").json()["values"] == [{"value": "=triage", "calls": 1}]
    assert get("/v1/dimensions/unit").json()["values"][0]["value"] in ("input", "output")
    assert get("/v1/dimensions/nothing").status_code == 404


def test_calls_are_listed_newest_first_and_paged_without_gap_or_repeat(get):
    seen, after, pages = [], "", 0
    while after is not None:
        body = get(f"/v1/calls?limit=3&cursor={after}").json()
        seen += [one["client_id"] or one["run_id"] for one in body["calls"]]
        after, pages = body["next"], pages + 1
    assert (len(seen), pages) == (10, 4)
    assert seen == [f"call-{number}" for number in range(10)]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("flow=triage", 9),
        ("flow=!triage", 1),
        ("feature=support", 10),
        ("model=gpt-4o-mini&flow=triage", 9),
        ("customer=acme", 10),
        ("customer=acme&flow=!triage", 1),
        ("customer=nobody", 0),
        ("user=u-0", 3),
        ("session=s-9", 3),
        ("session=(none)", 7),
        ("status=error", 2),
        ("status=ok", 8),
        ("error_class=timeout", 2),
        ("error_type=ReadTimeout", 2),
        ("error_type=!ReadTimeout", 8),
        ("tag:colour=red", 0),
        ("cost_status=unpriced", 0),
        ("cost_status=priced", 10),
        ("period=yesterday&flow=nothing", 0),
    ],
)
def test_calls_are_filtered(get, query, count):
    body = get(f"/v1/calls?{query}").json()
    assert len(body["calls"]) == count, body


def test_runs_are_traces_and_lone_calls_newest_first(get):
    body = get("/v1/runs?limit=100").json()
    assert [run["calls"] for run in body["runs"]] == [3, *[1] * 7] or body["runs"][0]["id"] != "run-77"
    assert len(body["runs"]) == 8
    times = [run["started_at"] for run in body["runs"]]
    assert times == sorted(times, reverse=True)
    assert {run["id"] for run in body["runs"] if run["is_trace"]} == {"run-77"}


@pytest.mark.parametrize(
    ("query", "count"),
    [("flow=triage", 7), ("session=s-9", 1), ("status=error", 2), ("user=u-1", 2), ("order=failed", 2),
     ("order=failed&flow=!triage", 0), ("customer=acme&limit=2", 2)],
)  # fmt: skip
def test_runs_are_filtered(get, query, count):
    body = get(f"/v1/runs?{query}").json()
    assert len(body["runs"]) == count, body


def test_the_slowest_and_costliest_runs_come_first(get):
    slowest = get(f"/v1/runs?order=slowest&from={_yesterday()}").json()["runs"]
    durations = [run["duration_ms"] for run in slowest]
    assert len(durations) >= 3
    assert durations == sorted(durations, reverse=True)
    costliest = get(f"/v1/runs?order=costliest&flow=triage&from={_yesterday()}").json()["runs"]
    assert costliest[0]["id"] == "run-77"
    assert get("/v1/runs?order=slowest&model=x").status_code == 422


def test_runs_refuse_filters_that_only_calls_know(get):
    for query in ("error_type=x", "tag:colour=red", "error_class=timeout", "cost_status=unpriced"):
        assert get(f"/v1/runs?{query}").status_code == 422


def test_a_run_shows_its_calls_oldest_first_and_a_lone_call_is_its_own_run(get):
    body = get("/v1/runs/run-77").json()
    assert [one["client_id"] for one in body["calls"]] == [None] * 3 or len(body["calls"]) == 3
    times = [one["timestamp"] for one in body["calls"]]
    assert times == sorted(times)
    assert body["run"]["session"] == "s-9"
    lone = get("/v1/calls?session=(none)&limit=1").json()["calls"][0]
    assert lone["run_id"] == lone["client_id"]
    body = get(f"/v1/runs/{lone['id']}").json()
    assert (body["run"]["calls"], body["calls"][0]["id"]) == (1, lone["id"])


def test_a_call_shows_what_is_known_of_it(get):
    found = get("/v1/calls?error_class=timeout&limit=1").json()["calls"][0]
    one = get(f"/v1/calls/{found['id']}").json()
    assert one == found
    assert (one["status"], one["error_class"], one["error_type"]) == ("error", "timeout", "ReadTimeout")
    assert (one["flow"], one["feature"], one["customer"]) == ("triage", "support", "acme")
    assert one["usage"]["input"] == 1000
    assert one["usage"]["cache_read"] is None
    assert Decimal(one["cost"]) > 0
    assert one["cost_status"] in COST_STATUSES


@pytest.mark.parametrize("call_id", ["x", "A" * 32, "-" * 32, "%00", "é" * 32, "call-0"])
def test_an_id_that_is_none_is_not_found(get, call_id):
    assert get(f"/v1/calls/{call_id}").status_code == 404
    assert get(f"/v1/runs/{call_id}").status_code == 404


@pytest.mark.parametrize("cursor", ["x", "A" * 32, "é"])
def test_a_cursor_that_cannot_be_read_is_refused_or_leads_nowhere(get, cursor):
    assert get(f"/v1/calls?cursor={cursor}").status_code in (200, 422)


def test_trust_tells_what_waits_and_what_is_unattributed(get, project):
    send(project, [call(1, started_us=int(timezone.now().timestamp() * 1e6), flow=None)])
    body = get("/v1/trust").json()
    assert body["waiting"] == 1
    assert body["lag_seconds"] > 0
    assert body["attributed_share"] == 1
    load(project, now=timezone.now())
    body = get("/v1/trust").json()
    assert (body["waiting"], body["lag_seconds"]) == (0, 0)
    assert body["attributed_share"] == pytest.approx(10 / 11)
    assert get("/v1/calls?flow=(unattributed)").json()["calls"][0]["feature"] == "(unattributed)"


def test_the_openapi_document_lists_every_path_and_its_page_needs_nothing_from_outside(client):
    document = client.get("/v1/schema?format=json").json()
    assert {"/v1/query", "/v1/calls", "/v1/runs/{run}", "/v1/trust"} <= set(document["paths"])
    names = {one["name"] for one in document["paths"]["/v1/query"]["get"]["parameters"]}
    assert names >= RESERVED
    page = client.get("/v1/docs")
    assert page.status_code == 200
    assert "https://" not in page.content.decode()
    assert "'unsafe-inline'" not in client.get("/healthz").headers.get("Content-Security-Policy", "")


def test_health_says_which_part_does_not_answer(client, project):
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["worker"]) == (503, "No worker has run yet.")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO heartbeat (name, at) VALUES ('worker', now())")
    assert client.get("/readyz").json()["checks"]["worker"] == "ok"
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO heartbeat (name, at) VALUES ('evaluator', now() - interval '10 minutes')")
        cursor.execute("UPDATE heartbeat SET at = now() - interval '2 minutes' WHERE name = 'worker'")
    checks = client.get("/readyz").json()["checks"]
    assert "The worker was last seen 1" in checks["worker"]
    assert "Alerts were last evaluated 60" in checks["evaluator"]


def test_metrics_are_told_to_prometheus(client, project):
    text = client.get("/metrics").content.decode()
    assert "flowledger_calls_loaded_total 10.0" in text
    assert "flowledger_inbox_records 0.0" in text


def _yesterday() -> str:
    return f"{timezone.now() - timedelta(days=1):%Y-%m-%d}"
