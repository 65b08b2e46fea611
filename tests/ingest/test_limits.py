"""Values at the edge: what is let through can be stored and added up for ever."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ingest.records import MAX_TOKENS
from ingest.wire.limits import (
    RefusedError,
    amount_of,
    checked_time,
    clean_tags,
    clean_text,
    decimal_of,
    micros_of,
    tokens_of,
)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (0.1, "0.1"),
        ("0.0125", "0.0125"),
        (7, "7"),
        (Decimal("1E+5"), "100000"),
        (Decimal("0E+1000000"), "0"),
        (Decimal("0E-1000000"), "0"),
        ("999999999999.999999999999999999999999999999", "999999999999.999999999999999999999999999999"),
        ("1E-30", "0.000000000000000000000000000001"),
    ],
)
def test_decimals_keep_every_digit(sent, kept):
    assert f"{decimal_of(sent):f}" == kept


@pytest.mark.parametrize(
    "sent",
    [
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "1E+1000000",
        "1E-31",
        "1000000000000",
        "",
        "1,5",
        "0x1",
        True,
        None,
        [1],
        *(10**400, float("nan"), float("inf"), 1e300, "9" * 100),
    ],
)
def test_what_postgres_could_not_add_up_is_refused(sent):
    with pytest.raises(RefusedError) as refused:
        decimal_of(sent)
    assert refused.value.hint


def test_an_amount_is_not_negative():
    assert amount_of("0") == 0
    with pytest.raises(RefusedError):
        amount_of("-0.01")


@pytest.mark.parametrize(("sent", "kept"), [(0, 0), (MAX_TOKENS, MAX_TOKENS), (12.0, 12), ("12", 12)])
def test_whole_numbers_are_token_counts(sent, kept):
    assert tokens_of(sent) == kept


@pytest.mark.parametrize("sent", [-1, MAX_TOKENS + 1, 1.5, "x", True, None, float("nan"), 10**400])
def test_other_numbers_are_no_token_counts(sent):
    with pytest.raises(RefusedError):
        tokens_of(sent)


def test_texts_lose_nul_and_lone_surrogates_but_nothing_else():
    assert clean_text("a\x00b\ud800c\udfff") == "a\ufffdb\ufffdc\ufffd"
    assert clean_text("naïve 😀") == "naïve 😀"
    assert clean_text("x" * 300) == "x" * 200


def test_tags_are_bounded_texts():
    tags = clean_tags(
        {"": 1, "n": 1, "t": True, "none": None, "long": "x" * 300} | {str(n): n for n in range(40)}
    )
    assert len(tags) == 32
    assert (tags["n"], tags["t"], tags["none"], len(tags["long"])) == ("1", "true", "", 200)


NOW = 1_795_600_000_000_000
HOUR = 3_600_000_000


def test_times_run_from_the_floor_to_an_hour_ahead():
    assert checked_time(NOW + HOUR, now_us=NOW, floor_us=0) == NOW + HOUR
    assert checked_time(0, now_us=NOW, floor_us=0) == 0
    assert checked_time(NOW, now_us=NOW, floor_us=NOW) == NOW
    for time_us, floor_us in ((NOW + HOUR + 1, 0), (-1, 0), (NOW - 1, NOW), (2**62, 0)):
        with pytest.raises(RefusedError):
            checked_time(time_us, now_us=NOW, floor_us=floor_us)


def test_micros_are_exact_and_naive_times_refused():
    moment = datetime(2026, 11, 23, 10, 0, 0, 123_457, UTC)
    assert micros_of(moment) == 1_795_428_000_123_457
    assert micros_of(datetime.min.replace(tzinfo=UTC) + timedelta(microseconds=1)) == -62_135_596_799_999_999
    with pytest.raises(RefusedError):
        micros_of(moment.replace(tzinfo=None))
