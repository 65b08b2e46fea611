"""One dated entry of the price book, as it is stored: immutable, exact, free of names to be looked up."""

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, Self

import msgspec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PROJECT = "project"  # source of a project's own entries
ANY_MODEL = "*"
MILLION = 1_000_000


class Rate(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `per` of one unit cost, in USD.

    `tiers`: (threshold, USD per `per`), ascending: a prompt longer than the threshold pays the tier's price
    for ALL its units (a cliff). `least`: fewer units than this are billed as this many.
    """

    usd: Decimal
    per: int = MILLION
    tiers: tuple[tuple[int, Decimal], ...] = ()
    least: int | None = None

    def at(self, prompt_tokens: int) -> Decimal:
        """USD per `per` units when the prompt is so long."""
        usd = self.usd
        for threshold, tier_usd in self.tiers:
            if prompt_tokens > threshold:
                usd = tier_usd
        return usd


class RateSet(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rates by unit. `tier`: the service tier they hold for; `hours`: the daily window (UTC, half-open).

    Sets without a tier replace one another whole: the first whose hours hold is the standard price. Sets
    with a tier override the standard price unit by unit, earlier sets first.
    """

    rates: dict[str, Rate]
    tier: str = ""
    hours: tuple[time, time] | None = None

    def holds(self, clock: time) -> bool:
        if self.hours is None:
            return True
        start, end = self.hours
        if end < start:  # over midnight
            return clock >= start or clock < end
        return start <= clock < end


class Price(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the units of one model cost from `valid_from` until `valid_to` or until the next entry begins.

    A project's own entry (`source` "project") has rates of its own, or a `discount` in percent on the seeded
    price, or neither: then it ends the project's earlier entry and the seeded price holds again. Its provider
    may be "" (any), its model "*" (any). `id` is the stored row's, 0 before it is stored.
    """

    provider: str
    model: str
    valid_from: datetime
    valid_to: datetime | None = None
    recorded_at: datetime = EPOCH
    source: str = PROJECT
    sets: tuple[RateSet, ...] = ()
    discount: Decimal | None = None
    note: str = ""
    id: int = 0

    @property
    def key(self) -> tuple[str, str, datetime, str]:
        """The natural key of a seeded row."""
        return (self.provider, self.model, self.valid_from, self.source)

    @property
    def own(self) -> bool:
        return self.source == PROJECT

    @property
    def says_something(self) -> bool:
        """Whether it sets a price or a discount, instead of ending the one before."""
        return bool(self.sets) or self.discount is not None

    def covers(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    def rates(self, tier: str = "", clock: time = time(0)) -> dict[str, Rate]:
        """The rates of a service tier at a time of day (UTC); an undeclared tier costs the standard price."""
        standard = next((s.rates for s in self.sets if not s.tier and s.holds(clock)), {})
        if not tier:
            return standard
        chosen = dict(standard)
        for variant in reversed(self.sets):
            if variant.tier == tier and variant.holds(clock):
                chosen.update(variant.rates)
        return chosen

    def as_json(self) -> dict[str, Any]:
        """Plain values for one jsonb column; amounts are exact decimal text. The id is the row's own."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        data.pop("id", None)
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any], *, id: int = 0) -> Self:
        """The entry that `as_json` wrote. Raises msgspec.ValidationError for anything else."""
        return msgspec.convert({**data, "id": id}, cls)
