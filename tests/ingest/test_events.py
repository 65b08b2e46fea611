"""POST /v1/events in all its forms: what is good is stored, what is not is named."""

import json

import pytest

from ingest.models import InboxRow, Intake
from tests.ingest.conftest import event, stored

pytestmark = pytest.mark.django_db


def lines(*events) -> bytes:
    return "\n".join(json.dumps(each) for each in events).encode()


@pytest.mark.parametrize(
    ("body", "type"),
    [
        ({"events": [event(id="a"), event(id="b")]}, "application/json"),
        ([event(id="a"), event(id="b")], "application/json; charset=utf-8"),
        (lines(event(id="a"), event(id="b")), "application/x-ndjson"),
        (b"\n" + lines(event(id="a"), {}, event(id="b")).replace(b"{}", b"") + b"\n", "application/x-ndjson"),
        (b"\xef\xbb\xbf" + json.dumps([event(id="a"), event(id="b")]).encode(), "application/json"),
    ],
)
def test_every_form_gives_the_same_records(send, project, body, type):
    answer = send(body, type=type)
    assert answer.status_code == 202, answer.content
    assert answer.json() == {"accepted": 2, "rejected": [], "warnings": []}
    assert [record.id for record in stored()] == ["a", "b"]
    row = InboxRow.objects.get()
    assert (row.project_id, row.lane, row.kind, row.items) == (project.id, project.id % 16, 1, 2)


def test_one_object_is_one_event(send):
    assert send(event(id="a")).json()["accepted"] == 1
    assert [record.id for record in stored()] == ["a"]


def test_good_events_are_kept_whatever_the_others_are(send, project):
    answer = send([event(id="a"), {"id": "b"}, 7, event(id="c", usage={"input_tokens": -1}), event(id="d")])
    assert answer.status_code == 202
    assert [refused["index"] for refused in answer.json()["rejected"]] == [1, 2, 3]
    assert answer.json()["rejected"][2]["field"] == "usage.input_tokens"
    assert [record.id for record in stored()] == ["a", "d"]
    assert Intake.objects.get().rejected == 3
