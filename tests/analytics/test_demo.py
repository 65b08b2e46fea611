"""The demo: the same traffic whoever asks, with a story in it, loaded like anybody's, and gone without a trace."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import mean

import pytest
from django.db import connection

from accounts.models import AuditLine, Project
from analytics import demo, removal
from analytics.demo import story as stories
from analytics.demo.product import CUSTOMERS, FLOWS, MODELS
from analytics.demo.story import ZONE, Story, us
from analytics.demo.traffic import traffic
from analytics.fold import fold_lane
from analytics.load import load_lane
from analytics.models import Flow
from analytics.verify import verify
from ingest.records import CallRecord
from tests.analytics.ledger import call, load, rows, send

NOW = datetime(2026, 11, 24, 14, 15, tzinfo=UTC)
MONTH = timedelta(days=35)


@pytest.fixture(scope="module")
def story() -> Story:
    return Story(NOW)


@pytest.fixture(scope="module")
def month(story: Story) -> list[CallRecord]:
    """The calls of the last five weeks."""
    return list(traffic(story, since=NOW - MONTH, until=NOW))


def test_the_same_period_is_the_same_calls_in_whatever_pieces_it_is_asked_for(
    story: Story, month: list[CallRecord]
) -> None:
    cuts = [NOW - MONTH, NOW - timedelta(days=9, minutes=7), NOW - timedelta(seconds=40), NOW]
    pieces = [record for lo, hi in pairwise(cuts) for record in traffic(story, since=lo, until=hi)]
    assert Counter(record.id for record in pieces) == Counter(record.id for record in month)
    assert {record.id: record for record in pieces} == {record.id: record for record in month}


def test_no_two_calls_have_one_id_and_none_lies_outside_the_period(month: list[CallRecord]) -> None:
    assert len({record.id for record in month}) == len(month)
    assert us(NOW - MONTH) <= min(record.started_us for record in month)
    assert max(record.started_us for record in month) < us(NOW)


def test_weekends_and_nights_are_quiet(month: list[CallRecord]) -> None:
    local = [datetime.fromtimestamp(record.started_us / 1e6, ZONE) for record in month]
    weekdays, hours = Counter(moment.weekday() for moment in local), Counter(moment.hour for moment in local)
    assert max(weekdays[5], weekdays[6]) < 0.5 * min(weekdays[day] for day in range(5))
    assert hours[3] < 0.2 * hours[10]


def test_the_year_grows(story: Story) -> None:
    week = timedelta(days=7)
    first = sum(1 for _ in traffic(story, since=story.begins, until=story.begins + week))
    last = sum(1 for _ in traffic(story, since=NOW - week, until=NOW))
    assert last > 3 * first > 0


def test_the_product_is_what_it_is_said_to_be(month: list[CallRecord]) -> None:
    assert len(FLOWS) == 14
    assert len({plan.feature for plan in FLOWS}) == 5
    assert len(MODELS) == 9
    assert {record.flow for record in month} == {plan.name for plan in FLOWS} | {None}
    assert {record.model for record in month} == set(MODELS)
    assert {record.environment for record in month} == {"production", "staging", "test"}
    assert {record.customer for record in month} == {*CUSTOMERS, None}
    unnamed = sum(record.flow is None for record in month) / len(month)
    assert 0.004 < unnamed < 0.02


def test_the_prompt_that_grew_sends_more_than_half_as_much_again(
    story: Story, month: list[CallRecord]
) -> None:
    sent = [record for record in month if record.flow == stories.GREW and record.tokens.input]
    before = mean(record.tokens.input or 0 for record in sent if record.started_us < story.grown_us)
    after = mean(record.tokens.input or 0 for record in sent if record.started_us >= story.grown_us)
    assert after / before == pytest.approx(stories.GROWTH, rel=0.08)
    assert {record.prompt_version for record in sent} == {"v11", "v12"}


def test_an_outage_is_rescued_by_another_provider(story: Story, month: list[CallRecord]) -> None:
    lo, hi = story.outage_us
    out = [record for record in month if record.error_class == "overloaded"]
    assert len(out) >= 10
    assert all(lo <= record.started_us < hi and record.provider == "anthropic" for record in out)
    again = {record.trace for record in month if record.attempt == 2 and record.provider == "openai"}
    assert sum(record.trace in again for record in out) > 0.7 * len(out)


def test_one_customer_doubles_on_one_day(story: Story, month: list[CallRecord]) -> None:
    lo, hi = story.spike_us
    week = 7 * stories.DAY_US
    of = [record.started_us for record in month if record.customer == CUSTOMERS[0]]
    usual = sum(lo - week <= at < hi - week for at in of)
    assert 1.5 * usual < sum(lo <= at < hi for at in of)


@pytest.mark.parametrize("day", range(1, 29))
def test_the_dates_of_the_story_lie_before_the_demo_was_made(day: int) -> None:
    made = datetime(2026, 6, day, 11, 0, tzinfo=UTC)
    story = Story(made)
    start = made.replace(day=1) - timedelta(hours=14)
    assert us(start) < story.grown_us < us(made)
    assert story.outage_us[1] < us(made)
    assert story.spike_us[1] < us(made)
    assert story.price_from < made


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Project]:
    """Makes the demo with three weeks of few calls, as of NOW, and fills it."""
    monkeypatch.setattr(stories, "YEAR", timedelta(days=20))
    monkeypatch.setattr(stories, "CALLS_A_DAY", 60.0)

    def make() -> Project:
        project = demo.ensure(now=NOW)
        assert project is not None
        demo.fill(project)
        return project

    return make


@pytest.mark.django_db
def test_the_demo_is_loaded_and_adds_up(small: Callable[[], Project]) -> None:
    project = small()
    expected = list(traffic(Story(NOW), since=Story(NOW).begins, until=NOW))
    assert rows("SELECT count(*), count(DISTINCT id) FROM call") == [(len(expected), len(expected))]
    assert rows("SELECT sum(calls) FROM usage_day") == [(len(expected),)]
    assert demo.is_filled(project)
    fold_lane(project.lane, now=NOW)
    assert list(verify(project, now=NOW)) == []


@pytest.mark.django_db
def test_what_waits_to_be_confirmed_are_the_two_new_flows(small: Callable[[], Project]) -> None:
    project = small()
    waiting = Flow.objects.filter(project=project, confirmed_at=None).values_list("name", flat=True)
    assert set(waiting) == {plan.name for plan in FLOWS if plan.new_for is not None}
    assert Flow.objects.filter(project=project).count() == 14


@pytest.mark.django_db
def test_filling_again_adds_nothing(small: Callable[[], Project]) -> None:
    project = small()
    before = rows("SELECT sum(calls), sum(duplicates) FROM usage_day")
    demo.fill(project)
    assert rows("SELECT sum(calls), sum(duplicates) FROM usage_day") == before


@pytest.mark.django_db
def test_the_traffic_goes_on_from_the_last_call_for_at_most_a_day(small: Callable[[], Project]) -> None:
    project = small()
    story = Story(NOW)
    hour, week = NOW + timedelta(hours=1), NOW + timedelta(days=7)
    demo.trickle(now=hour)
    demo.trickle(now=hour)  # what waits is not made a second time
    load(project, now=hour)
    missed = NOW.timestamp()
    new = "SELECT count(*) FROM call WHERE started_at >= to_timestamp(%s)"
    assert rows(new, missed) == [(sum(1 for _ in traffic(story, since=NOW, until=hour)),)]
    demo.trickle(now=week)
    load(project, now=week)
    day = sum(1 for _ in traffic(story, since=week - timedelta(hours=24), until=week))
    assert rows(new, hour.timestamp()) == [(day,)]


@pytest.mark.django_db
def test_without_the_demo_setting_nothing_goes_on(small: Callable[[], Project], settings: object) -> None:
    project = small()
    settings.DEMO = False  # type: ignore[attr-defined]
    demo.trickle(now=NOW + timedelta(hours=1))
    assert load_lane(project.lane, now=NOW) is None


def _holding(project_id: int) -> Iterator[tuple[str, int]]:
    """(table, rows) of every table that has rows of a project."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t"
            " USING (table_schema, table_name) WHERE c.column_name = 'project_id' AND c.table_schema = 'public'"
            " AND t.table_type = 'BASE TABLE'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT count(*) FROM {name} WHERE project_id = %s", [project_id])
            if count := cursor.fetchone()[0]:
                yield table, count


@pytest.mark.django_db
def test_removal_leaves_no_row_anywhere_and_touches_nobody_else(small: Callable[[], Project]) -> None:
    other = Project.objects.create(slug="acme", name="Acme")
    send(other, [call(n) for n in range(5)])
    load(other)
    project = small()
    demo.trickle(now=NOW + timedelta(hours=1))  # some wait in the inbox
    number = project.pk
    kept = dict(_holding(other.pk))
    assert dict(_holding(number))["call"] > 100
    demo.remove(project=project, by="someone@example.com")
    assert dict(_holding(number)) == {}
    assert dict(_holding(other.pk)) == kept
    assert list(verify(other, now=NOW)) == []


@pytest.mark.django_db
def test_a_removed_demo_does_not_come_back_and_the_audit_says_who(small: Callable[[], Project]) -> None:
    demo.remove(project=small(), by="someone@example.com")
    assert demo.ensure(now=NOW) is None
    line = AuditLine.objects.get(action=removal.BEGUN)
    assert (line.actor, line.target) == ("someone@example.com", "demo")
    assert AuditLine.objects.filter(action=removal.DONE).count() == 1


@pytest.mark.django_db
def test_a_removal_that_was_cut_short_is_finished(
    small: Callable[[], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = small()
    number = project.pk
    with monkeypatch.context() as patched:
        patched.setattr(removal, "_empty", lambda number, slug: None)
        demo.remove(project=project)
    assert not Project.objects.filter(pk=number).exists()
    assert dict(_holding(number))
    removal.finish()
    assert dict(_holding(number)) == {}
