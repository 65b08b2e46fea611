"""Providers' invoices, typed in, and how far the metered month agrees with them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import Project
from analytics.answer import answer
from analytics.dimensions import UNATTRIBUTED
from analytics.measures import EXACT, QUOTIENT
from analytics.query import Filter
from analytics.reading import reading
from finance import typed
from finance.models import Invoice
from finance.months import month_of, month_text
from finance.shown import Shown, rate_of, shown_in
from finance.statement import Ask

TOLERANCE = Decimal("0.005")  # a difference of at most half a percent of the bill agrees


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An invoice as it was typed, checked."""

    provider: str
    amount: Decimal
    currency: str
    dated: date
    note: str = ""


def read_entry(given: Mapping[str, str]) -> Entry:
    """Read a form. Raises ValueError with a sentence."""
    return Entry(
        provider=typed.line(given.get("provider", ""), what="provider", longest=100),
        amount=typed.amount(given.get("amount", "")),
        currency=typed.currency(given.get("currency", "") or "USD"),
        dated=typed.day(given.get("dated", "")),
        note=typed.line(given.get("note", ""), what="note", longest=500, needed=False),
    )


@transaction.atomic
def enter(project: Project, month: date, entry: Entry, *, by: str, now: datetime) -> Invoice:
    """Keep a new invoice."""
    invoice = Invoice.objects.create(
        project=project, month=month, entered_by=by, entered_at=now, **_values(entry)
    )
    _audit(invoice, "invoice.entered", by, after=str(invoice))
    return invoice


@transaction.atomic
def correct(invoice: Invoice, entry: Entry, *, by: str, now: datetime) -> None:
    """Change one that was typed wrong."""
    before = str(invoice)
    for name, value in (*_values(entry).items(), ("entered_by", by), ("entered_at", now)):
        setattr(invoice, name, value)
    invoice.save()
    _audit(invoice, "invoice.corrected", by, before=before, after=str(invoice))


@transaction.atomic
def remove(invoice: Invoice, *, by: str) -> None:
    """Take one out again."""
    _audit(invoice, "invoice.removed", by, before=str(invoice))
    invoice.delete()


def _values(entry: Entry) -> dict[str, object]:
    return {"provider": entry.provider, "amount": entry.amount, "currency": entry.currency,
            "dated": entry.dated, "note": entry.note}  # fmt: skip


def _audit(invoice: Invoice, action: str, by: str, **details: str) -> None:
    audit.record(project=invoice.project, actor=by, action=action,
                 target=f"{month_text(invoice.month)} {invoice.provider}", **details)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One provider, or all of them, in the currency shown; None = unknown.

    `with_flow`: what the metered calls that name a flow cost. `state`: agrees, differs, no invoice, no rate."""

    provider: str
    metered: Decimal | None
    invoiced: Decimal | None
    with_flow: Decimal | None
    invoices: tuple[Invoice, ...] = ()
    state: str = ""

    @property
    def difference(self) -> Decimal | None:
        """Invoiced less metered."""
        return None if self.invoiced is None else EXACT.subtract(self.invoiced, self.metered or Decimal(0))

    @property
    def share(self) -> Decimal | None:
        """The difference as a part of the bill, without its sign."""
        return QUOTIENT.divide(abs(self.difference), abs(self.invoiced)) if self.difference is not None \
            and self.invoiced else None  # fmt: skip

    @property
    def flow_share(self) -> Decimal | None:
        """Which part of the bill has a flow; of what is metered where that is more, or there is no bill."""
        whole = max(self.invoiced or Decimal(0), self.metered or Decimal(0))
        return QUOTIENT.divide(self.with_flow, whole) if self.with_flow is not None and whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """All providers of a month; `total` is of those that have an invoice, None where there is none."""

    rows: tuple[Row, ...]
    total: Row | None

    @property
    def agrees(self) -> bool:
        """Whether every provider with cost has an invoice that agrees."""
        return bool(self.rows) and all(row.state == "agrees" for row in self.rows)


def reconciliation(project: Project, month: date, *, now: datetime) -> Reconciliation:
    """The month's metered cost beside its invoices, by provider, largest first."""
    shown = shown_in(project, month)
    metered, unattributed = _metered(project, month, now)
    typed_in = list(Invoice.objects.filter(project=project, month=month).order_by("dated", "id"))
    names = dict.fromkeys((*metered, *(invoice.provider for invoice in typed_in)))
    rows = tuple(_row(name, metered.get(name, Decimal(0)), unattributed.get(name), typed_in, shown)
                 for name in names)  # fmt: skip
    return Reconciliation(rows=rows, total=_total(rows))


def _metered(
    project: Project, month: date, now: datetime
) -> tuple[dict[str, Decimal | None], dict[str, Decimal | None]]:
    """(cost by provider, that without a flow by provider), USD."""
    ask = Ask(project=project, month=month, group_by=("provider",))
    query = replace(
        ask.query(month_of(month, zone=project.zone, now=now)), measures=("cost", "unpriced_calls")
    )
    nowhere = replace(query, filters=(Filter("flow", (UNATTRIBUTED,)),))
    with reading():
        found, lost = (answer(one, now=now, trust=False).by_group() for one in (query, nowhere))
    return _known(found), _known(lost)


def _known(found: Mapping[tuple[str, ...], Mapping[str, Any]]) -> dict[str, Decimal | None]:
    """Cost by provider; 0 beside calls without a price is unknown."""
    return {
        name: None if not line["cost"] and line["unpriced_calls"] else line["cost"]
        for (name,), line in found.items()
    }


def _row(name: str, usd: Decimal | None, lost: Decimal | None, typed_in: list[Invoice], shown: Shown) -> Row:
    own = tuple(invoice for invoice in typed_in if invoice.provider == name)
    amounts = [in_shown(invoice, shown) for invoice in own]
    known = [amount for amount in amounts if amount is not None]
    invoiced = _sum(known) if own and len(known) == len(own) else None
    with_flow = None if usd is None else shown.of(EXACT.subtract(usd, lost or Decimal(0)))
    row = Row(provider=name, metered=shown.of(usd), invoiced=invoiced, with_flow=with_flow, invoices=own)
    return replace(row, state=_state(row))


def in_shown(invoice: Invoice, shown: Shown) -> Decimal | None:
    """An invoice's amount in the currency shown, by the month's rates; None without one."""
    if invoice.currency == shown.currency:
        return invoice.amount
    if invoice.currency == "USD":
        return shown.of(invoice.amount)
    rate = rate_of(invoice.project, invoice.currency, invoice.month)
    return shown.of(QUOTIENT.divide(invoice.amount, rate.per_usd)) if rate else None


def _state(row: Row) -> str:
    if not row.invoices:
        return "no invoice"
    if row.invoiced is None:
        return "no rate"
    return "agrees" if not row.difference or (row.share or Decimal(1)) <= TOLERANCE else "differs"


def _total(rows: tuple[Row, ...]) -> Row | None:
    """Like with like: only providers with an invoice in a currency that is known."""
    billed = [row for row in rows if row.invoiced is not None]
    if not billed:
        return None
    total = Row(
        provider="All with an invoice", metered=_sum(row.metered for row in billed),
        invoiced=_sum(row.invoiced for row in billed), with_flow=_sum(row.with_flow for row in billed),
        invoices=tuple(invoice for row in billed for invoice in row.invoices),
    )  # fmt: skip
    return replace(total, state=_state(total))


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount or Decimal(0))
    return total
