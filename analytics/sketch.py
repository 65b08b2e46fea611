"""Distinct counts that merge: the K smallest 64-bit hashes ("k minimum values", Bar-Yossef et al. 2002).

Up to K distinct ids a sketch holds all and the count is exact; beyond that it keeps the K + 1 smallest and
the estimate is K / (largest kept hash / 2**64), with a relative standard error of 1 / sqrt(K - 1), 2.2 %.
Packed: little-endian unsigned 64-bit integers, ascending.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

K = 2048
EMPTY = b""
_PACKED = np.dtype("<u8")


def of(ids: NDArray[np.int64]) -> bytes:
    """The sketch of these ids (signed 64-bit name hashes, repeats allowed)."""
    return _pack(np.unique(_mixed(ids.astype(np.int64, copy=False).view(np.uint64))))


def union(sketches: Iterable[bytes]) -> bytes:
    """The sketch of all ids that any of the sketches saw."""
    return folded(b"".join(sketches))


def folded(packed: bytes | memoryview) -> bytes:
    """The sketch that several sketches, one behind the other, add up to."""
    return _pack(np.unique(np.frombuffer(packed, _PACKED)))


def estimate(packed: bytes) -> int:
    """How many distinct ids the sketch saw: exact up to K."""
    kept = np.frombuffer(packed, _PACKED)
    if len(kept) <= K:
        return len(kept)
    return round(K / (int(kept[-1]) / 2**64))


def _pack(ascending: NDArray[np.uint64]) -> bytes:
    return ascending[: K + 1].astype(_PACKED, copy=False).tobytes()


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64's finaliser, a bijection: ids that are not quite uniform become so, and none collide."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = values ^ (values >> np.uint64(31))
    return mixed
