"""The inbox: committed when `put` returns, whole or not at all; full or unreachable, it says come back."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from django.db import OperationalError, connection, transaction

from accounts.errors import ApiError
from ingest import inbox
from ingest.inbox import Kind, Sender, encode, put, quarter_hour, read_records
from ingest.models import InboxRow, Intake
from ingest.records import (
    CallRecord,
    MessagesRecord,
    OutcomeRecord,
    ScoreRecord,
    SpanRecord,
    Tokens,
)
from tests.ingest.conftest import event, stored
from tests.ingest.test_export import as_json

NOW = datetime(2026, 11, 23, 10, 29, 59, tzinfo=UTC)
SENDER = Sender(project_id=35, key_id=2)


def calls(count: int) -> list[CallRecord]:
    return [CallRecord(str(number), 1_795_428_000_000_000) for number in range(count)]


RECORDS = {
    Kind.CALLS: CallRecord(
        "a", 1, tokens=Tokens(1, None, 3), reported_cost=Decimal("0.10"), scores=[{"a": 1}]
    ),
    Kind.SPANS: SpanRecord("t", "s", None, "n", "call", "sc", 1, 2, call=CallRecord("t-s", 1)),
    Kind.MESSAGES: MessagesRecord("t", "s", 1, input="hello"),
    Kind.SCORES: ScoreRecord("s-1", "thumbs", 1, number=Decimal("0.70"), run="r"),
    Kind.OUTCOMES: OutcomeRecord("r", 1, success=True, value=Decimal("12.50")),
}


@pytest.mark.parametrize("kind", Kind)
def test_records_come_back_as_they_went_in(kind):
    assert read_records(kind, encode([RECORDS[kind]] * 3)) == [RECORDS[kind]] * 3


def test_a_body_that_cannot_be_read_says_so():
    with pytest.raises(msgspec.DecodeError):
        read_records(1, b"\x91\xc1")


@pytest.mark.django_db
def test_a_row_tells_where_it_came_from():
    put(calls(2), kind=Kind.CALLS, sender=Sender(35, None, 7), now=NOW)
    row = InboxRow.objects.get()
    assert (row.lane, row.project_id, row.key_id, row.import_batch) == (3, 35, None, 7)
    assert (row.received_at, row.kind, row.items, row.attempts) == (NOW, 1, 2, 0)
    assert read_records(row.kind, row.body) == calls(2)


@pytest.mark.django_db
def test_rows_hold_5_000_records_at_most():
    put(calls(12_000), kind=Kind.CALLS, sender=SENDER, now=NOW)
    assert list(InboxRow.objects.order_by("id").values_list("items", flat=True)) == [5_000, 5_000, 2_000]
    assert stored() == calls(12_000)


@pytest.mark.django_db
def test_refusals_are_counted_by_key_and_quarter_hour():
    for rejected in (2, 3):
        put([], kind=Kind.CALLS, sender=SENDER, now=NOW, rejected=rejected)
    found = Intake.objects.order_by("batch").values_list(
        "project_id", "key_id", "bucket", "rejected", "accepted"
    )
    start = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
    assert list(found) == [(35, 2, start, 2, 0), (35, 2, start, 3, 0)]
    assert quarter_hour(start) == start


@pytest.mark.django_db
def test_a_request_is_stored_whole_or_not_at_all(monkeypatch):
    monkeypatch.setattr(inbox, "_COUNT_REJECTED", "SELECT pg_terminate_backend(0), 1 / 0, %s, %s, %s, %s")
    with pytest.raises(Exception, match="division by zero"), transaction.atomic():
        put(calls(6_000), kind=Kind.CALLS, sender=SENDER, now=NOW, rejected=1)
    assert stored() == []


@pytest.mark.django_db(transaction=True)
def test_what_put_returned_from_is_committed():
    put(calls(1), kind=Kind.CALLS, sender=SENDER, now=NOW)
    connection.close()  # whatever was not committed is gone
    assert stored() == calls(1)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_while_idle_is_made_anew():
    connection.ensure_connection()
    victim = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [victim])
    other.close()
    put(calls(1), kind=Kind.CALLS, sender=SENDER, now=NOW)
    assert stored() == calls(1)


@pytest.mark.django_db
def test_a_full_inbox_says_when_to_come_back(send, settings):
    settings.INGEST_INBOX_BOUND = 3
    assert send([event(id="a"), event(id="b")]).status_code == 202
    answer = send([event(id="c"), event(id="d")])
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["error"]["code"] == "busy"
    assert send(event(id="c")).status_code == 202
    InboxRow.objects.all().delete()
    inbox.room.due = 0.0
    assert send([event(id="c"), event(id="d")]).status_code == 202


@pytest.mark.django_db
def test_a_nearly_full_disk_says_when_to_come_back(send, settings):
    settings.INGEST_MIN_DISK = 2**62
    answer = send(event())
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert stored() == []


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/v1/events", "/v1/traces"])
@pytest.mark.parametrize("seam", ["_try", "_sum_of_items"])
def test_a_database_that_fails_is_503_never_500(send, monkeypatch, path, seam):
    def fail(*_):
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(inbox, seam, fail)
    answer = send(as_json({}) if path == "/v1/traces" else event(), path=path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


@pytest.mark.django_db
def test_a_fault_of_ours_is_not_taken_for_a_busy_database(monkeypatch):
    monkeypatch.setattr(inbox, "_INSERT", "INSERT INTO no_such_table VALUES (%s)")
    with pytest.raises(Exception, match="parameters") as fault, transaction.atomic():
        put(calls(1), kind=Kind.CALLS, sender=SENDER, now=NOW)
    assert not isinstance(fault.value, ApiError)
