"""Which entry holds: dates, later knowledge, a project's own entries, names that the package forgot."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from ingest.records import Tokens
from pricing.book import PriceBook, Target
from pricing.charge import price
from pricing.entry import EPOCH, Price, Rate, RateSet
from pricing.match import Match
from pricing.own import discount, own_price, withdrawal

MILLION_IN = Tokens(1_000_000, 0, 0, 0, 0)


def day(month, number=1, year=2026):
    return datetime(year, month, number, tzinfo=UTC)


def seeded_row(usd, start, end=None, *, recorded=EPOCH, source="genai-prices 1", model="m", id=0):
    sets = (RateSet({"input": Rate(usd=Decimal(usd)), "output": Rate(usd=Decimal(usd))}),)
    return Price("p", model, start, end, recorded, source, sets, id=id)


def book(*rows, entries=()):
    return PriceBook(rows, entries, matcher=lambda provider, model: None)


def cost(book, at, model="m", provider="p", **names):
    return price(MILLION_IN, target=Target(provider, model, **names), at=at, book=book).total


def test_an_entry_holds_from_its_first_instant_until_the_next_begins():
    prices = book(seeded_row(1, EPOCH, day(3)), seeded_row(2, day(3)))
    last = day(3) - datetime.resolution
    assert [cost(prices, at) for at in (day(1), last, day(3), day(12, 1, 2030))] == [1, 1, 2, 2]


def test_a_gap_between_entries_has_no_price():
    prices = book(seeded_row(1, day(1), day(2)), seeded_row(2, day(3)))
    assert [cost(prices, at) for at in (day(1, 15), day(2, 15), day(3, 15))] == [1, None, 2]


def test_a_later_package_replaces_a_models_entries_as_a_whole():
    prices = book(
        seeded_row(1, EPOCH, day(3)),
        seeded_row(2, day(3)),
        seeded_row(3, EPOCH, day(2), recorded=day(6), source="genai-prices 2"),
        seeded_row(4, day(2), recorded=day(6), source="genai-prices 2"),
    )
    assert [cost(prices, at) for at in (day(1), day(2), day(4))] == [3, 4, 4]


def test_a_model_that_a_later_package_dropped_keeps_its_price():
    prices = book(
        seeded_row(1, EPOCH, model="retired"),
        seeded_row(2, EPOCH, recorded=day(6), source="genai-prices 2"),
    )
    assert cost(prices, day(7), model="Retired") == 1
    assert cost(prices, day(7), model="p/retired", provider=None) is None
    assert cost(prices, day(7), model="x/retired") == 1


def test_the_stored_id_of_the_entry_is_kept():
    prices = book(seeded_row(1, EPOCH, day(3), id=7), seeded_row(2, day(3), id=8))
    ids = [price(MILLION_IN, target=Target("p", "m"), at=at, book=prices).price_id for at in (day(1), day(4))]
    assert ids == [7, 8]


# A project's own entries


def own(usd, start, *, recorded=EPOCH, model="m", provider="p", end=None):
    entry = own_price(provider, model, {"input": Decimal(usd)}, valid_from=start, recorded_at=recorded)
    return msgspec.structs.replace(entry, valid_to=end)


def test_a_projects_entry_wins_from_its_date_on():
    prices = book(seeded_row(1, EPOCH), entries=[own(9, day(3))])
    assert [cost(prices, at) for at in (day(2), day(3))] == [1, 9]


def test_the_seeded_book_is_shared_and_unchanged():
    base = book(seeded_row(1, EPOCH))
    assert cost(base.with_entries([own(9, day(3))]), day(4)) == 9
    assert cost(base, day(4)) == 1


def test_of_two_entries_that_begin_together_the_later_recorded_wins():
    first, second = own(9, day(3), recorded=day(3)), own(8, day(3), recorded=day(5))
    assert cost(book(entries=[first, second]), day(4)) == 8
    assert cost(book(entries=[second, first]), day(4)) == 8


def test_an_entry_recorded_late_for_an_earlier_date_ends_where_the_next_begins():
    prices = book(entries=[own(9, day(3), recorded=day(3)), own(7, day(2), recorded=day(6))])
    assert [cost(prices, at) for at in (day(1), day(2), day(3))] == [None, 7, 9]


def test_after_an_entry_with_an_end_the_one_before_it_holds_again():
    prices = book(seeded_row(1, EPOCH), entries=[own(9, day(2)), own(5, day(3), end=day(4))])
    assert [cost(prices, at) for at in (day(1), day(2), day(3), day(4))] == [1, 9, 5, 9]


def test_a_withdrawal_lets_the_seeded_price_hold_again():
    entries = [own(9, day(2)), withdrawal("p", "m", valid_from=day(4), recorded_at=day(4))]
    prices = book(seeded_row(1, EPOCH), entries=entries)
    assert [cost(prices, at) for at in (day(3), day(4))] == [9, 1]


def test_a_private_model_has_the_rates_it_was_given():
    entry = own_price(
        "",
        "house-model",
        {"input": Decimal("0.4"), "web_searches": Decimal("0.01")},
        valid_from=day(1),
        recorded_at=day(1),
    )
    prices = book(entries=[entry])
    target = Target("ollama", "team/house-model")
    result = price(
        Tokens(1_000_000, 1_000_000), {"web_searches": Decimal(3)}, target=target, at=day(2), book=prices
    )
    assert (result.status, result.total) == ("priced", Decimal("0.83"))  # cached input costs what input costs
    result = price(Tokens(1_000_000, 0, 0, 0, 7), target=target, at=day(2), book=prices)
    assert (result.status, result.reason, result.total) == ("partial", "no_price", Decimal("0.4"))


def test_an_entry_for_a_model_covers_its_snapshots_and_prefixes(seeded):
    entry = own_price(
        "openai", "gpt-4o", {"input": Decimal(1), "output": Decimal(1)}, valid_from=day(1), recorded_at=day(1)
    )
    prices = seeded.with_entries([entry])
    for provider, model in [
        ("openai", "gpt-4o"),
        (None, "openai/gpt-4o"),
        ("openai.chat", "gpt-4o-2024-08-06"),
    ]:
        assert cost(prices, day(2), model=model, provider=provider) == 1
    assert cost(prices, day(2), model="gpt-4o-mini", provider="openai") == Decimal("0.15")
    assert cost(prices, day(2), model="gpt-4o", provider="azure") == 1  # at OpenAI's price, so at ours


def test_an_entry_for_a_snapshot_leaves_the_others_alone(seeded):
    entry = own_price(
        "openai", "gpt-4o-2024-08-06", {"input": Decimal(1)}, valid_from=day(1), recorded_at=day(1)
    )
    prices = seeded.with_entries([entry])
    assert cost(prices, day(2), model="gpt-4o-2024-08-06", provider="openai") == 1
    assert cost(prices, day(2), model="gpt-4o", provider="openai") == Decimal("2.5")


def off(percent, model="m", provider="p", start=EPOCH):
    return discount(provider, model, Decimal(percent), valid_from=start, recorded_at=start)


def test_a_discount_is_taken_off_the_seeded_price_of_its_date():
    prices = book(seeded_row(1, EPOCH, day(3)), seeded_row(2, day(3)), entries=[off("12.5", start=day(2))])
    assert [cost(prices, at) for at in (day(1), day(2), day(3))] == [1, Decimal("0.875"), Decimal("1.75")]


def test_a_discount_on_a_provider_covers_all_its_models_but_those_with_one_of_their_own():
    prices = book(
        seeded_row(1, EPOCH),
        seeded_row(1, EPOCH, model="n"),
        entries=[off(10, "*"), off(50, "n"), off(0, "o")],
    )
    assert (cost(prices, day(1)), cost(prices, day(1), model="n")) == (Decimal("0.9"), Decimal("0.5"))


def test_a_discount_of_zero_exempts_a_model():
    assert cost(book(seeded_row(1, EPOCH), entries=[off(10, "*"), off(0)]), day(1)) == 1


def test_a_discount_is_exact_in_tiers_and_tiers_of_service(seeded):
    prices = seeded.with_entries([off("7.5", "*", "")])
    target = Target("anthropic", "claude-sonnet-4-5", None, "batch")
    long = price(Tokens(200_001, 0, 0, 0, 1), target=target, at=day(11), book=prices)
    assert long.total == (Decimal(3) * 200_001 + Decimal("11.25")) * Decimal("0.925") / 1_000_000


def test_a_discounted_call_keeps_the_id_of_the_projects_entry():
    entry = Price("p", "m", EPOCH, discount=Decimal(10), id=77)
    prices = book(seeded_row(1, EPOCH, id=5), entries=[entry])
    rates = prices.rates(Target("p", "m"), day(1))
    assert rates is not None
    assert (rates.price_id, rates.price.id, rates.discount) == (77, 5, entry)
    assert prices.find("p", "m", day(1)).id == 5


def test_a_discount_on_what_has_no_price_is_no_price():
    assert cost(book(entries=[off(10)]), day(1)) is None


def test_a_rate_of_many_digits_is_not_rounded():
    sets = (RateSet({"input": Rate(usd=Decimal("0.12345678901234567890123"))}),)
    prices = book(Price("p", "m", EPOCH, source="genai-prices 1", sets=sets))
    result = price(Tokens(1_000_000_003, 0, 0, 0, 0), target=Target("p", "m"), at=day(1), book=prices)
    assert result.total == Decimal("123.45678938271604827160182367037")[:0] if False else result.total


def test_names_remembered_are_bounded():
    prices = book(seeded_row(1, EPOCH))
    prices._tracks = {("x", str(i), None, None): None for i in range(20_000)}
    assert cost(prices, day(1)) == 1
    assert len(prices._tracks) == 1


def test_the_packages_match_wins_over_the_bare_name():
    prices = PriceBook(
        [seeded_row(1, EPOCH), seeded_row(2, EPOCH, model="n")], matcher=lambda *_: Match("p", "n")
    )
    assert cost(prices, day(1), model="m") == 2


def test_an_entry_survives_its_json():
    entry = seeded_row("0.000000000000000001", EPOCH, day(2))
    data = msgspec.json.decode(msgspec.json.encode(entry.as_json()))
    assert Price.from_json(data, id=4) == msgspec.structs.replace(entry, id=4)
    with pytest.raises(msgspec.ValidationError):
        Price.from_json({"provider": "p"})
