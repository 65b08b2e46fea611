"""Packed log histograms: pairs of (int16 bucket, int32 signed count), big-endian; concatenation merges them.

A bucket b holds values in (1.02**(b-1), 1.02**b]; -32768 holds zero. What is read from one is within 1 %.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GAMMA = 1.02
ZERO_BUCKET = -32768
_PAIR = np.dtype([("bucket", ">i2"), ("count", ">i4")])


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Counts of the buckets `low`, `low` + 1, …, and of zeros."""

    zeros: int
    low: int
    counts: NDArray[np.int64]

    @property
    def total(self) -> int:
        """How many values it holds."""
        return self.zeros + int(self.counts.sum())

    def percentile(self, share: float) -> float | None:
        """The value that `share` (0 to 1) of the values do not pass (nearest rank); None when it is empty.

        The middle of the bucket, 2 * gamma**b / (gamma + 1): at most 1 % from every value in it."""
        total = self.total
        if total <= 0:
            return None
        rank = max(1.0, np.ceil(share * total - 1e-9))
        if rank <= self.zeros:
            return 0.0
        index = int(np.searchsorted(np.cumsum(self.counts), rank - self.zeros))
        bucket = self.low + min(index, len(self.counts) - 1)
        return float(2 * GAMMA**bucket / (GAMMA + 1))


NOTHING = Histogram(0, 0, np.zeros(0, np.int64))


def unpacked(packed: bytes | memoryview | None) -> Histogram:
    """The histogram that any number of packed ones, one behind the other, add up to."""
    pairs = np.frombuffer(packed or b"", _PAIR)
    buckets, counts = pairs["bucket"].astype(np.int64), pairs["count"]
    is_zero = buckets == ZERO_BUCKET
    zeros = int(counts[is_zero].sum())
    if zeros or is_zero.any():
        buckets, counts = buckets[~is_zero], counts[~is_zero]
    if not len(buckets):
        return Histogram(zeros, 0, np.zeros(0, np.int64))
    low = int(buckets.min())
    # Weights are exact in doubles: counts stay far below 2**53.
    return Histogram(zeros, low, np.bincount(buckets - low, weights=counts).astype(np.int64))


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """The sum of histograms."""
    given = list(histograms)
    filled = [one for one in given if len(one.counts)]
    zeros = sum(one.zeros for one in given)
    if not filled:
        return Histogram(zeros, 0, np.zeros(0, np.int64))
    low = min(one.low for one in filled)
    counts = np.zeros(max(one.low + len(one.counts) for one in filled) - low, np.int64)
    for one in filled:
        counts[one.low - low : one.low - low + len(one.counts)] += one.counts
    return Histogram(zeros, low, counts)


def packed(values: Iterable[tuple[int, int]]) -> bytes:
    """Pack (bucket, count) pairs, as the loader's SQL does."""
    return np.array(list(values), _PAIR).tobytes()
