"""A price made ready for many calls: one service tier, one stretch of time, fallbacks resolved.

Pricing a call is then a handful of exact multiplications. The default decimal context (28 digits) holds
them exactly for every rate that `_is_short` lets through; anything wider, and named units, go the careful way
in a context of 90 digits.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from pricing.charge import NO_USAGE, NOT_BILLED, SCALE, WIDE, ZERO, Charge, Reason, used
from pricing.entry import Price, Rate
from pricing.units import BUCKETS, KINDS, REQUEST, UNITS, UNKNOWN_UNIT, Counts, Unit, unit_of

_KIND_INDEX = {kind: index for index, kind in enumerate(KINDS)}
_PERCENT = Decimal(100)

# USD per token in the order of BUCKETS: Decimal, or None where there is no price. Not typed closer, since a
# None is found by the TypeError that it raises: a test for it before each product costs a third of the time.
BucketRates = tuple[Any, ...]


class Level(NamedTuple):
    """Rates of prompts longer than `threshold` tokens."""

    threshold: int
    per_token: BucketRates


class Rates:
    """What units cost: `price` is the entry behind it, `discount` the entry of what is taken off, if any."""

    __slots__ = (
        "_fee",
        "_has_output",
        "_levels",
        "_rates",
        "_short",
        "_tiered",
        "discount",
        "price",
        "price_id",
    )

    def __init__(self, price: Price, rates: Mapping[str, Rate], discount: Price | None = None) -> None:
        self.price = price
        self.discount = discount
        self.price_id = (discount or price).id
        self._rates = {unit: _discounted(rate, discount) for unit, rate in rates.items()}
        self._levels = _levels(self._rates)
        self._tiered = len(self._levels) > 1
        self._has_output = self.rate("output") is not None
        fee = self._rates.get(REQUEST)
        self._fee = _amount(fee, Decimal(1), 0) if fee else ZERO
        self._short = all(_is_short(rate) for level in self._levels for rate in level.per_token)

    def rate(self, unit: str) -> Rate | None:
        """The rate of a unit, its own or the nearest fallback's, discount taken off; None = no price."""
        name = unit_of(unit)
        return next((r for n in (name, *_declared(name).fallback) if (r := self._rates.get(n))), None)

    def charge(
        self, tokens: Counts, units: Mapping[str, Decimal] | None = None, failed: bool = False
    ) -> Charge:
        """What a call with these counts cost; see `charge.Charge` for its statuses."""
        fresh, visible = tokens.input, tokens.output
        if units or fresh is None or failed or not self._short or (visible is None and self._has_output):
            return self._careful(tokens, units, failed)
        read, write, write_1h = tokens.cache_read, tokens.cache_write, tokens.cache_write_1h
        audio_in, reasoning, audio_out = tokens.audio_input, tokens.reasoning, tokens.audio_output
        level = self._levels[0]
        if self._tiered:
            prompt = fresh + (read or 0) + (write or 0) + (write_1h or 0) + (audio_in or 0)
            for longer in self._levels:
                if prompt > longer.threshold:
                    level = longer
        r_in, r_read, r_write, r_write_1h, r_out, r_reasoning, r_audio_in, r_audio_out = level.per_token
        try:
            cost_in = r_in * fresh if fresh else ZERO
            cost_read = r_read * read if read else ZERO
            cost_write = r_write * write if write else ZERO
            cost_out = r_out * visible if visible else ZERO
            if write_1h:
                cost_write += r_write_1h * write_1h
            if reasoning:
                cost_out += r_reasoning * reasoning
            if audio_in:
                cost_in += r_audio_in * audio_in
            if audio_out:
                cost_out += r_audio_out * audio_out
        except TypeError:  # a unit without a price: None times a count
            return self._careful(tokens, units, failed)
        total = cost_in + cost_read + cost_write + cost_out + self._fee
        by_kind = (cost_in, cost_read, cost_write, cost_out, self._fee, ZERO)
        return Charge("priced", None, self.price_id, by_kind, total)

    def _careful(self, tokens: Counts, units: Mapping[str, Decimal] | None, failed: bool) -> Charge:
        if not used(tokens, units):
            if failed:
                return NOT_BILLED
            if tokens.input is None and tokens.output is None and not units:
                return NO_USAGE
        counts = _counts(tokens, units)
        prompt = int(sum(count for name, count in counts.items() if _declared(name).prompt))
        if REQUEST in self._rates:
            counts.setdefault(REQUEST, Decimal(1))
        amounts: list[Decimal | None] = [ZERO] * len(KINDS)
        lacking = set()
        priced = False
        with localcontext(WIDE):
            for name, count in counts.items():
                index = _KIND_INDEX[_declared(name).kind]
                rate = self.rate(name)
                if rate is None:
                    lacking.add(index)
                else:
                    priced = True
                    amounts[index] = (amounts[index] or ZERO) + _amount(rate, count, prompt)
            total = sum((amount or ZERO for amount in amounts), ZERO)
        no_count = tuple(self._unknown(tokens))
        return self._verdict(amounts, total, lacking, no_count, priced)

    def _unknown(self, tokens: Counts) -> Iterator[int]:
        """The kinds of input and output where they have a price but no count."""
        for bucket in ("input", "output"):
            if getattr(tokens, bucket) is None and self.rate(bucket) is not None:
                yield _KIND_INDEX[bucket]

    def _verdict(
        self,
        amounts: list[Decimal | None],
        total: Decimal,
        lacking: set[int],
        no_count: tuple[int, ...],
        priced: bool,
    ) -> Charge:
        if not lacking and not no_count:
            return Charge("priced", None, self.price_id, tuple(amounts), total)
        reason: Reason = "no_price" if lacking else "no_usage"
        if not priced:
            return Charge("unpriced", reason, None, (None,) * len(KINDS), None)
        for index in (*lacking, *no_count):
            amounts[index] = amounts[index] or None
        return Charge("partial", reason, self.price_id, tuple(amounts), total)


def _counts(tokens: Counts, units: Mapping[str, Decimal] | None) -> dict[str, Decimal]:
    """What was counted, by declared unit; what is unknown or nothing is left out."""
    counts = {bucket: Decimal(n) for bucket in BUCKETS if (n := getattr(tokens, bucket))}
    for name, count in (units or {}).items():
        if count:
            unit = unit_of(name)
            counts[unit] = counts.get(unit, ZERO) + count
    return counts


def _amount(rate: Rate, count: Decimal, prompt: int) -> Decimal:
    """USD for `count` units; rounded only where the division has no end or digits pass the ledger's 30."""
    with localcontext(WIDE):
        billed = count if rate.least is None else max(count, Decimal(rate.least))
        amount = rate.at(prompt) * billed / rate.per
        exponent = amount.as_tuple().exponent
        return amount.quantize(SCALE) if int(exponent) < -30 else amount


def _discounted(rate: Rate, discount: Price | None) -> Rate:
    if discount is None or not discount.discount:
        return rate
    with localcontext(WIDE):
        share = (_PERCENT - discount.discount) / _PERCENT
        tiers = tuple((threshold, usd * share) for threshold, usd in rate.tiers)
        return Rate(usd=rate.usd * share, per=rate.per, tiers=tiers, least=rate.least)


def _levels(rates: Mapping[str, Rate]) -> tuple[Level, ...]:
    """Bucket rates for every stretch between the thresholds of any of them, ascending."""
    resolved = [
        next((rates[n] for n in (bucket, *UNITS[bucket].fallback) if n in rates), None) for bucket in BUCKETS
    ]
    thresholds = sorted({t for rate in resolved if rate for t, _ in rate.tiers})
    with localcontext(WIDE):
        return tuple(
            Level(start, tuple(rate and rate.at(start + 1) / rate.per for rate in resolved))
            for start in (-1, *thresholds)
        )


def _is_short(rate: Decimal | None) -> bool:
    """Below 1 USD a token with at most 17 decimals: exact in 28 digits up to 2e9 tokens of a bucket."""
    return rate is None or (rate < 1 and int(rate.as_tuple().exponent) >= -17)


def _declared(name: str) -> Unit:
    return UNITS.get(name, UNKNOWN_UNIT)
