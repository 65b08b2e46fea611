"""New flow names: they queue, at most so many; calls of further ones are corrected when there is room."""

from datetime import timedelta

import pytest

from analytics import catalogue, catalogue_queue, series
from analytics.models import Flow
from analytics.verify import verify
from ingest import inbox
from ingest.records import CallRecord, SpanRecord, Tokens
from tests.analytics.ledger import NOW, T0, call, load, rows, send
from tests.personas import make_project

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)
TRACE = "a" * 32


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def small(monkeypatch):
    """Room for two new names."""
    monkeypatch.setattr(series, "MAX_NEW_FLOWS", 2)
    monkeypatch.setattr(catalogue_queue, "MAX_NEW_FLOWS", 2)


def flows_of_calls():
    return rows(
        "SELECT coalesce(f.name, ''), c.raw_flow, count(*) FROM call c JOIN series s ON s.id = c.series_id"
        " AND s.project_id = c.project_id LEFT JOIN analytics_flow f ON f.id = s.flow_id GROUP BY 1, 2 ORDER BY 1, 2"
    )


def confirm(project, *names):
    flows = Flow.objects.filter(project=project, name__in=names)
    catalogue.apply(catalogue.confirmed(flows, now=NOW), project=project, by="x", now=NOW)


def names(project):
    return [flow.name for flow in catalogue_queue.queue(project)]


def test_calls_without_room_keep_their_name_and_are_corrected_when_there_is_some(project, small):
    send(project, [call(n, flow=f"flow-{n}", trace=TRACE if n == 3 else None) for n in range(1, 5)])
    load(project)
    assert names(project) == ["flow-1", "flow-2"]
    assert flows_of_calls() == [
        ("", "flow-3", 1),
        ("", "flow-4", 1),
        ("flow-1", None, 1),
        ("flow-2", None, 1),
    ]
    assert [name for name, _, _ in catalogue_queue.waiting_names(project)] == ["flow-3", "flow-4"]
    assert catalogue_queue.attribute(project, now=NOW) == 0
    confirm(project, "flow-1")
    assert catalogue_queue.attribute(project, now=NOW) == 1
    assert flows_of_calls() == [("", "flow-4", 1), *((f"flow-{n}", None, 1) for n in (1, 2, 3))]
    assert [name for name, _, _ in catalogue_queue.waiting_names(project)] == ["flow-4"]
    confirm(project, "flow-2")
    catalogue_queue.tidy(now=NOW)
    assert flows_of_calls() == [(f"flow-{n}", None, 1) for n in (1, 2, 3, 4)]
    assert catalogue_queue.waiting_names(project) == []
    assert list(verify(project, now=NOW)) == []
    assert rows("SELECT f.name FROM run r JOIN analytics_flow f ON f.id = r.flow_id") == [("flow-3",)]


def test_the_loader_learns_that_there_is_room(project, small):
    send(project, [call(n, flow=f"flow-{n}") for n in (1, 2, 3)])
    load(project)
    confirm(project, "flow-1", "flow-2")
    send(project, [call(4, flow="flow-4")])
    load(project)
    assert ("flow-4", None, 1) in flows_of_calls()


def test_a_repeat_corrects_nothing_twice(project, small):
    send(project, [call(n, flow="a" if n < 9 else "b") for n in range(1, 12)] + [call(12, flow="c")])
    load(project)
    confirm(project, "a")
    assert catalogue_queue.attribute(project, now=NOW) == 1
    before = rows("SELECT sum(calls) FROM usage_day")
    assert catalogue_queue.attribute(project, now=NOW) == 0
    assert rows("SELECT sum(calls) FROM usage_day") == before == [(12,)]


def test_names_beyond_those_remembered_one_by_one_are_found_too(project, small, monkeypatch):
    monkeypatch.setattr(series, "MOST_WAITING", 1)
    send(project, [call(n, flow=f"flow-{n}") for n in range(1, 6)])
    load(project)
    assert [name for name, _, _ in catalogue_queue.waiting_names(project)] == ["", "flow-3"]
    confirm(project, "flow-1", "flow-2")
    assert catalogue_queue.attribute(project, now=NOW) == 2
    confirm(project, "flow-3", "flow-4")
    assert catalogue_queue.attribute(project, now=NOW) == 1
    assert [name for name, raw, _ in flows_of_calls() if raw is None] == [f"flow-{n}" for n in range(1, 6)]
    assert catalogue_queue.waiting_names(project) == []


def span(number, name, parent, *, is_call=False):
    record = CallRecord(id=f"s{number}", started_us=T0, provider="openai", model="gpt-4o-mini",
                        tokens=Tokens(input=10)) if is_call else None  # fmt: skip
    return SpanRecord(
        trace=TRACE, span=f"{number:016x}", parent=f"{parent:016x}" if parent else None, name=name, scope="app",
        kind="call" if is_call else "step", started_us=T0, ended_us=T0 + 1000, call=record,
    )  # fmt: skip


def test_a_name_that_an_incomplete_trace_had_for_a_moment_is_not_shown_and_goes(project):
    send(project, [span(3, "chat", 2, is_call=True), span(2, "inner step", 1)], kind=inbox.Kind.SPANS)
    load(project)
    assert names(project) == ["inner step"]
    send(project, [span(1, "answer ticket", 0)], kind=inbox.Kind.SPANS)
    load(project)
    assert names(project) == ["answer ticket"]
    assert catalogue_queue.clean(project, now=NOW) == 0  # too young: its trace may not be complete
    Flow.objects.filter(project=project).update(first_seen_at=NOW)
    assert catalogue_queue.clean(project, now=LATER) == 1
    assert list(Flow.objects.values_list("name", flat=True)) == ["answer ticket"]
    send(project, [call(9, flow="inner step")])  # the loader does not use the number that it remembers
    load(project)
    assert ("inner step", None, 1) in flows_of_calls()
