"""Distinct counts merge: exact up to K, within their stated error beyond."""

import numpy as np
import pytest

from analytics import sketch
from analytics.intern import hash_of


def ids(start: int, end: int) -> np.ndarray:
    return np.array([hash_of(f"u-{number}") for number in range(start, end)], np.int64)


def test_nothing_counts_nothing():
    assert sketch.estimate(sketch.EMPTY) == 0
    assert sketch.of(np.array([], np.int64)) == sketch.union([]) == sketch.EMPTY


@pytest.mark.parametrize("count", [1, 2, 500, sketch.K - 1, sketch.K])
def test_up_to_k_the_count_is_exact(count):
    many = ids(0, count)
    assert sketch.estimate(sketch.of(np.concatenate([many, many]))) == count


@pytest.mark.parametrize("count", [sketch.K + 1, 5_000, 50_000])
def test_beyond_k_it_is_within_four_standard_errors(count):
    found = sketch.estimate(sketch.of(ids(0, count)))
    assert abs(found / count - 1) < 4 * 0.0221


def test_small_consecutive_numbers_are_spread_before_they_are_compared():
    found = sketch.estimate(sketch.of(np.arange(100_000, dtype=np.int64)))
    assert abs(found / 100_000 - 1) < 4 * 0.0221


@pytest.mark.parametrize("size", [300, 3_000])
def test_a_union_is_what_one_sketch_of_all_would_be_in_any_order(size):
    parts = [sketch.of(ids(start, start + size)) for start in range(0, 4 * size, size // 2)]
    whole = sketch.of(ids(0, 4 * size + size // 2))
    assert sketch.union(parts) == sketch.union(reversed(parts)) == whole
    assert sketch.union([sketch.union(parts[:3]), sketch.union(parts[2:])]) == whole
    assert sketch.folded(b"".join(parts)) == whole


def test_a_sketch_never_grows_beyond_its_bound():
    assert len(sketch.of(ids(0, 10_000))) == (sketch.K + 1) * 8
