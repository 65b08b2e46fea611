"""Lists of runs and calls: newest first, or the slowest, costliest and last failed runs of the period."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.errors import ApiError
from accounts.models import Member
from analytics import lists
from analytics.answer import answer
from analytics.asks import EXEMPLAR_KINDS, EXTREME_FILTERS, WORST, Ask, worst_of
from analytics.compile import NAME_KINDS
from analytics.opaque import read_id
from analytics.query import Query
from analytics.result import Result
from analytics.score_names import unknown_score
from dashboard import entries, formats, spans_of_time
from dashboard import explore_menus as menus
from dashboard import scope as scopes
from dashboard.answers import Phrase
from dashboard.empties import why_empty
from dashboard.frame import Choice, frame_for
from dashboard.guard import project_page
from dashboard.panels import Panel, filled
from dashboard.scope import Scope
from dashboard.trust_line import trust_line

ROWS = 50
ORDERS = (("newest", "Newest"), ("slowest", "Slowest"), ("costliest", "Costliest"), ("failed", "Failed"))


@project_page()
def runs(request: HttpRequest, member: Member) -> HttpResponse:
    """Runs by filters."""
    scope = _scope(request, member, "runs")
    order = _order(scope)

    def rows() -> Any:
        page = lists.runs(_ask(scope, order), now=scope.now)
        made = tuple(entries.run_row(run, scope) for run in page.runs)
        return {"rows": made, "next": _next(scope, page.next)} if made else why_empty(scope)

    score = worst_of(order)
    title = f"worst {score}" if score else dict(ORDERS)[order].lower()
    panel = Panel(id="runs", title=f"Runs, {title}{' first' if order != 'failed' else ''}",
                  template="dashboard/_runs.html", note=_note(order), links=_orders(scope, order))  # fmt: skip
    return _page(request, member, scope, panel=filled(panel, rows, scope=scope))


@project_page()
def calls(request: HttpRequest, member: Member) -> HttpResponse:
    """Calls by filters, newest first."""
    scope = _scope(request, member, "calls")
    return _page(request, member, scope, panel=_calls_panel(scope, "Calls, newest first", ()))


@project_page()
def unpriced(request: HttpRequest, member: Member) -> HttpResponse:
    """Calls whose cost is not, or not wholly, known: exactly those that the trust line counts."""
    scope = _scope(request, member, "trust_unpriced")
    panel = _calls_panel(scope, "Calls without a price", ("unpriced", "partial"))
    return _page(
        request, member, scope, panel=panel, prices=reverse("settings_prices", args=[member.project.slug])
    )


def _calls_panel(scope: Scope, title: str, statuses: tuple[str, ...]) -> Panel:
    def rows() -> Any:
        page = lists.calls(replace(_ask(scope, "newest"), cost_statuses=statuses), now=scope.now)
        made = tuple(entries.call_row(call, scope) for call in page.calls)
        return {"rows": made, "next": _next(scope, page.next)} if made else _no_calls(scope, statuses)

    return filled(Panel(id="calls", title=title, template="dashboard/_calls.html"), rows, scope=scope)


def _no_calls(scope: Scope, statuses: tuple[str, ...]) -> Any:
    from_filters = why_empty(scope) if not statuses else None
    return from_filters or entries.all_priced(scope)


def _page(
    request: HttpRequest, member: Member, scope: Scope, *, panel: Panel, prices: str = ""
) -> HttpResponse:
    runs_too = scope.path == reverse("runs", args=[member.project.slug])
    result = _totals(scope, runs_too=runs_too)
    trust = result.trust
    slug = member.project.slug
    kinds = tuple(
        Choice(
            label,
            scope.elsewhere_filtered(reverse(name, args=[slug])),
            scope.path == reverse(name, args=[slug]),
        )
        for label, name in (("Runs", "runs"), ("Calls", "calls"))
    )
    found = {
        "panel": panel,
        "heading": "Runs" if runs_too else "Calls",
        "answer": _answer(scope, result),
        "chips": menus.chips(scope),
        "clear": menus.clear(scope) if scope.filters else "",
        "clear_count": len(scope.filters),
        "kinds": kinds,
        "prices": prices,
        "explore": scope.elsewhere_filtered(reverse("explore", args=[slug])),
        "trust_line": trust_line(scope, trust),
        "frame": frame_for(member, now=scope.now, place="Explore", scope=scope, trust=trust, compares=False),
    }
    return render(request, "dashboard/lists.html", found)


def _totals(scope: Scope, *, runs_too: bool) -> Result:
    """The period's counts; filters that runs do not know leave the calls."""
    query = scope.query(
        measures=("runs", "calls") if runs_too else ("calls", "unpriced_calls"), base=None, compare=""
    )
    try:
        return answer(query, now=scope.now)
    except ApiError:
        return _calls_counted(replace(query, measures=("calls",)), scope)


def _calls_counted(query: Query, scope: Scope) -> Result:
    """Calls alone; of a person over more than a day nobody has counted them: then only how far the figures go."""
    try:
        return answer(query, now=scope.now)
    except ApiError:
        known = tuple(one for one in query.filters if one.dimension not in NAME_KINDS)
        if known == query.filters:
            raise
        return replace(answer(replace(query, filters=known), now=scope.now), totals={})


def _answer(scope: Scope, result: Result) -> tuple[Phrase, ...]:
    totals = result.totals
    counted = [
        f"{formats.count(totals[name])} {name if totals[name] != 1 else name[:-1]}"
        for name in ("runs", "calls")
        if totals.get(name) is not None
    ]
    if not counted:
        said = spans_of_time.words(scope.period, None).now
        return (
            Phrase(f"What there is {said}, newest first; people’s calls are counted over at most 24 hours."),
        )
    without = (
        f", {formats.count(totals['unpriced_calls'])} without a price" if totals.get("unpriced_calls") else ""
    )
    return (Phrase(f"{' with '.join(counted)}{without} {spans_of_time.words(scope.period, None).now}."),)


def _scope(request: HttpRequest, member: Member, page: str) -> Scope:
    path = reverse(page, args=[member.project.slug])
    return scopes.read(request.GET, project=member.project, now=timezone.now(), path=path)


def _order(scope: Scope) -> str:
    order = scope.value("order", "newest")
    if (score := worst_of(order)) and unknown_score(scope.project, f"score:{score}") is None:
        return order
    known = order in dict(ORDERS) and (order not in EXEMPLAR_KINDS or _can_rank(scope))
    return order if known else "newest"


def _can_rank(scope: Scope) -> bool:
    return all(one.dimension in EXTREME_FILTERS for one in scope.asked.filters)


def _ask(scope: Scope, order: str) -> Ask:
    after: tuple[datetime, Any] | None = read_id(scope.value("after"))
    query = scope.query(base=None, compare="")
    return Ask(query=query, bounded=True, limit=ROWS, after=after, order=order)


def _next(scope: Scope, cursor: str | None) -> str:
    return scope.url(after=cursor) if cursor else ""


def _orders(scope: Scope, order: str) -> tuple[Choice, ...]:
    scored = ((order, f"Worst {worst_of(order)}"),) if order.startswith(WORST) else ()
    return tuple(
        Choice(label, scope.url(order=None if name == "newest" else name, after=None), name == order)
        for name, label in (*ORDERS, *scored)
        if name not in EXEMPLAR_KINDS or _can_rank(scope)
    )


def _note(order: str) -> str:
    return "the extreme ones of each quarter hour" if order in EXEMPLAR_KINDS else ""
