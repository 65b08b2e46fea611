"""Exchange rates typed in by hand, each change with a line in the audit log."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from accounts import audit
from accounts.models import Project
from analytics.models import ExchangeRate
from finance import typed
from finance.shown import LEDGER


@transaction.atomic
def set_rate(
    project: Project, *, currency: str, day: date, per_usd: Decimal, by: str, now: datetime, note: str = ""
) -> ExchangeRate:
    """Enter the rate of a day; one of the same day is replaced. Raises typed.BadEntryError."""
    if currency == LEDGER:
        raise typed.BadEntryError("The ledger is in USD: it needs no rate.")
    if day > now.date():
        raise typed.BadEntryError(f"{day} has not come yet. A rate is of a day that has been.")
    old = ExchangeRate.objects.filter(project=project, currency=currency, day=day).first()
    values = {"per_usd": per_usd, "note": note, "entered_by": by, "entered_at": now}
    found, _ = ExchangeRate.objects.update_or_create(
        project=project, currency=currency, day=day, defaults=values
    )
    audit.record(project=project, actor=by, action="rate.entered", target=f"{currency} {day}",
                 before=f"{old.per_usd.normalize():f}" if old else None, after=f"{per_usd:f}")  # fmt: skip
    return found


@transaction.atomic
def remove_rate(rate: ExchangeRate, *, by: str) -> None:
    """Take a rate out again."""
    audit.record(project=rate.project, actor=by, action="rate.removed", target=f"{rate.currency} {rate.day}",
                 before=f"{rate.per_usd.normalize():f}")  # fmt: skip
    rate.delete()
