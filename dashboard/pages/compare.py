"""Compare: why did it change? Any A against any B, every measure side by side."""

from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.errors import ApiError
from accounts.models import Member
from analytics.changes_list import Line, one
from dashboard import compare_answer, compare_menus, compare_moved
from dashboard import explore_menus as menus
from dashboard import scope as scopes
from dashboard.change_texts import change_text, kind_text
from dashboard.compare_rows import Compared, compared, totals
from dashboard.compare_sides import CHANGE, PERIODS, VARIANTS, Pair, around, pair
from dashboard.empties import why_empty
from dashboard.frame import Choice, frame_for
from dashboard.guard import project_page
from dashboard.panels import Panel, State, filled
from dashboard.scope import Scope
from dashboard.trust_line import trust_line


@project_page()
def compare(request: HttpRequest, member: Member) -> HttpResponse:
    """The page."""
    path = reverse("compare", args=[member.project.slug])
    scope = scopes.read(request.GET, project=member.project, now=timezone.now(), path=path)
    line = _line(scope)
    view = scope.value("view")
    found = around(scope, line) if line else pair(scope) if not _chooses(scope, view) else None
    mode = (
        found.mode
        if found
        else CHANGE
        if line or view == CHANGE
        else VARIANTS
        if view == VARIANTS
        else PERIODS
    )
    panel = filled(Panel(id="measures", title="Side by side", template="dashboard/_compare_measures.html",
                         note=_note(found)), partial(_measures, scope, found, mode, line), scope=scope)  # fmt: skip
    body = panel.body if isinstance(panel.body, Compared) else None
    where = filled(
        Panel(id="where", title="Where it changed", template="dashboard/_compare_where.html",
              note="cost, USD; the largest move first", links=compare_moved.tabs(scope)),
        lambda: compare_moved.where(scope, found) if body and found else (), scope=scope,
    )  # fmt: skip
    trust = body.b.trust if body else None
    context = {
        "pair": found,
        "line": _heading(found),
        "panel": panel,
        "where": where,
        "answer": compare_answer.sentence(found, body) if found and body else (),
        "modes": compare_menus.modes(scope, mode),
        "menus": _menus(scope, mode),
        "dates": compare_menus.dates(scope, found) if mode == PERIODS else (),
        "hidden": compare_menus.hidden(scope),
        "swap": compare_menus.swapped(scope, found) if found else "",
        "chips": menus.chips(scope),
        "clear": menus.clear(scope) if scope.filters else "",
        "clear_count": len(scope.filters),
        "notes": (*(found.notes if found else ()), *(body.notes if body else ())),
        "trust_line": trust_line(scope, trust),
        "frame": frame_for(
            member, now=scope.now, place="Explore", scope=scope, trust=trust, compares=mode == PERIODS
        ),
    }
    return render(request, "dashboard/compare.html", context)


def _chooses(scope: Scope, view: str) -> bool:
    """Whether the page only asks what to compare."""
    return view in (VARIANTS, CHANGE) and not any(name.startswith(scopes.SIDES) for name in scope.params)


def _line(scope: Scope) -> Line | None:
    number = scope.value("change")
    if not number:
        return None
    if not (number.isascii() and number.isdigit() and int(number) < 2**63):
        raise ApiError(
            422, "bad_query", f"{number[:40]!r} is no change.", field="change", hint="Choose one of the list."
        )
    found = one(scope.project, int(number))
    if found is None:
        raise Http404("There is no such change.")
    return found


def _heading(found: Pair | None) -> str:
    """The change that is looked at, in words."""
    return f"{kind_text(found.line)} {change_text(found.line)}" if found and found.line else ""


def _note(found: Pair | None) -> str:
    if found is None:
        return ""
    of = f"of {found.flow}; " if found.flow else ""
    return f"{of}95 % intervals; filled: clearly moved; n/a: too few to compare"


def _measures(scope: Scope, found: Pair | None, mode: str, line: Line | None) -> Any:
    if found is None:
        return _nothing(scope, mode, line)
    a, b = (totals(side.scope) for side in (found.a, found.b))
    if not (a.totals["calls"] or b.totals["calls"]):
        return why_empty(scope)
    return compared(found, a, b)


def _nothing(scope: Scope, mode: str, line: Line | None) -> State:
    if line is not None:
        return State(
            say="It is too early to say.",
            note="The first quarter hour after the change is not complete yet, or "
            "the flow was not called before it.",
        )
    if mode == VARIANTS:
        return State(
            say="Choose two variants.",
            note="Any dimension: prompt version, model, release, environment, customer.",
        )
    if mode == CHANGE:
        return State(say="Choose a change.", note="Its flow before and after it, in windows of equal length.")
    way = Choice("Against the previous period", scope.url(compare="previous"))
    return State(say="Nothing says what A is.", note="Choose a comparison or give dates.", ways=(way,))


def _menus(scope: Scope, mode: str) -> tuple[compare_menus.Menu, ...]:
    if mode == VARIANTS:
        return compare_menus.variant_menus(scope)
    return (compare_menus.change_menu(scope, scope.value("change")),) if mode == CHANGE else ()
