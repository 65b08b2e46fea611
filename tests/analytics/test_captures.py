"""Recorded traffic of real clients through the whole path: front door, inbox, loader, ledger, rollups."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import Project
from analytics.fold import fold_lane
from analytics.verify import verify
from tests.analytics.ledger import load, rows
from tests.captures import Recorded, expected, recorded, single_spans
from tests.personas import bearer, make_key, make_project

pytestmark = pytest.mark.django_db
CAPTURES = ("otel_genai_openai", "otel_openai_v2", "otel_openai_v2_latest", "otlp_retry")
INPUT = (
    "coalesce(input, 0) + coalesce(cache_read, 0) + coalesce(cache_write, 0) + coalesce(cache_write_1h, 0)"
)
OUTPUT = "coalesce(output, 0) + coalesce(reasoning, 0)"
BY = {
    "flow": "coalesce(nullif(f.name, ''), '(none)')",
    "user": "coalesce(u.value, '(none)')",
    "session": "coalesce(r.session, '(none)')",
}


def in_order(requests: list[Recorded]) -> list[list[bytes]]:
    return [[request.body] for request in requests]


def twice(requests: list[Recorded]) -> list[list[bytes]]:
    return in_order(requests) * 2


def reversed_(requests: list[Recorded]) -> list[list[bytes]]:
    return in_order(requests)[::-1]


def split(requests: list[Recorded]) -> list[list[bytes]]:
    singles = [body for request in requests for body in single_spans(request)]
    random.Random(7).shuffle(singles)
    return [singles[start : start + 3] for start in range(0, len(singles), 3)]


def send(project: Project, batches: list[list[bytes]], path: str = "/v1/traces") -> None:
    """Send each batch, and load it before the next one comes."""
    client, key = Client(), bearer(make_key(project, "ingest"))
    for batch in batches:
        for body in batch:
            answer = client.post(path, body, content_type="application/x-protobuf", headers=key)
            assert answer.status_code == 200
        load(project, now=datetime.now(UTC))


def figures() -> dict[str, Any]:
    """What `expected_from_telemetry` names, read from the ledger and its rollups."""
    names = ("input_total", "output_total", "cache_read", "cache_write", "reasoning")
    sums = rows(
        f"SELECT sum({INPUT}), sum({OUTPUT}), coalesce(sum(cache_read), 0),"
        " coalesce(sum(coalesce(cache_write, 0) + coalesce(cache_write_1h, 0)), 0), coalesce(sum(reasoning), 0),"
        " sum(calls) FILTER (WHERE error_class = 0),"
        " coalesce(sum(calls) FILTER (WHERE error_class <> 0), 0) FROM usage_day"
    )[0]
    found: dict[str, Any] = dict(
        zip((*names, "llm_calls_succeeded", "llm_calls_failed"), map(int, sums), strict=True)
    )
    found["succeeded_calls_without_token_counts"] = rows(
        "SELECT count(*) FROM call WHERE error_class = 0 AND input IS NULL AND cache_read IS NULL"
    )[0][0]
    for dimension, name in BY.items():
        found[f"succeeded_calls_by_{dimension}"] = dict(
            rows(
                f"SELECT {name}, count(*) FROM call c JOIN series s ON s.id = c.series_id"
                " LEFT JOIN analytics_flow f ON f.id = s.flow_id"
                " LEFT JOIN name u ON u.kind = 2 AND u.id = c.user_id"
                " LEFT JOIN run r ON r.id = c.trace AND r.session_id = c.session_id"
                " WHERE c.error_class = 0 GROUP BY 1"
            )
        )
    return found


@pytest.mark.parametrize("arrival", [in_order, twice, reversed_, split])
@pytest.mark.parametrize("capture", CAPTURES)
def test_a_capture_counts_as_it_truly_was_however_it_arrives(capture, arrival):
    project = make_project(zone="Asia/Kolkata")
    send(project, arrival(recorded(capture)))
    assert figures() == expected(capture)
    assert list(verify(project, now=datetime.now(UTC))) == []
    fold_lane(project.lane, now=datetime.now(UTC), wait=True)
    assert list(verify(project, now=datetime.now(UTC))) == []
