"""Windows of budgets: calendar days, weeks, months and quarters of a zone, across changes of the clocks."""

from datetime import UTC, datetime, timedelta

import pytest

from guardrails.windows import WINDOWS, before, window_of

ZONES = ("Asia/Kolkata", "America/New_York", "Europe/Berlin", "UTC", "Asia/Kathmandu", "America/Santiago")


def instant(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("kind", "zone", "at", "start", "end"),
    [
        ("day", "Asia/Kolkata", "2026-11-24T18:29:59Z", "2026-11-23T18:30:00Z", "2026-11-24T18:30:00Z"),
        ("day", "Asia/Kolkata", "2026-11-24T18:30:00Z", "2026-11-24T18:30:00Z", "2026-11-25T18:30:00Z"),
        # 25 hours: New York ends summer time on 1 November 2026, Berlin on 25 October.
        ("day", "America/New_York", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"),
        ("month", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z"),
        ("month", "Europe/Berlin", "2026-10-31T22:59:59Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"),
        ("month", "Europe/Berlin", "2026-10-31T23:00:00Z", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z"),
        # 23 hours: Berlin begins summer time on 29 March 2026.
        ("day", "Europe/Berlin", "2026-03-29T10:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("week", "Europe/Berlin", "2026-03-29T21:59:59Z", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("quarter", "Europe/Berlin", "2026-03-31T22:00:00Z", "2026-03-31T22:00:00Z", "2026-06-30T22:00:00Z"),
        ("quarter", "Europe/Berlin", "2026-12-31T12:00:00Z", "2026-09-30T22:00:00Z", "2026-12-31T23:00:00Z"),
        ("month", "UTC", "2028-02-29T23:59:59Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("day", "UTC", "2028-02-29T12:00:00Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("month", "UTC", "2026-01-31T12:00:00Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("week", "UTC", "2026-01-01T00:00:00Z", "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"),
    ],
)
def test_a_window_is_the_calendars_in_the_zone(kind, zone, at, start, end):
    window = window_of(kind, instant(at), zone=zone)
    assert (window.start, window.end) == (instant(start), instant(end))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", WINDOWS)
def test_windows_follow_each_other_without_gap_or_overlap(kind, zone):
    at = datetime(2028, 3, 2, tzinfo=UTC)
    while at > datetime(2026, 1, 1, tzinfo=UTC):
        window = window_of(kind, at, zone=zone)
        assert window.start <= at < window.end
        last = window.end - timedelta(microseconds=1)
        assert window_of(kind, last, zone=zone) == window
        assert window_of(kind, window.start, zone=zone) == window
        assert before(window).end == window.start
        assert window.period.whole_days
        at = window.start - timedelta(microseconds=1)


@pytest.mark.parametrize(("kind", "days"), [("day", 1), ("week", 7), ("month", 29), ("quarter", 91)])
def test_a_window_knows_its_days(kind, days):
    window = window_of(kind, datetime(2028, 2, 29, 12, tzinfo=UTC), zone="America/New_York")
    assert len(window.days) == days
    assert window.days[0] == window.first_day


def test_how_much_of_it_is_over():
    window = window_of("day", datetime(2026, 11, 24, 6, tzinfo=UTC), zone="UTC")
    assert [window.elapsed(window.start + timedelta(hours=hours)) for hours in (-1, 0, 6, 24, 30)] == [
        0, 0, 0.25, 1, 1,
    ]  # fmt: skip
