"""Real scores: the undo of an assistant's users, and the grades of an LLM judge, against pandas and scipy."""

import csv
import gzip
import json
import math
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from scipy import stats

from accounts.models import Project
from analytics.answer import answer
from analytics.models import ScoreDefinition
from analytics.query import parse
from analytics.rebuild import rebuild_day
from analytics.result import Result
from ingest.inbox import Kind
from ingest.records import ScoreRecord
from tests.analytics.importing import brought, differences
from tests.analytics.ledger import NOW, call, load, rows, send
from tests.shared import shared

pytestmark = pytest.mark.django_db
MAPPING = {
    "timestamp": "ts", "cost": "cost_usd", "usage.input_tokens": "input_tokens", "usage.output_tokens": "output_tokens",
    "error_type": "error", "scores.undo": "undone",
}  # fmt: skip


@pytest.fixture
def project() -> Project:
    return Project.objects.create(slug="shop", name="Shop")


def asked(project: Project, measures: str, **params: str) -> Result:
    given = {"from": "2024-01-01", "to": "2025-12-31", "limit": "1000", "measures": measures, **params}
    return answer(parse({name: [value] for name, value in given.items()}, project=project, now=NOW), now=NOW)


def close(one: Any, other: Any) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


def test_undone_is_the_boolean_score_undo(project):
    path = shared("data/traffic/aider_calls.csv.gz")
    brought(project, path, maps=MAPPING)
    with gzip.open(path, "rt") as file:
        lines = [line for line in csv.DictReader(file) if line["undone"]]
    definition = ScoreDefinition.objects.get(name="undo")
    assert (definition.kind, definition.good) == ("boolean", "down")
    result = asked(project, "score:undo,pass_rate:undo,score_count:undo,calls", group_by="model")
    assert result.totals["score_count:undo"] == len(lines) == 2669
    assert round(result.totals["score:undo"] * 2669) == 92
    assert result.totals["calls"] == 2712

    truth: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        truth[line["model"] or "(none)"].append(int(line["undone"]))
    seen = {row[0]: row[1:] for row in result.rows if row[3]}
    assert set(seen) == set(truth)
    for (model, mean, rate, n, _), interval in zip(
        result.rows, result.intervals["pass_rate:undo"], strict=True
    ):
        undone = truth.get(model, [])
        assert n == len(undone)
        if undone:
            assert close(mean, sum(undone) / n)
            assert close(rate, 1 - sum(undone) / n)
            wilson = stats.binomtest(n - sum(undone), n).proportion_ci(method="wilson")
            assert interval is not None
            assert interval.n == n
            assert close(interval.low, wilson.low)
            assert close(interval.high, wilson.high)


def test_a_judges_grades_are_numbers_with_their_means_and_intervals(project):
    path = shared("data/quality/mt_bench_judgments.jsonl.gz")
    with gzip.open(path, "rt") as file:
        judged = [json.loads(line) for line in file]
    calls, scores = [], []
    for number, one in enumerate(judged):
        us = (
            int(datetime.fromisoformat(one["ts"].replace("Z", "+00:00")).astimezone(UTC).timestamp())
            * 1_000_000
        )
        calls.append(call(number, started_us=us, model=one["model"]))
        scores.append(
            ScoreRecord(
                f"s-{number}", "mt_bench", us, "judge", one["judge_prompt"], number=Decimal(repr(one["score"])),
                call=f"call-{number}", call_us=us,
            )
        )  # fmt: skip
    send(project, scores[:300], kind=Kind.SCORES)
    send(project, calls)
    send(project, scores[300:], kind=Kind.SCORES)
    load(project)
    result = asked(project, "score:mt_bench,score_count:mt_bench", group_by="model,judge_version")
    truth: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in judged:
        truth[one["model"], one["judge_prompt"]].append(one["score"])
    assert {row[:2] for row in result.rows} == set(truth)
    for (model, version, mean, n), interval in zip(
        result.rows, result.intervals["score:mt_bench"], strict=True
    ):
        grades = truth[model, version]
        assert n == len(grades)
        assert close(mean, sum(grades) / n)
        low, high = stats.t.interval(0.95, n - 1, loc=mean, scale=stats.sem(grades))
        assert interval is not None
        assert close(interval.low, low)
        assert close(interval.high, high)
    assert differences(project) == []


def test_replaced_and_followed_scores_are_what_a_rebuild_makes(project):
    send(project, [call(n, trace=f"t-{n % 20}") for n in range(200)])
    load(project)
    for turn in range(3):
        scores = [
            ScoreRecord(f"s-{n}", "grade", 1, number=Decimal((n * 7 + turn) % 10), run=f"t-{n % 20}")
            for n in range(60)
        ]
        send(project, scores, kind=Kind.SCORES)
        send(project, [call(1000 + turn, trace=f"t-{turn}", model="gpt-4o")])
        load(project)
    table = "SELECT day, series_id, scorer_id, sum(n), sum(sum), sum(squares) FROM score_day GROUP BY 1, 2, 3 HAVING sum(n) <> 0 ORDER BY 1, 2, 3"  # noqa: E501
    before = rows(table)
    assert differences(project) == []
    for (day,) in rows("SELECT DISTINCT day FROM usage_day"):
        rebuild_day(project, day, now=NOW)
    assert rows(table) == before
    assert sum(row[3] for row in before) == 60
