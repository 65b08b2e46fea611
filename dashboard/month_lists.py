"""The lists of a month's page: reconciliation, invoices, exports and what changed since, schedules, rates."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accounts.models import Project
from analytics.models import ExchangeRate
from dashboard import formats
from dashboard.month_facts import money
from finance.difference import Causes, grouped
from finance.exports import CELLS, FORMS, changed_since, last_taken
from finance.invoices import Reconciliation, Row
from finance.models import Export, Invoice, Schedule
from finance.months import month_text
from finance.schedules import next_due
from finance.shown import Shown, decimals_of

LISTED = 20
MOST_GROUPS = 12


def _plain(amount: Decimal | None, shown: Shown, *, signed: bool = False) -> str:
    if amount is None:
        return formats.MISSING
    decimals = decimals_of(shown.currency)
    return formats.money(amount, decimals=decimals, symbol="", signed=signed) if amount else "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """One provider's line, as it is written."""

    provider: str
    metered: str
    invoiced: str
    difference: str
    share: str
    flow_share: str
    state: str
    tone: str


def reconciled(agreed: Reconciliation, shown: Shown) -> dict[str, Any]:
    """The lines and their total."""
    return {
        "rows": [_reconciled(row, shown) for row in agreed.rows],
        "total": _reconciled(agreed.total, shown) if agreed.total else None,
    }


def _reconciled(row: Row, shown: Shown) -> Reconciled:
    return Reconciled(
        provider=row.provider,
        metered=_plain(row.metered, shown),
        invoiced=_plain(row.invoiced, shown),
        difference=_plain(row.difference, shown, signed=True),
        share=formats.rate(row.share),
        flow_share=formats.share(row.flow_share),
        state=row.state,
        tone="warn" if row.state in ("differs", "no rate") else "quiet" if row.state == "no invoice" else "",
    )


def invoices(project: Project, month: date) -> list[dict[str, Any]]:
    """What was typed in for the month."""
    return [
        {
            "row": one,
            "amount": f"{formats.money(one.amount, decimals=decimals_of(one.currency), symbol='')} {one.currency}",
            "typed": f"{one.amount.normalize():f}",
            "dated": formats.day(one.dated, year=True),
        }
        for one in Invoice.objects.filter(project=project, month=month).order_by("provider", "dated", "id")
    ]


def exports(project: Project, month: date, *, now: datetime) -> list[dict[str, Any]]:
    """The newest exports of the month."""
    kept = (
        Export.objects.filter(project=project, month=month)
        .defer("body", "cells")
        .order_by("-taken_at", "-id")
    )
    return [
        {
            "row": one,
            "form": FORMS[one.form].label,
            "by": ", ".join(name.replace("_", " ") for name in one.group_by) or "one line",
            "when": formats.moment(one.taken_at, zone=project.zone, now=now),
            "total": money(Decimal(one.total), one.currency) if one.total else formats.MISSING,
            "filters": "; ".join(f"{name} {', '.join(values)}" for name, values, _ in one.filters),
        }
        for one in kept[:LISTED]
    ]


def since_export(project: Project, month: date, shown: Shown, *, now: datetime) -> dict[str, Any] | None:
    """By how much, and why, the month differs from the last export taken of all of it; None without one."""
    export = last_taken(project.pk, month)
    if export is None:
        return None
    found = changed_since(export, now=now)
    said: dict[str, Any] = {
        "when": formats.moment(export.taken_at, zone=project.zone, now=now),
        "by": export.taken_by,
        "then": money(Decimal(export.total), export.currency) if export.total else formats.MISSING,
        "rate_changed": export.currency != shown.currency or Decimal(export.rate) != shown.rate,
        "known": found is not None,
    }
    if found is None:
        return said
    by_feature = grouped(found, CELLS.index("feature")).groups
    largest = sorted(by_feature.items(), key=lambda item: -abs(item[1].total))
    return said | {
        "changed": bool(found.groups),
        "moved": money(shown.of(found.moved_amount), shown.currency) if found.moved_amount else "",
        "rows": [
            {
                "name": group[0],
                "why": _why(causes, shown),
                "amount": _plain(shown.of(causes.total), shown, signed=True),
            }
            for group, causes in largest[:MOST_GROUPS]
        ],
        "more": max(0, len(largest) - MOST_GROUPS),
        "total": _plain(shown.of(found.total.total), shown, signed=True),
        "why": _why(found.total, shown),
    }


def _why(causes: Causes, shown: Shown) -> str:
    """Each cause with its amount; what has no known cause says so."""
    late = f"{formats.count(causes.late_calls)} late {'call' if causes.late_calls == 1 else 'calls'}"
    told = (
        (late, causes.late, bool(causes.late_calls)),
        ("re-priced", causes.repriced, bool(causes.repriced)),
        ("moved", causes.moved, bool(causes.moved)),
        ("changed since, no single cause known", causes.other, bool(causes.other)),
    )
    return "; ".join(
        f"{words} {money(shown.of(amount), shown.currency, signed=True)}"
        for words, amount, is_there in told
        if is_there
    )


def schedules(project: Project, *, now: datetime) -> list[dict[str, Any]]:
    """Schedules that go on, with what each did last."""
    found = []
    for one in Schedule.objects.filter(project=project, stopped_at=None).order_by("id"):
        run = one.runs.order_by("-month").first()
        last = ""
        if run:
            when = formats.moment(run.done_at or run.tried_at, zone=project.zone, now=now)
            words = {"sent": "sent", "no_email": "taken, not sent: no e-mail is configured", "sending": "being sent",
                     "waiting": f"not sent yet, {run.problem}"}[run.state]  # fmt: skip
            last = f"{month_text(run.month)} {words} {when}"
        found.append({
            "row": one, "form": FORMS[one.form].label, "to": ", ".join(one.recipients), "last": last,
            "by": ", ".join(name.replace("_", " ") for name in one.group_by),
            "next": formats.moment(next_due(one, now), zone=project.zone, now=now),
        })  # fmt: skip
    return found


def rates(project: Project) -> list[ExchangeRate]:
    """The newest rates of the project's currency and of others."""
    return list(ExchangeRate.objects.filter(project=project).order_by("-day", "currency")[:LISTED])
