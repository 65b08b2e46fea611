"""Every example of the pages' section 4, and the edges around them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from dashboard import formats
from dashboard.formats import NBSP

NOW = datetime(2026, 11, 24, 13, 15, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("18412.37"), "$18,412.37"),
        (Decimal("0"), "$0.00"),
        (None, "–"),
        (Decimal("-170"), "−$170.00"),
        (Decimal("0.004"), "< $0.01"),
        (Decimal("-0.004"), "> −$0.01"),
        (Decimal("0.005"), "< $0.01"),
        (Decimal("0.0051"), "$0.01"),
        (Decimal("1e-30"), "< $0.01"),
        (Decimal("999999999.995"), "$1,000,000,000.00"),
        (12, "$12.00"),
        (0.1, "$0.10"),
    ],
)
def test_amounts_have_two_decimals_and_never_hide(value, shown):
    assert formats.money(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(Decimal("6200.68"), "+$6,200.68"), (Decimal("-425.53"), "−$425.53"), (Decimal("0"), "$0.00")],
)
def test_a_change_of_money_has_its_sign(value, shown):
    assert formats.money(value, signed=True) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("41702.12"), "$41,702"),
        (Decimal("999.5"), "$999.50"),
        (Decimal("1000"), "$1,000"),
        (Decimal("53280.4"), "$53,280"),
        (Decimal("0.0479"), "$0.0479"),
        (Decimal("0.000508"), "$0.0005"),
        (Decimal("0.0000001"), "< $0.0001"),
        (Decimal("0"), "$0.00"),
        (None, "–"),
        (Decimal("-6201.3"), "−$6,201"),
    ],
)
def test_answers_say_whole_units_from_1000(value, shown):
    assert formats.money_answer(value) == shown


@pytest.mark.parametrize(
    ("column", "decimals"),
    [
        ([Decimal("0.0132"), Decimal("0.0082")], 4),
        ([Decimal("0.000508"), Decimal("0.041696")], 6),
        ([Decimal("0.10"), Decimal("3")], 2),
        ([Decimal("0.0999"), Decimal("3")], 2),
        ([Decimal("0.0949"), Decimal("3")], 4),
        ([None, Decimal(0)], 2),
        ([], 2),
        ([Decimal("0.000001")], 6),
    ],
)
def test_decimals_belong_to_the_column(column, decimals):
    assert formats.unit_cost_decimals(column) == decimals


def test_a_column_of_unit_costs_shows_one_number_of_decimals():
    column = formats.column_for("USD/call", "cost_per_call", [Decimal("0.000508"), Decimal("0.041696"), None])
    assert [column.show(Decimal("0.000508")), column.show(Decimal("0.041696")), column.show(None)] == [
        "0.000508",
        "0.041696",
        "–",
    ]
    assert column.unit == "USD"


@pytest.mark.parametrize(
    ("value", "at_least", "shown"),
    [
        (Decimal("0.041696"), False, "0.041696"),
        (Decimal("0.038"), True, "≥ 0.038000"),
        (Decimal("0.0000001"), False, "< 0.000001"),
        (Decimal("0"), False, "0"),
        (None, False, "–"),
        (None, True, "–"),
    ],
)
def test_a_call_has_six_decimals(value, at_least, shown):
    assert formats.call_cost(value, at_least=at_least) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (4_875_742, "4.88M"),
        (9_412_600_000, "9.41B"),
        (0, "0"),
        (999, "999"),
        (1000, "1.00k"),
        (1284, "1.28k"),
        (99_950, "100k"),
        (999_499, "999k"),
        (999_500, "1.00M"),
        (999_999_999, "1.00B"),
        (-4_875_742, "−4.88M"),
        (None, "–"),
        (Decimal("12.5"), "12.5"),
    ],
)
def test_strips_have_three_digits(value, shown):
    assert formats.short(value) == shown


def test_counts_in_tables_are_exact():
    assert formats.count(1_284_310) == "1,284,310"
    assert formats.count(None) == "–"


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (0, "0 ms"),
        (0.4, "0 ms"),
        (840, "840 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (1240, "1.24 s"),
        (9996, "10.0 s"),
        (14_820, "14.8 s"),
        (59_940, "59.9 s"),
        (59_960, "1 min 00 s"),
        (125_000, "2 min 05 s"),
        (3_725_000, "1 h 02 min"),
        (None, "–"),
    ],
)
def test_durations(ms, shown):
    assert formats.duration(ms) == shown


def test_a_column_of_durations_has_one_unit():
    seconds = formats.column_for("ms", "p95_latency", [210.0, 4810.0])
    assert (seconds.unit, seconds.show(210.0), seconds.show(4810.0)) == ("s", "0.21", "4.81")
    millis = formats.column_for("ms", "p95_latency", [210.4, None])
    assert (millis.unit, millis.show(210.4), millis.show(None)) == ("ms", "210", "–")


def test_a_column_of_tokens_has_one_unit():
    column = formats.column_for("tokens", "total_tokens", [9_412_600_000, 46_200_000, 0, None, 1000])
    assert column.unit == "M"
    shown = [column.show(v) for v in (9_412_600_000, 46_200_000, 0, None, 1000)]
    assert shown == ["9,412.6", "46.2", "0", "–", "< 0.1"]


@pytest.mark.parametrize(
    ("function", "value", "shown"),
    [
        (formats.share, 0.4414, f"44.1{NBSP}%"),
        (formats.rate, 0.007, f"0.70{NBSP}%"),
        (formats.points, -0.041, f"−4.1{NBSP}pp"),
        (formats.points, 0.0221, f"+2.2{NBSP}pp"),
        (formats.percent_change, 0.1747, f"+17.5{NBSP}%"),
        (formats.percent_change, -0.0004, f"0.0{NBSP}%"),
        (formats.percent_change, 12.5, f"+1,250{NBSP}%"),
        (formats.duration_delta, 310, "+0.31 s"),
        (formats.duration_delta, -620, "−0.62 s"),
        (formats.duration_delta, 40, "+40 ms"),
    ],
)
def test_ratios_and_changes(function, value, shown):
    assert function(value) == shown


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (date(2026, 11, 1), date(2026, 11, 24), "1–24 Nov 2026"),
        (date(2026, 10, 27), date(2026, 11, 23), "27 Oct – 23 Nov 2026"),
        (date(2026, 12, 27), date(2027, 1, 2), "27 Dec 2026 – 2 Jan 2027"),
        (date(2026, 11, 24), date(2026, 11, 24), "24 Nov 2026"),
    ],
)
def test_days(first, last, shown):
    assert formats.days(first, last) == shown


def test_moments_are_of_the_zone_and_name_another_year():
    assert formats.moment(datetime(2026, 11, 24, 13, 15, tzinfo=UTC), zone=BERLIN, now=NOW) == "24 Nov 14:15"
    assert (
        formats.moment(datetime(2025, 12, 11, 17, 2, tzinfo=UTC), zone=BERLIN, now=NOW)
        == "11 Dec 2025, 18:02"
    )
    assert formats.moment(None, zone=BERLIN, now=NOW) == "–"
    exact = datetime(2026, 11, 24, 12, 52, 7, 418_999, tzinfo=UTC)
    assert formats.instant(exact, zone=BERLIN) == "24 Nov 2026 13:52:07.418"


@pytest.mark.parametrize(("seconds", "shown"), [(38, "38 s"), (240, "4 min"), (6300, "1 h 45 min")])
def test_lags(seconds, shown):
    assert formats.lag(seconds) == shown


@pytest.mark.parametrize(
    ("unit", "name", "value", "text", "small"),
    [
        ("USD", "cost", Decimal("41702.12"), "$41,702.12", ""),
        ("USD", "cost", Decimal("0.000616"), "$0.0006", ""),
        ("calls", "calls", 4_875_742, "4.88M", ""),
        ("ms", "p95_run_duration", 4120.0, "4.12", "s"),
        ("ratio", "error_rate", 0.00703, "0.70", "%"),
        ("USD/run", "cost_per_run", Decimal("0.04789"), "$0.0479", ""),
        ("ms", "p95_run_duration", None, "–", ""),
    ],
)
def test_figures_of_a_strip(unit, name, value, text, small):
    figure = formats.figure_for(unit, name, value)
    assert (figure.text, figure.unit) == (text, small)
