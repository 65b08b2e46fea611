"""Measures: what is unknown stays unknown, what is nothing is 0, and sums keep every digit."""

import math
import random
from decimal import Decimal

import pytest

from analytics.histogram import NOTHING, ZERO_BUCKET, merged, packed, unpacked
from analytics.measures import COSTS, EXACT, MEASURES, known_sum

# Every measure name of the contract but those of a score, which are made when they are asked for.
CONTRACT = """calls runs errors error_rate input_tokens cache_read_tokens cache_write_tokens output_tokens
    reasoning_tokens total_tokens cache_hit_rate cost input_cost output_cost cost_per_call cost_per_run
    cost_per_1k_tokens cost_per_success outcome_rate
    wasted_cost users customers p50_latency p90_latency p95_latency p99_latency
    p50_run_duration p90_run_duration p95_run_duration p99_run_duration p95_cost_per_run p50_ttft p90_ttft p95_ttft
    p99_ttft tokens_per_second priced_share attributed_share unpriced_calls duplicates""".split()  # noqa: SIM905


def of(name: str, **parts):
    return MEASURES[name].combine(parts)


def test_every_measure_of_the_contract_is_there():
    assert sorted(MEASURES) == sorted(CONTRACT)


def test_every_measure_says_what_it_is():
    for measure in MEASURES.values():
        assert measure.sentence.endswith(".")
        assert measure.label[0].isupper() or measure.label[0] == "p"
        assert measure.good in ("up", "down", None)


def test_nothing_costs_nothing_and_an_unpriced_call_costs_nobody_knows_what():
    assert of("cost") == Decimal(0)
    assert of("cost", calls=3) is None
    assert of("cost", calls=3, cost_input=Decimal("0.10")) == Decimal("0.10")
    assert of("cost", calls=3, cost_input=Decimal(0)) == 0


@pytest.mark.parametrize("name", [name for name, one in MEASURES.items() if not one.additive
                                  and one.family != "audience"])  # fmt: skip
def test_what_does_not_add_up_is_unknown_of_nothing(name):
    assert of(name) is None


def test_sums_of_money_keep_every_digit():
    tiny, huge = Decimal("1E-30"), Decimal("999999999999")
    total = known_sum([huge, tiny, None])
    assert total == EXACT.add(huge, tiny)
    assert f"{total:f}" == "999999999999.000000000000000000000000000001"
    parts = dict.fromkeys(COSTS, Decimal("0.1"))
    assert of("cost", calls=1, **parts) == Decimal("0.6")


def test_rates_have_their_definitions():
    assert of("error_rate", errors=1, calls=4) == 0.25
    assert (
        of("cache_hit_rate", calls=1, input=200, cache_read=600, cache_write=100, cache_write_1h=100) == 0.6
    )
    assert of("cache_hit_rate", calls=1, input=200) is None
    assert of("priced_share", calls=10, partial=1, unpriced=2) == pytest.approx(0.7)
    assert of("attributed_share", calls=10, unattributed_calls=1) == pytest.approx(0.9)
    assert of("tokens_per_second", timed_output=500, timed_us=2_000_000) == 250
    assert of("cost_per_1k_tokens", calls=1, input=500, output=1500, cost_input=Decimal(4)) == Decimal(2)
    assert of("cost_per_run", runs=4, run_cost=Decimal(1)) == Decimal("0.25")


def pairs(values) -> bytes:
    """Packed as the loader does: one pair a value."""
    return packed([(ZERO_BUCKET if v <= 0 else math.ceil(math.log(v) / math.log(1.02)), 1) for v in values])


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99])
def test_percentiles_are_within_one_percent(share):
    dice = random.Random(1)
    values = [dice.lognormvariate(6, 2) for _ in range(5_000)]
    exact = sorted(values)[math.ceil(share * len(values)) - 1]
    assert unpacked(pairs(values)).percentile(share) == pytest.approx(exact, rel=0.0101)


def test_zeros_are_counted_and_corrections_take_away():
    histogram = unpacked(pairs([0, 0, 0, 100]) + packed([(ZERO_BUCKET, -1)]))
    assert histogram.total == 3
    assert histogram.percentile(0.5) == 0
    assert histogram.percentile(1) == pytest.approx(100, rel=0.0101)
    taken = unpacked(pairs([5, 7]) + packed([(math.ceil(math.log(7) / math.log(1.02)), -1)]))
    assert taken.percentile(1) == pytest.approx(5, rel=0.0101)
    assert NOTHING.percentile(0.5) is None
    assert unpacked(None).percentile(0.5) is None


def test_merging_histograms_is_reading_their_concatenation():
    dice = random.Random(2)
    groups = [[dice.expovariate(0.001) for _ in range(n)] for n in (0, 1, 50, 400)] + [[0.0, 3.0]]
    apart = merged(unpacked(pairs(group)) for group in groups)
    together = unpacked(b"".join(map(pairs, groups)))
    assert (apart.zeros, apart.total) == (together.zeros, together.total) == (1, 453)
    for share in (0.01, 0.5, 0.99):
        assert apart.percentile(share) == together.percentile(share)
