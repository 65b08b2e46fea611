"""The seeded book, built once: nothing in it changes."""

import pytest

from pricing import seed
from pricing.book import PriceBook


@pytest.fixture(scope="session")
def seeded():
    rows = list(seed.rows())
    return PriceBook(type(row).from_json(row.as_json(), id=i) for i, row in enumerate(rows, start=1))
