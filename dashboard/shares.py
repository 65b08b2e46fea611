"""Shares of a whole that add up: one decimal of a percent by largest remainder."""

from collections.abc import Sequence
from decimal import Decimal

from dashboard.formats import MISSING, NBSP, plain

STEPS = 1000  # tenths of a percent in the whole


def shares(values: Sequence[Decimal | int | None]) -> list[Decimal | None]:
    """Ratios in thousandths that add up to exactly 1, None where a value is unknown.

    Where the whole is 0 or a part is negative (a correction), there is no share: all None."""
    known = [Decimal(value) for value in values if value is not None]
    whole = sum(known, Decimal(0))
    if whole <= 0 or any(value < 0 for value in known):
        return [None] * len(values)
    exact = [None if value is None else Decimal(value) * STEPS / whole for value in values]
    floors = [None if value is None else int(value) for value in exact]
    short_by = STEPS - sum(floor for floor in floors if floor is not None)
    by_remainder = sorted(
        (index for index, value in enumerate(exact) if value is not None),
        key=lambda index: ((exact[index] or Decimal(0)) - (floors[index] or 0), exact[index]),
        reverse=True,
    )
    up = set(by_remainder[:short_by])
    return [None if f is None else Decimal(f + (index in up)) / STEPS for index, f in enumerate(floors)]


def show(value: Decimal | None, exact: Decimal | int | None) -> str:
    """44.1 %; a part that is not nothing never shows as 0.0 %."""
    if value is None:
        return MISSING
    if not value and exact:
        return f"< 0.1{NBSP}%"
    return f"{plain(value * 100, 1)}{NBSP}%"


def full_scale(values: Sequence[Decimal | None]) -> Decimal:
    """What a share bar's full width stands for: the largest share rounded up to ten percent."""
    largest = max((value for value in values if value is not None), default=Decimal(0))
    return max(Decimal(-(-int(largest * STEPS) // 100)) / 10, Decimal("0.1"))
