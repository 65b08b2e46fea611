"""What a project lets in: content where it is kept, redacted texts, keyed fingerprints."""

import json
from typing import Any

import pytest

from accounts.models import Project
from ingest import privacy
from ingest.records import CallRecord, MessagesRecord, SpanRecord
from tests.ingest.conftest import event, stored
from tests.ingest.test_export import as_json

RULES = [{"pattern": r"[a-z]+@[a-z.]+", "replacement": "[mail]"}]
TEXTS: dict[str, Any] = {
    "user": "ann@x.org",
    "input": "from ann@x.org",
    "error_type": "bad ann@x.org",
    "tags": {"by": "ann@x.org"},
}


def gate(**fields) -> privacy.Gate:
    return privacy.Gate(Project(id=1, slug="a", name="a", **fields))


def test_without_rules_records_pass_untouched():
    records = [CallRecord("a", 1, user="ann@x.org")]
    assert gate().calls(records) is records


def test_texts_are_redacted_everywhere_but_in_identities():
    sent = CallRecord(
        "ann@x.org", 1, trace="ann@x.org", model="m@x.org", scores=[{"comment": "ann@x.org"}], **TEXTS
    )
    kept = gate(redactions=RULES, keep_content=True).calls([sent])[0]
    assert (kept.id, kept.trace, kept.model) == (sent.id, sent.trace, sent.model)
    assert (kept.user, kept.input, kept.error_type) == ("[mail]", "from [mail]", "bad [mail]")
    assert (kept.tags, kept.scores) == ({"by": "[mail]"}, [{"comment": "[mail]"}])


def test_spans_and_their_calls_are_redacted():
    call = CallRecord("t-s", 1, output="to ann@x.org")
    sent = SpanRecord("t", "s", None, "n", "call", "sc", 1, 2, context={"user": "ann@x.org"}, call=call)
    kept = gate(redactions=RULES).spans([sent])[0]
    assert kept.context == {"user": "[mail]"}
    assert kept.call is not None
    assert kept.call.output == "to [mail]"


def test_messages_that_say_nothing_any_more_are_left_out():
    sent = [MessagesRecord("t", "s", 1), MessagesRecord("t", "s", 1, input="ann@x.org")]
    assert gate(redactions=RULES).messages(sent) == [MessagesRecord("t", "s", 1, input="[mail]")]


def test_content_goes_unless_it_is_kept():
    sent = CallRecord("a", 1, input="x", output="y", provider_usage="{}")
    assert gate().calls([sent]) == [CallRecord("a", 1)]
    assert gate(keep_content=True).calls([sent]) == [sent]


def test_a_fingerprint_is_keyed_by_project_unless_the_client_has_done_it():
    one, other = privacy.fingerprint_key(1), privacy.fingerprint_key(2)
    assert one != other
    hashed = privacy.keyed("You are a triage bot.", one)
    assert len(hashed) == 32
    assert hashed != privacy.keyed("You are a triage bot.", other)
    assert privacy.keyed(hashed, one) == hashed
    assert gate().calls([CallRecord("a", 1, fingerprint="v1")])[0].fingerprint == privacy.keyed("v1", one)


@pytest.mark.django_db
def test_the_key_that_is_given_out_makes_the_servers_fingerprints(send, secret, project):
    answer = send.client.get("/v1/fingerprint-key", headers={"Authorization": f"Bearer {secret}"})
    key = bytes.fromhex(answer.json()["key"])
    send(event(fingerprint="prompt of mine"))
    assert stored()[0].fingerprint == privacy.hash_of("prompt of mine", key)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/v1/events", "/v1/traces"])
def test_what_is_redacted_never_reaches_the_inbox(send, project, path):
    project.redactions, project.keep_content = RULES, True
    project.save()
    mail = {"key": "user.id", "value": {"stringValue": "ann@x.org"}}
    sent = as_json({"attributes": [mail]}) if path == "/v1/traces" else event(**TEXTS)
    assert send(sent, path=path).status_code in (200, 202)
    text = json.dumps([str(record) for record in stored()])
    assert "ann@x.org" not in text
    assert "[mail]" in text
