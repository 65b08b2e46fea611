"""Both sides of a change, read through the query engine: parts of measures that can be tested, not only figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import Project
from analytics.cells import Cells, by_group, merged, read
from analytics.changes_kinds import KINDS
from analytics.changes_list import Line, raw_names
from analytics.effects_windows import Windows
from analytics.measures import INPUTS, MEASURES, OUTPUTS
from analytics.models import Flow
from analytics.periods import Period
from analytics.plan import planned
from analytics.query import Filter, Query
from analytics.reading import reading

RUN_MEASURES = ("cost_per_run", "p95_cost_per_run", "p95_run_duration", "runs")
CALL_MEASURES = ("error_rate", "total_tokens", "calls")
TAKEN_OVER = 0.9  # share from which on the change is the flow: then the whole flow is compared
Filters = tuple[Filter, ...]
Parts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one side's runs and calls add up to, and its tokens and calls by day; `query`: whose parts they are."""

    query: Query
    runs: Parts
    calls: Parts
    tokens_by_day: tuple[tuple[float, float], ...]

    def count(self, name: str) -> int:
        """How many runs or calls."""
        return int((self.runs if name == "runs" else self.calls).get(name) or 0)

    def value(self, measure: str) -> Any:
        """A measure's value, as everywhere else."""
        if measure == "tokens_per_call":
            calls = self.count("calls")
            return sum(tokens for tokens, _ in self.tokens_by_day) / calls if calls else None
        of_runs = MEASURES[measure].family == "runs"
        return MEASURES[measure].combine(self.runs if of_runs else self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Before, after, and the change's share of the calls after it (None: calls cannot tell)."""

    before: Side
    after: Side
    share: float | None


def read_sides(
    project: Project, line: Line, *, flow: str, environment: str, windows: Windows, now: datetime
) -> Sides:
    """Like with like: the whole flow on both sides once the change has taken over, else what carries the old value
    against what carries the new one."""
    place: Filters = (Filter("environment", (environment,)), *((Filter("flow", (flow,)),) if flow else ()))
    new, old = _carrying(line, line.after), _carrying(line, line.before)
    share = _share(project, place, (new, old), windows.after, now)
    divided = share is not None and share < TAKEN_OVER
    return Sides(
        before=read_side(project, (*place, *(old if divided else ())), windows.before, now),
        after=read_side(project, (*place, *(new if divided else ())), windows.after, now),
        share=share,
    )


def first_call(project: Project, flow: str, environment: str) -> datetime | None:
    """When the flow (today's name, "" = any) was first called in an environment."""
    names = raw_names(project, [flow]) if flow else []
    flows = list(Flow.objects.filter(project=project, name__in=names).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(g.first_at) FROM series s JOIN sighting g ON g.project_id = s.project_id AND g.series_id = s.id"
            " WHERE s.project_id = %s AND s.environment = %s AND (s.flow_id = ANY(%s) OR %s)",
            [project.pk, environment, flows, not flow],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _carrying(line: Line, value: str | None) -> Filters:
    """The filters that find calls with this value of what changed; empty where calls cannot tell."""
    kind = KINDS[line.kind]
    if not kind.column or not value or not line.seen:
        return ()
    named = kind.column == "prompt_version" and line.subject
    return (Filter(kind.dimension, (value,)), *((Filter("prompt", (line.subject,)),) if named else ()))


def _share(
    project: Project, place: Filters, values: tuple[Filters, Filters], period: Period, now: datetime
) -> float | None:
    """The new value's calls of those that carry the new or the old one."""
    new, old = values
    if not new:
        return None
    counts = [_calls(project, (*place, *one), period, now) if one else 0 for one in (new, old)]
    return counts[0] / sum(counts) if counts[0] else None


def _calls(project: Project, filters: Filters, period: Period, now: datetime) -> int:
    cells = read_cells(Query(project=project, period=period, measures=("calls",), filters=filters), now)
    return int(merged(cells.values()).get("calls") or 0)


def read_side(project: Project, filters: Filters, period: Period, now: datetime) -> Side:
    """One side: everything that passes the filters in a period."""
    runs = Query(project=project, period=period, measures=RUN_MEASURES, filters=filters)
    calls = Query(project=project, period=period, measures=CALL_MEASURES, filters=filters, grain="day")
    found = read_cells(calls, now)
    return Side(
        query=runs,
        runs=merged(read_cells(runs, now).values()),
        calls=merged(by_group(found).values()),
        tokens_by_day=tuple((_tokens(parts), float(parts.get("calls") or 0)) for parts in found.values()),
    )


def _tokens(parts: Parts) -> float:
    return float(sum(parts.get(name) or 0 for name in (*INPUTS, *OUTPUTS)))


def read_cells(query: Query, now: datetime) -> Cells:
    """The parts of a question's measures by (time, group), as the engine reads them for its answers."""
    with reading() as cursor:
        return read(cursor, planned(query, query.period, now=now, trust=False), query)[0]
