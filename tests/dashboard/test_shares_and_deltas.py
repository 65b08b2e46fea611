"""Shares make 100.0 %; a change has arrow, sign and figure, and a colour only where it matters."""

from decimal import Decimal

import pytest

from analytics.measures import MEASURES
from dashboard import deltas, shares
from dashboard.formats import NBSP

COST, CALLS, ERRORS, P95 = (MEASURES[name] for name in ("cost", "calls", "error_rate", "p95_latency"))


@pytest.mark.parametrize(
    "values",
    [
        [Decimal(1), Decimal(1), Decimal(1)],
        [
            Decimal("18412.37"),
            Decimal("9876.20"),
            Decimal("5204.91"),
            Decimal("3688.05"),
            Decimal("2140.48"),
            Decimal("1317.66"),
            Decimal("402.19"),
            Decimal("288.74"),
        ],
        [Decimal("0.000001"), Decimal("999999")],
        [Decimal(1)] * 7,
        [Decimal("1e-20")] * 3,
        [Decimal(5), None, Decimal(2)],
    ],
)
def test_shares_make_exactly_one(values):
    found = shares.shares(values)
    assert sum(share for share in found if share is not None) == 1
    assert [share is None for share in found] == [value is None for value in values]


def test_nothing_and_corrections_have_no_share():
    assert shares.shares([Decimal(0), Decimal(0)]) == [None, None]
    assert shares.shares([Decimal(5), Decimal(-1)]) == [None, None]
    assert shares.shares([]) == []


def test_a_small_part_never_shows_as_zero():
    assert shares.show(Decimal(0), Decimal("0.001")) == f"< 0.1{NBSP}%"
    assert shares.show(Decimal(0), Decimal(0)) == f"0.0{NBSP}%"
    assert shares.show(None, Decimal(1)) == "–"


@pytest.mark.parametrize(
    ("largest", "scale"),
    [
        (Decimal("0.441"), Decimal("0.5")),
        (Decimal("0.5"), Decimal("0.5")),
        (Decimal(0), Decimal("0.1")),
        (Decimal(1), Decimal(1)),
    ],
)
def test_bars_reach_to_the_next_ten_percent(largest, scale):
    assert shares.full_scale([largest, None]) == scale


@pytest.mark.parametrize(
    ("current", "base", "measure", "total", "shown", "arrow", "tone"),
    [
        (Decimal("41702.12"), Decimal("35501.44"), COST, Decimal("35501.44"), f"+17.5{NBSP}%", "▲", "worse"),
        (Decimal("5204.91"), Decimal("5630.44"), COST, Decimal("35501.44"), f"−7.6{NBSP}%", "▼", "better"),
        (Decimal("1317.66"), Decimal("1298.11"), COST, Decimal("35501.44"), f"+1.5{NBSP}%", "▲", ""),
        (1092, 1000, CALLS, 1000, f"+9.2{NBSP}%", "▲", ""),
        (0.0070, 0.0054, ERRORS, None, f"+0.16{NBSP}pp", "▲", "worse"),
        (4120.0, 3810.0, P95, None, "+0.31 s", "▲", "worse"),
        (3820.0, 3810.0, P95, None, "+10 ms", "▲", ""),
        (Decimal(5), Decimal(0), COST, Decimal(1), "new", "", ""),
        (Decimal(5), None, COST, Decimal(1), "new", "", ""),
        (Decimal(0), Decimal(5), COST, Decimal(1), "gone", "", ""),
        (Decimal("5.000001"), Decimal(5), COST, Decimal(5), "no change", "", ""),
        (Decimal(5), Decimal(5), COST, Decimal(5), "no change", "", ""),
        (None, None, COST, Decimal(5), "–", "", ""),
        (4000.0, None, P95, None, "–", "", ""),
    ],
)
def test_deltas(current, base, measure, total, shown, arrow, tone):
    found = deltas.delta(current, base, measure=measure, base_total=total)
    assert (found.text, found.arrow, found.tone) == (shown, arrow, tone)


def test_too_few_on_a_side_is_said():
    assert deltas.delta(4000.0, 100.0, measure=P95, enough=False).text == "n/a"


def test_readers_hear_what_the_arrow_shows():
    assert (
        deltas.delta(Decimal(120), Decimal(100), measure=COST, base_total=Decimal(100)).words == "more, worse"
    )
