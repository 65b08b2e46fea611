"""Ids for items that bring none: a hash of the content and the ordinal among identical items.

Whatever the order of the items, the same items get the same ids, so a second import adds nothing. What was
seen is kept as sorted arrays of 8 bytes an item, merged as they grow; only what repeats is counted one by one.
"""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np

DIGEST = 16  # bytes: the size of a call's key

Hashes = np.ndarray[Any, np.dtype[np.uint64]]


def digest_of(content: bytes) -> bytes:
    """The hash of an item's canonical content."""
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


def row_id(digest: bytes, ordinal: int) -> str:
    """The id of the `ordinal`-th item (from 0) with this content, as a UUID, which the ledger keeps densely."""
    return str(UUID(bytes=digest_of(digest + b"%d" % ordinal) if ordinal else digest))


class Ordinals:
    """How often each content was seen before."""

    def __init__(self) -> None:
        self._levels: list[Hashes] = []  # sorted, the larger first
        self._repeated: dict[int, int] = {}

    def of(self, digests: Sequence[bytes]) -> list[int]:
        """The ordinal of each of these items among all that were ever given."""
        hashes = np.frombuffer(b"".join(digest[:8] for digest in digests), dtype=np.uint64)
        fresh, counts = np.unique(hashes, return_counts=True)
        known = self._known(fresh)
        ordinals = [0] * len(digests)
        odd = known | (counts > 1)
        if odd.any():
            self._count(hashes, set(fresh[odd].tolist()), set(fresh[known].tolist()), ordinals)
        self._add(fresh[~known])
        return ordinals

    def _known(self, fresh: Hashes) -> np.ndarray[Any, np.dtype[np.bool_]]:
        known = np.zeros(len(fresh), dtype=bool)
        for level in self._levels:
            at = np.minimum(np.searchsorted(level, fresh), len(level) - 1)
            known |= level[at] == fresh
        return known

    def _count(self, hashes: Hashes, odd: set[int], known: set[int], ordinals: list[int]) -> None:
        for number in known:
            self._repeated.setdefault(number, 1)
        for index, number in enumerate(hashes.tolist()):
            if number in odd:
                ordinals[index] = self._repeated.get(number, 0)
                self._repeated[number] = ordinals[index] + 1

    def _add(self, fresh: Hashes) -> None:
        while len(fresh) and self._levels and len(self._levels[-1]) <= len(fresh):
            fresh = np.sort(np.concatenate((self._levels.pop(), fresh)))
        if len(fresh):
            self._levels.append(fresh)
