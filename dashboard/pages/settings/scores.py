"""What scores mean: guesses to be confirmed, definitions, the quality of each flow, and scores that wait."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.models import Member
from analytics.models import Flow
from analytics.score_lists import orphans
from analytics.score_settings import choose_primary, define, words
from analytics.scores_models import DIRECTIONS, KINDS, TARGETS, FlowQuality, ScoreDefinition
from dashboard import formats
from dashboard.guard import project_page
from dashboard.pages.settings.page import changed, shown

PAGE = "settings_scores"
SHOWN_ORPHANS = 100
SHOWN_FLOWS = 200


@project_page()
def scores(request: HttpRequest, member: Member) -> HttpResponse:
    """Definitions, those to be confirmed first; `edit` in the URL opens one of them."""
    project, now = member.project, timezone.now()
    definitions = sorted(
        ScoreDefinition.objects.filter(project=project),
        key=lambda one: (one.confirmed_at is not None, one.name),
    )
    waiting, count = orphans(project, most=SHOWN_ORPHANS)
    edited = next((one for one in definitions if str(one.pk) == request.GET.get("edit")), None)
    return shown(
        request, member, PAGE,
        definitions=[(one, words(one)) for one in definitions], edited=edited and _form(edited),
        kinds=KINDS, directions=DIRECTIONS, targets=TARGETS, flows=_flows(member),
        orphans=[(one, formats.moment(one.received_at, zone=project.zone, now=now)) for one in waiting],
        orphan_count=formats.count(count),
    )  # fmt: skip


def _form(definition: ScoreDefinition) -> dict[str, Any]:
    numbers = {name: getattr(definition, name) for name in ("low", "high", "threshold")}
    return {
        "definition": definition,
        "passing": ", ".join(definition.passing),
        **{name: "" if value is None else f"{value.normalize():f}" for name, value in numbers.items()},
    }


def _flows(member: Member) -> list[tuple[Flow, str]]:
    """Flows with the name of their primary score, by name."""
    chosen = dict(FlowQuality.objects.filter(flow__project=member.project).values_list("flow", "score__name"))
    found = Flow.objects.filter(project=member.project, alias_of=None).order_by("name")[:SHOWN_FLOWS]
    return [(flow, chosen.get(flow.pk, "")) for flow in found]


@require_POST
@project_page("editor")
def confirm(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Confirm or change what a score means; its scores are counted by that at once."""
    definition = ScoreDefinition.objects.filter(project=member.project, pk=number).first()
    if definition is None:
        raise Http404("There is no such score.")

    def act() -> str:
        done = define(definition, request.POST.dict(), now=timezone.now(), by=member.user)
        return f"{done.name}: {words(done)}."

    return changed(request, member, PAGE, act)


@require_POST
@project_page("editor")
def primary(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Choose the score that is a flow's quality."""
    flow = Flow.objects.filter(project=member.project, pk=number).first()
    if flow is None:
        raise Http404("There is no such flow.")

    def act() -> str:
        name = request.POST.get("score", "")
        choose_primary(member.project, flow, name, by=member.user)
        return f"The quality of {flow.name} is {name}." if name else f"{flow.name} has no primary score."

    return changed(request, member, PAGE, act)
