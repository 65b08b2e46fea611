"""Flow: is this flow well, and what changed it?"""

from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from analytics.answer import answer
from analytics.dimensions import REST
from analytics.effects_store import measured
from dashboard import explore_menus as menus
from dashboard import flow_answer, flow_chart, flow_runs, flow_table, flow_variants, spans_of_time
from dashboard import scope as scopes
from dashboard.change_rows import row_of
from dashboard.empties import why_empty
from dashboard.finders import style_guards
from dashboard.flow_ask import FlowAsked
from dashboard.flow_facts import facts, feature_of, flow_of, is_known
from dashboard.flow_links import flow_path
from dashboard.frame import Choice, frame_for
from dashboard.guard import project_page
from dashboard.markers import Marker, add_markers, markers_for
from dashboard.panels import Panel, State, asked_for, filled
from dashboard.scope import Scope
from dashboard.tables import Head, Plan, table
from dashboard.trust_line import trust_line, unpriced_url

CUSTOMERS = 10


@project_page()
def flow(request: HttpRequest, member: Member, name: str = "") -> HttpResponse:
    """The page of one flow, or the one panel that a refresh asks for. Another name of a flow leads to its page."""
    name = name or request.GET.get("name", "")
    known = flow_of(member.project, name) if "\0" not in name else None
    if known is not None and known.alias_of is not None:
        return redirect(flow_path(member.project.slug, known.alias_of.name))
    if "\0" in name or not is_known(member.project, name):
        raise Http404("There is no such flow.")
    path = flow_path(member.project.slug, name).partition("?")[0]
    page = _Page(
        FlowAsked(scopes.read(request.GET, project=member.project, now=timezone.now(), path=path), name)
    )
    panels = {panel.id: filled(panel, make, scope=page.scope) for panel, make in page.panels()}
    only = asked_for(request)
    if only in panels:
        return render(request, "dashboard/_panel.html", {"panel": panels[only]})
    trust = None if panels["charts"].state and panels["charts"].state.failed else page.asked.totals.trust
    feature = feature_of(known)
    found = {
        "name": name,
        "panels": panels,
        "feature": feature,
        "feature_url": _feature_url(page.scope, feature) if feature else "",
        "facts": facts(page.scope, known, name, page.asked.quality),
        "catalogue": reverse("settings_catalogue_flow", args=[member.project.slug, known.pk])
        if known
        else "",
        "guards": style_guards(),
        "chips": menus.chips(page.scope) if page.scope.filters else (),
        "clear": menus.clear(page.scope) if page.scope.filters else "",
        "clear_count": len(page.scope.filters),
        **(page.head() if trust is not None else {}),
        "trust_line": trust_line(page.asked.inside, trust),
        "frame": frame_for(member, now=page.scope.now, place="Explore", scope=page.scope, trust=trust),
    }
    return render(request, "dashboard/flow.html", found)


def _feature_url(scope: Scope, feature: str) -> str:
    kept = {name: values for name, values in scope.params.items() if name in scopes.KEPT}
    return scopes.address(_explore(scope), {**kept, "feature": (feature,), "group_by": ("flow",)})


def _explore(scope: Scope) -> str:
    return reverse("explore", args=[scope.project.slug])


class _Page:
    """The panels of one flow, from answers that each are asked for once."""

    def __init__(self, asked: FlowAsked) -> None:
        self.asked, self.scope = asked, asked.page
        environment = self.scope.environments[0] if len(self.scope.environments) == 1 else ""
        self.marks: list[Marker] = markers_for(
            self.scope.project, [asked.name], self.scope.period, environment
        )
        self.kept = measured(self.scope.project, [one.line for one in self.marks])

    def head(self) -> dict[str, Any]:
        """Sentence and buttons; the sentence needs figures."""
        asked = self.asked
        slug = self.scope.project.slug
        gone: dict[str, str | None] = dict.fromkeys(("by", "worst", "grain", "view", "name"))
        acts = [Choice("Runs", asked.inside.url(reverse("runs", args=[slug]), **{**gone, "compare": None}))]
        if not asked.has_figures:
            return {"answer": (), "acts": ()}
        about = flow_answer.mattered(asked, self.marks, self.kept)
        compare = reverse("compare", args=[slug])
        if about is not None:
            href = asked.inside.url(compare, **gone, change=str(about.line.id))
            acts.append(Choice(f"Compare before and after {about.letter}", href))
        else:
            acts.append(Choice("Compare periods", asked.inside.url(compare, **gone)))
        return {"answer": flow_answer.sentence(asked, self.marks, self.kept), "acts": tuple(acts)}

    def panels(self) -> list[tuple[Panel, Any]]:
        """In the order in which they are made."""
        asked, scope = self.asked, self.scope
        as_table = scope.value("view") == "table"
        other = Choice("As chart", scope.url(view=None), key="o") if as_table else (
            Choice("As table", scope.url(view="table"), key="o"))  # fmt: skip
        grains = tuple(
            Choice(word, scope.url(grain=name), name == asked.grain) for name, word in asked.grains
        )
        note = "grey: weekend; hollow: under 30 scores" + ("; dotted: still filling" if asked.filling else "")
        slug = scope.project.slug
        declared = Choice("Record one", f"{reverse('changes', args=[slug])}#declare")
        return [
            (Panel(id="charts", title=f"Cost, latency and quality by {asked.grain}", links=(*grains, other),
                   note="" if as_table else note,
                   template="dashboard/_flow_table.html" if as_table else "dashboard/_flow_chart.html"), self.charts),
            (Panel(id="strip", title="", template="dashboard/_strip.html"), self.strip),
            (Panel(id="changes", title="Changes", template="dashboard/_flow_changes.html", links=(declared,),
                   note="of this flow, and what they did since"), self.changes),
            (Panel(id="variants", title="Variants", template="dashboard/_flow_variants.html",
                   links=flow_variants.tabs(asked), note="USD, seconds"), partial(flow_variants.variants, asked)),
            (Panel(id="worst", title="Worst runs", template="dashboard/_flow_runs.html", links=flow_runs.tabs(asked)),
             self.worst),
            (Panel(id="customers", title="Customers", template="dashboard/_ledger.html"), self.customers),
        ]  # fmt: skip

    def charts(self) -> Any:
        asked = self.asked
        if not asked.has_figures:
            return why_empty(asked.inside)
        if self.scope.value("view") == "table":
            return flow_table.over_time(asked)
        made = flow_chart.lanes(asked)
        drawn = add_markers(
            flow_chart.figure(asked, made), self.marks, period=self.scope.period, width=flow_chart.PLOT_WIDTH
        )
        return {"figure": drawn, "summary": flow_chart.summary(asked, made)}

    def strip(self) -> Any:
        return flow_answer.cells(self.asked) if self.asked.has_figures else ()

    def changes(self) -> Any:
        rows = tuple(
            row_of(self.scope.project, one.line, self.kept, now=self.scope.now, letter=one.letter)
            for one in self.marks
        )
        return {"rows": rows} if rows else State(
            say="No change in this period.", note="New versions, models and releases are noticed from the calls."
        ) if self.asked.has_figures else ()  # fmt: skip

    def worst(self) -> Any:
        if not self.asked.has_figures:
            return ()
        found = flow_runs.worst(self.asked)
        return {"rows": found} if found else State(say="No such run in this period.")

    def customers(self) -> Any:
        asked, scope = self.asked, self.asked.inside
        if not asked.has_figures:
            return ()
        query = scope.query(
            measures=("cost", "calls", "unpriced_calls", "error_rate"),
            group_by=("customer",),
            order="-cost",
            limit=CUSTOMERS,
        )
        gone: dict[str, str | None] = dict.fromkeys(("by", "worst", "grain", "view", "name"))
        path = reverse("runs", args=[scope.project.slug])

        def link(name: str) -> str:
            if name == REST:
                return scope.url(_explore(scope), **gone, group_by="customer", limit="1000")
            if name.startswith("(") and name != "(none)":
                return ""
            return scope.url(path, **{**gone, "compare": None, "customer": name})

        return table(
            Plan(
                result=answer(query, now=scope.now),
                over_time=None,
                grain="all",
                dimension="customer",
                measure="cost",
                extras=("calls", "error_rate"),
                link=link,
                sort=_plain_head,
                id="customers",
                caption=f"Cost by customer of {asked.name}, USD, {spans_of_time.dates(scope.period)}",
                unpriced=unpriced_url(scope),
                show_all=scope.url(_explore(scope), **gone, group_by="customer", limit="1000"),
            )
        )


def _plain_head(name: str) -> Head:
    labels = {"cost": "Cost", "calls": "Calls", "error_rate": "Errors"}
    return Head(labels[name], sorted="descending" if name == "cost" else "")
