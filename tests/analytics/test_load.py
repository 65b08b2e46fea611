"""The loader: every accepted call counts exactly once, whatever is repeated, late or broken."""

from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from django.db import connection

from accounts.models import AuditLine, Project
from accounts.zones import next_midnight
from analytics import ledger
from analytics.families import day_bounds
from analytics.fold import fold_lane
from analytics.load import load_lane
from analytics.rebuild import rebuild
from analytics.set_aside import download, try_again
from analytics.verify import verify
from ingest.models import SetAside
from ingest.records import Tokens
from tests.analytics.ledger import NOW, call, load, rows, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return Project.objects.create(slug="acme", name="Acme", zone="Asia/Kolkata")


USAGE = (
    "SELECT sum(calls), sum(duplicates), sum(input), sum(output), sum(call_cost(cost_input, cost_cache_read, "
    "cost_cache_write, cost_output, cost_other, cost_unsplit)) FROM {}"
)


def test_calls_are_priced_and_rolled_up_by_quarter_hour_and_day_of_the_zone(project):
    send(project, [call(n) for n in range(20)])
    load(project)
    assert rows("SELECT count(*) FROM call") == [(20,)]
    expected = (20, 0, 20_000, 2_000, Decimal("0.0042"))
    assert rows(USAGE.format("usage")) == [expected]
    assert rows(USAGE.format("usage_day")) == [expected]
    assert (
        rows("SELECT DISTINCT bucket FROM usage ORDER BY 1 LIMIT 1")[0][0].isoformat()
        == "2026-11-24T09:00:00+00:00"
    )
    assert rows("SELECT DISTINCT day FROM usage_day")[0][0].isoformat() == "2026-11-24"
    assert rows("SELECT sum(runs), sum(cost) FROM run_day") == [(20, Decimal("0.0042"))]
    assert rows("SELECT count(*) FROM inbox") == [(0,)]


def test_the_same_call_twice_counts_once_and_is_shown_as_a_duplicate(project):
    send(project, [call(1), call(1), call(2)])
    load(project)
    send(project, [call(1), call(2), call(3)])
    load(project)
    assert rows(USAGE.format("usage"))[0][:2] == (3, 3)
    assert rows("SELECT raw_id, duplicates FROM call ORDER BY started_at") == [
        ("call-1", 2),
        ("call-2", 1),
        ("call-3", 0),
    ]


def test_an_unknown_model_is_unpriced_and_never_free(project):
    send(project, [call(1, model="house-model", provider="house")])
    load(project)
    assert rows("SELECT sum(unpriced), sum(cost_input), sum(cost_output) FROM usage") == [(1, None, None)]


def test_a_reported_cost_wins_and_is_split_as_computed(project):
    send(project, [call(1, reported_cost=Decimal("1.000000000000000001"))])
    load(project)
    assert rows(USAGE.format("usage"))[0][4] == Decimal("1.000000000000000001")
    assert rows("SELECT cost_status FROM call") == [(1,)]


def test_calls_of_one_trace_are_one_run_with_an_outcome(project):
    records = [
        call(1, trace="run-77", step="classify", session="s-9"),
        call(2, trace="run-77", step="answer", failed=True, error_class="overloaded", tokens=Tokens()),
        call(3, trace="run-77", step="answer", attempt=2),
        call(4, trace="run-78", step="answer", failed=True, error_class="timeout", tokens=Tokens()),
    ]
    send(project, records[:2])
    load(project)
    assert rows("SELECT outcome, calls FROM run") == [(2, 2)]
    send(project, records[2:])
    load(project)
    found = rows("SELECT raw_id, session, calls, errors, outcome, rescued FROM run ORDER BY started_at")
    assert found == [("run-77", "s-9", 3, 1, 1, True), ("run-78", None, 1, 1, 2, False)]
    assert rows("SELECT sum(runs), sum(successes), sum(failures), sum(rescued) FROM run_bucket") == [
        (2, 1, 1, 1)
    ]
    assert rows("SELECT raw_id, wasted FROM call ORDER BY started_at") == [
        ("call-1", False), ("call-2", True), ("call-3", True), ("call-4", True)]  # fmt: skip
    assert rows("SELECT s.step FROM run r JOIN series s ON s.id = r.series_id ORDER BY r.started_at") == [
        ("(several)",), ("answer",)]  # fmt: skip


def test_a_record_that_cannot_be_loaded_is_set_aside_and_holds_nobody_up(project):
    broken = call(2, tokens=Tokens(input=2**40, output=1))
    send(project, [call(1), broken, call(3)])
    send(project, [call(4)])
    load(project)
    assert rows("SELECT raw_id FROM call ORDER BY started_at") == [("call-1",), ("call-3",), ("call-4",)]
    [(items, reason)] = rows("SELECT items, reason FROM inbox_dead")
    assert items == 1
    assert "integer" in reason
    assert rows("SELECT count(*) FROM inbox") == [(0,)]


def test_intake_is_counted_by_key_and_quarter_hour(project):
    send(project, [call(1), call(2)])
    load(project)
    send(project, [call(2)])
    load(project)
    assert rows("SELECT sum(accepted), sum(duplicates), min(bucket) FROM intake") == [(3, 1, NOW)]


def differences(project):
    return [(d.table, d.key, d.stored, d.expected) for d in verify(project, now=NOW)]


def test_rollups_are_what_the_ledger_says_before_and_after_folding_and_rebuilding(project):
    for start in (0, 30, 60):
        send(
            project,
            [
                call(n, trace=f"run-{n // 3}", failed=n % 7 == 0, error_class="timeout" if n % 7 == 0 else "")
                for n in range(start, start + 40)
            ],
        )
        load(project)
    assert differences(project) == []
    before = rows(USAGE.format("usage_day"))
    fold_lane(project.lane, now=NOW, wait=True)
    assert rows("SELECT count(*) FROM usage WHERE batch <> 0") == [(0,)]
    assert differences(project) == []
    assert rows(USAGE.format("usage_day")) == before
    list(rebuild(project, first=NOW.date(), last=NOW.date() + timedelta(days=1), now=NOW))
    assert differences(project) == []
    assert rows(USAGE.format("usage_day")) == before


def test_verify_finds_a_rollup_that_is_wrong(project):
    send(project, [call(n) for n in range(5)])
    load(project)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE usage_day SET calls = calls + 1")
    assert [(table, stored) for table, _, stored, _ in differences(project)] == [("usage_day", "calls 6")]


def test_what_was_set_aside_can_be_downloaded_and_tried_again(project):
    send(project, [call(2, tokens=Tokens(input=2**40, output=1))])
    load(project)
    row = SetAside.objects.get()
    assert b'"call-2"' in download(row)
    assert try_again(project, actor="owner@example.com") == 1
    assert rows("SELECT count(*) FROM inbox") == [(1,)]
    load(project)
    assert SetAside.objects.count() == 1
    assert AuditLine.objects.get().action == "set_aside.tried_again"


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York", "UTC"])
def test_a_change_of_zone_applies_from_a_midnight_on(zone):
    until = next_midnight(NOW, zone=zone)
    project = Project.objects.create(
        slug="moved",
        name="Moved",
        zone=zone,
        earlier_zones=[{"zone": "Europe/Berlin", "until": until.isoformat()}],
    )
    send(project, [call(60 * hours) for hours in range(-20, 40, 3)], now=NOW)
    load(project)
    assert differences(project) == []
    days = rows("SELECT day, sum(calls) FROM usage_day GROUP BY 1 ORDER BY 1")
    for day, calls in days:
        start, end = day_bounds(project, day)
        assert rows("SELECT count(*) FROM call WHERE started_at >= %s AND started_at < %s", start, end) == [
            (calls,)
        ]


def test_a_large_run_is_added_to_without_reading_it_again(project, monkeypatch):
    monkeypatch.setattr(ledger, "LARGE", 3)
    for start in range(0, 20, 5):
        send(project, [call(n, trace="endless") for n in range(start, start + 5)])
        load(project)
    assert rows("SELECT calls, cost, input, duration_us FROM run") == [
        (20, Decimal("0.0042"), 20_000, 1_140_500_000)
    ]
    assert rows("SELECT sum(runs), sum(cost) FROM run_day") == [(1, Decimal("0.0042"))]
    assert differences(project) == []


def test_tracked_tags_are_dimensions_and_the_others_are_kept_beside(project):
    project.tracked_tags = ["tier"]
    project.save()
    hostile = 'a\tb\\n\n"\u2028'
    send(project, [call(1, tags={"tier": "gold", "note": hostile}, other_units={"web_searches": Decimal(2)})])
    load(project)
    assert rows("SELECT tags ->> 'tier' FROM series WHERE tags IS NOT NULL") == [("gold",)]
    assert rows("SELECT t.tags ->> 'note' FROM call c JOIN tag_set t ON t.id = c.tag_set_id") == [(hostile,)]
    assert rows("SELECT other_units ->> 'web_searches' FROM call") == [("2",)]


def test_texts_of_senders_cannot_break_the_copy(project):
    hostile = 'tab\there\\N\\.\nnew\rline"'
    send(
        project,
        [
            call(
                1,
                id=hostile,
                trace=hostile,
                session=hostile,
                error_type=hostile,
                failed=True,
                error_class="other",
            )
        ],
    )
    load(project)
    assert rows("SELECT raw_id, error_type FROM call") == [(hostile, hostile)]
    assert rows("SELECT raw_id, session FROM run") == [(hostile, hostile)]


def test_the_session_of_a_call_without_a_trace_keeps_its_name(project):
    send(project, [call(1, session="s-9"), call(2, session="s-10", trace="run-1")])
    load(project)
    assert rows("SELECT value FROM name WHERE kind = 3") == [("s-9",)]
    assert rows("SELECT session FROM run") == [("s-10",)]


def test_a_lane_that_another_loader_holds_counts_no_attempt(project, settings):
    send(project, [call(1)])
    database = settings.DATABASES["default"]
    with psycopg.connect(
        dbname=database["NAME"], user=database["USER"], password=database["PASSWORD"] or None,
        host=database["HOST"] or None, port=database["PORT"] or None, autocommit=True,
    ) as other:  # fmt: skip
        other.execute("SELECT pg_advisory_lock(%s, %s)", [ledger.LOCK_SPACE, project.lane])
        assert [load_lane(project.lane, now=NOW) for _ in range(10)] == [None] * 10
        assert rows("SELECT count(*) FROM lane") == [(0,)]
        other.execute("SELECT pg_advisory_unlock(%s, %s)", [ledger.LOCK_SPACE, project.lane])
    load(project)
    assert rows("SELECT count(*) FROM call") == [(1,)]
