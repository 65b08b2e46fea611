"""What a month's page says in words: its answer, and what stands between the month and the books."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import Project
from analytics.periods import DAY
from dashboard import formats
from dashboard.answers import Answer, Phrase, first_that_holds
from finance.invoices import TOLERANCE, Reconciliation
from finance.shown import decimals_of
from finance.statement import Statement

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
WITHOUT_CENTRE = Decimal("0.01")  # of the month may have no cost centre


def money(amount: Decimal | None, currency: str, *, signed: bool = False) -> str:
    """An amount of money, exact to the currency's own decimals: $54,622.35, CHF 12.50."""
    symbol = SYMBOLS.get(currency, f"{currency} ")
    decimals = decimals_of(currency)
    if amount and decimals and abs(amount) < 1:
        decimals = max(decimals, formats.amount_decimals([amount]))
    return formats.money(amount, decimals=decimals, symbol=symbol, signed=signed)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to be right before a month is booked; `good` None: said, not judged."""

    text: str
    note: str = ""
    good: bool | None = True
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What sentence and checks are made from. `no_centre`: the share of the month without a cost centre, None
    where the catalogue knows none."""

    project: Project
    found: Statement
    agreed: Reconciliation
    no_centre: Decimal | None
    now: datetime
    unpriced_url: str = ""

    @property
    def month(self) -> str:
        return f"{self.found.ask.month:%B}"

    @property
    def total(self) -> str:
        return money(self.found.total.amount, self.found.shown.currency)


def checks(facts: Facts) -> tuple[Check, ...]:
    """All of them, in the order of the page."""
    return tuple(check for make in _CHECKS for check in make(facts))


def _completeness(facts: Facts) -> Sequence[Check]:
    found = facts.found
    until = formats.moment(found.complete_until, zone=found.period.zone, now=facts.now)
    if found.running:
        day = (facts.now.astimezone(found.period.tz).date() - found.period.first_day).days + 1
        return [Check(f"The month runs: day {day} of {found.period.days}", f"complete to {until}", False)]
    waiting = found.trust.waiting
    note = (
        "nothing waits to be loaded" if not waiting else f"{formats.count(waiting)} calls wait to be loaded"
    )
    return [Check(f"Complete to {until}", note, found.complete)]


def _prices(facts: Facts) -> Sequence[Check]:
    count = facts.found.incomplete_calls
    if not count:
        return [Check("Every call has a price")]
    said = (
        "1 call without its whole price"
        if count == 1
        else f"{formats.count(count)} calls without their whole price"
    )
    return [Check(said, "what is not known is not in the total", False, facts.unpriced_url)]


def _invoices(facts: Facts) -> Sequence[Check]:
    billed = [row for row in facts.agreed.rows if row.metered != 0 or row.invoices]
    typed = [row for row in billed if row.invoices]
    if not billed:
        return []
    last = max((one.entered_at for row in typed for one in row.invoices), default=None)
    note = f"last on {formats.moment(last, zone=facts.project.zone, now=facts.now)}" if last else "none yet"
    first = Check(f"{len(typed)} of {len(billed)} providers have an invoice", note, len(typed) == len(billed))
    return [first, *(_difference(row.provider, row.share) for row in typed if row.state == "differs"),
            *(Check(f"No rate for the invoice of {row.provider}", "enter one below", False)
              for row in typed if row.state == "no rate")]  # fmt: skip


def _difference(provider: str, share: Decimal | None) -> Check:
    said = f"{provider} differs by {formats.rate(share)}" if share is not None else f"{provider} differs"
    return Check(said, f"tolerance {formats.rate(TOLERANCE)}", False)


def _centres(facts: Facts) -> Sequence[Check]:
    share = facts.no_centre
    if share is None:
        return []
    return [Check(f"{formats.share(share)} without a cost centre", f"limit {formats.share(WITHOUT_CENTRE)}",
                  share <= WITHOUT_CENTRE)]  # fmt: skip


def _late(facts: Facts) -> Sequence[Check]:
    found = facts.found
    said = []
    if found.late is None:
        said.append(
            Check("Late calls are not known", "the month's calls were too many to look through", None)
        )
    elif found.late.calls:
        amount = money(found.late.amount, found.shown.currency)
        what = "call" if found.late.calls == 1 else "calls"
        note = f"in the total; received after {_cut_off(found)}"
        said.append(Check(f"{formats.count(found.late.calls)} late {what}, {amount}", note, None))
    if found.imported and found.imported.calls:
        amount = money(found.imported.amount, found.shown.currency)
        said.append(Check(f"{formats.count(found.imported.calls)} imported calls, {amount}",
                          "history brought in later; in the total", None))  # fmt: skip
    return said


def _cut_off(found: Statement) -> str:
    return formats.day((found.period.end + DAY).astimezone(found.period.tz).date())


def _rates(facts: Facts) -> Sequence[Check]:
    shown = facts.found.shown
    if shown.missing:
        return [
            Check(
                f"No rate for {shown.wanted} in {facts.month}",
                "amounts are in USD; enter a rate below",
                False,
            )
        ]
    return []


_CHECKS: tuple[Callable[[Facts], Sequence[Check]], ...] = (
    _completeness, _prices, _rates, _invoices, _centres, _late,
)  # fmt: skip


def month_answer(facts: Facts) -> Answer:
    """The page's sentence."""
    return first_that_holds(_SENTENCES, facts)


def _nothing(facts: Facts) -> Answer | None:
    if facts.found.trust.calls:
        return None
    if facts.found.running:
        return (Phrase(f"No call in {facts.month} so far."),)
    return (Phrase(f"{facts.month} has no calls: nothing to book."),)


def _unknown(facts: Facts) -> Answer | None:
    if facts.found.total.amount is not None:
        return None
    return (Phrase(f"{formats.count(facts.found.trust.calls)} calls in {facts.month}, "),
            Phrase("none with a price", "warn"), Phrase("."))  # fmt: skip


def _running(facts: Facts) -> Answer | None:
    if not facts.found.running:
        return None
    found = facts.found
    until = formats.moment(found.complete_until, zone=found.period.zone, now=facts.now)
    return (Phrase(f"{facts.month} comes to "), Phrase(facts.total, "bold"),
            Phrase(f" so far, complete to {until}: the month is not over."))  # fmt: skip


def _open(facts: Facts) -> Answer | None:
    bad = [check for check in checks(facts) if check.good is False]
    if not bad:
        return None
    first = bad[0].text[:1].lower() + bad[0].text[1:]
    more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
    points = "one point is" if len(bad) == 1 else f"{len(bad)} points are"
    return (Phrase(f"{facts.month} comes to "), Phrase(facts.total, "bold"), Phrase("; "),
            Phrase(f"{points} open", "warn"), Phrase(f": {first}{more}."))  # fmt: skip


def _ready(facts: Facts) -> Answer | None:
    total = facts.agreed.total
    agree = (Phrase("; the invoices agree to "), Phrase(formats.rate(total.share), "bold")) \
        if total and total.share is not None else ()  # fmt: skip
    return (Phrase(f"{facts.month} comes to "), Phrase(facts.total, "bold"),
            Phrase(" and can be booked"), *agree, Phrase("."))  # fmt: skip


_SENTENCES: tuple[Callable[[Facts], Answer | None], ...] = (_nothing, _unknown, _running, _open, _ready)
