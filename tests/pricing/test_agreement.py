"""Our amounts beside those of the genai-prices package itself, and beside what was really charged."""

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime

import pytest

from ingest.records import Tokens
from pricing import match
from pricing.book import Target
from pricing.charge import price
from tests.pricing.payloads import SAMPLES, samples
from tests.shared import SHARED, shared

PROFILES = (
    Tokens(10_000, 0, 0, 0, 1_000, 0),
    Tokens(2_000, 8_000, 0, 0, 500, 200),
    Tokens(150_000, 50_000, 0, 0, 1_000, 0),
    Tokens(150_001, 50_000, 0, 0, 1_000, 0),
    Tokens(1_000, 3_000, 4_000, 2_000, 100, 0),
    Tokens(500, 0, 0, 0, 100, 50, 300, 200),
)
TIERS = {
    None: None,
    "batch": {"processing": "batch"},
    "priority": {"service_tier": "priority"},
    "flex": {"service_tier": "flex"},
}
INSTANTS = (
    datetime(2024, 5, 1, 3, tzinfo=UTC),
    datetime(2025, 6, 9, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 24, 5, tzinfo=UTC),
    datetime(2026, 11, 24, 7, tzinfo=UTC),
)
# Here the package lets daily windows hold for years before the dated prices that they belong to (seed.py).
MENDED = {("deepseek", "deepseek-v4-flash"), ("deepseek", "deepseek-v4-pro")}


def package_usage(tokens):
    from genai_prices import Usage  # noqa: PLC0415 - heavy

    writes = tokens.cache_write + tokens.cache_write_1h
    return Usage(
        input_tokens=tokens.input + tokens.cache_read + writes + (tokens.audio_input or 0),
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=writes,
        cache_write_1h_tokens=tokens.cache_write_1h,
        output_tokens=tokens.output + tokens.reasoning + (tokens.audio_output or 0),
        output_reasoning_tokens=tokens.reasoning,
        input_audio_tokens=tokens.audio_input or 0,
        output_audio_tokens=tokens.audio_output or 0,
        cache_audio_read_tokens=0,
        cache_image_read_tokens=0,
    )


def listed_models():
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - heavy

    for provider in get_snapshot().providers:
        for model in provider.models:
            if match.find(provider.id, model.id) == (provider.id, model.id, True):
                yield provider, model


@pytest.mark.parametrize("at", INSTANTS, ids=str)
@pytest.mark.parametrize("tier", TIERS, ids=str)
def test_every_model_of_the_package_costs_what_the_package_says(seeded, at, tier):
    compared, differing = 0, []
    for provider, model in listed_models():
        for tokens in PROFILES:
            ours = price(tokens, target=Target(provider.id, model.id, None, tier), at=at, book=seeded)
            if ours.total is None or (at.year < 2026 and (provider.id, model.id) in MENDED):
                continue
            theirs = model.calc_price(
                package_usage(tokens), provider, genai_request_timestamp=at, price_context=TIERS[tier]
            )
            compared += 1
            if ours.total != theirs.total_price:
                differing.append((provider.id, model.id, tokens, ours.total, theirs.total_price))
    assert differing == []
    assert compared > 12_000


def test_every_priced_row_of_the_shared_table_is_priced(seeded):
    unpriced, count = [], 0
    with gzip.open(shared("data/prices/genai_prices.csv.gz"), "rt") as lines:
        for row in csv.DictReader(lines):
            count += 1
            target = Target(row["provider"], row["model"])
            result = price(Tokens(1_000, 0, 0, 0, 0), target=target, at=INSTANTS[-1], book=seeded)
            if result.status != "priced":
                unpriced.append(row)
    assert count == 1_481
    # Rows without any amount, which the table does not call free either: unknown, and said to be.
    assert all(not row["input_usd_per_mtok"] and not row["output_usd_per_mtok"] for row in unpriced)
    assert len(unpriced) < 15


def test_every_recorded_answer_has_a_status(seeded):
    shared(str(SAMPLES.relative_to(SHARED)))
    statuses: Counter = Counter()
    for sample in samples():
        result = price(sample.tokens, target=sample.target, at=sample.at, book=seeded, failed=sample.failed)
        assert (result.total is None) == (result.status == "unpriced")
        if result.total is not None:
            assert sum(amount or 0 for amount in result.by_kind) == result.total
        statuses[result.status] += 1
    assert sum(statuses.values()) == 2_428
    assert statuses["not_billed"] == 48
    assert statuses["priced"] > 2_200


def test_most_charged_costs_are_met_to_the_last_digit(seeded):
    """The others are fees beside tokens (web search), calls on one's own key (charged 0), and routing."""
    shared(str(SAMPLES.relative_to(SHARED)))
    charged = [sample for sample in samples() if sample.charged is not None]
    exact = [
        sample
        for sample in charged
        if price(sample.tokens, target=sample.target, at=sample.at, book=seeded).total == sample.charged
    ]
    assert len(charged) >= 48
    assert len(exact) / len(charged) > 0.7
