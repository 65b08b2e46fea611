"""Recorded requests of real client libraries, sent to the front door byte for byte as they came."""

import json
from pathlib import Path

import pytest

from tests.ingest.conftest import stored
from tests.shared import shared

pytestmark = pytest.mark.django_db
SETS = (
    "litellm_otel", "openinference_litellm_nested", "openinference_openai", "openllmetry_openai",
    "openllmetry_openai_old", "otel_genai_openai", "otel_openai_v2", "otel_openai_v2_latest", "otlp_retry",
)  # fmt: skip


def replay(send, meta: Path):
    request = json.loads(meta.read_text())
    headers = {name.lower(): value for name, value in request["headers"].items()}
    extra = {"Content_Encoding": headers["content-encoding"]} if "content-encoding" in headers else {}
    body = meta.with_name(request["file"]).read_bytes()
    return send(body, path=request["path"], type=headers["content-type"], **extra), headers["content-type"]


@pytest.mark.parametrize("name", SETS)
def test_every_recorded_request_is_taken_and_answered_in_its_encoding(send, name):
    requests = sorted(shared(f"captures/{name}").glob("*.meta.json"))
    assert requests
    for meta in requests:
        answer, type = replay(send, meta)
        assert (answer.status_code, answer["Content-Type"]) == (200, type.partition(";")[0])
        assert answer.content in (b"", b"{}")  # no partial success: nothing was refused
    assert any(getattr(record, "call", None) for record in stored())
