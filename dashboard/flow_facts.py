"""Who a flow belongs to and what it may spend."""

from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.models import Project
from analytics.dimensions import UNATTRIBUTED
from analytics.models import Flow
from dashboard import budget_rows, formats
from dashboard.quality_measure import Quality
from dashboard.scope import Scope
from guardrails.budgets_evaluate import budgets_of, states_of
from guardrails.budgets_state import BudgetState


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line: label, text, where it leads; a budget has its bar."""

    label: str
    text: str
    href: str = ""
    bar: SafeString | None = None
    tone: str = ""
    note: str = ""


def flow_of(project: Project, name: str) -> Flow | None:
    """The flow of that raw name."""
    return (
        Flow.objects.filter(project=project, name=name)
        .select_related("alias_of", "feature__alias_of")
        .first()
    )


def feature_of(flow: Flow | None) -> str:
    """Today's name of its feature."""
    if flow is None or flow.feature is None:
        return ""
    return (flow.feature.alias_of or flow.feature).name


def facts(scope: Scope, flow: Flow | None, name: str, quality: Quality) -> tuple[Fact, ...]:
    """Owner, cost centre, feature, description, budgets: what is set, and where to set what is not."""
    project = scope.project
    catalogue = reverse("settings_catalogue_flow", args=[project.slug, flow.pk]) if flow else ""
    feature = (flow.feature.alias_of or flow.feature) if flow and flow.feature else None
    owner = flow.owner or (feature.owner if feature else "") if flow else ""
    centre = flow.cost_centre or (feature.cost_centre if feature else "") if flow else ""
    rows = []
    if flow is not None:
        rows = [
            Fact(label="Feature", text=feature.name if feature else "none yet", href=catalogue),
            Fact(label="Owner", text=owner or "nobody yet", href=catalogue),
            Fact(label="Cost centre", text=centre or "none yet", href=catalogue),
            *([Fact(label="Description", text=flow.description)] if flow.description else []),
            Fact(
                label="First seen", text=formats.moment(flow.first_seen_at, zone=project.zone, now=scope.now)
            ),
        ]
    return (*rows, *_quality(scope, flow, quality), *_budgets(scope, name, feature.name if feature else ""))


def _quality(scope: Scope, flow: Flow | None, quality: Quality) -> tuple[Fact, ...]:
    """Which measure is its quality, and where that is decided."""
    if flow is None:
        return ()
    text = quality.label if quality.primary else f"{quality.label}; no primary score yet"
    return (Fact(label="Quality", text=text, href=reverse("settings_scores", args=[scope.project.slug])),)


def _budgets(scope: Scope, name: str, feature: str) -> tuple[Fact, ...]:
    """The budgets on the flow, and on its feature."""
    places = {("flow", name), *({("feature", feature)} if feature else set())}
    own = [one for one in budgets_of(scope.project) if (one.dimension, one.value) in places]
    found = states_of(scope.project, now=scope.now, budgets=own) if own else []
    found.sort(key=lambda state: (state.budget.dimension != "flow", state.budget.name))
    if found:
        return tuple(_budget(scope, state) for state in found)
    if name == UNATTRIBUTED:
        return ()
    new = reverse("budget_new", args=[scope.project.slug])
    query = scope.url(
        new, dimension="flow", value=name, name=None, period=None, compare=None, by=None, worst=None
    )
    return (Fact(label="Budget", text="set a budget", href=query),)


def _budget(scope: Scope, state: BudgetState) -> Fact:
    budget = state.budget
    ahead = (state.forecast_share or 0) > 1
    return Fact(
        label=f"Budget, {budget.dimension}, {budget.window}",
        text=f"{formats.share(state.share)} of {budget_rows.answer_money(state.limit, budget.unit)}",
        href=f"{reverse('budgets', args=[scope.project.slug])}?budget={budget.pk}",
        bar=budget_rows.bar(state, now=scope.now),
        tone="worse" if state.state == "over" or ahead else "",
        note="forecast beyond the limit" if ahead and state.state != "over" else "",
    )


def is_known(project: Project, name: str) -> bool:
    """Whether a flow of that name was ever seen, or it is the name of calls without one."""
    return name == UNATTRIBUTED or Flow.objects.filter(Q(project=project), Q(name=name)).exists()
