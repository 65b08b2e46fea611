"""What is done on a month's page: exports taken, invoices and rates typed in, schedules. Each leaves an audit line."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.errors import ApiError
from accounts.models import Member
from accounts.projects import change_project
from analytics.models import ExchangeRate
from dashboard.guard import project_page
from finance import invoices, months, rates, schedules, typed
from finance.api import as_file, month_asked
from finance.exports import FORMS, take
from finance.models import Export, Invoice, Schedule
from finance.statement import read_ask


@require_POST
@project_page()
def export(request: HttpRequest, member: Member, month: str) -> HttpResponse:
    """Take the month away as a file; it is kept, and the answer leads to it."""
    now, project = timezone.now(), member.project
    first = month_asked(month, zone=project.zone, now=now)
    form = request.POST.get("form", "")
    if form not in FORMS:
        raise ApiError(
            422, "bad_query", "There is no such form.", field="form", hint=f"Use one of {', '.join(FORMS)}."
        )
    groups = request.POST.get("group_by", "")
    ask = read_ask({"group_by": [groups]} if groups else {}, project=project, month=first, now=now)
    taken = take(ask, form, now=now, by=member.user.email)
    return redirect("month_file", project.slug, taken.pk)


@project_page()
def file(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """A kept export, byte for byte."""
    kept = Export.objects.filter(project=member.project, pk=number).select_related("project").first()
    if kept is None:
        raise Http404("There is no such export.")
    return as_file(kept)


def _done(request: HttpRequest, member: Member, month: str, act: Callable[[], str]) -> HttpResponse:
    """Do it, say what was done or why it could not be, and go back to the month."""
    try:
        said = act()
    except ValueError as problem:  # every refusal of finance and accounts is one, with its sentence
        said = str(problem)
    messages.info(request, said)
    if months.read_month(month) is None:
        return redirect("finance", member.project.slug)
    return redirect("month", member.project.slug, month)


@require_POST
@project_page("editor")
def enter_invoice(request: HttpRequest, member: Member, month: str) -> HttpResponse:
    """Type in a provider's invoice of the month."""
    now = timezone.now()
    first = month_asked(month, zone=member.project.zone, now=now)

    def act() -> str:
        entry = invoices.read_entry(request.POST)
        made = invoices.enter(member.project, first, entry, by=member.user.email, now=now)
        return f"The invoice of {made.provider} is entered."

    return _done(request, member, month, act)


@require_POST
@project_page("editor")
def change_invoice(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Correct an invoice, or remove it."""
    found = Invoice.objects.filter(project=member.project, pk=number).select_related("project").first()
    if found is None:
        raise Http404("There is no such invoice.")

    def act() -> str:
        if request.POST.get("act") == "remove":
            invoices.remove(found, by=member.user.email)
            return f"The invoice of {found.provider} is removed."
        entry = invoices.read_entry(request.POST)
        invoices.correct(found, entry, by=member.user.email, now=timezone.now())
        return f"The invoice of {entry.provider} is corrected."

    return _done(request, member, months.month_text(found.month), act)


@require_POST
@project_page("editor")
def enter_rate(request: HttpRequest, member: Member) -> HttpResponse:
    """Enter what a US dollar was worth on a day."""
    given = request.POST

    def act() -> str:
        made = rates.set_rate(
            member.project, currency=typed.currency(given.get("currency", "")), day=typed.day(given.get("day", "")),
            per_usd=typed.rate(given.get("per_usd", "")), by=member.user.email, now=timezone.now(),
            note=typed.line(given.get("note", ""), what="note", longest=200, needed=False),
        )  # fmt: skip
        return f"1 USD is {made.per_usd.normalize():f} {made.currency} on {made.day}."

    return _done(request, member, given.get("month", ""), act)


@require_POST
@project_page("editor")
def remove_rate(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Take a rate out again."""
    found = ExchangeRate.objects.filter(project=member.project, pk=number).select_related("project").first()
    if found is None:
        raise Http404("There is no such rate.")

    def act() -> str:
        rates.remove_rate(found, by=member.user.email)
        return f"The rate of {found.day} is removed."

    return _done(request, member, request.POST.get("month", ""), act)


@require_POST
@project_page("owner")
def choose_currency(request: HttpRequest, member: Member) -> HttpResponse:
    """In which currency statements are shown."""

    def act() -> str:
        wanted = request.POST.get("currency", "")
        change_project(
            project=member.project, changes={"currency": wanted}, by=member.user, now=timezone.now()
        )
        return f"Statements are shown in {member.project.currency}, where the month has a rate."

    return _done(request, member, request.POST.get("month", ""), act)


@require_POST
@project_page("editor")
def add_schedule(request: HttpRequest, member: Member) -> HttpResponse:
    """Mail an export on a day of every month."""

    def act() -> str:
        wish = schedules.read_wish(request.POST.dict())
        made = schedules.add(member.project, wish, by=member.user.email, now=timezone.now())
        return f"On day {made.day} of every month the statement of the month before goes out."

    return _done(request, member, request.POST.get("month", ""), act)


@require_POST
@project_page("editor")
def stop_schedule(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """End a schedule."""
    found = Schedule.objects.filter(project=member.project, pk=number).select_related("project").first()
    if found is None:
        raise Http404("There is no such schedule.")

    def act() -> str:
        schedules.stop(found, by=member.user.email, now=timezone.now())
        return "The schedule is stopped."

    return _done(request, member, request.POST.get("month", ""), act)
