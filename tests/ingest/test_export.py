"""The OTLP/HTTP front door: what goes in is stored, answers and errors are in the sender's encoding."""

import gzip
import time
from typing import Any

import msgspec
import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from accounts.keys import create_key
from ingest.models import InboxRow, Intake
from tests.ingest.conftest import Sender, stored

pytestmark = pytest.mark.django_db
PROTOBUF, JSON = "application/x-protobuf", "application/json"


def now_ns() -> int:
    return time.time_ns() - 60 * 10**9


def protobuf(*spans: dict[str, Any]) -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for fields in spans:
        span = scope.spans.add()
        span.trace_id = fields.get("trace_id", b"\1" * 16)
        span.span_id = fields.get("span_id", b"\2" * 8)
        span.name = "chat gpt-4o"
        span.start_time_unix_nano = fields.get("start", now_ns())
        span.end_time_unix_nano = span.start_time_unix_nano + 10**9
        for key, value in fields.get("attributes", {"gen_ai.operation.name": "chat"}).items():
            span.attributes.add(key=key).value.string_value = value
    return request.SerializeToString()


def as_json(*spans: dict[str, Any]) -> bytes:
    sent = [
        {
            "traceId": "01" * 16,
            "spanId": "02" * 8,
            "name": "chat gpt-4o",
            "startTimeUnixNano": str(now_ns()),
            "endTimeUnixNano": str(now_ns() + 10**9),
            "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}],
        }
        | fields
        for fields in spans
    ]
    return msgspec.json.encode({"resourceSpans": [{"scopeSpans": [{"spans": sent}]}]})


@pytest.mark.parametrize(
    ("body", "type", "answer"),
    [(protobuf({}), PROTOBUF, b""), (as_json({}), JSON, b"{}")],
    ids=["protobuf", "json"],  # bodies hold the time: as names they would differ between workers
)
def test_spans_are_stored_and_answered_in_the_encoding_sent(send, project, body, type, answer):
    response = send(body, path="/v1/traces", type=type)
    assert (response.status_code, response.content, response["Content-Type"]) == (200, answer, type)
    assert [(span.trace, span.span, span.kind) for span in stored()] == [("01" * 16, "02" * 8, "call")]
    assert InboxRow.objects.get().kind == 2


@pytest.mark.parametrize("type", [PROTOBUF, JSON])
@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_an_empty_request_is_fine(send, path, type):
    assert send(b"" if type == PROTOBUF else b"{}", path=path, type=type).status_code == 200
    assert stored() == []


def test_gzip_is_read(send):
    response = send(gzip.compress(protobuf({})), path="/v1/traces", type=PROTOBUF, Content_Encoding="gzip")
    assert response.status_code == 200
    assert len(stored()) == 1


def test_good_spans_are_kept_and_the_others_named(send):
    response = send(protobuf({}, {"trace_id": b"\1"}, {"start": 1}), path="/v1/traces", type=PROTOBUF)
    told = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert (response.status_code, told.rejected_spans) == (200, 1)
    assert told.error_message.startswith("item 1: traceId: ")
    assert len(stored()) == 2
    assert Intake.objects.get().rejected == 1

    response = send(as_json({}, {"traceId": "abc"}), path="/v1/traces", type=JSON)
    assert response.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert "traceId" in response.json()["partialSuccess"]["errorMessage"]


def test_when_no_span_can_be_taken_the_answer_is_400(send):
    response = send(protobuf({"start": time.time_ns() + 2 * 3600 * 10**9}), path="/v1/traces", type=PROTOBUF)
    status = Status.FromString(response.content)
    assert (response.status_code, status.code, response["Content-Type"]) == (400, 3, PROTOBUF)
    assert status.message.startswith("startTimeUnixNano: ")
    assert stored() == []


@pytest.mark.parametrize("body", [protobuf({})[:-3], b"\xff\xff\xff", b"{}"], ids=range(3))
def test_damaged_protobuf_is_a_status_of_400(send, body):
    response = send(body, path="/v1/traces", type=PROTOBUF)
    assert (response.status_code, response["Content-Type"]) == (400, PROTOBUF)
    assert Status.FromString(response.content).message
    assert stored() == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"\x00", as_json({})[:-1]], ids=range(4))
def test_damaged_json_is_a_status_of_400(send, body):
    response = send(body, path="/v1/traces", type=JSON)
    assert (response.status_code, response.json()["code"]) == (400, 3)
    assert stored() == []


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
@pytest.mark.parametrize("secret", ["", "flk_live_wrong"])
def test_a_missing_or_wrong_key_is_401_in_the_encoding_of_the_client(db, path, secret):
    response = Sender(secret)(protobuf({}), path=path, type=PROTOBUF)
    assert (response.status_code, Status.FromString(response.content).code) == (401, 16)
    response = Sender(secret)(b"{}", path=path, type=JSON)
    assert (response.status_code, response.json()["code"]) == (401, 16)
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_key_without_the_scope_is_403(project):
    reader = create_key(project=project, scopes=["read"])[1]
    response = Sender(reader)(protobuf({}), path="/v1/traces", type=PROTOBUF)
    assert (response.status_code, Status.FromString(response.content).code) == (403, 7)


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_another_content_type_is_415(send, path):
    response = send(b"spans", path=path, type="text/plain")
    assert response.status_code == 415
    assert "application/x-protobuf" in response.json()["message"]


def test_get_is_405_with_a_status(send, secret):
    response = send.client.get("/v1/traces", headers={"Authorization": f"Bearer {secret}"})
    assert response.status_code == 405
    assert response.json()["code"] == 12
