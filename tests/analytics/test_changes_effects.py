"""What a change did: the arithmetic against scipy, the windows, and known truth through the loader."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy import stats as oracle

from analytics import effects_stats as stats
from analytics.changes_list import Wanted, page
from analytics.changes_notice import notice_in
from analytics.effects import BETTER, NOT_COMPARABLE, TOO_FEW, UNCLEAR, WORSE, effects_of
from analytics.effects_windows import Moment, windows
from analytics.histogram import packed, unpacked
from ingest.records import Tokens
from tests.analytics.ledger import call, load, send
from tests.personas import make_project

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def sample(values):
    return stats.Sample(len(values), float(np.mean(values)), float(np.var(values, ddof=1)))


def test_means_are_welchs():
    chance = random.Random(1)
    for shift in (0.0, 0.3):
        a = [chance.gauss(5, 2) for _ in range(80)]
        b = [chance.gauss(5 + shift, 3) for _ in range(140)]
        found = stats.means(sample(a), sample(b))
        expected = oracle.ttest_ind(b, a, equal_var=False)
        interval = expected.confidence_interval(0.95)
        assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_rates_are_newcombes():
    """The examples of Newcombe 1998, table II, method 10: 56/70 against 48/80, 9/10 against 3/10."""
    first = stats.rates((48, 80), (56, 70))
    assert (first.low, first.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    second = stats.rates((3, 10), (9, 10))
    assert (second.low, second.high) == pytest.approx((0.1705, 0.8090), abs=5e-5)
    assert stats.rates((0, 0), (1, 2)) is None


def test_wilson_is_scipys():
    for hits, total in ((0, 10), (3, 17), (92, 2669), (10, 10)):
        expected = oracle.binomtest(hits, total).proportion_ci(method="wilson")
        assert stats.wilson(hits, total) == pytest.approx((expected.low, expected.high), rel=1e-9)


def histogram(values):
    buckets = [(int(np.ceil(np.log(v) / np.log(1.02))), 1) for v in values]
    return unpacked(packed(buckets))


def test_percentile_intervals_cover_as_often_as_they_say():
    chance, covered = np.random.default_rng(3), 0
    truth = np.exp(1.645 * 0.6) * 1000  # p95 of the log-normal
    for _ in range(200):
        a, b = (chance.lognormal(np.log(1000), 0.6, 600) for _ in range(2))
        found = stats.percentiles(histogram(a), histogram(b * 1.2), 0.95)
        covered += found.low <= 0.2 * truth <= found.high
    assert 180 <= covered <= 199


def test_ratios_of_days_cover_as_often_as_they_say():
    chance, covered = np.random.default_rng(5), 0
    for _ in range(300):
        sides = []
        for mean in (100.0, 110.0):
            counts = chance.poisson(80, 14)
            means = mean + chance.normal(0, 6, 14)
            sides.append([(float(c * m), float(c)) for c, m in zip(counts, means, strict=True)])
        found = stats.ratios(*sides)
        covered += found.low <= 10 <= found.high
    assert 272 <= covered <= 297
    assert stats.ratios([(1, 1)] * 2, [(1, 1)] * 9) is None


def test_false_discovery_is_benjamini_hochberg():
    ps = [0.03, 0.001, 0.2, 0.04, 0.9, 0.001]
    assert stats.false_discovery(ps) == pytest.approx(list(oracle.false_discovery_control(ps)))
    assert stats.false_discovery([]) == []


def moment(**fields):
    given: dict[str, Any] = {
        "at": datetime(2026, 11, 10, 9, 37, tzinfo=UTC),
        "zone": "UTC",
        "now": NOW,
        "kept": NOW - timedelta(days=35),
    }
    return Moment(**(given | fields))


def test_windows_have_the_same_length_and_the_same_weekdays():
    found = windows(moment())
    after, before = found.after, found.before
    assert after.start == datetime(2026, 11, 10, 9, 45, tzinfo=UTC)
    assert after.end - after.start == before.end - before.start == timedelta(days=14)
    assert (after.start - before.start) % timedelta(days=7) <= timedelta(
        minutes=15
    )  # that of the change is in neither
    assert before.end <= moment().at
    assert found.notes == ()


def test_the_next_change_ends_them_and_the_one_before_begins_them():
    late = windows(moment(others=(datetime(2026, 11, 13, 9, 50, tzinfo=UTC),)))
    assert late.after.end - late.after.start == timedelta(days=3)
    assert late.after.start - late.before.start == timedelta(days=7)
    early = windows(moment(others=(datetime(2026, 11, 8, 0, 0, tzinfo=UTC),)))
    assert early.before.start >= datetime(2026, 11, 8, tzinfo=UTC)
    assert "weekdays" in early.notes[0]


def test_further_back_whole_days_are_compared_without_that_of_the_change():
    found = windows(moment(at=datetime(2026, 8, 12, 15, 0, tzinfo=UTC), zone="Europe/Berlin"))
    assert found.after.whole_days
    assert found.before.whole_days
    assert found.after.first_day.isoformat() == "2026-08-13"
    assert found.before.last_day.isoformat() <= "2026-08-11"
    assert "day of the change is left out" in found.notes[0]


def test_too_early_is_no_window():
    assert windows(moment(at=NOW - timedelta(minutes=3))) is None
    assert windows(moment(first=datetime(2026, 11, 10, 9, 30, tzinfo=UTC))) is None


def traffic(chance, at, version, *, days, a_day, cost=1.0, slow=1.0, failing=0.02):
    """Calls of so many days from `at` on; `cost`, `slow`: times what is usual."""
    for day in range(days):
        for number in range(a_day):
            moment = at + timedelta(days=day, seconds=chance.randrange(86_000))
            failed = chance.random() < failing
            yield call(
                0, id=f"{version}-{moment.timestamp()}-{number}", started_us=int(moment.timestamp() * 1e6),
                prompt="triage", prompt_version=version, failed=failed, error_class="timeout" if failed else "",
                tokens=Tokens(input=int(cost * chance.lognormvariate(6, 0.3)), output=100),
                duration_us=int(slow * chance.lognormvariate(13, 0.4)),
            )  # fmt: skip


@pytest.mark.django_db
def test_known_truth_is_found_and_noise_is_not():
    project, chance = make_project(), random.Random(5)
    start = NOW - timedelta(days=28)
    send(
        project,
        [
            *traffic(chance, start, "v1", days=14, a_day=60),
            *traffic(chance, start + timedelta(days=14), "v2", days=14, a_day=60, cost=1.5, slow=0.7),
        ],
        now=NOW,
    )
    load(project, now=NOW)
    notice_in(project, now=NOW)
    line = page(project, Wanted()).lines[0]
    on_flow = effects_of(project, line, now=NOW)[0]
    found = {one.measure: one for one in on_flow.effects}
    assert on_flow.share == 1.0
    assert {name: one.verdict for name, one in found.items()} == {
        "cost_per_run": WORSE,
        "p95_run_duration": BETTER,
        "error_rate": UNCLEAR,
        "tokens_per_call": "Higher",
    }
    assert found["cost_per_run"].better[2] < 0 < found["p95_run_duration"].better[0]
    assert (found["cost_per_run"].n_before, found["cost_per_run"].n_after) == pytest.approx(
        (420, 420), abs=30
    )


@pytest.mark.django_db
def test_a_small_share_is_compared_for_itself_and_may_be_too_few():
    project, chance = make_project(), random.Random(12)
    start = NOW - timedelta(days=28)
    send(
        project,
        [
            *traffic(chance, start, "v1", days=28, a_day=40),
            *traffic(chance, start + timedelta(days=14), "v2", days=14, a_day=3),
        ],
        now=NOW,
    )
    load(project, now=NOW)
    notice_in(project, now=NOW)
    on_flow = effects_of(project, page(project, Wanted()).lines[0], now=NOW)[0]
    assert on_flow.share == pytest.approx(3 / 43, abs=0.02)
    assert {one.verdict for one in on_flow.effects} == {TOO_FEW}
    assert {one.n_after for one in on_flow.effects} <= set(range(15, 30))


def test_scores_are_tested_by_one_judge_and_not_across_two(db):
    project, chance = make_project(), random.Random(8)
    start = NOW - timedelta(days=28)
    calls = [*traffic(chance, start, "v1", days=14, a_day=20),
             *traffic(chance, start + timedelta(days=14), "v2", days=14, a_day=20)]  # fmt: skip
    scored = []
    for one in calls:
        later = one.prompt_version == "v2"
        scores = [{"name": "resolved", "value": chance.random() < (0.55 if later else 0.85), "source": "user"},
                  {"name": "grounded", "value": chance.gauss(0.7, 0.1), "source": "heuristic"},
                  {"name": "tone", "value": chance.gauss(3 if later else 4, 0.5), "source": "judge",
                   "judge_version": "j2" if later else "j1"}]  # fmt: skip
        scored.append(msgspec.structs.replace(one, scores=scores))
    send(project, scored, now=NOW)
    load(project, now=NOW)
    notice_in(project, now=NOW)
    line = page(project, Wanted()).lines[0]
    found = {one.label: one for one in effects_of(project, line, now=NOW)[0].effects}
    assert found["resolved"].verdict == WORSE
    assert found["resolved"].test.difference == pytest.approx(-0.3, abs=0.15)
    assert found["grounded"].verdict == UNCLEAR
    assert (found["tone"].verdict, found["tone"].reason) == (NOT_COMPARABLE, "judge changed")
