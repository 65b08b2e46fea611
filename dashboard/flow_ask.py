"""What the Flow page asks: one flow's figures in total and over time, with its quality."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.urls import reverse

from analytics.answer import answer
from analytics.asked import kept_from
from analytics.periods import reached
from analytics.query import Query
from analytics.result import Result
from dashboard import buckets
from dashboard.quality_measure import OUTCOMES, Quality, primary_of, scores_of
from dashboard.scope import Scope

TOTALS = (
    "cost", "runs", "calls", "unpriced_calls", "cost_per_run", "cost_per_success", "p95_run_duration", "error_rate",
)  # fmt: skip
OVER_TIME = ("cost_per_run", "p95_run_duration", "p50_run_duration", "runs")
GRAINS = (("hour", "Hour"), ("day", "Day"), ("week", "Week"))
HOURS_DAYS = 7  # up to so many days hours are offered


class FlowAsked:
    """One request's questions about one flow, each asked once. `page`: the page's own scope, for its own links;
    `inside`: the same narrowed to the flow, for links to other pages and for questions."""

    def __init__(self, page: Scope, name: str) -> None:
        self.page, self.name = page, name
        self.inside = replace(
            page,
            params={**page.params, "flow": (name,)},
            asked=page.asked.filtered("flow", name),
        )

    def ask(self, query: Query, *, trust: bool = False) -> Result:
        """One question. Raises ApiError 422, 503."""
        return answer(query, now=self.page.now, trust=trust)

    @cached_property
    def quality(self) -> Quality:
        """The flow's primary score; without one whichever it has more of: outcomes of runs, or one of its scores."""
        found = primary_of(self.page.project, self.name)
        if found is not None:
            return found
        known = scores_of(self.page.project)
        if not known:
            return OUTCOMES
        counts = {f"score_count:{one.score}": one for one in known}
        result = self.ask(self.inside.query(measures=(OUTCOMES.measure, *counts), base=None, compare=""))
        sure = result.total_intervals.get(OUTCOMES.measure)
        most = max(counts, key=lambda name: int(result.totals[name] or 0))
        return counts[most] if int(result.totals[most] or 0) > (sure.n if sure else 0) else OUTCOMES

    @cached_property
    def totals(self) -> Result:
        """Everything that answer and strip say."""
        return self.ask(self.inside.query(measures=(*TOTALS, self.quality.measure)), trust=True)

    @property
    def has_figures(self) -> bool:
        """Whether the period has a call of the flow."""
        return bool(self.totals.totals["calls"])

    @cached_property
    def grain(self) -> str:
        """The grain of the charts: the one asked for where it can be answered."""
        asked = self.page.value("grain")
        offered = [name for name, _ in self.grains]
        return asked if asked in offered else buckets.grain_for(self.page.period, kept_from=self._kept)

    @property
    def _kept(self) -> datetime:
        return kept_from(self.page.now)

    @property
    def grains(self) -> tuple[tuple[str, str], ...]:
        """Hours only of a few days that are still kept by the hour."""
        period = self.page.period
        hours = period.days <= HOURS_DAYS and period.start >= self._kept
        return GRAINS if hours else GRAINS[1:]

    @cached_property
    def over_time(self) -> Result:
        """The charts' figures."""
        measures = (*OVER_TIME, self.quality.measure)
        return self.ask(
            self.inside.query(measures=measures, grain=self.grain, base=None, compare="", order="time")
        )

    @cached_property
    def points(self) -> "tuple[Point, ...]":
        """Every bucket of the period, also the empty ones."""
        starts = buckets.buckets(self.page.period, self.grain)
        last = self.page.period.end.astimezone(self.page.period.tz)
        ends = [*starts[1:], min(last, _after(starts[-1], self.grain, self.page)) if starts else last]
        result = self.over_time
        names = [column.name for column in result.columns]
        found = {row[0].timestamp(): (place, row) for place, row in enumerate(result.rows)}
        sure = result.intervals.get(self.quality.measure, ())
        made = []
        for start, end in zip(starts, ends, strict=True):
            place, row = found.get(start.timestamp(), (None, None))
            values: Mapping[str, Any] = dict(zip(names, row, strict=True)) if row else {}
            made.append(
                Point(start, end, values, sure[place] if place is not None and place < len(sure) else None)
            )
        return tuple(made)

    def runs_at(self, point: "Point", order: str) -> str:
        """The runs of a bucket, the extreme ones first: from a point of a chart to its runs."""
        scope = self.inside
        gone: dict[str, str | None] = dict.fromkeys(
            ("grain", "view", "by", "worst", "name", "compare", "period", "after", "panel")
        )
        start, end = (_edge(moment) for moment in (max(point.start, self._from), point.end))
        path = reverse("runs", args=[scope.project.slug])
        return scope.url(path, **{**gone, "from": start, "to": end, "order": order})

    @property
    def _from(self) -> datetime:
        """A week may begin before the period does."""
        return self.page.period.start.astimezone(self.page.period.tz)

    @property
    def filling(self) -> bool:
        """Whether the last bucket still fills."""
        return self.page.period.until is not None and reached(self.page.period) < self.page.period.end


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket [start, end): its measures, and how sure its quality is."""

    start: datetime
    end: datetime
    values: Mapping[str, Any]
    sure: Any

    def value(self, name: str) -> Any:
        """A measure's value; None where the bucket has no row."""
        return self.values.get(name)


def _after(start: datetime, grain: str, scope: Scope) -> datetime:
    """When the last bucket ends."""
    following = (one for one in buckets.STARTS[grain](scope.period) if one > start)
    return next(following, scope.period.end).astimezone(scope.period.tz)


def _edge(moment: datetime) -> str:
    return str(moment.date()) if (moment.hour, moment.minute) == (0, 0) else moment.isoformat()
