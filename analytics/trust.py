"""How far figures can be trusted: complete until when, priced, attributed, what was set aside or refused."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The trust figures of one answer. Shares are of the query's own calls, None when there are none;
    `rejected`, `waiting`, `set_aside` and `lag_seconds` are the whole project's."""

    complete_until: datetime
    lag_seconds: float  # age of the oldest accepted record that is not loaded yet; 0 = none waits
    calls: int
    priced_share: float | None
    unpriced_calls: int
    attributed_share: float | None
    attributed_spend_share: Decimal | None
    duplicates: int
    rejected: int  # items refused in the period, from the whole project
    waiting: int  # accepted records that are not loaded yet
    set_aside: int  # inbox rows that could not be loaded
    price_book: str | None  # source and date of the newest price row
