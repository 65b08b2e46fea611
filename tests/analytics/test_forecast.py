"""The forecast: honest about few days, right on average, and as sure as it says, in rolling backtests."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from analytics.forecast import MIN_DAYS, forecast
from analytics.outlook import day_left, outlook
from analytics.query import Filter
from tests.analytics.ledger import call, load, send
from tests.personas import bearer, make_key, make_project

MONDAY = date(2026, 1, 5)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def world(dice: np.random.Generator, days: int, *, noise: float = 0.2, drift: float = 0.003) -> np.ndarray:
    """Lognormal daily spend with quiet weekends and a level that wanders."""
    level = np.cumsum(dice.normal(drift, 0.02, days))
    weekend = np.where(np.arange(days) % 7 >= 5, dice.uniform(0.2, 0.8), 1.0)
    return 500 * weekend * np.exp(level + dice.normal(0, noise, days))


@pytest.mark.parametrize("days", [0, 1, MIN_DAYS - 1])
def test_too_few_days_give_no_forecast(days):
    assert forecast([5.0] * days, first_day=MONDAY, coming=[1.0] * 7) is None


def test_days_before_the_first_spend_do_not_count():
    assert forecast([0.0] * 60 + [5.0] * 13, first_day=MONDAY, coming=[1.0]) is None
    assert forecast([0.0] * 60 + [5.0] * 14, first_day=MONDAY, coming=[1.0]).days == 14


def test_a_steady_spend_goes_on_and_weekends_stay_quiet():
    week = [100.0] * 5 + [20.0] * 2
    found = forecast(week * 8, first_day=MONDAY, coming=[1.0] * 7)
    assert found.rest == pytest.approx(540, rel=0.05)
    assert found.by_day[5] < found.by_day[4] / 3
    assert found.low <= found.rest <= found.high


def test_part_of_a_day_counts_in_part():
    whole = forecast([100.0] * 28, first_day=MONDAY, coming=[1.0]).rest
    assert forecast([100.0] * 28, first_day=MONDAY, coming=[0.25]).rest == pytest.approx(whole / 4)
    assert forecast([100.0] * 28, first_day=MONDAY, coming=[]).rest == 0


def test_weekdays_without_spend_are_forecast_as_such():
    week = [100.0] * 5 + [0.0] * 2
    found = forecast(week * 8, first_day=MONDAY, coming=[1.0] * 14)
    assert found.rest == pytest.approx(1000, rel=0.15)
    assert found.by_day_high[6] - found.by_day_high[4] < 60


def test_the_same_history_gives_the_same_forecast():
    history = list(world(np.random.default_rng(3), 40))
    first, second = (forecast(history, first_day=MONDAY, coming=[1.0] * 10) for _ in range(2))
    assert first == second


def test_one_wild_day_does_not_carry_the_forecast_away():
    history = [100.0] * 40
    history[20] = 100_000.0
    assert forecast(history, first_day=MONDAY, coming=[1.0] * 10).rest < 2_000


def test_amounts_of_any_size_stay_finite():
    for size in (1e-12, 1e12):
        found = forecast([size, size * 3] * 10, first_day=MONDAY, coming=[1.0] * 92)
        assert all(np.isfinite([found.rest, found.low, found.high]))
        assert 0 < found.low <= found.high < size * 3 * 92 * 10


@pytest.mark.parametrize("days", [14, 28, 84])
def test_an_80_percent_interval_holds_in_about_80_of_100_rolling_backtests(days):
    dice = np.random.default_rng(11)
    inside, missed = [], []
    for _ in range(150):
        values = world(dice, days + 14)
        found = forecast(list(values[:days]), first_day=MONDAY, coming=[1.0] * 14)
        true = values[days:].sum()
        inside.append(found.low <= true <= found.high)
        missed.append(abs(found.rest - true) / true)
    assert 0.72 <= np.mean(inside) <= 0.97
    assert np.mean(missed) < 0.13


def spend_daily(project, amounts, *, until=NOON, **fields):
    """One call at six hours of each day, the last ones on the day before `until`'s."""
    records = []
    for back, amount in enumerate(reversed(amounts), start=1):
        for hour in (2, 6, 10, 14, 18, 22):
            at = until.replace(hour=hour) - timedelta(days=back)
            records.append(call(0, id=f"{back}-{hour}-{fields}", started_us=int(at.timestamp() * 1e6),
                                reported_cost=Decimal(str(amount)) / 6, **fields))  # fmt: skip
    send(project, records, now=until)
    load(project, now=until)


@pytest.mark.django_db
def test_the_month_ends_with_what_is_spent_and_what_is_to_come():
    project = make_project()
    spend_daily(project, [60] * 30)
    spend_daily(project, [6000] * 30, environment="staging")
    found = outlook(project, filters=(Filter("environment", ("production",)),), now=NOON)
    assert found.to_date == Decimal(60) * 23
    assert found.estimate == pytest.approx(Decimal(60) * 30, rel=Decimal("0.05"))
    assert found.interval is not None
    low, high = found.interval
    assert found.to_date < low <= found.estimate <= high


@pytest.mark.django_db
def test_how_much_of_a_day_is_still_to_come_is_learnt_from_the_days_before():
    project = make_project()
    assert day_left(project, at=NOON, now=NOON) == 0.5
    spend_daily(project, [60] * 10)
    assert day_left(project, at=NOON.replace(hour=19), now=NOON) == pytest.approx(1 / 6)


@pytest.mark.django_db
def test_the_api_says_the_month_or_that_there_are_too_few_days(client):
    project = make_project(zone="Asia/Kolkata")
    key = make_key(project, "read")
    empty = client.get("/v1/forecast", headers=bearer(key)).json()
    assert (empty["month_to_date"], empty["estimate"], empty["interval"]) == ("0", None, None)
    assert empty["note"].startswith("Too few days")
    assert empty["from"].endswith("+05:30")
    now = datetime.now(UTC)
    spend_daily(project, [60] * 40, until=now.replace(hour=12, minute=0, second=0, microsecond=0))
    found = client.get("/v1/forecast?flow=support-triage", headers=bearer(key)).json()
    assert Decimal(found["interval"][0]) <= Decimal(found["estimate"]) <= Decimal(found["interval"][1])
    assert client.get("/v1/forecast?flow=nothing", headers=bearer(key)).json()["month_to_date"] == "0"


@pytest.mark.django_db
def test_the_api_refuses_keys_without_the_scope_and_filters_that_are_none(client):
    project = make_project()
    assert client.get("/v1/forecast").status_code == 401
    assert client.get("/v1/forecast", headers=bearer(make_key(project, "ingest"))).status_code == 403
    wrong = client.get("/v1/forecast?colour=red", headers=bearer(make_key(project, "read")))
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "colour")
