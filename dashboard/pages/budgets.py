"""Budgets: which run out, and when? And the forms that make, change and remove one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.access import allows, member_for
from accounts.errors import ApiError
from accounts.models import Member, Project
from analytics.answer import answer
from dashboard import budget_chart, budget_rows, formats, guardrails_nav
from dashboard import scope as scopes
from dashboard.budget_moved import moved, why
from dashboard.budget_rows import Row, answer_money
from dashboard.frame import Choice, frame_for
from dashboard.guard import project_page
from dashboard.panels import Panel, filled
from dashboard.scope import Scope
from dashboard.trust_line import trust_line
from guardrails import budgets as definitions
from guardrails.alert_models import Channel
from guardrails.budget_models import Budget, BudgetCrossing
from guardrails.budgets import SCOPES, UNITS
from guardrails.budgets_ahead import Point, paths
from guardrails.budgets_evaluate import states_of
from guardrails.budgets_state import BudgetState, forecast_thresholds
from guardrails.windows import WINDOWS

QUIET = {"moved": "a flow moved in", "imported": "imported history", "told": "told before the change",
         "passed": "with the next one"}  # fmt: skip
DAY = timedelta(days=1)


@project_page()
def budgets(request: HttpRequest, member: Member) -> HttpResponse:
    """All budgets by risk, and the burn-down of one."""
    project, now = member.project, timezone.now()
    path = reverse("budgets", args=[project.slug])
    scope = scopes.read(QueryDict("compare=none"), project=project, now=now, path=path)
    trust = answer(scope.query(measures=("cost",)), now=now).trust
    found: dict[str, Any] = {
        "nav": guardrails_nav.nav(project, "budgets"),
        "edits": allows(member.role, needed="editor"),
        "trust_line": trust_line(scope, trust),
        "frame": frame_for(member, now=now, place="Guardrails"),
    }
    states = states_of(project, now=now)
    if states:
        found |= _shown(request, scope, states, now)
    return render(request, "dashboard/budgets.html", found)


def _shown(
    request: HttpRequest, scope: Scope, states: Sequence[BudgetState], now: datetime
) -> dict[str, Any]:
    ahead = paths(scope.project, states, now=now)
    hrefs = {state.budget.pk: f"{scope.path}?budget={state.budget.pk}" for state in states}
    rows = budget_rows.rows(states, ahead, now=now, hrefs=hrefs)
    chosen = next((row for row in rows if str(row.state.budget.pk) == request.GET.get("budget")), rows[0])
    view = request.GET.get("view", "")
    view = view if view in budget_chart.VIEWS else budget_chart.VIEWS[0]
    path = ahead.get(chosen.state.budget.pk, ())
    found = moved(chosen.state, now=now)
    told = (
        why(chosen.state.budget.name, found)
        if [row for row in rows if row.state.state == "over"] == [chosen]
        else ()
    )
    return {
        "answer": (*budget_rows.answer(rows, now=now), *told),
        "rows": rows,
        "chosen": chosen,
        "burn": filled(_burn_panel(chosen, view), lambda: _burn(chosen.state, path, view, now), scope=scope),
        "happens": _happens(chosen, now),
        "hold": _to_hold(chosen.state, now),
        "moved": found,
        "unpriced": sum(row.state.unpriced_calls > 0 for row in rows),
        "unpriced_list": reverse("trust_unpriced", args=[scope.project.slug]),
    }


def _burn_panel(row: Row, view: str) -> Panel:
    budget = row.state.budget
    links = tuple(
        Choice(name.capitalize(), f"{row.href}&view={name}", name == view) for name in budget_chart.VIEWS
    )
    note = "cone: 80 % interval; grey: weekend" if row.state.forecast is not None else (
        f"{row.state.days} of 14 days known: too few for a forecast"
    )  # fmt: skip
    what = "left" if view == "left" else "spent"
    title = f"{budget.name}, {what} of {answer_money(row.state.limit, budget.unit)}"
    return Panel(id="burn", title=title, template="dashboard/_chart.html", note=note, links=links)


def _burn(state: BudgetState, path: Sequence[Point], view: str, now: datetime) -> dict[str, Any]:
    made = budget_chart.burn(state, path, view=view, now=now)
    return {
        "figure": budget_chart.figure(made, now=now),
        "summary": budget_chart.summary(made, now=now),
        "note": {},
    }


@dataclass(frozen=True, slots=True)
class Happening:
    """What a threshold does: who hears of it, and when it was or will be."""

    threshold: str
    tells: str
    when: str
    tone: str = ""


def _happens(row: Row, now: datetime) -> list[Happening]:
    state = row.state
    budget, window = state.budget, state.window
    crossings = BudgetCrossing.objects.filter(budget=budget, window_start=window.start)
    known = {(one.kind, one.threshold): one for one in crossings.order_by("revision")}
    tells = ", ".join(budget.channels) or "nobody: no channel"
    found = []
    for threshold in budget.thresholds:
        for kind in budget.on:
            if kind == "forecast" and threshold not in forecast_thresholds(budget):
                continue
            words = f"{threshold} %" if kind == "actual" else f"forecast {threshold} %"
            said, tone = _when(known.get((kind, threshold)), row, kind, threshold, now)
            found.append(Happening(words, tells, said, tone))
    return found


def _when(
    crossing: BudgetCrossing | None, row: Row, kind: str, threshold: int, now: datetime
) -> tuple[str, str]:
    if crossing is not None:
        at = formats.moment(crossing.at, zone=row.state.window.zone, now=now)
        return (
            (f"{at}, {QUIET[crossing.quiet]}", "")
            if crossing.quiet
            else (f"{'told' if row.state.budget.channels else 'passed'} {at}", "warn")
        )
    if kind == "actual" and threshold == 100 and row.out is not None:
        return f"expected {budget_rows.moment(row.state, row.out, now)}", ""
    return "not reached", ""


def _to_hold(state: BudgetState, now: datetime) -> list[tuple[str, str]]:
    """Spend a day as forecast and as it would have to be, and the limit that would do."""
    days = (state.window.end - now) / DAY
    if state.forecast is None or state.spent is None or state.interval is None or days <= 0:
        return []
    unit, rest = state.budget.unit, state.forecast - state.spent
    span = int(days * 1_000_000)
    per_day = rest * 1_000_000 / span if span else rest
    may = max(state.limit - state.spent, type(rest)(0)) * 1_000_000 / span if span else rest
    found = [("Forecast to spend", f"{answer_money(per_day, unit)} a day")] if days >= 1 else []
    if state.forecast > state.limit:
        found += [("Would have to be", f"{answer_money(may, unit)} a day")] if days >= 1 else []
        found.append(("Raise the limit to", f"{answer_money(state.interval[1], unit)}, the upper end"))
    return found


@project_page("editor")
def new(request: HttpRequest, member: Member) -> HttpResponse:
    """The form, filled from the URL; or the budget that it makes."""
    return _form(request, member, None)


@project_page()
def edit(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """One budget in the form; viewers see it and cannot save."""
    if request.method == "POST":
        member_for(request, slug=member.project.slug, role="editor")
    return _form(request, member, _budget(member, number))


@require_POST
@project_page("editor")
def delete(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Take a budget away."""
    budget = _budget(member, number)
    definitions.remove(budget, by=member.user)
    messages.info(request, f"{budget.name} is no longer watched.")
    return redirect("budgets", member.project.slug)


def _budget(member: Member, number: int) -> Budget:
    rows = Budget.objects.filter(project=member.project).select_related("project")
    found = rows.filter(pk=number).first() if number < 2**63 else None
    if found is None:
        raise Http404("There is no such budget.")
    return found


def _form(request: HttpRequest, member: Member, known: Budget | None) -> HttpResponse:
    project, now = member.project, timezone.now()
    problem: Mapping[str, str | None] = {}
    given: Mapping[str, Any] = typed(known) if known else {**EMPTY, **request.GET.dict()}
    if request.method == "POST":
        given = request.POST.dict() | {name: request.POST.getlist(name) for name in ("on", "channels")}
        try:
            budget = _saved(request.POST, project, known, member, now)
        except ApiError as refusal:
            problem = {"field": refusal.field, "message": refusal.message, "hint": refusal.hint}
        else:
            messages.info(request, f"{budget.name} is watched from now on.")
            return redirect(f"{reverse('budgets', args=[project.slug])}?budget={budget.pk}")
    found = {
        "known": known, "given": given, "problem": problem, "windows": WINDOWS, "units": UNITS,
        "scopes": [(name, name.replace("_", " ").capitalize()) for name in SCOPES],
        "channels": list(Channel.objects.filter(project=project).order_by("name").values_list("name", flat=True)),
        "edits": allows(member.role, needed="editor"), "nav": guardrails_nav.nav(project, "budgets"),
        "frame": frame_for(member, now=now, place="Guardrails"),
    }  # fmt: skip
    return render(request, "dashboard/budget.html", found, status=400 if problem else 200)


def _saved(
    posted: QueryDict, project: Project, known: Budget | None, member: Member, now: datetime
) -> Budget:
    definition = definitions.read(body(posted), project=project)
    if known is None:
        return definitions.create(project, definition, by=member.user, now=now)
    return definitions.change(known, definition, by=member.user, now=now)


EMPTY = {
    "window": "month",
    "unit": "USD",
    "thresholds": "50, 80, 100",
    "on": list(definitions.KINDS),
    "channels": [],
}


def typed(budget: Budget) -> dict[str, Any]:
    """A budget as the form has it."""
    return {
        "name": budget.name, "dimension": budget.dimension, "value": budget.value, "window": budget.window,
        "environment": budget.environment, "limit": definitions.amount(budget.limit, budget.unit), "unit": budget.unit,
        "thresholds": ", ".join(map(str, budget.thresholds)), "on": budget.on, "channels": budget.channels,
        "carry_over": budget.carry_over, "owner": budget.owner,
    }  # fmt: skip


def body(posted: QueryDict) -> dict[str, Any]:
    """The form as the API's body: one reader for both."""
    dimension = posted.get("dimension", "")
    percents = [part.strip().rstrip("%").strip() for part in posted.get("thresholds", "").split(",")]
    return {
        "name": posted.get("name", "").strip(),
        "scope": {dimension: posted.get("value", "")} if dimension else {},
        "environment": posted.get("environment", "").strip() or None,
        "window": posted.get("window"),
        "limit": posted.get("limit", "").replace(",", "").replace("$", "").strip() or None,
        "unit": posted.get("unit") or None,
        "thresholds": [int(part) if part.isascii() and part.isdigit() and len(part) < 6 else part
                       for part in percents if part],
        "on": posted.getlist("on"),
        "carry_over": posted.get("carry_over") == "on",
        "channels": posted.getlist("channels"),
        "owner": posted.get("owner", "").strip(),
    }  # fmt: skip
