"""What a project may enter, and what it is told when it may not."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pricing.own import EntryError, discount, own_price

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DATES: dict = {"valid_from": NOW, "recorded_at": NOW}


def test_rates_are_per_million_tokens_or_for_one_of_another_unit():
    entry = own_price(
        "x_ai", " grok-9 ", {"input": Decimal("1.5"), "web_search_requests": Decimal("0.02")}, **DATES
    )
    assert (entry.provider, entry.model, entry.source) == ("x-ai", "grok-9", "project")
    rates = entry.rates()
    assert (rates["input"].usd, rates["input"].per) == (Decimal("1.5"), 1_000_000)
    assert (rates["web_searches"].usd, rates["web_searches"].per) == (Decimal("0.02"), 1)


@pytest.mark.parametrize("usd", ["-1", "NaN", "Infinity", "1000000", "0.000000000001", "1e9"])
def test_an_absurd_rate_is_refused_naming_the_unit(usd):
    with pytest.raises(EntryError) as refused:
        own_price("p", "m", {"output": Decimal(usd)}, **DATES)
    assert refused.value.field == "output"


@pytest.mark.parametrize("percent", ["100.5", "-101", "NaN", "1.23456"])
def test_an_absurd_discount_is_refused(percent):
    with pytest.raises(EntryError) as refused:
        discount("p", "m", Decimal(percent), **DATES)
    assert refused.value.field == "discount"


@pytest.mark.parametrize(
    ("model", "rates", "dates", "field"),
    [
        ("", {"input": Decimal(1)}, DATES, "model"),
        ("*", {"input": Decimal(1)}, DATES, "model"),
        ("m", {}, DATES, "rates"),
        ("m", {"input": Decimal(1)}, {**DATES, "valid_from": datetime(2026, 1, 1)}, "valid_from"),  # noqa: DTZ001
    ],
)
def test_an_incomplete_entry_names_the_field(model, rates, dates, field):
    with pytest.raises(EntryError) as refused:
        own_price("p", model, rates, **dates)
    assert refused.value.field == field
