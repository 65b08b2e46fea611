"""Score measures through the query engine: means, rates, intervals, and unlike scores kept apart."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.errors import ApiError
from analytics.answer import answer
from analytics.intervals import wilson
from analytics.query import parse
from analytics.result import Result
from ingest.inbox import Kind
from ingest.records import OutcomeRecord
from tests.analytics.ledger import MINUTE, NOW, T0, call, load, send
from tests.analytics.test_scores import project, score, told  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


def asked(project, **params: Any) -> Result:  # noqa: F811
    given = {"period": "today", **params}
    return answer(parse({name: [value] for name, value in given.items()}, project=project, now=NOW), now=NOW)


@pytest.fixture
def scored(project):  # noqa: F811
    """Ten calls on two models; thumbs on all, a judge's grade in two versions on four."""
    send(project, [call(n, model="gpt-4o" if n > 6 else "gpt-4o-mini") for n in range(1, 11)])
    load(project)

    def at(n: int) -> dict[str, Any]:
        return {"call": f"call-{n}", "call_us": T0 + n * MINUTE}

    told(project, *(score(truth=n % 3 == 0, **at(n)) for n in range(1, 11)))
    grade = {"name": "grade", "truth": None, "source": "judge"}
    told(project, *(score(number=Decimal(n), judge_version="v1", **grade, **at(n)) for n in (1, 2)))
    told(project, *(score(number=Decimal(n), judge_version="v2", **grade, **at(n)) for n in (7, 9)))
    return project


def test_means_counts_and_pass_rates_by_any_dimension_of_the_series(scored):
    result = asked(
        scored,
        measures="score:thumbs,score_count:thumbs,pass_rate:thumbs,calls",
        group_by="model",
        order="model",
    )
    assert result.rows == (("gpt-4o", 1 / 4, 4, 1 / 4, 4), ("gpt-4o-mini", 1 / 3, 6, 1 / 3, 6))
    assert result.totals == {
        "score:thumbs": 0.3,
        "score_count:thumbs": 10,
        "pass_rate:thumbs": 0.3,
        "calls": 10,
    }
    assert [column.unit for column in result.columns[1:]] == ["ratio", "scores", "ratio", "calls"]
    assert result.intervals["pass_rate:thumbs"] == (wilson(1, 4), wilson(2, 6))
    assert result.total_intervals["score:thumbs"] == wilson(3, 10)


def test_by_time_and_in_quarter_hours(scored):
    result = asked(scored, measures="score_count:thumbs", grain="15min")
    assert [row[1] for row in result.rows] == [10]


def test_judge_versions_are_never_averaged_together_silently(scored):
    plain = asked(scored, measures="score:grade")
    assert plain.totals["score:grade"] == 8
    assert plain.notes == (
        "grade counts judge version v2, the newest of 2: group by judge_version to see each.",
    )
    each = asked(scored, measures="score:grade", group_by="judge_version", order="judge_version")
    assert each.rows == (("v1", 1.5), ("v2", 8.0))
    assert each.notes == ()
    assert asked(scored, measures="score:grade", judge_version="v1").totals["score:grade"] == 1.5


def test_sources_are_kept_apart_too(scored):
    told(scored, score(truth=True, source="human", call="call-1", call_us=T0 + MINUTE))
    plain = asked(scored, measures="score_count:thumbs")
    assert plain.totals == {"score_count:thumbs": 10}
    assert plain.notes == ("thumbs counts scores of source user, not of human: group by source to see each.",)
    each = asked(scored, measures="score_count:thumbs", group_by="source", order="source")
    assert each.rows == (("human", 1), ("user", 10))


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"measures": "score:nothing"}, "measures"),
        ({"measures": "score:thumbs", "group_by": "customer"}, "group_by"),
        ({"measures": "cost", "group_by": "judge_version"}, "group_by"),
    ],
)
def test_what_cannot_be_asked_says_what_can(scored, params, field):
    with pytest.raises(ApiError) as refused:
        asked(scored, **params)
    assert refused.value.field == field
    assert refused.value.hint


def test_success_rates_and_what_a_success_costs(scored):
    send(scored, [OutcomeRecord("call-1", T0, True), OutcomeRecord("call-2", T0, False)], kind=Kind.OUTCOMES)
    load(scored)
    result = asked(scored, measures="outcome_rate,cost_per_success,cost")
    assert result.totals["outcome_rate"] == 0.5
    assert result.totals["cost_per_success"] == result.totals["cost"]
    assert result.total_intervals["outcome_rate"] == wilson(1, 2)


def test_telemetry_is_a_score_of_every_run(project):  # noqa: F811
    send(project, [call(1, finish_reason="length"), call(2), call(3), call(4, model="gpt-4o")])
    load(project)
    result = asked(
        project, measures="score:cut_off,pass_rate:cut_off,score:rescued", group_by="model", order="model"
    )
    assert result.rows == (("gpt-4o", 0.0, 1.0, 0.0), ("gpt-4o-mini", 1 / 3, 2 / 3, 0.0))
    assert result.intervals["score:cut_off"] == (wilson(0, 1), wilson(1, 3))
