"""Scores in the ledger: attributed to what they were given to, replaced, followed, counted."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Project
from analytics.fold import fold_lane
from analytics.models import ScoreDefinition
from analytics.undo import undo
from analytics.verify import verify
from ingest.inbox import Kind
from ingest.records import CallRecord, OutcomeRecord, ScoreRecord, SpanRecord
from ingest.wire.scores import score_id
from tests.analytics.importing import brought, written
from tests.analytics.ledger import MINUTE, NOW, T0, call, load, rows, send

pytestmark = pytest.mark.django_db
LONG = (
    "SELECT k.name, k.source, s.model, sum(d.n)::int, sum(d.sum)::int, sum(d.passed)::int FROM score_day d"
    " JOIN series s ON s.project_id = d.project_id AND s.id = d.series_id"
    " JOIN scorer k ON k.project_id = d.project_id AND k.id = d.scorer_id"
    " GROUP BY 1, 2, 3 HAVING sum(d.n) <> 0 ORDER BY 1, 2, 3"
)


@pytest.fixture
def project() -> Project:
    return Project.objects.create(slug="shop", name="Shop")


def score(**fields: Any) -> ScoreRecord:
    given: dict[str, Any] = {"id": "", "name": "thumbs", "at_us": T0 + 60 * MINUTE, "truth": True}
    record = ScoreRecord(**(given | fields))
    return record if record.id else ScoreRecord(**(given | fields | {"id": score_id(record, None)}))


def told(project: Project, *scores: ScoreRecord) -> None:
    send(project, scores, kind=Kind.SCORES)
    load(project)


def differences(project: Project) -> list[object]:
    return list(verify(project, now=NOW))


def counted() -> list[tuple[Any, ...]]:
    return rows(LONG)


def test_a_score_counts_at_its_call_whichever_comes_first(project):
    send(project, [call(1)])
    load(project)
    told(project, score(call="call-1", call_us=T0 + MINUTE))
    told(project, score(call="call-2", call_us=T0 + 2 * MINUTE, truth=False))
    assert counted() == [("thumbs", "user", "gpt-4o-mini", 1, 1, 1)]
    assert rows("SELECT count(*) FROM score WHERE series_id IS NULL") == [(1,)]
    send(project, [call(2)])
    load(project)
    assert counted() == [("thumbs", "user", "gpt-4o-mini", 2, 1, 1)]
    assert rows("SELECT count(*) FROM score WHERE series_id IS NULL") == [(0,)]
    assert differences(project) == []


@pytest.mark.parametrize("first", [True, False])
def test_scores_of_runs_traced_or_not(project, first):
    given = [
        score(run="trace-a"),
        score(run="call-7", truth=False),
        score(call="call-3", run="trace-a", name="x"),
    ]
    if first:
        told(project, *given)
    send(project, [call(1, trace="trace-a"), call(3, trace="trace-a", model="gpt-4o"), call(7)])
    load(project)
    if not first:
        told(project, *given)
    assert counted() == [
        ("thumbs", "user", "(several)", 1, 1, 1),
        ("thumbs", "user", "gpt-4o-mini", 1, 0, 0),
        ("x", "user", "gpt-4o", 1, 1, 1),
    ]
    assert differences(project) == []


def test_the_same_id_again_replaces(project):
    send(project, [call(1)])
    load(project)
    target = {"call": "call-1", "call_us": T0 + MINUTE}
    told(project, score(id="s-1", **target))
    told(project, score(id="s-1", **target))
    assert counted() == [("thumbs", "user", "gpt-4o-mini", 1, 1, 1)]
    told(project, score(id="s-1", truth=False, **target))
    assert counted() == [("thumbs", "user", "gpt-4o-mini", 1, 0, 0)]
    told(project, score(id="s-1", truth=False, source="human", **target))
    assert counted() == [("thumbs", "human", "gpt-4o-mini", 1, 0, 0)]
    assert differences(project) == []


def test_a_runs_scores_follow_when_more_of_it_changes_its_series(project):
    told(project, score(run="t-1"))
    send(project, [call(1, trace="t-1")])
    load(project)
    assert counted() == [("thumbs", "user", "gpt-4o-mini", 1, 1, 1)]
    send(project, [call(2, trace="t-1", model="gpt-4o")])
    load(project)
    assert counted() == [("thumbs", "user", "(several)", 1, 1, 1)]
    assert differences(project) == []


def test_a_sessions_score_belongs_to_its_last_run_before(project):
    send(project, [call(1, trace="t-1", session="s"), call(50, trace="t-2", session="s", model="gpt-4o")])
    send(project, [call(5, session="lone")])
    load(project)
    told(project, score(session="s", at_us=T0 + 20 * MINUTE), score(session="lone", name="ok"))
    assert counted() == [("ok", "user", "gpt-4o-mini", 1, 1, 1), ("thumbs", "user", "gpt-4o-mini", 1, 1, 1)]
    send(project, [call(15, trace="t-3", session="s", model="gpt-5")])
    load(project)
    assert counted() == [("ok", "user", "gpt-4o-mini", 1, 1, 1), ("thumbs", "user", "gpt-5", 1, 1, 1)]
    assert differences(project) == []


def test_scores_inside_events(project):
    inside = [{"name": "undo", "value": False}, {"name": "rating", "value": 4.0, "source": "human"}]
    send(project, [call(1, scores=inside), call(1, scores=inside)])
    load(project)
    assert counted() == [
        ("rating", "human", "gpt-4o-mini", 1, 4, 0),
        ("undo", "user", "gpt-4o-mini", 1, 0, 1),
    ]
    definition = ScoreDefinition.objects.get(name="undo")
    assert (definition.kind, definition.good, definition.confirmed_at) == ("boolean", "down", None)


def test_a_guess_fits_itself_to_what_comes_and_counts_again(project):
    send(project, [call(number) for number in range(1, 40)])
    load(project)
    bits = [
        score(
            name="s",
            truth=None,
            number=Decimal(number % 2),
            call=f"call-{number}",
            call_us=T0 + number * MINUTE,
        )
        for number in range(1, 30)
    ]
    told(project, *bits)
    assert ScoreDefinition.objects.get(name="s").kind == "boolean"
    told(project, score(name="s", truth=None, number=Decimal(7), call="call-33", call_us=T0 + 33 * MINUTE))
    definition = ScoreDefinition.objects.get(name="s")
    assert (definition.kind, definition.low, definition.high) == ("numeric", 0, 10)
    assert counted() == [("s", "user", "gpt-4o-mini", 30, 22, 0)]
    assert differences(project) == []


def test_a_value_that_a_confirmed_definition_refuses_is_set_aside_with_its_reason(project):
    send(project, [call(1)])
    load(project)
    ScoreDefinition.objects.create(project=project, name="r", kind="numeric", low=1, high=5, confirmed_at=NOW)
    target = {"name": "r", "truth": None, "call": "call-1", "call_us": T0 + MINUTE}
    told(project, score(id="a", number=Decimal(9), **target), score(id="b", number=Decimal(5), **target))
    assert counted() == [("r", "user", "gpt-4o-mini", 1, 5, 0)]
    ((reason,),) = rows("SELECT reason FROM inbox_dead")
    assert "1" in reason
    assert "5" in reason
    assert "9" in reason


@pytest.mark.parametrize("first", [True, False])
def test_an_outcome_told_apart_counts_and_the_later_wins(project, first):
    def outcomes(*told: OutcomeRecord) -> None:
        send(project, told, kind=Kind.OUTCOMES)
        load(project)

    def runs() -> list[tuple[Any, ...]]:
        return rows("SELECT sum(runs)::int, sum(successes)::int, sum(failures)::int, sum(value) FROM run_day")

    calls = [call(1, trace="t-1"), call(2, trace="t-1"), call(3)]
    if not first:
        send(project, calls)
        load(project)
    outcomes(OutcomeRecord("t-1", T0, True, Decimal("12.50")), OutcomeRecord("call-3", T0, False))
    if first:
        send(project, calls)
        load(project)
    assert runs() == [(2, 1, 1, Decimal("12.50"))]
    assert rows("SELECT count(*) FROM outcome WHERE found_at IS NULL") == [(0,)]
    outcomes(OutcomeRecord("t-1", T0 + 5, False, Decimal(1)), OutcomeRecord("t-1", T0 - 5, True))
    outcomes(OutcomeRecord("call-3", T0 + 1, True))
    assert runs() == [(2, 1, 1, Decimal(1))]
    assert rows("SELECT count(*) FROM call WHERE wasted") == [(2,)]
    assert differences(project) == []


def test_what_telemetry_alone_tells_of_runs(project):
    send(
        project,
        [
            call(1, finish_reason="length"),
            call(2, trace="t", finish_reason="stop"),
            call(3, trace="t", failed=True, error_class="content_filter"),
            call(4),
        ],
    )
    load(project)
    assert rows("SELECT sum(flagged)::int, sum(cut_off)::int, sum(filtered)::int FROM sign_day") == [
        (2, 1, 1)
    ]
    assert differences(project) == []


def test_an_import_that_is_undone_takes_its_scores_along(project, tmp_path):
    lines = ["timestamp,model,undone", "2026-11-20T10:00:00Z,gpt-4o,true", "2026-11-20T11:00:00Z,gpt-4o,"]
    report = brought(project, written(tmp_path, lines), maps={"scores.undo": "undone"})
    told(project, score(call="other", call_us=T0, name="undo", truth=False))
    assert counted() == [("undo", "user", "gpt-4o", 1, 1, 0)]
    again = brought(project, written(tmp_path, lines, "again.csv"), maps={"scores.undo": "undone"})
    assert again.accepted == 0
    assert counted() == [("undo", "user", "gpt-4o", 1, 1, 0)]
    undo(project, report.batch.pk, now=NOW)
    assert counted() == []
    assert rows("SELECT count(*) FROM score") == [(1,)]
    assert differences(project) == []


def test_a_failed_tool_is_told_by_the_spans_of_its_trace(project):
    trace = "0af7651916cd43dd8448eb211c80319c"
    common = {"trace": trace, "scope": "app", "started_us": T0, "ended_us": T0 + 10}
    root = SpanRecord(span="1" * 16, parent=None, name="answer", kind="step", **common)
    tool = SpanRecord(span="2" * 16, parent="1" * 16, name="search", kind="tool", failed=True, **common)
    asked = CallRecord(f"{trace}-{'3' * 16}", T0, trace=trace, span="3" * 16, model="gpt-4o")
    made = SpanRecord(span="3" * 16, parent="1" * 16, name="chat", kind="call", call=asked, **common)
    told(project, score(run=trace, call="3" * 16), score(run=trace, call="2" * 16, name="tool"))
    send(project, [root, made], kind=Kind.SPANS)
    load(project)
    assert rows("SELECT coalesce(sum(failed_tool), 0)::int FROM sign_day") == [(0,)]
    send(project, [tool], kind=Kind.SPANS)
    load(project)
    assert rows("SELECT sum(failed_tool)::int FROM sign_day") == [(1,)]
    assert counted() == [("thumbs", "user", "gpt-4o", 1, 1, 1), ("tool", "user", "gpt-4o", 1, 1, 1)]
    assert differences(project) == []


def test_rollups_fold_and_quarter_hours_agree_with_days(project):
    send(project, [call(n) for n in range(1, 5)])
    load(project)
    for n in range(1, 5):
        told(project, score(call=f"call-{n}", call_us=T0 + n * MINUTE, truth=n % 2 == 0))
    before = counted()
    fold_lane(project.lane, now=NOW, wait=True)
    assert counted() == before == [("thumbs", "user", "gpt-4o-mini", 4, 2, 2)]
    assert rows("SELECT n, passed, batch FROM score_day") == [(4, 2, 0)]
    assert rows("SELECT sum(n)::int FROM score_bucket") == [(4,)]
    assert differences(project) == []
