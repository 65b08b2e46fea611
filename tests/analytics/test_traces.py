"""Traces in the ledger: resolved again whenever more of them comes, each call once."""

import pytest

from accounts.models import Project
from analytics import traces
from analytics.verify import verify
from ingest.inbox import Kind
from ingest.records import CallRecord, SpanRecord, Tokens
from tests.analytics.ledger import NOW, T0, load, rows, send

pytestmark = pytest.mark.django_db
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def project() -> Project:
    return Project.objects.create(slug="acme", name="Acme")


def model_span(span: str, *, parent: str | None, at: int = 0, output: int | None = 10) -> SpanRecord:
    started = T0 + at * 1_000_000
    call = CallRecord(
        id=f"{TRACE}-{span}", started_us=started, trace=TRACE, span=span, provider="openai", model="gpt-4o-mini",
        operation="chat", tokens=Tokens(input=100, output=output), duration_us=400_000,
    )  # fmt: skip
    return SpanRecord(
        TRACE, span, parent, "chat gpt-4o-mini", "call", "test", started, started + 400_000, call=call
    )


def root_span(span: str = "b7ad6b7169203331") -> SpanRecord:
    context = {"workflow": "support-triage", "user": "u-1"}
    return SpanRecord(
        TRACE, span, None, "support-triage", "workflow", "test", T0, T0 + 9_000_000, context=context
    )


def take(project: Project, *spans: SpanRecord) -> None:
    send(project, spans, kind=Kind.SPANS)
    load(project)
    assert list(verify(project, now=NOW)) == []


FLOWS = (
    "SELECT coalesce(f.name, '(unattributed)'), sum(u.calls)::int FROM usage_day u JOIN series s ON s.id = u.series_id"
    " LEFT JOIN analytics_flow f ON f.id = s.flow_id GROUP BY 1 HAVING sum(u.calls) <> 0 ORDER BY 1"
)


def test_a_call_gets_the_context_of_a_root_that_comes_later(project):
    take(project, model_span("00f067aa0ba902b7", parent="b7ad6b7169203331", at=1))
    assert rows(FLOWS) == [("(unattributed)", 1)]
    take(project, root_span())
    assert rows(FLOWS) == [("support-triage", 1)]
    assert rows("SELECT duration_us, calls FROM run") == [(9_000_000, 1)]
    assert rows("SELECT n.value FROM call c JOIN name n ON n.id = c.user_id") == [("u-1",)]


def test_a_span_sent_again_counts_once_and_is_a_duplicate(project):
    span = model_span("00f067aa0ba902b7", parent=None)
    take(project, span, root_span())
    take(project, span)
    assert rows("SELECT sum(calls), sum(duplicates) FROM usage_day") == [(1, 1)]
    assert rows("SELECT sum(duplicates) FROM intake") == [(1,)]


def test_a_fuller_copy_of_a_span_corrects_its_call(project):
    take(project, model_span("00f067aa0ba902b7", parent=None, output=None))
    take(project, model_span("00f067aa0ba902b7", parent=None, output=25))
    assert rows("SELECT output FROM call") == [(25,)]
    assert rows("SELECT sum(output), sum(partial) FROM usage_day") == [(25, 0)]


def test_a_copy_that_begins_at_another_time_replaces_the_call(project):
    take(project, model_span("00f067aa0ba902b7", parent=None, at=0, output=None))
    take(project, model_span("00f067aa0ba902b7", parent=None, at=2, output=25))
    assert rows("SELECT count(*), max(output) FROM call") == [(1, 25)]


def test_a_call_around_a_call_that_comes_later_is_no_call_any_more(project):
    take(project, model_span("00f067aa0ba902b7", parent=None))
    inner = model_span("1111111111111111", parent="00f067aa0ba902b7", output=12)
    take(project, inner)
    assert rows("SELECT count(*), max(output) FROM call") == [(1, 12)]


def test_traces_keep_their_figures_when_prices_or_calls_change_later(project):
    take(project, root_span(), model_span("00f067aa0ba902b7", parent="b7ad6b7169203331", at=1))
    before = rows("SELECT started_at, ended_at, duration_us, outcome FROM run")
    take(project, model_span("1111111111111111", parent="b7ad6b7169203331", at=3))
    assert rows("SELECT started_at, ended_at, duration_us, outcome FROM run") == before
    assert rows("SELECT calls FROM run") == [(2,)]


def test_a_large_trace_with_a_ring_of_parents_is_loaded(project, monkeypatch):
    monkeypatch.setattr(traces, "LARGE", 2)
    ring = [model_span(f"{n:016x}", parent=f"{n % 3 + 1:016x}", at=n) for n in range(1, 4)]
    take(project, *ring)
    take(project, model_span(f"{4:016x}", parent=f"{1:016x}", at=5))
    assert rows("SELECT count(DISTINCT id) FROM call WHERE id IS NOT NULL")[0][0] >= 1
