"""In which currency amounts are shown: the project's, at the rate of the month, or US dollars, saying why. Pure
but for reading the rate."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import overload

from accounts.models import Project
from analytics.measures import EXACT
from analytics.models import ExchangeRate
from finance.months import month_after

LEDGER = "USD"
# ISO 4217: how many decimals a currency's amounts have, where it is not two.
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"


def decimals_of(currency: str) -> int:
    """How many decimals amounts of that currency are written with."""
    return 0 if currency in _NO_DECIMALS else 3 if currency in _THREE_DECIMALS else 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """`wanted` is the project's currency, `currency` the one shown. `rate`: how much of it a US dollar was worth
    on `day`; 1 and None where nothing is converted."""

    wanted: str
    currency: str = LEDGER
    rate: Decimal = Decimal(1)
    day: date | None = None

    @property
    def converted(self) -> bool:
        """Whether amounts are not the ledger's own."""
        return self.currency != LEDGER

    @property
    def missing(self) -> bool:
        """Whether the project's currency has no rate for the month."""
        return self.wanted != self.currency

    @overload
    def of(self, usd: Decimal) -> Decimal: ...
    @overload
    def of(self, usd: None) -> None: ...
    def of(self, usd: Decimal | None) -> Decimal | None:
        """The amount in the currency shown, exactly: products of sums are sums of products."""
        return None if usd is None else EXACT.multiply(usd, self.rate) if self.converted else usd

    def words(self) -> str:
        """How tables and paper name it: `EUR at 0.9213 of 24 Nov 2026`."""
        if self.converted and self.day:
            return f"{self.currency} at {self.rate.normalize():f} of {self.day.day} {self.day:%b %Y}"
        return f"{LEDGER}: no rate for {self.wanted} in this month" if self.missing else LEDGER


def shown_in(project: Project, month: date) -> Shown:
    """The currency of a month's statement: the newest rate with a day of that month converts all of it."""
    rate = rate_of(project, project.currency, month)
    if rate is None:
        return Shown(wanted=project.currency)
    return Shown(wanted=project.currency, currency=project.currency, rate=rate.per_usd, day=rate.day)


def rate_of(project: Project, currency: str, month: date) -> ExchangeRate | None:
    """The newest rate of a currency within a month; None for US dollars, or without one."""
    if currency == LEDGER:
        return None
    rates = ExchangeRate.objects.filter(
        project=project, currency=currency, day__gte=month, day__lt=month_after(month)
    )
    return rates.order_by("-day").first()
