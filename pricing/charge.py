"""What one call costs: the charge, its status, and a reported total divided by kind of unit."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import TYPE_CHECKING, Literal

import msgspec

from pricing.units import BUCKETS, KINDS, Counts

if TYPE_CHECKING:
    from pricing.book import PriceBook, Target

Status = Literal["priced", "partial", "unpriced", "not_billed", "reported"]
Reason = Literal["no_price", "no_usage"]
ByKind = tuple[Decimal | None, ...]

ZERO = Decimal(0)
SCALE = Decimal(1).scaleb(-30)  # the ledger's finest amount; nothing coarser is ever rounded to
WIDE = Context(prec=90, rounding=ROUND_HALF_EVEN)
_NOTHING: ByKind = (ZERO,) * len(KINDS)
_UNKNOWN: ByKind = (None,) * len(KINDS)
_UNSPLIT = KINDS.index("unsplit")


class Charge(msgspec.Struct, frozen=True, gc=False):
    """A call's cost in USD, exact.

    `by_kind` is in the order of `units.KINDS` and adds up to `total`; None = unknown. `partial` is a lower
    bound: something had no price or no count. `unpriced` has no amount at all, never 0. `reason` says what
    lacks in both; only `no_price` can be cured by an entry in the price book.
    """

    status: Status
    reason: Reason | None
    price_id: int | None
    by_kind: ByKind
    total: Decimal | None


NOT_BILLED = Charge("not_billed", None, None, _NOTHING, ZERO)
NO_USAGE = Charge("unpriced", "no_usage", None, _UNKNOWN, None)
NO_PRICE = Charge("unpriced", "no_price", None, _UNKNOWN, None)


def price(
    tokens: Counts,
    units: Mapping[str, Decimal] | None = None,
    *,
    target: "Target",
    at: datetime,
    book: "PriceBook",
    failed: bool = False,
) -> Charge:
    """What a call cost at the instant it began.

    `units`: named units beyond the token buckets. `failed`: a failed call without usage is not billed.
    Unknown model: unpriced, `no_price`; neither input nor output known: unpriced, `no_usage`.
    """
    rates = book.rates(target, at)
    if rates is None:
        return without_price(tokens, units, failed=failed)
    return rates.charge(tokens, units, failed)


def without_price(
    tokens: Counts, units: Mapping[str, Decimal] | None = None, *, failed: bool = False
) -> Charge:
    """The charge of a call for which the book has no entry."""
    if failed and not used(tokens, units):
        return NOT_BILLED
    return NO_PRICE


def used(tokens: Counts, units: Mapping[str, Decimal] | None) -> bool:
    """Whether anything at all was counted. Gateways report zeros for failures: that is nothing."""
    return any(getattr(tokens, bucket) for bucket in BUCKETS) or any((units or {}).values())


def reported(total: Decimal, computed: Charge | None = None) -> Charge:
    """The charge of a call whose sender knows what it was charged, in USD.

    Divided as the computed charge is, if that is whole; the computed price's id stays for comparison.
    """
    whole = computed is not None and computed.status == "priced"
    by_kind = split_reported(total, computed.by_kind if computed is not None and whole else _UNKNOWN)
    return Charge("reported", None, computed.price_id if computed is not None else None, by_kind, total)


def split_reported(total: Decimal, computed: ByKind) -> ByKind:
    """`total` in the proportions of the computed amounts by kind; adds up to `total` to the last digit.

    Parts are cut to the total's own precision, at least 12 decimals; what remains goes to the largest part.
    All of it is `unsplit` where nothing was computed or what was computed is nothing.
    """
    amounts = [amount or ZERO for amount in computed]
    with localcontext(WIDE):
        whole = sum(amounts, ZERO)
        if whole <= 0:
            return (*(ZERO,) * _UNSPLIT, total)
        exponent = total.as_tuple().exponent
        digit = Decimal(1).scaleb(min(int(exponent), -12))
        parts = [(total * amount / whole).quantize(digit) if amount else ZERO for amount in amounts]
        largest = max(range(len(parts)), key=amounts.__getitem__)
        parts[largest] += total - sum(parts, ZERO)
        return tuple(parts)
