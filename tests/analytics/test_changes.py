"""Changes noticed from the calls: first sights, once, dated at the first call, whatever arrives when."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from analytics.changes_models import Change
from analytics.changes_notice import look_again, notice_in
from analytics.intern import call_key
from analytics.ledger import apply, copy_rows, writing
from analytics.pricebook import books, row_of
from analytics.series import load_state
from analytics.stage import gone
from pricing import own
from tests.analytics.ledger import NOW, T0, call, load, rows, send
from tests.personas import make_project

pytestmark = pytest.mark.django_db
HOUR = 60  # in the minutes that `call` counts by


@pytest.fixture
def project(db):
    return make_project()


def arrive(project, *calls, now=NOW):
    send(project, calls, now=now)
    load(project, now=now)
    notice_in(project, now=now)


def told(project):
    return [
        (c.kind, c.before, c.after) for c in Change.objects.filter(project=project).order_by("at", "kind")
    ]


def at(minutes):
    return datetime.fromtimestamp(T0 / 1e6, UTC) + timedelta(minutes=minutes)


def version(number, text, **fields):
    return call(number, prompt="triage", prompt_version=text, **fields)


def test_the_first_version_of_a_flow_is_no_change_and_the_next_one_is(project):
    arrive(project, version(0, "v1"))
    assert told(project) == []
    arrive(project, version(HOUR, "v2"))
    change = Change.objects.get()
    assert told(project) == [("prompt", "v1", "v2")]
    assert (change.at, change.first_call_at, change.by, change.noticed) == (
        at(HOUR),
        at(HOUR),
        "noticed",
        True,
    )
    assert (change.subject, change.environment) == ("triage", "production")
    assert [row.name for row in change.on_flows.all()] == ["support-triage"]


def test_looking_twice_finds_nothing_new(project):
    arrive(project, version(0, "v1"), version(HOUR, "v2"))
    assert notice_in(project, now=NOW) == 0
    look_again(project, [])
    assert notice_in(project, now=NOW) == 0
    assert told(project) == [("prompt", "v1", "v2")]


def test_two_versions_that_alternate_are_one_change_and_an_old_one_is_no_news(project):
    arrive(project, *(version(n, "v1") for n in range(30)))
    for n in range(30, 90):
        arrive(project, version(n, "v2" if n % 2 else "v1"))
    arrive(project, version(100, "v3"), version(110, "v1"), version(120, "v2"))
    assert told(project) == [("prompt", "v1", "v2"), ("prompt", "v2", "v3")] or told(project) == [
        ("prompt", "v1", "v2"),
        ("prompt", "v1", "v3"),
    ]


def test_a_late_call_moves_the_date_and_an_earlier_history_makes_its_own(project):
    arrive(project, version(10 * HOUR, "v5"), version(12 * HOUR, "v6"))
    arrive(project, version(11 * HOUR, "v6"))
    assert Change.objects.get().at == at(11 * HOUR)
    arrive(project, version(0, "v3"), version(HOUR, "v4"))
    assert told(project) == [("prompt", "v3", "v4"), ("prompt", "v4", "v5"), ("prompt", "v5", "v6")]


@pytest.mark.parametrize(
    ("kind", "field", "before", "after"),
    [
        ("model", "model", "gpt-4o-mini", "gpt-4o"),
        ("snapshot", "response_model", "gpt-4o-mini-2024-07-18", "gpt-4o-mini-2025-01-01"),
        ("provider", "provider", "openai", "azure"),
        ("service_tier", "service_tier", "standard", "flex"),
        ("retrieval", "retrieval", "kb-1", "kb-2"),
        ("release", "release", "web@1", "web@2"),
    ],
)
def test_every_kind_is_noticed(project, kind, field, before, after):
    arrive(project, *(call(n, **{field: before}) for n in range(0, 60, 10)))
    arrive(project, call(HOUR, **{field: after}))
    assert told(project) == [(kind, before, after)]


def test_a_fingerprint_stands_in_for_the_version_that_nobody_gave(project):
    old, new = "a" * 32, "b" * 32
    arrive(project, *(call(n, fingerprint=old) for n in range(10)), now=NOW)
    arrive(project, call(50 * HOUR, fingerprint=new), now=NOW + timedelta(days=3))
    assert told(project) == [("fingerprint", "fp-" + "a" * 12, "fp-" + "b" * 12)]


def test_a_prompt_with_a_date_in_it_is_no_change_every_day(project):
    for day in range(6):
        arrive(
            project,
            *(call(day * 24 * HOUR + n, fingerprint=f"{day:02x}" * 16) for n in range(8)),
            now=NOW + timedelta(days=7),
        )
    assert told(project) == []


def test_history_that_comes_later_tells_what_was_in_use_before(project):
    arrive(
        project, *(version(n, "v1") for n in range(5)), version(30 * HOUR, "v3"), now=NOW + timedelta(days=3)
    )
    assert told(project) == [("prompt", "v1", "v3")]
    arrive(project, *(version(20 * HOUR + n, "v2") for n in range(5)), now=NOW + timedelta(days=3))
    assert told(project) == [("prompt", "v1", "v2"), ("prompt", "v2", "v3")]


def test_a_call_that_is_taken_out_takes_its_change_with_it(project):
    arrive(project, version(0, "v1"), version(HOUR, "v2"))
    with writing(project.lane, wait=True) as cursor:
        state = load_state(project, books.of(project.pk), cursor)
        copy_rows(cursor, [gone(T0 + HOUR * 60_000_000, call_key(f"call-{HOUR}"), project.pk)])
        apply(cursor, {project.pk: state}, now=NOW)
    notice_in(project, now=NOW)
    assert told(project) == []


def test_a_change_of_price_is_noticed_and_goes_with_its_entry(project):
    arrive(project, call(0, model="gpt-4.1"))
    entry = own.discount("openai", "gpt-4.1", Decimal(10), valid_from=at(HOUR), recorded_at=NOW, note="")
    row = row_of(entry, project_id=project.pk)
    row.save()
    notice_in(project, now=NOW)
    change = Change.objects.get()
    assert (change.kind, change.subject, change.before, change.after) == (
        "price",
        "openai/gpt-4.1",
        "$2 / $8",
        "$1.8 / $7.2",
    )
    assert (change.at, change.by, change.on_flows.get().name) == (at(HOUR), "price book", "support-triage")
    row.withdrawn_at = NOW
    row.save()
    notice_in(project, now=NOW)
    assert told(project) == []


def test_calls_of_evals_and_of_the_try_it_box_are_no_changes(project):
    for environment in ("eval", "test"):
        arrive(
            project,
            version(0, "v1", id=f"{environment}1", environment=environment),
            version(HOUR, "v2", id=f"{environment}2", environment=environment),
        )
    assert told(project) == []


def test_more_than_twenty_fingerprints_a_day_are_other(project):
    arrive(project, *(call(n, fingerprint=f"{n:02x}" * 16) for n in range(60)))
    versions = {
        row[0]
        for row in rows(
            "SELECT prompt_version FROM series WHERE project_id = %s AND prompt_version IS NOT NULL",
            project.pk,
        )
    }
    assert len(versions) == 21
    assert "(other)" in versions
