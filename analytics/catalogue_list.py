"""The catalogue as people read it: flows with their features, other names, owners and figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce, Lower

from accounts.models import Project
from analytics.answer import answer
from analytics.catalogue import DETAILS, MODELS, Plan
from analytics.models import Feature, Flow
from analytics.periods import DAY, Period, day_start
from analytics.query import Filter, Query

DAYS = 28
MOST_NAMES = 10_000
BEGINNING = date(1970, 1, 2)


@dataclass(frozen=True, slots=True)
class Figures:
    """What calls of a name came to. `cost` None: nothing is known."""

    calls: int = 0
    cost: Decimal | None = Decimal(0)


@dataclass(frozen=True, slots=True)
class Moving:
    """What a change moves: the last 28 days, and all history."""

    lately: Figures
    ever: Figures


@dataclass(frozen=True, slots=True)
class Detail:
    """A value that a flow says itself, or has from its feature."""

    text: str
    inherited: bool = False


def flows(project: Project, *, search: str = "", feature: str = "", archived: bool = False) -> QuerySet[Flow]:
    """Confirmed flows that are not another name, by feature and name; `feature`: only that one's."""
    found = Flow.objects.filter(project=project, alias_of=None, confirmed_at__isnull=False)
    found = found.filter(archived_at__isnull=not archived).select_related("feature__alias_of")
    today = Coalesce("feature__alias_of__name", "feature__name")
    found = found.annotate(today=today).order_by(Lower("today").asc(nulls_last=True), Lower("name"), "pk")
    if feature:
        found = found.filter(today=feature)
    if search:
        anywhere = Q(name__icontains=search) | Q(today__icontains=search) | _details(search)
        others = Flow.objects.filter(project=project, name__icontains=search, alias_of__isnull=False)
        found = found.filter(anywhere | Q(pk__in=others.values("alias_of")))
    return found


def features(project: Project, *, search: str = "", archived: bool = False) -> QuerySet[Feature]:
    """Features that are not another name, by name, with the number of their flows as `flow_count`."""
    found = Feature.objects.filter(project=project, alias_of=None, archived_at__isnull=not archived)
    if search:
        found = found.filter(Q(name__icontains=search) | _details(search))
    own = Count("flows", filter=Q(flows__alias_of=None), distinct=True)
    others = Count("aliases__flows", filter=Q(aliases__flows__alias_of=None), distinct=True)
    return found.annotate(flow_count=own + others).order_by(Lower("name"), "pk")


def _details(search: str) -> Q:
    found = Q()
    for name in DETAILS:
        found |= Q(**{f"{name}__icontains": search})
    return found


def feature_of(flow: Flow) -> Feature | None:
    """The feature that a flow belongs to today."""
    return flow.feature and (flow.feature.alias_of or flow.feature)


def detail(flow: Flow, name: str) -> Detail:
    """Owner or cost centre of a flow, else its feature's."""
    own, feature = getattr(flow, name), feature_of(flow)
    return Detail(own) if own or feature is None else Detail(getattr(feature, name), inherited=True)


def other_names(kind: str, numbers: Iterable[int]) -> dict[int, list[str]]:
    """By row: the names that lead to it."""
    found: dict[int, list[str]] = {}
    rows = MODELS[kind].objects.filter(alias_of__in=list(numbers)).order_by("name")
    for target, name in rows.values_list("alias_of", "name"):
        found.setdefault(target or 0, []).append(name)
    return found


def known_details(project: Project, name: str) -> list[str]:
    """Owners or cost centres that the catalogue has, to choose from."""
    found: set[str] = set()
    for model in MODELS.values():
        found |= set(
            model.objects.filter(project=project).exclude(**{name: ""}).values_list(name, flat=True)[:500]
        )
    return sorted(found, key=str.lower)


def figures(project: Project, names: Sequence[str], *, by: str, now: datetime) -> Mapping[str, Figures]:
    """Calls and cost of the last 28 days of flows or features, in all environments."""
    if not names:
        return {}
    query = _query(project, (by,), Filter(by, tuple(names)), _lately(project, now))
    found = answer(query, now=now, trust=False).by_group()
    return {group[0]: Figures(values["calls"] or 0, values["cost"]) for group, values in found.items()}


def moving(project: Project, plan: Plan, *, now: datetime) -> Moving | None:
    """What a plan moves; None when no call counts otherwise after it."""
    if not plan.moves:
        return None
    ever = Period(start=day_start(BEGINNING, project.zone), end=_lately(project, now).end, zone=project.zone)
    counted = []
    for period in (_lately(project, now), ever):
        query = _query(project, (), Filter(plan.kind, plan.moves), period)
        totals = answer(query, now=now, trust=False).totals
        counted.append(Figures(totals["calls"] or 0, totals["cost"]))
    return Moving(*counted)


def _lately(project: Project, now: datetime) -> Period:
    today = now.astimezone(ZoneInfo(project.zone)).date()
    start, end = today - timedelta(days=DAYS - 1), today + DAY
    return Period(start=day_start(start, project.zone), end=day_start(end, project.zone), zone=project.zone)


def _query(project: Project, by: tuple[str, ...], only: Filter, period: Period) -> Query:
    return Query(
        project=project,
        period=period,
        measures=("calls", "cost"),
        group_by=by,
        filters=(only,),
        limit=MOST_NAMES,
    )
