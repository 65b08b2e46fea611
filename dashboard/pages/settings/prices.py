"""The project's own prices, the queue of models without one, and re-pricing with a preview."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import audit
from accounts.models import Member
from analytics.answer import answer
from analytics.dimensions import LABELS
from analytics.models import Price as Stored
from analytics.periods import DAY, Period, day_start
from analytics.pricebook import books, entry_of, row_of
from analytics.query import Query
from analytics.reprice import flow_names, reprice
from dashboard import formats
from dashboard.guard import project_page
from dashboard.pages.settings.page import changed, shown
from pricing.entry import Price
from pricing.own import discount, own_price

PAGE = "settings_prices"
QUEUE_DAYS = 90
RATES = (
    ("input", "Input"),
    ("output", "Output"),
    ("cache_read", "Cache read"),
    ("cache_write", "Cache write"),
)


class BadFormError(ValueError):
    """What was typed cannot be a price; its text says what to write."""


@project_page()
def prices(request: HttpRequest, member: Member) -> HttpResponse:
    """Own entries, and the queue; `model` and `provider` in the URL fill the form."""
    return _shown(request, member)


def _shown(request: HttpRequest, member: Member, **more: Any) -> HttpResponse:
    project, now = member.project, timezone.now()
    rows = Stored.objects.filter(project=project, withdrawn_at=None).order_by(
        "provider", "model", "-valid_from"
    )
    zone = ZoneInfo(project.zone)
    today = now.astimezone(zone).date()
    own = [
        (row, entry_of(row), formats.day(row.valid_from.astimezone(zone).date(), year=True)) for row in rows
    ]
    found: dict[str, Any] = {
        "entries": [(row, entry, _words(entry), since) for row, entry, since in own],
        "queue": _queue(member, now),
        "queue_days": QUEUE_DAYS,
        "rates": RATES,
        "wanted": {"provider": request.GET.get("provider", ""), "model": request.GET.get("model", "")},
        "today": today.isoformat(),
        "month": today.replace(day=1).isoformat(),
    }
    return shown(request, member, PAGE, **found, **more)


def _words(entry: Price) -> str:
    """What an entry says: its rates per million tokens, or its discount."""
    if entry.discount is not None:
        return f"{formats.plain(entry.discount, 2)}{formats.NBSP}% off the price book"
    if not entry.sets:
        return "the price book's own price again"
    rates = entry.sets[0].rates
    return ", ".join(f"{name.replace('_', ' ')} ${rate.usd.normalize():f}" for name, rate in rates.items())


def _queue(member: Member, now: datetime) -> list[dict[str, Any]]:
    """Models of calls without a price in the last 90 days that the book still cannot price, most calls first."""
    zone = member.project.zone
    today = now.astimezone(ZoneInfo(zone)).date()
    period = Period(
        start=day_start(today - QUEUE_DAYS * DAY, zone), end=day_start(today + DAY, zone), zone=zone
    )
    query = Query(
        project=member.project, period=period, measures=("unpriced_calls", "calls", "total_tokens"),
        group_by=("provider", "model"), order="-unpriced_calls", limit=1000,
    )  # fmt: skip
    book = books.of(member.project.pk)
    found = []
    for (provider, model), figures in answer(query, now=now, trust=False).by_group().items():
        named = (None if provider in LABELS else provider, None if model in LABELS else model)
        if not figures["unpriced_calls"] or named[1] is None:
            continue
        known = book.find(*named, now) is not None
        found.append({
            "provider": named[0] or "", "model": model, "calls": formats.count(figures["unpriced_calls"]),
            "tokens": formats.short(figures["total_tokens"]), "known": known,
        })  # fmt: skip
    return found


@require_POST
@project_page("editor")
def add(request: HttpRequest, member: Member) -> HttpResponse:
    """A dated entry of the project's own; nothing is overwritten."""

    def act() -> str:
        entry = _entry(request, member)
        with transaction.atomic():
            row_of(entry, project_id=member.project.pk).save()
            audit.record(project=member.project, actor=member.user.email, action="price.added",
                         target=f"{entry.provider}/{entry.model}", says=_words(entry),
                         valid_from=entry.valid_from.isoformat())  # fmt: skip
        return f"{entry.model}: {_words(entry)}. New calls have it; earlier ones after re-pricing, below."

    return changed(request, member, PAGE, act)


def _entry(request: HttpRequest, member: Member) -> Price:
    given = request.POST
    valid_from = day_start(_day(given.get("valid_from", "")), member.project.zone)
    common = {"valid_from": valid_from, "recorded_at": timezone.now(), "note": given.get("note", "")[:200]}
    provider, model = given.get("provider", "").strip(), given.get("model", "").strip()
    if given.get("discount"):
        return discount(provider, model, _number(given["discount"]), **common)  # type: ignore[arg-type]
    rates = {name: _number(given[name]) for name, _ in RATES if given.get(name)}
    return own_price(provider, model, rates, **common)  # type: ignore[arg-type]


def _number(text: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation as problem:
        raise BadFormError(f"{text[:20]!r} is no number. Write it like 2.50.") from problem


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as problem:
        raise BadFormError(f"{text[:20]!r} is no date. Write it like 2026-11-01.") from problem
    if not 1970 <= found.year <= 2200:
        raise BadFormError(f"{text[:20]!r} lies outside of the calendar.")
    return found


@require_POST
@project_page("editor")
def withdraw(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """An entry that was a mistake does not count any more; it stays in the audit log."""

    def act() -> str:
        rows = Stored.objects.filter(project=member.project, pk=number, withdrawn_at=None)
        with transaction.atomic():
            row = rows.select_for_update().first()
            if row is None:
                raise Http404("There is no such price.")
            rows.update(withdrawn_at=timezone.now())
            audit.record(project=member.project, actor=member.user.email, action="price.withdrawn",
                         target=f"{row.provider}/{row.model}", says=_words(entry_of(row)))  # fmt: skip
        return f"The price of {row.model} is withdrawn. Earlier calls change with re-pricing."

    return changed(request, member, PAGE, act)


@require_POST
@project_page("editor")
def apply(request: HttpRequest, member: Member) -> HttpResponse:
    """What re-pricing would change, by flow and month; then, on the second click, the change."""
    try:
        first, last = (
            _day(request.POST.get("from", "")),
            _day(request.POST.get("until", "")) + timedelta(days=1),
        )
    except BadFormError as problem:
        return _shown(request, member, problem=str(problem))
    really = request.POST.get("really") == "1"
    difference = reprice(
        member.project,
        first=first,
        last=last,
        now=datetime.now(UTC),
        dry_run=not really,
        actor=member.user.email,
    )
    names = flow_names(member.project)
    lines = [
        {"month": f"{month:%b %Y}", "flow": names.get(flow, "(unattributed)"), "calls": formats.count(line.calls),
         "before": formats.money(line.before), "after": formats.money(line.after),
         "change": formats.money(line.after - line.before, signed=True)}
        for (flow, month), line in sorted(difference.lines.items(), key=lambda item: (item[0][1], item[0][0]))
    ]  # fmt: skip
    total = sum((line.after - line.before for line in difference.lines.values()), Decimal(0))
    preview = {"lines": lines, "total": formats.money(total, signed=True), "really": really,
               "first": request.POST["from"], "until": request.POST["until"]}  # fmt: skip
    return _shown(request, member, preview=preview)
