"""Buckets that answers leave out are there; periods in words, and where their arrows lead."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.periods import Period, day_start, named, previous
from dashboard import buckets, spans_of_time

BERLIN = "Europe/Berlin"
KOLKATA = "Asia/Kolkata"
NOW = datetime(2026, 11, 24, 13, 20, tzinfo=UTC)


def days(first: date, after: date, zone: str = BERLIN) -> Period:
    return Period(start=day_start(first, zone), end=day_start(after, zone), zone=zone)


@pytest.mark.parametrize(
    ("first", "after", "grain", "count"),
    [
        (date(2026, 3, 29), date(2026, 3, 30), "hour", 23),  # summer time begins
        (date(2026, 10, 25), date(2026, 10, 26), "hour", 25),
        (date(2026, 10, 25), date(2026, 10, 26), "15min", 100),
        (date(2026, 10, 1), date(2026, 11, 1), "day", 31),
        (date(2028, 2, 1), date(2028, 3, 1), "day", 29),
        (date(2026, 11, 4), date(2026, 11, 12), "week", 2),
        (date(2026, 1, 31), date(2026, 3, 1), "month", 2),
    ],
)
def test_every_bucket_is_there(first, after, grain, count):
    found = buckets.buckets(days(first, after), grain)
    assert len(found) == count
    instants = [start.astimezone(UTC) for start in found]
    assert instants == sorted(set(instants))


def test_a_running_period_ends_with_the_bucket_that_fills():
    found = buckets.buckets(named("mtd", zone=BERLIN, now=NOW), "day")
    assert (found[0].date(), found[-1].date()) == (date(2026, 11, 1), date(2026, 11, 24))
    hours = buckets.buckets(named("today", zone=KOLKATA, now=NOW), "hour")
    assert all(hour.minute == 0 for hour in hours)
    assert hours[-1].hour == 18  # 18:50 there


def test_the_first_minutes_of_a_day_have_a_bucket():
    midnight = day_start(date(2026, 11, 24), BERLIN)
    found = buckets.buckets(named("today", zone=BERLIN, now=midnight + timedelta(minutes=3)), "hour")
    assert len(found) == 1


@pytest.mark.parametrize(
    ("length", "grain"),
    [(1, "hour"), (2, "hour"), (3, "day"), (62, "day"), (63, "week"), (400, "week"), (401, "month")],
)
def test_the_grain_follows_the_length(length, grain):
    first = date(2026, 1, 1)
    period = days(first, first + timedelta(days=length))
    assert buckets.grain_for(period, kept_from=datetime(2025, 1, 1, tzinfo=UTC)) == grain


def test_hours_that_are_no_longer_kept_become_days():
    period = days(date(2026, 1, 1), date(2026, 1, 2))
    assert buckets.grain_for(period, kept_from=NOW) == "day"


def test_the_base_of_a_month_to_date_says_until_when():
    period = named("mtd", zone=BERLIN, now=NOW)
    assert spans_of_time.dates(period) == "1–24 Nov 2026"
    assert spans_of_time.dates(previous(period), year=False) == "1–24 Oct to 14:15"
    assert spans_of_time.dates_reached(period) == "1–24 Nov 2026, to 14:15"


def test_words_of_a_period_follow_its_base():
    period = named("mtd", zone=BERLIN, now=NOW)
    assert spans_of_time.words(period, previous(period)).than == "by this day in October"
    other = days(date(2026, 9, 1), date(2026, 9, 25))
    assert spans_of_time.words(period, other).than == "in 1–24 Sep"


@pytest.mark.parametrize(
    ("name", "first", "after"),
    [
        ("today", date(2026, 11, 23), date(2026, 11, 24)),
        ("7d", date(2026, 11, 10), date(2026, 11, 17)),
        ("mtd", date(2026, 10, 1), date(2026, 11, 1)),
        ("last_month", date(2026, 9, 1), date(2026, 10, 1)),
        ("qtd", date(2026, 7, 1), date(2026, 10, 1)),
        ("ytd", date(2025, 1, 1), date(2026, 1, 1)),
    ],
)
def test_back_goes_by_the_unit(name, first, after):
    assert spans_of_time.back(named(name, zone=BERLIN, now=NOW)) == (first, after)


def test_on_stops_at_today():
    assert spans_of_time.on(named("mtd", zone=BERLIN, now=NOW), NOW) is None
    assert spans_of_time.on(days(date(2026, 9, 1), date(2026, 10, 1)), NOW) == (
        date(2026, 10, 1),
        date(2026, 11, 1),
    )


@pytest.mark.parametrize(("name", "differ"), [("mtd", True), ("7d", False), ("28d", False), ("today", False)])
def test_where_weekdays_differ(name, differ):
    period = named(name, zone=BERLIN, now=NOW)
    assert spans_of_time.weekdays_differ(period, previous(period)) is differ
