"""Imports of what other tools kept: Langfuse's exports, LiteLLM's payloads and spend logs."""

import json
import re

import pytest

from tests.analytics.importing import command, written
from tests.analytics.ledger import rows
from tests.captures import expected, recorded
from tests.personas import make_project
from tests.shared import SHARED

pytestmark = pytest.mark.django_db
FRAMEWORKS = sorted((SHARED / "data" / "flows" / "framework_traces").glob("*.json"))
TOKENS = (
    "coalesce(input, 0) + coalesce(cache_read, 0) + coalesce(cache_write, 0)",
    "coalesce(output, 0) + coalesce(reasoning, 0)",
)
COUNTED = f"SELECT count(*), sum({TOKENS[0]}), sum({TOKENS[1]}) FROM call"


def counts(lines: list[str]) -> list[int]:
    """accepted, duplicate, rejected"""
    told = next(line for line in lines if " accepted" in line)
    return [
        int(number.replace(",", ""))
        for number in re.findall(r"([\d,]+) (?:accepted|duplicate|rejected)", told)
    ]


def total_of(observation: dict) -> int:
    return (observation.get("usageDetails") or {}).get("total") or observation.get("totalUsage") or 0


def ancestors(observation: str, parents: dict[str, str | None]) -> list[str]:
    above = parents.get(observation)
    return [] if above is None else [above, *ancestors(above, parents)]


@pytest.mark.skipif(not FRAMEWORKS, reason="the shared data is not there")
def test_traces_of_frameworks_are_counted_once_however_often_they_are_imported(tmp_path):
    project = make_project()
    documents = [json.loads(path.read_text()) for path in FRAMEWORKS]
    path = written(tmp_path, [json.dumps(document) for document in documents], "traces.jsonl")
    generations = [
        one for document in documents for one in document["observations"] if one["type"] == "GENERATION"
    ]
    parents = {
        one["id"]: one["parentObservationId"] for document in documents for one in document["observations"]
    }
    around = {above for one in generations for above in ancestors(one["id"], parents)}
    calls = {one["id"]: one for one in generations if one["id"] not in around}
    command("import_calls", project.slug, path, "--format", "langfuse")
    first = rows(COUNTED)
    assert first[0][0] == len(calls)
    assert sum(first[0][1:]) == sum(total_of(one) for one in calls.values())
    command("import_calls", project.slug, path, "--format", "langfuse")
    assert rows(COUNTED) == first
    assert command("verify", project.slug)


@pytest.mark.skipif(not FRAMEWORKS, reason="the shared data is not there")
def test_a_file_may_be_one_document_over_many_lines(tmp_path):
    project = make_project()
    path = written(tmp_path, [json.dumps(json.loads(FRAMEWORKS[0].read_text()), indent=2)], "trace.json")
    told = command("import_calls", project.slug, path, "--format", "langfuse")
    assert counts(told)[0] == rows("SELECT count(*) FROM call")[0][0] > 0


def test_litellm_payloads_come_in_as_they_would_have_come_live(tmp_path):
    known = expected("litellm_generic_api")
    project = make_project()
    payloads = [
        json.dumps(one)
        for request in recorded("litellm_generic_api", "webhook")
        for one in json.loads(request.body)
    ]
    path = written(tmp_path, payloads, "payloads.jsonl")
    told = command("import_calls", project.slug, path, "--format", "litellm")
    total = known["llm_calls_succeeded"] + known["llm_calls_failed"]
    assert counts(told) == [total, 0, 0]
    assert rows(COUNTED) == [(total, known["input_total"], known["output_total"])]
    assert counts(command("import_calls", project.slug, path, "--format", "litellm")) == [0, total, 0]
