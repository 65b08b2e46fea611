"""Literal amounts: what a call costs, and when that is not known."""

from datetime import UTC, datetime
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.records import Tokens
from pricing.book import Target
from pricing.charge import price, reported, split_reported
from pricing.units import KINDS

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def charge(book, model, tokens, *, provider=None, at=NOW, tier=None, units=None, failed=False, answered=None):
    target = Target(provider, model, answered, tier)
    return price(tokens, units, target=target, at=at, book=book, failed=failed)


def kinds(result):
    return {kind: amount for kind, amount in zip(KINDS, result.by_kind, strict=True) if amount}


def test_each_kind_of_unit_is_priced_and_they_add_up(seeded):
    result = charge(seeded, "claude-sonnet-4-5", Tokens(1_000, 2_000, 3_000, 4_000, 500, None))
    assert kinds(result) == {
        "input": Decimal("0.003"),
        "cache_read": Decimal("0.0006"),
        "cache_write": Decimal("0.01125") + Decimal("0.024"),  # 3.75 for 5 minutes, 6 for an hour
        "output": Decimal("0.0075"),
    }
    assert (result.status, result.reason, result.total) == ("priced", None, Decimal("0.04635"))
    assert result.price_id


def test_reasoning_costs_what_output_costs(seeded):
    plain = charge(seeded, "o3", Tokens(0, None, None, None, 300))
    reasoned = charge(seeded, "o3", Tokens(0, None, None, None, 100, 200))
    assert plain.total == reasoned.total == Decimal("0.0024")


def test_reasoning_with_a_price_of_its_own_costs_that(seeded):
    result = charge(
        seeded, "sonar-deep-research", Tokens(0, 0, 0, 0, 1_000, 1_000_000), provider="perplexity"
    )
    assert result.total == Decimal("0.008") + Decimal("3")


@pytest.mark.parametrize(
    ("model", "prompt", "total"),
    [
        ("claude-sonnet-4-5", 199_999, "0.599997"),
        ("claude-sonnet-4-5", 200_000, "0.6"),
        ("claude-sonnet-4-5", 200_001, "1.200006"),
        ("gemini-2.5-pro", 200_000, "0.25"),
        ("gemini-2.5-pro", 200_001, "0.5000025"),
    ],
)
def test_beyond_the_threshold_all_tokens_cost_the_tiers_price(seeded, model, prompt, total):
    assert charge(seeded, model, Tokens(prompt, 0, 0, 0, 0)).total == Decimal(total)


def test_cached_tokens_count_towards_the_length_of_the_prompt(seeded):
    result = charge(seeded, "claude-sonnet-4-5", Tokens(1, 200_000, 0, 0, 10))
    assert kinds(result) == {
        "input": Decimal("0.000006"),
        "cache_read": Decimal("0.12"),
        "output": Decimal("0.000225"),
    }


@pytest.mark.parametrize(
    ("at", "total"),
    [
        (datetime(2025, 6, 9, 23, 59, 59, 999_999, tzinfo=UTC), "0.14"),
        (datetime(2025, 6, 10, tzinfo=UTC), "0.028"),
        (datetime(2025, 6, 1, tzinfo=UTC), "0.14"),
        (NOW, "0.028"),
    ],
)
def test_o3_became_cheaper_on_the_tenth_of_june_2025(seeded, at, total):
    assert charge(seeded, "o3", Tokens(10_000, 0, 0, 0, 1_000), at=at).total == Decimal(total)


def test_the_snapshot_that_answered_decides(seeded):
    tokens = Tokens(1_000_000, 0, 0, 0, 1_000_000)
    old = charge(seeded, "gpt-4o", tokens, answered="gpt-4o-2024-05-13")
    new = charge(seeded, "gpt-4o", tokens, answered="gpt-4o-2024-08-06")
    assert (old.total, new.total) == (Decimal(20), Decimal("12.5"))


def test_an_answering_model_without_a_price_leaves_it_to_the_one_asked_for(seeded):
    result = charge(seeded, "gpt-4o", Tokens(1_000_000, 0, 0, 0, 0), answered="prod-alias-7")
    assert result.total == Decimal("2.5")


@pytest.mark.parametrize(
    ("hour", "minute", "total"),
    [(0, 29, "0.135"), (0, 30, "0.27"), (16, 29, "0.27"), (16, 30, "0.135")],
)
def test_deepseek_is_cheaper_by_night(seeded, hour, minute, total):
    at = NOW.replace(hour=hour, minute=minute)
    assert charge(seeded, "deepseek-chat", Tokens(1_000_000, 0, 0, 0, 0), at=at).total == Decimal(total)


def test_a_daily_window_does_not_hold_before_the_dated_price_that_it_belongs_to(seeded):
    peak = datetime(2026, 8, 16, 2, tzinfo=UTC)
    tokens = Tokens(1_000_000, 0, 0, 0, 0)
    assert charge(seeded, "deepseek-v4-pro", tokens, at=peak).total == Decimal("0.435")
    assert charge(seeded, "deepseek-v4-pro", tokens, at=peak.replace(day=17)).total == Decimal("1.32")


@pytest.mark.parametrize(
    ("tier", "total"),
    [
        (None, "11.375"),  # 1.25 input, 0.125 cached, 10 output
        ("standard", "11.375"),
        ("default", "11.375"),
        ("auto", "11.375"),
        ("batch", "5.6875"),
        ("flex", "5.6875"),
        ("priority", "22.75"),
        ("PRIORITY", "22.75"),
        ("scale", "11.375"),  # not in the table: standard
    ],
)
def test_service_tiers_cost_their_own_price(seeded, tier, total):
    tokens = Tokens(1_000_000, 1_000_000, 0, 0, 1_000_000)
    assert charge(seeded, "gpt-5", tokens, tier=tier).total == Decimal(total)


def test_a_batch_price_overrides_only_what_it_names(seeded):
    result = charge(seeded, "gpt-4o", Tokens(1_000_000, 1_000_000, 0, 0, 0), tier="batch")
    assert kinds(result) == {"input": Decimal("1.25"), "cache_read": Decimal("1.25")}


def test_a_reseller_has_not_its_suppliers_tiers(seeded):
    tokens = Tokens(1_000_000, 0, 0, 0, 0)
    assert charge(seeded, "gpt-5", tokens, provider="azure", tier="batch").total == Decimal("1.25")


def test_audio_costs_its_own_price_or_that_of_text(seeded):
    tokens = Tokens(0, 0, 0, 0, 0, 0, 1_000_000, 1_000_000)
    assert kinds(charge(seeded, "gpt-realtime", tokens)) == {"input": Decimal(32), "output": Decimal(64)}
    assert kinds(charge(seeded, "gpt-4o-mini", tokens)) == {
        "input": Decimal("0.15"),
        "output": Decimal("0.6"),
    }


def test_the_fee_of_a_request_counts_once_a_call(seeded):
    result = charge(seeded, "sonar-pro", Tokens(10_000, 0, 0, 0, 1_000))
    assert kinds(result) == {"input": Decimal("0.03"), "output": Decimal("0.015"), "other": Decimal("0.014")}
    assert result.total == Decimal("0.059")


def test_named_units_cost_under_any_of_their_names(seeded):
    tokens = Tokens(1_000, 0, 0, 0, 0)
    for name in ("web_searches", "web_search_requests"):
        result = charge(seeded, "claude-haiku-4-5", tokens, units={name: Decimal(3)})
        assert kinds(result) == {"input": Decimal("0.001"), "other": Decimal("0.03")}
        assert result.status == "priced"


def test_seconds_of_audio_are_exact_to_the_ledgers_last_digit(seeded):
    units = {"audio_seconds": Decimal("3601.1")}  # at 0.111 USD an hour
    result = charge(seeded, "whisper-large-v3", Tokens(), provider="groq", units=units)
    assert result.status == "priced"
    assert result.total == Decimal("0.111033916666666666666666666667")


def test_short_audio_is_billed_as_the_least(seeded):
    short = charge(seeded, "whisper-large-v3", Tokens(), provider="groq", units={"seconds": Decimal(1)})
    ten = charge(seeded, "whisper-large-v3", Tokens(), provider="groq", units={"seconds": Decimal(10)})
    assert short.total == ten.total


# What is not known


def test_an_unknown_model_is_unpriced_never_nothing(seeded):
    result = charge(seeded, "house-model-9", Tokens(1_000, 0, 0, 0, 10))
    assert (result.status, result.reason, result.total, result.price_id) == (
        "unpriced",
        "no_price",
        None,
        None,
    )
    assert result.by_kind == (None,) * 6


def test_a_model_before_the_book_begins_is_unpriced(seeded):
    result = charge(seeded, "gpt-4o", Tokens(1, 0, 0, 0, 1), at=datetime(1969, 12, 31, tzinfo=UTC))
    assert (result.status, result.reason) == ("unpriced", "no_price")


def test_a_call_without_usage_is_unpriced_for_want_of_usage(seeded):
    result = charge(seeded, "gpt-4o", Tokens())
    assert (result.status, result.reason, result.total) == ("unpriced", "no_usage", None)


def test_a_call_of_an_unknown_model_without_usage_queues_as_no_price(seeded):
    result = charge(seeded, "house-model-9", Tokens())
    assert (result.status, result.reason) == ("unpriced", "no_price")


def test_an_unknown_output_makes_a_lower_bound(seeded):
    result = charge(seeded, "gpt-4o", Tokens(1_000_000))
    assert (result.status, result.reason, result.total) == ("partial", "no_usage", Decimal("2.5"))
    assert result.by_kind[KINDS.index("output")] is None


def test_an_unknown_input_makes_a_lower_bound(seeded):
    result = charge(seeded, "gpt-4o", Tokens(None, None, None, None, 1_000_000))
    assert (result.status, result.reason, result.total) == ("partial", "no_usage", Decimal(10))
    assert result.by_kind[KINDS.index("input")] is None


def test_an_embedding_has_no_output_to_miss(seeded):
    result = charge(seeded, "text-embedding-3-small", Tokens(1_000_000))
    assert (result.status, result.total) == ("priced", Decimal("0.02"))


def test_a_unit_without_a_price_makes_a_lower_bound(seeded):
    result = charge(seeded, "text-embedding-3-small", Tokens(1_000_000, 0, 0, 0, 5))
    assert (result.status, result.reason, result.total) == ("partial", "no_price", Decimal("0.02"))
    result = charge(seeded, "gpt-4o", Tokens(1_000_000, 0, 0, 0, 0), units={"moon_landings": Decimal(2)})
    assert (result.status, result.reason, result.total) == ("partial", "no_price", Decimal("2.5"))
    assert result.by_kind[KINDS.index("other")] is None


def test_nothing_but_units_without_a_price_is_unpriced(seeded):
    result = charge(seeded, "text-embedding-3-small", Tokens(0, 0, 0, 0, 5))
    assert (result.status, result.reason, result.total) == ("unpriced", "no_price", None)


def test_counts_of_zero_are_known_and_cost_nothing(seeded):
    result = charge(seeded, "gpt-4o", Tokens(0, 0, 0, 0, 0), units={"moon_landings": Decimal(0)})
    assert (result.status, result.total) == ("priced", 0)


@pytest.mark.parametrize("model", ["gpt-4o", "house-model-9", "sonar-pro", None])
@pytest.mark.parametrize("tokens", [Tokens(), Tokens(0, 0, 0, 0, 0)])
def test_a_failed_call_without_usage_is_not_billed(seeded, model, tokens):
    result = charge(seeded, model, tokens, failed=True)
    assert (result.status, result.reason, result.total, sum(result.by_kind)) == ("not_billed", None, 0, 0)


def test_a_failed_call_with_usage_is_billed(seeded):
    result = charge(seeded, "gpt-4o", Tokens(1_000_000, 0, 0, 0, 0), failed=True)
    assert (result.status, result.total) == ("priced", Decimal("2.5"))


def test_an_empty_price_is_free_only_where_the_table_says_so(seeded):
    tokens = Tokens(1_000, 0, 0, 0, 10)
    free = charge(seeded, "gemma-4-31b-it", tokens, provider="google")
    assert (free.status, free.total) == ("priced", 0)
    silent = charge(seeded, "qwen-3-coder-480b", tokens, provider="cerebras")
    assert (silent.status, silent.reason, silent.total) == ("unpriced", "no_price", None)


def test_the_largest_counts_are_exact(seeded):
    most = 2_000_000_000
    result = charge(seeded, "claude-sonnet-4-5", Tokens(most, most, most, most, most, most, most, most))
    rates = [
        Decimal(6),
        Decimal("0.6"),
        Decimal("7.5"),
        Decimal(12),
        Decimal("22.5"),
        Decimal("22.5"),
        Decimal(6),
        Decimal("22.5"),
    ]
    assert result.total == sum(rates) * 2000


# A total that the sender reports


def test_a_reported_total_is_divided_as_computed(seeded):
    computed = charge(seeded, "gpt-4o", Tokens(1_000_000, 0, 0, 0, 250_000))
    result = reported(Decimal(10), computed)
    assert (result.status, result.total) == ("reported", Decimal(10))
    assert kinds(result) == {"input": Decimal(5), "output": Decimal(5)}
    assert result.price_id == computed.price_id


@pytest.mark.parametrize("tokens", [Tokens(), Tokens(0, 0, 0, 0, 0), Tokens(5)])
def test_a_reported_total_without_proportions_stays_whole(seeded, tokens):
    result = reported(Decimal("0.3"), charge(seeded, "gpt-4o", tokens))
    assert kinds(result) == {"unsplit": Decimal("0.3")}
    assert kinds(reported(Decimal("0.3"))) == {"unsplit": Decimal("0.3")}


def exact_sum(values):
    with localcontext(prec=90):
        return sum(values, Decimal(0))


amounts_of_a_kind = st.decimals(0, 1000, places=12) | st.just(Decimal(0)) | st.none()


@given(
    st.decimals(-1000, 1_000_000, places=18) | st.decimals(0, 10, places=30),
    st.tuples(*[amounts_of_a_kind] * 5, st.just(Decimal(0))),
)
def test_the_parts_of_a_reported_total_add_up_to_the_last_digit(total, computed):
    parts = split_reported(total, computed)
    amounts = [part for part in parts if part is not None]
    assert len(amounts) == len(KINDS)
    assert exact_sum(amounts) == total
    assert all(-int(amount.as_tuple().exponent) <= 30 for amount in amounts)
    for part, amount in zip(parts[:-1], computed[:-1], strict=True):
        assert amount or part == 0


def test_the_remainder_goes_to_the_largest_part():
    parts = split_reported(
        Decimal("0.1"), (Decimal(1), Decimal(1), Decimal(0), Decimal("1.1"), Decimal(0), Decimal(0))
    )
    assert parts[0] == parts[1] == Decimal("0.032258064516")
    assert parts[3] == Decimal("0.035483870968")
