"""What is looked up about an alert for people: whom it touches, its likely cause, the change near its start, ten runs.

All of it is about the calls of the rule's filters and the alert's group, from the window before `since` until the
last evaluation. Whatever cannot be told is None.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse

from accounts.errors import ApiError
from accounts.models import Project
from analytics import lists
from analytics.answer import answer
from analytics.asks import Ask
from analytics.changes_models import Change
from analytics.entries import Run
from analytics.models import Feature, Flow
from analytics.periods import Period, quarter_ceil, quarter_floor
from analytics.query import Filter, Query
from guardrails import spans
from guardrails.alert_models import Alert
from guardrails.outages import ERROR_MEASURES, FAULTS, scope_of

RUNS = 10
LOOKED_AT = 100
RAW_HOURS = timedelta(hours=24)
CHANGE_HOURS = timedelta(hours=24)
CHANGE_AFTER = timedelta(minutes=15)  # a window may have caught it before the change's first call was dated
RUN_FILTERS = ("environment", "feature", "flow", "owner", "cost_centre")


def facts_of(alert: Alert, *, project: Project, now: datetime) -> dict[str, Any]:
    """Everything about one alert, as JSON."""
    period = period_of(alert, project)
    filters = scope_of(alert)
    errors = is_about_errors(alert)
    narrowed = (*filters, Filter("status", ("error",))) if errors else filters
    return {
        **_totals(project, period, filters, now),
        "users": _distinct("user", project, period, narrowed, now),
        "customers": _distinct("customer", project, period, narrowed, now),
        "cause": cause_of(project, period, filters, now) if errors else None,
        "change": change_of(alert, project, filters),
        "runs": [run_body(run, project) for run in worst_runs(alert, project, period, filters, now)],
    }


def is_about_errors(alert: Alert) -> bool:
    """Whether failed calls are what it is about."""
    return alert.rule is not None and alert.rule.measure in ERROR_MEASURES


def period_of(alert: Alert, project: Project) -> Period:
    """From the window before the alert began until it was last looked at."""
    window = alert.rule.window if alert.rule else "day"
    start = spans.closed(window, until=alert.since, zone=project.zone).start
    end = max(
        quarter_ceil(alert.resolved_at or alert.evaluated_until),
        quarter_floor(alert.since) + timedelta(hours=1),
    )
    return Period(start=min(start, quarter_floor(alert.since)), end=end, zone=project.zone)


def _lately(period: Period) -> Period:
    """The first 24 hours of it: what calls themselves can be asked about."""
    return replace(period, end=min(period.end, period.start + RAW_HOURS))


def _totals(
    project: Project, period: Period, filters: tuple[Filter, ...], now: datetime
) -> dict[str, int | str | None]:
    for measures in (("calls", "errors", "cost", "runs"), ("calls", "errors", "cost"), ("calls", "cost")):
        query = Query(project=project, period=period, measures=measures, filters=filters)
        try:
            totals = answer(query, now=now, trust=False).totals
        except ApiError:
            continue  # runs do not know every dimension
        cost = totals.get("cost")
        return {
            "affected_runs": totals.get("runs"), "calls": totals.get("calls"), "errors": totals.get("errors"),
            "cost": None if cost is None else f"{cost:f}",
        }  # fmt: skip
    return {"affected_runs": None, "calls": None, "errors": None, "cost": None}


def _distinct(
    dimension: str, project: Project, period: Period, filters: tuple[Filter, ...], now: datetime
) -> int | None:
    """How many users or customers the calls had, from the calls themselves, in the first 24 hours."""
    query = Query(project=project, period=_lately(period), measures=("calls",), group_by=(dimension,),
                  filters=filters, limit=10_000)  # fmt: skip
    try:
        found = answer(query, now=now, trust=False).by_group()
    except ApiError:
        return None
    return sum(group != ("(none)",) for group in found)


def cause_of(
    project: Project, period: Period, filters: tuple[Filter, ...], now: datetime
) -> dict[str, Any] | None:
    """What most errors have in common: class, provider, model, and their share; None without errors."""
    query = Query(project=project, period=period, measures=("errors",), filters=filters, limit=1000,
                  group_by=("error_class", "provider", "model", "flow"))  # fmt: skip
    try:
        counts = {
            group: figures["errors"]
            for group, figures in answer(query, now=now, trust=False).by_group().items()
        }
    except ApiError:
        return None
    total = sum(counts.values())
    if not total:
        return None
    by_class = _summed(counts, (0, 1))
    (kind, provider), most = max(by_class.items(), key=lambda pair: pair[1])
    chosen = {group: n for group, n in counts.items() if group[:2] == (kind, provider) and n}
    (model,), of_model = max(_summed(chosen, (2,)).items(), key=lambda pair: pair[1])
    return {
        "error_class": kind, "provider": provider, "model": model if of_model >= 0.8 * most else None,
        "share": most / total, "errors": total, "flows": len(_summed(chosen, (3,))),
        "is_provider": kind in FAULTS,
    }  # fmt: skip


def _summed(counts: dict[tuple[str, ...], int], places: Sequence[int]) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    for group, count in counts.items():
        key = tuple(group[place] for place in places)
        found[key] = found.get(key, 0) + count
    return found


def change_of(alert: Alert, project: Project, filters: tuple[Filter, ...]) -> dict[str, Any] | None:
    """The change nearest before the alert began, of its flows, within a day; None when nothing changed."""
    near = Change.objects.filter(
        project=project, at__gt=alert.since - CHANGE_HOURS, at__lte=alert.since + CHANGE_AFTER
    )
    flows = _raw_flows(project, filters)
    if flows is not None:
        near = near.filter(Q(on_flows__name__in=flows) | Q(on_flows__isnull=True))
    environments = [
        value for one in filters if one.dimension == "environment" and not one.negated for value in one.values
    ]
    if environments:
        near = near.filter(Q(environment__in=environments) | Q(environment=""))
    found = near.order_by("-at", "-pk").distinct().first()
    if found is None:
        return None
    return {
        "id": found.pk, "kind": found.kind, "subject": found.subject, "before": found.before, "after": found.after,
        "at": found.at.isoformat(), "by": found.by,
        "minutes_before": round((alert.since - found.at).total_seconds() / 60),
    }  # fmt: skip


def _raw_flows(project: Project, filters: tuple[Filter, ...]) -> list[str] | None:
    """The raw names of the flows that the filters leave; None when they leave all."""
    flows = Flow.objects.filter(project=project)
    known = False
    for one in filters:
        if one.negated or one.dimension not in ("flow", "feature"):
            continue
        known = True
        if one.dimension == "flow":
            flows = flows.filter(Q(name__in=one.values) | Q(alias_of__name__in=one.values))
        else:
            features = Feature.objects.filter(project=project, name__in=one.values)
            flows = flows.filter(Q(feature__in=features) | Q(alias_of__feature__in=features))
    return list(flows.values_list("name", flat=True)[:1000]) if known else None


def worst_runs(
    alert: Alert, project: Project, period: Period, filters: tuple[Filter, ...], now: datetime
) -> list[Run]:
    """Ten runs to look at: failed ones first, then the slowest; of a cost the costliest, of a latency the slowest."""
    usable = tuple(one for one in filters if one.dimension not in ("error_class", "unit"))
    measure = alert.rule.measure if alert.rule else "cost"
    order = "slowest" if "latency" in measure or "duration" in measure or "ttft" in measure else "newest"
    order = "costliest" if "cost" in measure else order
    if is_about_errors(alert):
        usable = (*usable, Filter("status", ("error",)))
    if any(one.dimension not in RUN_FILTERS for one in usable):
        order = "newest"
    found = _runs(project, period, usable, order, now)
    found.sort(key=_RANK["costliest" if "cost" in measure else "slowest"])
    return found[:RUNS]


_RANK: dict[str, Any] = {
    "slowest": lambda run: (run.outcome != "failure", not run.errors, -(run.duration_ms or 0), run.id),
    "costliest": lambda run: (-(run.cost or 0), run.id),
}


def _runs(
    project: Project, period: Period, filters: tuple[Filter, ...], order: str, now: datetime
) -> list[Run]:
    query = Query(project=project, period=period, measures=("calls",), filters=filters)
    ask = Ask(query=query, bounded=True, limit=LOOKED_AT if order == "newest" else RUNS, order=order)
    try:
        return list(lists.runs(ask, now=now).runs)
    except ApiError:
        return []  # runs do not know this dimension


def run_body(run: Run, project: Project) -> dict[str, Any]:
    """A run as messages and API give it."""
    return {
        "id": run.id, "started_at": run.started_at.isoformat(), "flow": run.dimensions["flow"],
        "customer": run.dimensions["customer"], "outcome": run.outcome, "rescued": run.rescued,
        "duration_ms": run.duration_ms, "cost": None if run.cost is None else f"{run.cost:f}",
        "calls": run.calls, "errors": run.errors, "path": reverse("run", args=[project.slug, run.id]),
    }  # fmt: skip
