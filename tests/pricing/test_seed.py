"""The package's table as dated entries."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from pricing import seed
from pricing.entry import EPOCH


@pytest.fixture(scope="module")
def rows():
    return list(seed.rows())


def of(rows, provider, model):
    return [row for row in rows if (row.provider, row.model) == (provider, model)]


def test_every_row_has_a_key_of_its_own_and_a_standard_price(rows):
    assert len(rows) > 2_500
    assert len({row.key for row in rows}) == len(rows)
    assert all(row.rates() for row in rows)
    assert {row.source for row in rows} == {seed.source()}


def test_a_models_rows_follow_each_other_without_a_gap(rows):
    by_model: dict = {}
    for row in rows:
        by_model.setdefault((row.provider, row.model), []).append(row)
    for entries in by_model.values():
        assert [e.valid_to for e in entries[:-1]] == [e.valid_from for e in entries[1:]]
        assert entries[-1].valid_to is None


def test_o3_has_a_row_for_each_of_its_prices(rows):
    old, new, *_ = of(rows, "openai", "o3")
    assert (old.valid_from, old.valid_to) == (EPOCH, datetime(2025, 6, 10, tzinfo=UTC))
    assert (old.rates()["input"].usd, new.rates()["input"].usd) == (Decimal(10), Decimal(2))


def test_no_rate_is_zero_but_in_what_is_said_to_be_free(rows):
    free = {
        (row.provider, row.model)
        for row in rows
        if any(r.usd == 0 for rate_set in row.sets for r in rate_set.rates.values())
    }
    named = {model for model in free if not model[1].endswith(":free")}
    assert {provider for provider, _ in named} <= {"github-copilot", "google"}
    assert ("google", "gemma-3") not in free


def test_rows_survive_being_stored(rows):
    for row in rows:
        assert type(row).from_json(msgspec.json.decode(msgspec.json.encode(row.as_json()))) == row


def test_seeding_again_adds_nothing(rows):
    later = datetime(2026, 11, 1, tzinfo=UTC)
    stored = [msgspec.structs.replace(row, id=i) for i, row in enumerate(rows, start=1)]
    assert seed.changed(stored, seed.rows(recorded_at=later)) == []
    assert seed.changed([], rows) == rows


def test_a_changed_model_is_stored_anew_and_alone(rows):
    later = datetime(2026, 11, 1, tzinfo=UTC)
    o3 = of(rows, "openai", "o3")
    stored = [row for row in rows if row not in o3] + [
        msgspec.structs.replace(row, sets=o3[0].sets) for row in o3
    ]
    added = seed.changed(stored, seed.rows(recorded_at=later))
    assert added == [msgspec.structs.replace(row, recorded_at=later) for row in o3]


def test_importing_the_book_does_not_load_the_package():
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    code = "import pricing.book, pricing.seed, pricing.own, sys; sys.exit('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
