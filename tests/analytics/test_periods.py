"""Periods: half-open, by the calendar of a zone; comparisons end at the same day and hour."""

from datetime import UTC, date, datetime

import pytest

from analytics.periods import (
    COMPARISONS,
    NAMED,
    Period,
    day_start,
    ending_yesterday,
    months_before,
    named,
    quarter_ceil,
    quarter_floor,
)

BERLIN = "Europe/Berlin"
NOW = datetime(2026, 11, 24, 13, 22, 33, tzinfo=UTC)  # a Tuesday, 14:22 in Berlin


def local(period: Period) -> tuple[str, ...]:
    """The bounds on the zone's clock, to the minute."""
    return tuple(f"{one.astimezone(period.tz):%Y-%m-%d %H:%M}" for one in (period.start, period.end))


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("today", "2026-11-24 00:00", "2026-11-25 00:00"),
        ("yesterday", "2026-11-23 00:00", "2026-11-24 00:00"),
        ("7d", "2026-11-17 00:00", "2026-11-24 00:00"),
        ("28d", "2026-10-27 00:00", "2026-11-24 00:00"),
        ("mtd", "2026-11-01 00:00", "2026-11-25 00:00"),
        ("last_month", "2026-10-01 00:00", "2026-11-01 00:00"),
        ("qtd", "2026-10-01 00:00", "2026-11-25 00:00"),
        ("ytd", "2026-01-01 00:00", "2026-11-25 00:00"),
    ],
)
def test_named_periods_are_whole_days_of_the_zone(name, start, end):
    assert local(named(name, zone=BERLIN, now=NOW)) == (start, end)


def test_every_named_period_is_tried_above():
    assert set(NAMED) == {"today", "yesterday", "7d", "28d", "mtd", "last_month", "qtd", "ytd"}


def test_the_zone_decides_which_day_it_is():
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert named("mtd", zone=BERLIN, now=late).first_day == date(2026, 12, 1)
    assert named("mtd", zone="UTC", now=late).first_day == date(2026, 11, 1)
    assert named("today", zone="Asia/Kathmandu", now=late).start == datetime(2026, 11, 30, 18, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("today", "2026-11-23 00:00", "2026-11-23 14:15"),
        ("mtd", "2026-10-01 00:00", "2026-10-24 14:15"),
        ("qtd", "2026-07-01 00:00", "2026-08-24 14:15"),
        ("ytd", "2025-01-01 00:00", "2025-11-24 14:15"),
        ("yesterday", "2026-11-22 00:00", "2026-11-23 00:00"),
        ("7d", "2026-11-10 00:00", "2026-11-17 00:00"),
        ("28d", "2026-09-29 00:00", "2026-10-27 00:00"),
        ("last_month", "2026-09-01 00:00", "2026-10-01 00:00"),
    ],
)
def test_previous_is_the_unit_before_to_the_same_hour_or_the_equal_stretch_before(name, start, end):
    assert local(COMPARISONS["previous"](named(name, zone=BERLIN, now=NOW))) == (start, end)


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("today", "2026-11-17 00:00", "2026-11-17 14:15"),
        ("yesterday", "2026-11-16 00:00", "2026-11-17 00:00"),
        ("7d", "2026-11-10 00:00", "2026-11-17 00:00"),
        ("28d", "2026-09-29 00:00", "2026-10-27 00:00"),
        ("mtd", "2026-10-04 00:00", "2026-10-27 14:15"),  # 24 days: 4 weeks
        ("last_month", "2026-08-27 00:00", "2026-09-27 00:00"),  # 31 days: 5 weeks
    ],
)
def test_weekdays_moves_back_by_the_fewest_whole_weeks_that_clear_the_period(name, start, end):
    period = named(name, zone=BERLIN, now=NOW)
    base = COMPARISONS["weekdays"](period)
    assert local(base) == (start, end)
    assert base.first_day.weekday() == period.first_day.weekday()
    assert base.end <= period.start


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("mtd", "2025-11-01 00:00", "2025-11-24 14:15"),
        ("7d", "2025-11-17 00:00", "2025-11-24 00:00"),
        ("last_month", "2025-10-01 00:00", "2025-11-01 00:00"),
    ],
)
def test_year_is_the_same_dates_a_year_before(name, start, end):
    assert local(COMPARISONS["year"](named(name, zone=BERLIN, now=NOW))) == (start, end)


def custom(start: str, end: str, zone: str = BERLIN) -> Period:
    return Period(start=day_start(date.fromisoformat(start), zone),
                  end=day_start(date.fromisoformat(end), zone), zone=zone)  # fmt: skip


@pytest.mark.parametrize(
    ("compare", "start", "end", "base_start", "base_end"),
    [
        ("previous", "2026-11-03", "2026-11-10", "2026-10-27", "2026-11-03"),
        ("previous", "2026-03-01", "2026-04-01", "2026-02-01", "2026-03-01"),  # a month: the month before
        ("previous", "2026-01-01", "2026-04-01", "2025-10-01", "2026-01-01"),  # a quarter
        ("previous", "2026-03-28", "2026-03-31", "2026-03-25", "2026-03-28"),  # over the start of summer time
        ("year", "2024-02-29", "2024-03-01", "2023-02-28", "2023-03-01"),
        ("year", "2024-02-01", "2024-03-01", "2023-02-01", "2023-03-01"),
        ("weekdays", "2026-11-02", "2026-11-16", "2026-10-19", "2026-11-02"),
    ],
)
def test_periods_by_dates_are_compared_by_the_calendar(compare, start, end, base_start, base_end):
    base = COMPARISONS[compare](custom(start, end))
    assert (base.start, base.end) == (custom(base_start, base_end).start, custom(base_start, base_end).end)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (datetime(2026, 3, 31, 12, 0, tzinfo=UTC), "2026-02-28 14:00"),  # 31 March meets 28 February
        (datetime(2024, 3, 30, 12, 0, tzinfo=UTC), "2024-02-29 13:00"),
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), "2026-11-30 23:45"),
    ],
)
def test_a_day_that_the_month_before_lacks_becomes_its_last(now, end):
    assert local(COMPARISONS["previous"](named("mtd", zone=BERLIN, now=now)))[1] == end


def test_the_first_minutes_of_a_month_are_compared_with_nothing_yet():
    now = datetime(2026, 11, 30, 23, 5, tzinfo=UTC)  # 00:05 on 1 December in Berlin
    base = COMPARISONS["previous"](named("mtd", zone=BERLIN, now=now))
    assert local(base) == ("2026-11-01 00:00", "2026-11-01 00:00")


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)],
)
def test_a_local_day_has_as_many_hours_as_its_clock_shows(day, hours):
    length = day_start(date.fromordinal(day.toordinal() + 1), BERLIN) - day_start(day, BERLIN)
    assert length.total_seconds() == hours * 3600


def test_a_day_whose_midnight_is_skipped_starts_with_the_jump():
    assert day_start(date(2026, 4, 24), "Africa/Cairo") == datetime(2026, 4, 23, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham"])
def test_days_of_zones_off_the_hour_start_on_a_quarter_hour(zone):
    for month in range(1, 13):
        start = day_start(date(2026, month, 15), zone)
        assert start == quarter_floor(start) == quarter_ceil(start)


def test_a_running_period_without_today_ends_with_yesterday():
    cut = ending_yesterday(named("mtd", zone=BERLIN, now=NOW))
    assert local(cut) == ("2026-11-01 00:00", "2026-11-24 00:00")
    assert local(COMPARISONS["previous"](cut)) == ("2026-10-01 00:00", "2026-10-24 00:00")
    first = named("mtd", zone=BERLIN, now=datetime(2026, 11, 1, 9, 0, tzinfo=UTC))
    assert ending_yesterday(first) == first
    whole = custom("2026-11-01", "2026-11-08")
    assert ending_yesterday(whole) == whole


def test_months_before_keeps_the_day_where_it_can():
    assert months_before(date(2026, 3, 31), 1) == date(2026, 2, 28)
    assert months_before(date(2024, 3, 31), 1) == date(2024, 2, 29)
    assert months_before(date(2026, 1, 15), 1) == date(2025, 12, 15)
    assert months_before(date(2026, 12, 31), 12) == date(2025, 12, 31)
    assert months_before(date(2026, 12, 31), 1) == date(2026, 11, 30)


def test_a_period_knows_its_days():
    period = custom("2026-11-01", "2026-11-25")
    assert (period.first_day, period.last_day, period.days) == (date(2026, 11, 1), date(2026, 11, 24), 24)
    assert period.whole_days
    assert not COMPARISONS["previous"](named("mtd", zone=BERLIN, now=NOW)).whole_days
