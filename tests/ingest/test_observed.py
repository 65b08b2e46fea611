"""Traces and observations of Langfuse's exports and of Opik's SDK, read as spans."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from ingest.records import Tokens
from ingest.wire.observed import (
    LANGFUSE_OBSERVATION,
    OPIK_SPAN,
    OPIK_TRACE,
    Observed,
    hex_of,
    langfuse_document,
)
from ingest.wire.spans import Reading
from tests.ingest.conftest import moment
from tests.shared import SHARED

READING = Reading(now_us=int(datetime(2026, 11, 24, tzinfo=UTC).timestamp() * 1e6), floor_us=0)
TRACES = sorted((SHARED / "data" / "flows" / "framework_traces").glob("*.json"))
GENERATION = {
    "id": "obs-1", "traceId": "trace-1", "type": "GENERATION", "name": "answer", "parentObservationId": None,
    "startTime": "2025-06-11T14:01:34.290Z", "endTime": "2025-06-11T14:01:39.089Z", "model": "gpt-4o-mini",
    "completionStartTime": "2025-06-11T14:01:35.290Z", "usageDetails": {"input": 1568, "output": 423, "total": 1991},
    "costDetails": {"total": 0.000489}, "promptName": "triage", "promptVersion": 3, "environment": "default",
}  # fmt: skip
TRACE = {"id": "trace-1", "name": "support-triage", "timestamp": "2025-06-11T14:01:32Z", "userId": "u-1",
         "sessionId": "s-1", "tags": ["gold"], "metadata": {"customer": "acme"}}  # fmt: skip


def read(document):
    found = Observed()
    langfuse_document(0, document, READING, found)
    return found


def test_an_exported_trace_is_the_root_of_its_observations():
    root, generation = read({"trace": TRACE, "observations": [GENERATION]}).spans
    assert (root.kind, root.parent, generation.parent) == ("step", None, root.span)
    assert root.trace_context["flow"] == "support-triage"
    assert (root.context["user"], root.context["session"]) == ("u-1", "s-1")
    assert (root.started_us, root.ended_us) == (1749650492_000000, 1749650499_089000)
    call = generation.call
    assert (call.model, call.provider, call.tokens) == ("gpt-4o-mini", "openai", Tokens(1568, output=423))
    assert (generation.context["prompt"], generation.context["prompt_version"]) == ("triage", "3")
    assert call.ttft_us == 1_000_000
    assert "environment" not in generation.context


def test_a_total_that_counts_more_than_its_parts_has_thoughts_in_it():
    usage = {"input": 10, "output": 5, "total": 40}
    (_, generation) = read({"trace": TRACE, "observations": [GENERATION | {"usageDetails": usage}]}).spans
    assert generation.call.tokens == Tokens(10, output=5, reasoning=25)


def test_ids_of_any_form_give_ids_of_spans_and_always_the_same():
    uuid = "b3b7b128-5664-4f42-9fab-31999da9e2f1"
    assert hex_of(uuid, 32) == uuid.replace("-", "")
    assert hex_of("vertex-gemini-trace-001", 32) == hex_of("vertex-gemini-trace-001", 32)
    assert len(hex_of("x", 16)) == 16


@pytest.mark.parametrize("document", [7, None, [], {"observations": 4}, {"trace": {}, "observations": [{}, 7]},
                                      {"traceId": "x", "id": "y"}, {"id": "t", "timestamp": "soon"}])  # fmt: skip
def test_what_is_no_trace_is_refused_with_a_reason(document):
    found = read(document)
    assert found.spans == []
    assert all(each.message for each in found.rejections)
    assert found.rejections


@pytest.mark.parametrize("fields", [
    {"metadata": "x"}, {"metadata": {"a": {"b": [1]}}}, {"usageDetails": "many"}, {"usageDetails": {"input": "NaN"}},
    {"usage": [1]}, {"name": {"a": 1}}, {"endTime": "never"}, {"tags": 7}, {"model": ["m"]}, {"level": 4},
])  # fmt: skip
def test_hostile_observations_never_raise(fields):
    found = Observed()
    found.take(0, GENERATION | fields, LANGFUSE_OBSERVATION, READING)
    assert len(found.spans) + len(found.rejections) == 1


@pytest.mark.skipif(not TRACES, reason="the shared data is not there")
@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_usage_of_every_framework_is_counted_once(path):
    document = json.loads(path.read_text())
    found = read(document)
    calls = [one for one in document["observations"] if one["type"] in ("GENERATION", "EMBEDDING")]
    total = sum((one.get("usageDetails") or {}).get("total") or one.get("totalUsage") or 0 for one in calls)
    read_calls = [span.call for span in found.spans if span.call is not None]
    assert found.rejections == []
    assert len(read_calls) == len(calls)
    assert (
        sum(sum(count or 0 for count in msgspec.structs.astuple(call.tokens)) for call in read_calls) == total
    )


def opik(**fields):
    return {
        "id": "0198f3a0-0000-7000-8000-000000000001", "trace_id": "0198f3a0-0000-7000-8000-0000000000aa",
        "type": "llm", "name": "chat", "start_time": moment(minutes=2), "end_time": moment(minutes=1),
        "model": "gpt-4o", "provider": "openai",
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
                  "original_usage.prompt_tokens": 100, "original_usage.completion_tokens": 20,
                  "original_usage.prompt_tokens_details.cached_tokens": 60},
    } | fields  # fmt: skip


def test_a_span_of_opik_keeps_the_providers_own_counts():
    reading = Reading(now_us=int(datetime.now(UTC).timestamp() * 1e6), floor_us=0)
    found = Observed()
    found.take(0, {"id": opik()["trace_id"], "name": "triage", "thread_id": "s-1", "start_time": moment(minutes=2)},
               OPIK_TRACE, reading)  # fmt: skip
    found.take(1, opik(), OPIK_SPAN, reading)
    root, span = found.spans
    assert (root.trace_context["flow"], root.context["session"], span.parent) == ("triage", "s-1", root.span)
    assert (span.call.tokens, span.call.model) == (Tokens(40, 60, output=20), "gpt-4o")


@pytest.mark.django_db
def test_opiks_paths_answer_as_its_sdk_expects(send):
    assert send({"spans": [opik()]}, path="/opik/api/v1/private/spans/batch").status_code == 204
    answer = send({"spans": [opik(), 7, opik(start_time=None)]}, path="/opik/api/v1/private/spans/batch")
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert [each["index"] for each in answer.json()["rejected"]] == [1, 2]
    nothing = send({"traces": [7]}, path="/opik/api/v1/private/traces/batch")
    assert (nothing.status_code, nothing.json()["error"]["code"]) == (400, "nothing_acceptable")


@pytest.mark.django_db
def test_opiks_sdk_sends_its_key_bare(send, secret):
    body = json.dumps({"spans": [opik()]})
    for headers, status in (({"Authorization": secret}, 204), ({"Authorization": "nonsense"}, 401)):
        path = "/opik/api/v1/private/spans/batch"
        assert (
            send.client.post(path, body, content_type="application/json", headers=headers).status_code
            == status
        )
