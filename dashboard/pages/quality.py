"""Quality: which change moved which score?"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.access import allows
from accounts.models import Member
from analytics.answer import answer
from analytics.result import Result
from analytics.scores_models import ScoreDefinition
from dashboard import explore_menus as menus
from dashboard import quality_answer, quality_now, quality_suspects, quality_variants
from dashboard import scope as scopes
from dashboard.empties import why_empty
from dashboard.frame import Choice, frame_for
from dashboard.guard import project_page
from dashboard.panels import Panel, State, asked_for, filled
from dashboard.quality_measure import scores_of
from dashboard.quality_now import Now
from dashboard.quality_suspects import Suspects
from dashboard.quality_tabs import tabs
from dashboard.scope import Scope
from dashboard.trust_line import trust_line

NAMED = 5  # provisional scores that the notice names


@project_page()
def quality(request: HttpRequest, member: Member) -> HttpResponse:
    """The page, or the one panel that a refresh asks for."""
    path = reverse("quality", args=[member.project.slug])
    scope = scopes.read(request.GET, project=member.project, now=timezone.now(), path=path)
    page = _Page(scope)
    panels = {panel.id: filled(panel, make, scope=scope) for panel, make in page.panels()}
    only = asked_for(request)
    if only in panels:
        return render(request, "dashboard/_panel.html", {"panel": panels[only]})
    trust = page.result.trust if page.result else None
    context = {
        "panels": panels,
        "answer": page.sentence(),
        "edits": allows(member.role, needed="editor"),
        "provisional": _provisional(member),
        "tabs": tabs(member.project.slug, "quality"),
        "chips": menus.chips(scope) if scope.filters else (),
        "clear": menus.clear(scope) if scope.filters else "",
        "clear_count": len(scope.filters),
        "trust_line": trust_line(scope, trust),
        "frame": frame_for(member, now=scope.now, place="Quality", scope=scope, trust=trust),
    }
    return render(request, "dashboard/quality.html", context)


def _provisional(member: Member) -> dict[str, Any]:
    """Scores whose meaning is a guess."""
    found = ScoreDefinition.objects.filter(project=member.project, confirmed_at=None).order_by("name")
    names = list(found.values_list("name", flat=True))
    if not names:
        return {}
    return {"names": names[:NAMED], "more": max(0, len(names) - NAMED), "count": len(names),
            "href": reverse("settings_scores", args=[member.project.slug])}  # fmt: skip


class _Page:
    """The panels; scores now come first, since drops without a change are suspects too."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.result: Result | None = None
        self.now: tuple[Now, ...] = ()
        self.suspects: Suspects | None = None

    def sentence(self) -> Any:
        """Nothing where there is no call at all."""
        if self.suspects is None or self.result is None or not self.result.totals["calls"]:
            return ()
        return quality_answer.sentence(self.scope, self.suspects, self.now)

    def panels(self) -> list[tuple[Panel, Any]]:
        """In the order in which they are made."""
        scope = self.scope
        every = scope.value("view") == "all"
        fewer = (Choice("Fewer" if every else "All", scope.url(view=None if every else "all")),)
        slug = scope.project.slug
        return [
            (
                Panel(
                    id="now",
                    title="Scores now",
                    template="dashboard/_quality_now.html",
                    links=fewer,
                    note="what fell first; unlike scores are never averaged",
                ),
                self.scores,
            ),
            (
                Panel(
                    id="suspects",
                    title="What moved quality",
                    template="dashboard/_quality_suspects.html",
                    note="changes of this period, each before against after; 95 % intervals",
                    links=(*fewer, Choice("Change ledger", scope.elsewhere(reverse("changes", args=[slug])))),
                ),
                self.moved,
            ),
            (
                Panel(
                    id="rates",
                    title="Pass rates by variant",
                    template="dashboard/_quality_rates.html",
                    links=quality_variants.tabs(scope),
                    note="95 % intervals by Wilson",
                ),
                self.rates,
            ),
            (
                Panel(
                    id="signs",
                    title="What runs themselves tell",
                    template="dashboard/_quality_signs.html",
                    note="share of all runs; a change is shown where it is clear",
                ),
                self.signs,
            ),
        ]

    def scores(self) -> Any:
        scope = self.scope
        self.result = answer(scope.query(measures=("calls",), base=None, compare=""), now=scope.now)
        if not self.result.totals["calls"]:
            return why_empty(scope)
        self.now = quality_now.scores_now(scope)
        if not self.now:
            return _no_score(scope)
        every = scope.value("view") == "all"
        shown = self.now if every else self.now[: quality_now.ROWS]
        base = scope.base is not None
        return {
            "rows": quality_now.rows(scope, shown),
            "all": len(self.now),
            "cut": len(self.now) - len(shown),
            "base": base,
            "show_all": scope.url(view="all"),
        }

    def moved(self) -> Any:
        if self.result is None or not self.result.totals["calls"]:
            return ()
        self.suspects = quality_suspects.suspects(self.scope, self.now)
        head, rows, every = quality_suspects.rows(
            self.scope, self.suspects, every=self.scope.value("view") == "all"
        )
        if not rows:
            return _no_suspect(self.scope, self.suspects)
        tests = sum(one.effect.test is not None for one in self.suspects.found)
        return {"head": head, "rows": rows, "all": every, "tests": tests, "tested": self.suspects.tested}

    def rates(self) -> Any:
        known = scores_of(self.scope.project)
        chosen = quality_variants.score_of(self.scope, known, self.now[0].quality.score if self.now else "")
        if not self.now or chosen is None:
            return ()
        found = quality_variants.pass_rates(self.scope, chosen)
        scores = tuple(
            Choice(one.score, self.scope.url(score=one.score), one.score == chosen.score) for one in known
        )
        threshold = f"{reverse('settings_scores', args=[self.scope.project.slug])}"
        return {**found, "scores": scores, "threshold": threshold}

    def signs(self) -> Any:
        if self.result is None or not self.result.totals["calls"]:
            return ()
        return quality_variants.signs(self.scope)


def _no_score(scope: Scope) -> State:
    last = ScoreDefinition.objects.filter(project=scope.project).exists()
    if last:
        return State(
            say="No score came in this period.",
            note="Scores count at the time of the call or run that they judge.",
        )
    return State(
        say="No score has reached this project yet.",
        note="A thumb, a check of your own, a judge or an outcome: POST /v1/scores with the id of the call or run. "
        "What runs themselves tell is below.",
    )


def _no_suspect(scope: Scope, found: Suspects) -> State:
    changes = reverse("changes", args=[scope.project.slug])
    way = Choice("Change ledger", scope.elsewhere(changes))
    if not found.changes:
        return State(
            say="No change in this period.",
            note="New versions, models and releases are noticed from the calls.",
            ways=(way,),
        )
    many = f"{found.changes} {'change' if found.changes == 1 else 'changes'}"
    return State(
        say=f"{many}, none on a flow with scores on both sides.",
        note="Effects are measured every quarter hour.",
        ways=(way,),
    )
