"""Coarse rollups: with the fine rows that are not in them yet they say what the fine ones say, at every moment."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict

from accounts.models import Project
from accounts.zones import next_midnight
from analytics import plan
from analytics.answer import answer
from analytics.families import COARSE, day_bounds
from analytics.fold import fold_lane
from analytics.pricebook import row_of
from analytics.query import parse
from analytics.rebuild import rebuild
from analytics.reprice import reprice
from analytics.undo import undo
from analytics.verify import check_coarse, verify
from ingest import floor, inbox
from pricing.own import own_price
from tests.analytics.importing import HEADER, brought, written
from tests.analytics.ledger import call, load, rows, send

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LONG = "from=2026-08-20&to=2026-11-25"
RAGGED = "from=2026-10-30T05:15:00Z&to=2026-11-24T10:30:00Z"
CALLS = "cost,calls,errors,error_rate,total_tokens,input_cost,wasted_cost,priced_share,attributed_share,duplicates"
TIMES = "p50_latency,p95_latency,p99_ttft,tokens_per_second"
RUNS = "runs,cost_per_run,p95_run_duration,p95_cost_per_run"
QUESTIONS = [
    f"measures={CALLS}&{LONG}",
    f"measures={CALLS}&group_by=model&grain=day&{LONG}",
    f"measures={CALLS},{TIMES},{RUNS}&group_by=flow&{LONG}",
    f"measures={CALLS},{TIMES}&group_by=feature&grain=month&{LONG}",
    f"measures={TIMES},{RUNS}&group_by=provider&grain=week&{LONG}",
    f"measures={CALLS}&group_by=flow,model&{LONG}&order=model",
    f"measures={CALLS}&group_by=model,error_class&grain=month&{LONG}",
    f"measures={CALLS}&group_by=environment&error_class=timeout&{LONG}",
    f"measures={CALLS},{TIMES}&group_by=model&flow=triage&grain=day&{LONG}",
    f"measures={CALLS}&group_by=flow&environment=production&model=!gpt-4o&{LONG}",
    f"measures=cost&group_by=unit,feature&grain=day&{LONG}",
    f"measures={CALLS}&group_by=customer&{LONG}",
    f"measures={CALLS}&group_by=customer&environment=staging&grain=month&{LONG}&limit=2",
    f"measures={CALLS}&group_by=customer&grain=day&{LONG}&limit=3",
    f"measures={CALLS}&customer=acme&grain=week&{LONG}",
    f"measures={CALLS}&group_by=customer&{RAGGED}",
    f"measures={CALLS},{TIMES},{RUNS}&group_by=model&{RAGGED}",
    f"measures={CALLS},{TIMES},{RUNS}&group_by=model&grain=hour&from=2026-11-20&to=2026-11-25",
    f"measures={CALLS}&group_by=flow&grain=day&zone=Asia/Kolkata&from=2026-11-01&to=2026-11-25",
    f"measures={CALLS},{RUNS}&group_by=flow&period=mtd&compare=previous",
    f"measures={RUNS}&group_by=flow,model&grain=month&{LONG}",
]


def _call(number: int, dice: random.Random, **fields: Any):
    failed = dice.random() < 0.2
    days = dice.choice([dice.randrange(96), dice.randrange(3)])
    us = int(NOW.timestamp() * 1e6) - days * 86_400_000_000 - dice.randrange(86_400) * 1_000_000 + number
    given: dict[str, Any] = {
        "id": f"c-{number}", "started_us": us, "flow": dice.choice(("triage", "answer", "search", None)),
        "feature": dice.choice(("support", None)), "environment": dice.choice(("production", "staging")),
        "provider": dice.choice(("openai", "house")), "model": dice.choice(("gpt-4o", "house-1", None)),
        "prompt": dice.choice(("p", "q")), "release": dice.choice(("web@1", "web@2")),
        "duration_us": dice.randrange(5_000_000), "ttft_us": dice.choice((None, 210_000)),
        "failed": failed, "error_class": dice.choice(("timeout", "other")) if failed else "",
        "customer": dice.choice(("acme", "initech", "globex", "hooli", None)),
        "trace": dice.choice((None, f"{dice.randrange(1, 90):032x}")), "step": dice.choice(("one", None)),
    }  # fmt: skip
    return call(number, **(given | fields))


@pytest.fixture
def project() -> Project:
    inbox.room.due = 0.0
    floor.forget()
    return Project.objects.create(slug="acme", name="Acme", zone="Europe/Berlin")


def answers(project: Project) -> list[Any]:
    found = []
    for url in QUESTIONS:
        result = answer(parse(QueryDict(url), project=project, now=NOW), now=NOW)
        base = result.compare and (sorted(result.compare.rows, key=str), result.compare.totals)
        found.append((url, sorted(result.rows, key=str), result.totals, base, result.groups, result.trust))
    return found


def agree(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question has the same answer from coarse rows as from fine ones, and coarse rows are sums of fine ones."""
    coarse = answers(project)
    with monkeypatch.context() as patch:
        patch.setattr(plan, "coarsest", lambda *args, **options: 0)
        fine = answers(project)
    for found, wanted in zip(coarse, fine, strict=True):
        assert found == wanted
    with connection.cursor() as cursor:
        assert [list(check_coarse(cursor.cursor, project, one)) for one in COARSE] == [[]] * len(COARSE)


def coarse_calls(level: int) -> list[tuple[Any, ...]]:
    """Calls in the coarse day rows of a level, and in those of its months."""
    return rows(
        "SELECT (SELECT sum(calls) FROM usage_coarse_day WHERE level = %s),"
        " (SELECT sum(calls) FROM usage_coarse_month WHERE level = %s)",
        level,
        level,
    )


def test_coarse_answers_are_the_fine_ones_while_calls_load_fold_are_taken_back_and_rebuilt(
    project, monkeypatch, tmp_path
):
    dice = random.Random(11)
    send(project, [_call(n, dice) for n in range(150)], now=NOW)
    load(project, now=NOW)
    agree(project, monkeypatch)
    fold_lane(project.lane, now=NOW, wait=True)
    agree(project, monkeypatch)
    send(project, [_call(n, dice) for n in range(120, 250)], now=NOW)
    load(project, now=NOW)
    agree(project, monkeypatch)
    fold_lane(project.lane, now=NOW - timedelta(days=40), wait=True)  # a clock that went back
    agree(project, monkeypatch)
    day = date(2026, 11, 10)
    list(rebuild(project, first=day, last=day + timedelta(days=3), now=NOW))
    agree(project, monkeypatch)
    fold_lane(project.lane, now=NOW, wait=True)
    agree(project, monkeypatch)
    assert list(verify(project, now=NOW)) == []


def test_prices_given_later_and_imports_taken_back_reach_the_coarse_rows(project, monkeypatch, tmp_path):
    dice = random.Random(12)
    send(project, [_call(n, dice, provider="house", model="house-1") for n in range(60)], now=NOW)
    load(project, now=NOW)
    fold_lane(project.lane, now=NOW, wait=True)
    entry = own_price("house", "house-1", {"input": Decimal(2), "output": Decimal(10)},
                      valid_from=datetime(2026, 1, 1, tzinfo=UTC), recorded_at=NOW)  # fmt: skip
    row_of(entry, project_id=project.pk).save()
    reprice(project, first=date(2026, 8, 1), last=date(2026, 12, 1), now=NOW)
    agree(project, monkeypatch)
    fold_lane(project.lane, now=NOW, wait=True)
    agree(project, monkeypatch)
    before = coarse_calls(2)
    lines = [f"2026-10-{n % 28 + 1:02}T10:00:00.{n:06}Z,gpt-4o-mini,support,{n},0.25" for n in range(40)]
    report = brought(project, written(tmp_path, [HEADER, *lines]))
    load(project, now=NOW)
    fold_lane(project.lane, now=NOW, wait=True)
    assert coarse_calls(2)[0][0] == before[0][0] + 40
    agree(project, monkeypatch)
    undo(project, report.batch.pk, now=NOW)
    agree(project, monkeypatch)
    fold_lane(project.lane, now=NOW, wait=True)
    agree(project, monkeypatch)


def test_what_still_runs_is_not_in_coarse_rows_and_enters_them_once_when_it_is_over(project):
    send(project, [call(n) for n in range(10)], now=NOW)
    load(project, now=NOW)
    fold_lane(project.lane, now=NOW, wait=True)
    fold_lane(project.lane, now=NOW, wait=True)
    assert coarse_calls(2) == [(None, None)]
    assert rows("SELECT DISTINCT batch FROM usage_day") == [(-1,)]
    for later in (15, 16, 40):
        fold_lane(project.lane, now=NOW + timedelta(hours=later), wait=True)
        assert coarse_calls(2) == [(10, 10)]
        assert rows("SELECT DISTINCT batch FROM usage_day") == [(0,)]


def test_verify_finds_a_coarse_row_that_is_wrong(project):
    send(project, [call(n) for n in range(5)], now=NOW)
    load(project, now=NOW)
    fold_lane(project.lane, now=NOW + timedelta(days=2), wait=True)
    assert list(verify(project, now=NOW)) == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE usage_coarse_day SET calls = calls + 1 WHERE level = 3")
    found = [(one.table, one.stored, one.expected) for one in verify(project, now=NOW)]
    assert found == [
        ("usage_coarse_day", "calls 6", "calls 5"),
        ("usage_coarse_month", "calls 5", "calls 6"),
    ]


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("measures=cost", 3),
        ("measures=cost&group_by=model,error_class", 3),
        ("measures=cost&group_by=feature,flow", 2),
        ("measures=cost&group_by=model&flow=triage", 1),
        ("measures=cost&group_by=customer", 4),
        ("measures=cost&group_by=customer&flow=triage", 0),
        ("measures=cost&group_by=prompt_version", 0),
        ("measures=cost&user=u-1&period=today", 0),
    ],
)
def test_the_coarsest_rows_that_know_the_question_are_read(project, url, level):
    query = parse(QueryDict(url), project=project, now=NOW)
    assert plan.planned(query, query.period, now=NOW).fetches[0].level == level


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_days_before_a_change_of_zone_keep_their_bounds_in_answers(zone):
    until = next_midnight(NOW - timedelta(days=2), zone=zone)
    moved = Project.objects.create(
        slug="moved",
        name="Moved",
        zone=zone,
        earlier_zones=[{"zone": "Europe/Berlin", "until": until.isoformat()}],
    )
    send(moved, [call(60 * hours) for hours in range(-150, 3)], now=NOW)
    load(moved, now=NOW)
    fold_lane(moved.lane, now=NOW, wait=True)
    for first, after in ((18, 25), (20, 23), (22, 24), (19, 20)):
        days = f"measures=calls&from=2026-11-{first}&to=2026-11-{after}"
        bounds = day_bounds(moved, date(2026, 11, first))[0], day_bounds(moved, date(2026, 11, after))[0]
        expected = rows("SELECT count(*) FROM call WHERE started_at >= %s AND started_at < %s", *bounds)
        total = answer(parse(QueryDict(days), project=moved, now=NOW), now=NOW)
        assert [(total.totals["calls"],)] == expected
        for extra in ("&grain=day", "&grain=day&group_by=flow&compare=previous", "&grain=day&user=!x"):
            if "user" in extra and after - first > 1:
                continue
            found = answer(parse(QueryDict(days + extra), project=moved, now=NOW), now=NOW)
            assert found.totals == total.totals
            for row in found.rows:
                day = day_bounds(moved, row[0].date())
                assert [(row[-1],)] == rows(
                    "SELECT count(*) FROM call WHERE started_at >= %s AND started_at < %s", *day
                )


@pytest.mark.parametrize(
    ("days", "months"),
    [
        ("from=2026-08-27&to=2026-11-25", [(date(2026, 9, 1), date(2026, 12, 1))]),
        ("from=2026-10-27&to=2026-11-24", [(date(2026, 11, 1), date(2026, 12, 1))]),
        ("from=2026-10-31&to=2026-11-20", []),
        ("from=2026-08-31&to=2026-11-20", [(date(2026, 9, 1), date(2026, 11, 1))]),
    ],
)
def test_a_month_of_which_every_day_that_is_over_is_asked_is_read_as_one(project, days, months):
    query = parse(QueryDict(f"measures=cost&{days}"), project=project, now=NOW)
    stretches = plan.planned(query, query.period, now=NOW).fetches[0].stretches
    assert [one.months for one in stretches if one.months] == months
    found = sorted(one.days for one in stretches if one.days)
    assert found[0][0] == query.period.first_day
    assert found[-1][1] == query.period.last_day + timedelta(days=1)
    assert all(before[1] == after[0] for before, after in pairwise(found))
