"""Overview: what do we spend, on what, and is that all right?"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.access import last_project
from accounts.models import Member, User
from analytics.answer import answer
from analytics.asked import kept_from
from analytics.result import Result
from dashboard import buckets, spans_of_time
from dashboard import explore_menus as menus
from dashboard import scope as scopes
from dashboard.change_rows import recent
from dashboard.empties import extent_of, why_empty
from dashboard.frame import Choice, frame_for
from dashboard.guard import project_page
from dashboard.kinds import kind_of
from dashboard.moves import moves, overview_answer
from dashboard.overview_budgets import forecast_cell, is_running_month, monthly, used_by
from dashboard.panels import Panel, asked_for, filled
from dashboard.scope import Scope
from dashboard.strip import strip
from dashboard.tables import Plan, sorter, table
from dashboard.trust_line import trust_line, unpriced_url
from guardrails.budgets_state import BudgetState

MEASURED = (
    "cost",
    "calls",
    "unpriced_calls",
    "total_tokens",
    "cost_per_run",
    "p95_run_duration",
    "error_rate",
    "runs",
)
EXTRAS = ("calls", "total_tokens", "cost_per_run", "p95_run_duration", "error_rate")
STRIP = (
    ("", "cost"),  # its label depends on the period
    ("Calls", "calls"),
    ("Cost per run", "cost_per_run"),
    ("Run p95, all flows", "p95_run_duration"),
    ("Calls in error", "error_rate"),
)
ROWS = 10
MODELS = 6


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """`/` opens the project used last."""
    project = last_project(request.user) if isinstance(request.user, User) else None
    return redirect("overview", project.slug) if project else render(request, "dashboard/no_project.html", {})


@project_page()
def overview(request: HttpRequest, member: Member) -> HttpResponse:
    """The page, or the one panel that a refresh asks for."""
    now, project = timezone.now(), member.project
    scope = scopes.read(request.GET, project=project, now=now, path=reverse("overview", args=[project.slug]))
    if not request.GET and not project.hidden_getting_started and extent_of(project) is None:
        return redirect("start", project.slug)
    asked = _Asked(scope)
    only = asked_for(request)
    panels = {
        panel.id: filled(panel, make, scope=scope) for panel, make in asked.panels() if only in ("", panel.id)
    }
    if only in panels:
        return render(request, "dashboard/_panel.html", {"panel": panels[only]})
    trust = asked.result.trust if asked.result else None
    found = {
        "panels": panels,
        "answer": overview_answer(scope, asked.result) if asked.has_figures else (),
        "chips": menus.chips(scope) if scope.filters else (),
        "clear": menus.clear(scope) if scope.filters else "",
        "clear_count": len(scope.filters),
        "trust_line": trust_line(scope, trust),
        "frame": frame_for(member, now=now, place="Overview", scope=scope, trust=trust),
    }
    return render(request, "dashboard/overview.html", found)


@dataclass
class _Asked:
    """The page's panels; the features' Result is also the answer's and the strip's."""

    scope: Scope
    result: Result | None = field(default=None)
    budgets: dict[tuple[str, str], BudgetState] | None = field(default=None)  # of the running month

    @property
    def has_figures(self) -> bool:
        return self.result is not None and bool(self.result.totals["calls"])

    def panels(self) -> list[tuple[Panel, Any]]:
        """The panels in the order in which they are made."""
        explore = reverse("explore", args=[self.scope.project.slug])
        ledger = "dashboard/_ledger.html"
        by = tuple(Choice(f"By {name}", self.scope.url(explore, group_by=name)) for name in ("flow", "model"))
        scope = self.scope
        base = f" against {spans_of_time.dates(scope.base, year=False)}" if scope.base else ""
        note = "; ".join((f"USD, {spans_of_time.dates(scope.period, year=False)}{base}", *scope.asked.notes))
        return [
            (Panel(id="features", title="Spend by feature", template=ledger, links=by, note=note), self.features),
            (Panel(id="strip", title="", template="dashboard/_strip.html"), self.strip),
            (Panel(id="moved", title="What moved", template="dashboard/_moved.html",
                   note=f"cost of flows{base}",
                   links=(Choice("Compare", scope.url(reverse("compare", args=[scope.project.slug]))),)), self.moved),
            (Panel(id="changes", title="Recent changes", template="dashboard/_changes_recent.html",
                   note="and what they did since", links=(Choice("Change ledger", scope.elsewhere(
                       reverse("changes", args=[scope.project.slug]))),)), self.changes),
            (Panel(id="models", title="Spend by model", template=ledger, links=by[1:]), self.models),
        ]  # fmt: skip

    def features(self) -> Any:
        if is_running_month(self.scope):
            self.budgets = monthly(self.scope)
        self.result = self._ask("feature", MEASURED, ROWS)
        if not self.has_figures:
            return why_empty(self.scope)
        return self._table("feature", "flow", self.result, EXTRAS, over_time=True)

    def strip(self) -> Any:
        if self.result is None:
            self.result = answer(self.scope.query(measures=MEASURED), now=self.scope.now)
        spend = "Spend to date" if self.scope.period.until else "Spend"
        wanted = tuple((label or spend, name) for label, name in STRIP)
        if not self.has_figures:
            return ()
        cells = strip(self.scope, self.result, wanted)
        ahead = forecast_cell(self.scope, self.result, self.budgets) if self.budgets is not None else None
        return (*cells[:1], ahead, *cells[1:]) if ahead else cells

    def moved(self) -> Any:
        return moves(self.scope) if self.has_figures and self.scope.base else ()

    def changes(self) -> Any:
        scope = self.scope
        environment = scope.environments[0] if len(scope.environments) == 1 else ""
        return recent(scope.project, environment=environment, before=scope.period.end, now=scope.now)

    def models(self) -> Any:
        if self.result is not None and not self.has_figures:
            return None
        return self._table(
            "model",
            "prompt_version",
            self._ask("model", ("cost", "calls", "unpriced_calls"), MODELS),
            ("calls",),
        )

    def _ask(self, dimension: str, measures: tuple[str, ...], limit: int) -> Result:
        query = self.scope.query(measures=measures, group_by=(dimension,), order="-cost", limit=limit)
        return answer(query, now=self.scope.now, trust=dimension == "feature")  # the page has one trust line

    def _table(
        self, dimension: str, then: str, result: Result, extras: tuple[str, ...], *, over_time: bool = False
    ) -> Any:
        scope = self.scope
        grain = buckets.grain_for(scope.period, kept_from=kept_from(scope.now))
        by_time = scope.query(measures=("cost",), group_by=(dimension,), grain=grain, limit=ROWS, base=None)
        explore = reverse("explore", args=[scope.project.slug])
        plan = Plan(
            result=result,
            over_time=answer(by_time, now=scope.now, trust=False) if over_time else None,
            grain=grain,
            dimension=dimension,
            measure="cost",
            extras=extras,
            link=partial(drill, scope, explore, dimension, then),
            sort=sorter(scope, explore, "cost", dimension),
            kind=kind_of(scope.project, dimension),
            caption=f"Cost by {dimension}, USD",
            id=dimension,
            compact=not over_time,
            spark_head=buckets.spark_head(scope.period, grain),
            wide=("cost_per_run", "total_tokens"),
            unpriced=unpriced_url(scope),
            show_all=scope.url(explore, group_by=dimension, limit="1000"),
            budget=used_by(scope, self.budgets) if over_time and self.budgets is not None else None,
        )
        return table(plan)


def drill(scope: Scope, path: str, dimension: str, then: str, name: str) -> str:
    """Into one row: Explore, narrowed to it and grouped by the next dimension; `(rest)` opens the whole list."""
    if name == "(rest)":
        return scope.url(path, group_by=dimension, limit="1000")
    if name in ("(other)", "(several)"):
        return ""
    return scope.narrowed(path, dimension, name, group_by=then)
