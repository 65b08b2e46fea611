"""From when on the ledger takes calls: read from its one row, about every ten seconds."""

import time
from dataclasses import dataclass

from ingest.models import LedgerFloor
from ingest.wire.limits import micros_of

KEPT_SECONDS = 10


@dataclass(slots=True)
class _Kept:
    floor_us: int = 0
    due: float = 0.0


_kept = _Kept()


def floor_us() -> int:
    """Unix microseconds before which nothing is taken; 0 when nothing was ever dropped."""
    if time.monotonic() >= _kept.due:
        row = LedgerFloor.objects.first()
        _kept.floor_us = micros_of(row.floor) if row else 0
        _kept.due = time.monotonic() + KEPT_SECONDS
    return _kept.floor_us


def forget() -> None:
    """Read it again at the next question."""
    _kept.due = 0.0
