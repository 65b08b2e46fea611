"""A project's own entries, checked: a private model's rates, a discount, or the end of either."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from pricing.entry import ANY_MODEL, PROJECT, Price, Rate, RateSet
from pricing.names import provider_of
from pricing.units import BUCKETS, unit_of

MAX_USD = Decimal(1_000_000)  # per million tokens, or for one of a named unit
MAX_DECIMALS = 11  # per million: 17 per token, which the short way of `rates` still holds exactly
_HUNDRED = Decimal(100)


class EntryError(ValueError):
    """What is wrong with an entry: the field and a sentence for the person who typed it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def own_price(
    provider: str,
    model: str,
    rates: Mapping[str, Decimal],
    *,
    valid_from: datetime,
    recorded_at: datetime,
    note: str = "",
) -> Price:
    """Rates of the project's own for a model. They replace the seeded price whole, tiers included.

    `rates`: USD per million tokens for a bucket of `units.BUCKETS`, USD for one of any other unit. A unit
    left out costs what its fallback costs. `provider` "" = whoever serves it. Raises EntryError.
    """
    if not rates:
        raise EntryError("rates", "Give at least one rate, for instance input and output per million tokens.")
    if model.strip() == ANY_MODEL:
        raise EntryError("model", "Rates belong to one model; only a discount can cover all of them.")
    checked = {unit_of(unit): _rate(unit, usd) for unit, usd in rates.items()}
    entry = _entry(provider, model, valid_from, recorded_at, note)
    return msgspec.structs.replace(entry, sets=(RateSet(checked),))


def discount(
    provider: str,
    model: str,
    percent: Decimal,
    *,
    valid_from: datetime,
    recorded_at: datetime,
    note: str = "",
) -> Price:
    """A percentage off the seeded price of a model, or of all of a provider's (`model` "*").

    Negative = a surcharge. 0 exempts a model from a wider discount. Raises EntryError.
    """
    if not percent.is_finite() or not -_HUNDRED <= percent <= _HUNDRED or _decimals(percent) > 4:
        raise EntryError("discount", "A discount is a percentage from -100 to 100 with at most 4 decimals.")
    entry = _entry(provider, model, valid_from, recorded_at, note)
    return msgspec.structs.replace(entry, discount=percent)


def withdrawal(
    provider: str, model: str, *, valid_from: datetime, recorded_at: datetime, note: str = ""
) -> Price:
    """From `valid_from` on the project has no entry of its own here: the seeded price holds again."""
    return _entry(provider, model, valid_from, recorded_at, note)


def _entry(provider: str, model: str, valid_from: datetime, recorded_at: datetime, note: str) -> Price:
    if not model.strip():
        raise EntryError("model", "Name the model as your calls name it, or * for all of a provider.")
    if valid_from.tzinfo is None or recorded_at.tzinfo is None:
        raise EntryError("valid_from", "A date needs a time zone.")
    return Price(
        provider=(provider_of(provider) or "") if provider else "",
        model=model.strip(),
        valid_from=valid_from,
        recorded_at=recorded_at,
        source=PROJECT,
        note=note,
    )


def _rate(unit: str, usd: Decimal) -> Rate:
    if not usd.is_finite() or not 0 <= usd < MAX_USD or _decimals(usd) > MAX_DECIMALS:
        raise EntryError(
            unit, "A rate is 0 or more, below 1,000,000 USD, with at most 11 decimals; empty means no price."
        )
    return Rate(usd=usd) if unit in BUCKETS else Rate(usd=usd, per=1)


def _decimals(value: Decimal) -> int:
    return -int(value.as_tuple().exponent)
