"""Scores and outcomes at the front door: their shapes, Langfuse's, evaluation results; what is refused and how."""

import base64
import time

import pytest
from django.test import Client

from accounts.keys import create_key
from analytics.models import ScoreDefinition
from ingest import score_rules
from ingest.records import OutcomeRecord, ScoreRecord
from tests.ingest.conftest import moment, stored

pytestmark = pytest.mark.django_db
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture(autouse=True)
def _rules_read_again():
    score_rules.forget()


def score(**fields):
    return {"run_id": "run-77", "name": "thumbs", "value": True} | fields


@pytest.mark.parametrize("wrap", [lambda one: {"scores": [one]}, lambda one: [one], lambda one: one])
def test_scores_come_as_a_batch_a_list_or_alone(send, wrap):
    answer = send(wrap(score(id="s-1", comment="fine")), path="/v1/scores")
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    (record,) = stored()
    assert isinstance(record, ScoreRecord)
    assert (record.id, record.name, record.truth, record.run, record.comment) == (
        "s-1",
        "thumbs",
        True,
        "run-77",
        "fine",
    )


def test_scores_come_as_lines_and_one_bad_line_costs_no_other(send):
    body = b'{"run_id": "r", "name": "a", "value": 0.25}\nno json\n{"run_id": "r", "name": "b", "value": "good"}\n'
    answer = send(body, path="/v1/scores", type="application/x-ndjson")
    assert answer.status_code == 202
    assert [one["index"] for one in answer.json()["rejected"]] == [1]
    first, second = stored()
    assert (str(first.number), second.label) == ("0.25", "good")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"run_id": None}, "run_id"),
        ({"run_id": None, "call_id": "c-1"}, "call_id"),
        ({"session": "s"}, "run_id"),
        ({"call_timestamp": "2026-11-23T10:00:00Z"}, "call_timestamp"),
        ({"name": ""}, "name"),
        ({"value": None}, "value"),
        ({"value": [1]}, "value"),
        ({"value": 1e300}, "value"),
        ({"source": "me"}, "source"),
        ({"timestamp": "2026-11-23T10:00:00"}, "timestamp"),
        ({"timestamp": "2099-01-01T00:00:00Z"}, "timestamp"),
    ],
)
def test_what_is_no_score_is_refused_with_its_field_and_a_remedy(send, fields, field):
    answer = send(score(**fields), path="/v1/scores")
    assert answer.status_code == 400
    (refused,) = answer.json()["rejected"]
    assert (refused["index"], refused["field"]) == (0, field)
    assert refused["message"]
    assert refused["hint"]
    assert stored() == []


def test_a_value_outside_the_confirmed_range_is_refused_at_the_door(project, send):
    ScoreDefinition.objects.create(
        project=project, name="grade", kind="numeric", low=1, high=5, confirmed_at=moment()
    )
    score_rules.forget()
    answer = send([score(name="grade", value=7), score(name="grade", value=5)], path="/v1/scores")
    (refused,) = answer.json()["rejected"]
    assert (refused["field"], refused["message"]) == ("value", "grade goes from 1 to 5.")
    assert answer.json()["accepted"] == 1


def test_without_an_id_the_same_score_is_the_same(send):
    for value in (True, False):
        send(score(value=value), path="/v1/scores")
    send(score(source="human"), path="/v1/scores")
    first, again, other = (record.id for record in stored())
    assert first == again != other


def test_unknown_fields_are_left_out_and_told(send):
    answer = send(score(judge="x"), path="/v1/scores")
    assert answer.status_code == 202
    assert answer.json()["warnings"][0]["field"] == "judge"


def test_outcomes(send):
    answer = send(
        {"outcomes": [{"run_id": "r", "success": True, "value": "12.50"}, {"run_id": "r"}]},
        path="/v1/outcomes",
    )
    assert answer.status_code == 202
    assert [one["field"] for one in answer.json()["rejected"]] == ["success"]
    (record,) = stored()
    assert isinstance(record, OutcomeRecord)
    assert (record.run, record.success, str(record.value)) == ("r", True, "12.50")


@pytest.mark.parametrize(
    "path", ["/v1/scores", "/v1/outcomes", "/api/public/scores", "/api/public/ingestion"]
)
def test_only_keys_that_may_send_are_let_in(project, path):
    reader = create_key(project=project, scopes=["read"])[1]
    for secret, status in (("", 401), ("flk_live_x", 401), (reader, 403)):
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        assert (
            Client().post(path, b"[]", content_type="application/json", headers=headers).status_code == status
        )
    assert stored() == []


def langfuse(secret, path, body=None):
    basic = base64.b64encode(f"pk-lf-1:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    if body is None:
        return Client().get(path, headers=headers)
    return Client().post(path, body, content_type="application/json", headers=headers)


@pytest.mark.parametrize("many", [True, False])
def test_langfuse_scores(secret, many):
    given = {
        "id": "s-1",
        "traceId": TRACE,
        "observationId": SPAN,
        "name": "ok",
        "value": 1,
        "dataType": "BOOLEAN",
    }
    answer = langfuse(secret, "/api/public/scores", [given] if many else given)
    assert answer.status_code in (200, 202)
    (record,) = stored()
    assert (record.id, record.truth, record.run, record.call) == ("s-1", True, TRACE, SPAN)


def test_langfuse_batches_are_answered_event_by_event(secret):
    batch = [
        {
            "id": "e-1",
            "type": "score-create",
            "timestamp": moment(),
            "body": {"traceId": TRACE, "name": "q", "value": 0.5},
        },
        {"id": "e-2", "type": "score-create", "body": {"name": "q", "value": 0.5}},
        {"id": "e-3", "type": "trace-create", "body": {"id": TRACE}},
    ]
    answer = langfuse(secret, "/api/public/ingestion", {"batch": batch, "metadata": {"sdk": "python"}})
    assert answer.status_code == 207
    assert answer.json()["successes"] == [{"id": "e-1", "status": 201}, {"id": "e-3", "status": 201}]
    assert [one["id"] for one in answer.json()["errors"]] == ["e-2"]
    assert [record.name for record in stored()] == ["q"]


def test_langfuse_asks_for_its_project(secret):
    answer = langfuse(secret, "/api/public/projects")
    assert (answer.status_code, answer.json()["data"][0]["name"]) == (200, "Shop")


def test_evaluation_results_of_logs_are_scores_of_their_span(send):
    def pair(key, **value):
        return {"key": key, "value": value}

    def record(**fields):
        attributes = [
            pair("gen_ai.evaluation.name", stringValue="relevance"),
            pair("gen_ai.evaluation.score.value", doubleValue=0.8),
            pair("gen_ai.evaluation.explanation", stringValue="on topic"),
        ]
        now = str(int(1e9 * time.time()))
        return {
            "timeUnixNano": now,
            "eventName": "gen_ai.evaluation.result",
            "attributes": attributes,
        } | fields

    logs = [record(traceId=TRACE, spanId=SPAN), record(traceId=TRACE), record()]
    answer = send({"resourceLogs": [{"scopeLogs": [{"logRecords": logs}]}]}, path="/v1/logs")
    assert answer.json()["partialSuccess"]["rejectedLogRecords"] == "1"
    of_call, of_run = stored()
    assert (of_call.call, of_call.run, of_call.source, str(of_call.number)) == (SPAN, TRACE, "judge", "0.8")
    assert (of_call.name, of_call.comment, of_run.call) == ("relevance", "on topic", None)


def test_evaluations_on_spans_are_scores_too(send):
    def pair(key, **value):
        return {"key": key, "value": value}

    at = int(1e9 * time.time()) - 10**9
    judged = [
        pair("gen_ai.evaluation.name", stringValue="safe"),
        pair("gen_ai.evaluation.score.label", stringValue="yes"),
    ]
    span = {
        "traceId": TRACE, "spanId": SPAN, "name": "answer", "startTimeUnixNano": str(at), "endTimeUnixNano": str(at),
        "attributes": [
            pair("evaluations.0.evaluation.name", stringValue="relevance"),
            pair("evaluations.0.evaluation.score", doubleValue=0.5),
            pair("evaluations.1.evaluation.name", stringValue="no score"),
            pair("trace.evaluations.0.evaluation.name", stringValue="solved"),
            pair("trace.evaluations.0.evaluation.label", stringValue="true"),
        ],
        "events": [{"name": "gen_ai.evaluation.result", "timeUnixNano": str(at), "attributes": judged}],
    }  # fmt: skip
    answer = send({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}, path="/v1/traces")
    assert answer.status_code == 200
    scores = {one.name: one for one in stored() if isinstance(one, ScoreRecord)}
    assert set(scores) == {"safe", "relevance", "solved"}
    assert (scores["safe"].label, str(scores["relevance"].number), scores["solved"].truth) == (
        "yes",
        "0.5",
        True,
    )
    assert (scores["relevance"].call, scores["solved"].call) == (SPAN, None)
