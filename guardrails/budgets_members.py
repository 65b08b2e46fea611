"""Which flows belong to a scope today: a flow that moves brings its past along, and that past fires nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Project
from analytics.dimensions import NONE
from analytics.models import Flow
from guardrails.budget_models import Budget

MAPPED = ("feature", "flow", "cost_centre")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a raw flow name belongs today."""

    id: int
    name: str  # of the flow that it is today
    feature: str
    flow: str
    cost_centre: str
    first_seen_at: datetime


class Catalogue:
    """The flows of a project, as the query engine resolves them."""

    def __init__(self, project: Project, budgets: Iterable[Budget]) -> None:
        self.places = tuple(_places(project)) if any(one.dimension in MAPPED for one in budgets) else ()

    def members(self, budget: Budget, value: str) -> list[Place] | None:
        """The flows of a budget's scope; None for a scope that has no flows of its own."""
        if budget.dimension not in MAPPED:
            return None
        return [place for place in self.places if getattr(place, budget.dimension) == value]


def moved_in(
    before: Sequence[int] | None, members: Sequence[Place] | None, *, since: datetime
) -> list[Place]:
    """Flows that were elsewhere when the scope was last looked at. One that was first seen since is new, not moved."""
    if before is None or members is None:
        return []
    known = set(before)
    return [place for place in members if place.id not in known and place.first_seen_at <= since]


def _places(project: Project) -> Iterable[Place]:
    flows = Flow.objects.filter(project=project).select_related(
        "feature__alias_of", "alias_of__feature__alias_of"
    )
    for raw in flows:
        flow = raw.alias_of or raw
        feature = (flow.feature.alias_of or flow.feature) if flow.feature else None
        centre = flow.cost_centre or (feature.cost_centre if feature else "")
        yield Place(
            raw.pk, flow.name, feature.name if feature else NONE, flow.name, centre or NONE, raw.first_seen_at
        )
