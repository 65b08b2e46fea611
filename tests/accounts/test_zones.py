"""Zones: a change applies from the next midnight on, and the days before keep their bounds."""

from datetime import UTC, datetime

import pytest

from accounts.zones import known_zones, nearest_zone, next_midnight, zone_at

EARLIER = [
    {"zone": "UTC", "until": "2026-03-01T00:00:00+01:00"},
    {"zone": "Europe/Berlin", "until": "2026-06-01T00:00:00+05:30"},
]


@pytest.mark.parametrize(
    ("instant", "zone"),
    [
        (datetime(2025, 1, 1, tzinfo=UTC), "UTC"),
        (datetime(2026, 2, 28, 22, 59, 59, tzinfo=UTC), "UTC"),
        (datetime(2026, 2, 28, 23, 0, tzinfo=UTC), "Europe/Berlin"),
        (datetime(2026, 5, 31, 18, 29, 59, tzinfo=UTC), "Europe/Berlin"),
        (datetime(2026, 5, 31, 18, 30, tzinfo=UTC), "Asia/Kolkata"),
    ],
)
def test_each_instant_has_the_zone_that_held_then(instant, zone):
    assert zone_at(instant, zone="Asia/Kolkata", earlier=EARLIER) == zone


def test_without_a_change_the_zone_always_held():
    assert zone_at(datetime(1999, 1, 1, tzinfo=UTC), zone="UTC", earlier=[]) == "UTC"


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-11-24T12:00:00+00:00", "UTC", "2026-11-25T00:00:00+00:00"),
        ("2026-11-24T18:29:00+00:00", "Asia/Kolkata", "2026-11-25T00:00:00+05:30"),
        ("2026-11-24T18:30:00+00:00", "Asia/Kolkata", "2026-11-26T00:00:00+05:30"),
        ("2026-03-28T12:00:00+00:00", "Europe/Berlin", "2026-03-29T00:00:00+01:00"),
        ("2026-03-29T12:00:00+00:00", "Europe/Berlin", "2026-03-30T00:00:00+02:00"),
    ],
)
def test_the_next_midnight_is_the_zone_s_own(now, zone, expected):
    assert next_midnight(datetime.fromisoformat(now), zone=zone) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("Berlin", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("New York", "America/New_York")],
)
def test_a_mistyped_zone_has_a_suggestion(written, meant):
    assert nearest_zone(written) == meant
    assert meant in known_zones()
