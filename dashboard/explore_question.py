"""Explore's question: one measure by one dimension in a grain, with further columns; and its answers."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from accounts.errors import ApiError
from analytics.answer import answer
from analytics.asked import kept_from, refuse
from analytics.dimensions import DIMENSIONS, dimension_of
from analytics.measures import MEASURES
from analytics.plan import planned
from analytics.query import GRAINS, Query
from analytics.result import Result
from dashboard import buckets
from dashboard.scope import Scope

DRILL = ("feature", "flow", "model", "prompt_version")
DEFAULT_EXTRAS = ("calls", "total_tokens", "cache_hit_rate", "cost_per_call", "p95_latency")
ROWS = 10
CHART_MEMBERS = 7
VIEWS = ("stacked", "lines", "share", "cumulative", "table")
MOST_BUCKETS = 800  # a year by hour would be 8,760 bars


@dataclass(frozen=True)
class Question:
    """What Explore is asked, from its scope; every answer is computed once."""

    scope: Scope
    measure: str
    dimension: str
    grain: str
    view: str
    limit: int

    @property
    def now(self) -> datetime:
        return self.scope.now

    @property
    def additive(self) -> bool:
        return MEASURES[self.measure].additive

    @cached_property
    def extras(self) -> tuple[str, ...]:
        """The further columns asked for, or the usual ones; those that the dimension cannot answer are left out."""
        asked = self.scope.value("columns")
        names = tuple(name for name in asked.split(",") if name) if asked else DEFAULT_EXTRAS
        known = tuple(dict.fromkeys(name for name in names if name in MEASURES and name != self.measure))
        return tuple(name for name in known if self.can_answer(name))

    def can_answer(self, measure: str) -> bool:
        """Whether a measure is known by this dimension and these filters."""
        query = self.scope.query(measures=(measure,), group_by=(self.dimension,), base=None, compare="")
        try:
            planned(query, query.period, now=self.now, trust=False)
        except ApiError:
            return False
        return True

    @cached_property
    def table_query(self) -> Query:
        """The rows of the table: with calls or runs, which say whether rates can be compared."""
        counts = tuple(name for name in ("calls", "runs") if self._counted(name))
        counts += ("unpriced_calls",) if self.can_answer("unpriced_calls") else ()
        measures = tuple(dict.fromkeys((self.measure, *self.extras, *counts)))
        order = self.scope.value("order") or f"-{self.measure}"
        if order.removeprefix("-") not in (*measures, self.dimension):
            order = f"-{self.measure}"
        return self.scope.query(measures=measures, group_by=(self.dimension,), order=order, limit=self.limit)

    def _counted(self, name: str) -> bool:
        return MEASURES[name].family == MEASURES[self.measure].family and self.can_answer(name)

    @cached_property
    def result(self) -> Result:
        """The table's answer. Raises ApiError: of the measure itself before that of everything beside it."""
        alone = self.scope.query(measures=(self.measure,), group_by=(self.dimension,))
        planned(alone, alone.period, now=self.now, trust=False)
        return answer(self.table_query, now=self.now)

    @cached_property
    def over_time(self) -> Result:
        """The same groups by bucket, for the chart and the sparklines. Raises ApiError."""
        query = self.table_query
        measures = (
            tuple(dict.fromkeys((self.measure, query.ordering[0])))
            if (query.ordering[0] in MEASURES)
            else (self.measure,)
        )
        return answer(
            self.scope.query(
                measures=measures,
                group_by=(self.dimension,),
                grain=self.grain,
                order=query.order,
                limit=self.limit,
            ),
            now=self.now,
            trust=False,
        )

    @cached_property
    def next_dimension(self) -> str:
        """Where a row leads: the next of the drill that is not filtered yet, "" = to the runs."""
        at = DRILL.index(self.dimension) + 1 if self.dimension in DRILL else 0
        filtered = {one.dimension for one in self.scope.filters if not one.negated}
        return next((name for name in DRILL[at:] if name not in filtered), "")


def question(scope: Scope) -> Question:
    """Read it from the page's parameters. Raises ApiError 422 for a measure, dimension or grain that does not exist."""
    measure = scope.value("measures", "cost").split(",")[0]
    dimension = scope.value("group_by") or _first_dimension(scope)
    grain = scope.value("grain") or buckets.grain_for(scope.period, kept_from=kept_from(scope.now))
    if measure not in MEASURES:
        raise refuse(
            "measures", f"There is no measure {measure[:60]!r}.", f"Known are {', '.join(MEASURES)}."
        )
    if dimension_of(dimension, tracked=scope.project.tracked_tags) is None:
        raise refuse(
            "group_by", f"There is no dimension {dimension[:60]!r}.", f"Known are {', '.join(DIMENSIONS)}."
        )
    if grain not in GRAINS[:-1] or len(buckets.buckets(scope.period, grain)) > MOST_BUCKETS:
        grain = buckets.grain_for(scope.period, kept_from=kept_from(scope.now))
    view = scope.value("view", VIEWS[0])
    if view not in VIEWS:
        view = VIEWS[0]
    if view != "table" and not MEASURES[measure].additive:
        view = "lines"  # what does not add up cannot be stacked
    return Question(scope, measure, dimension, grain, view, _limit(scope.value("limit")))


def _first_dimension(scope: Scope) -> str:
    filtered = {one.dimension for one in scope.filters if not one.negated}
    return next((name for name in DRILL if name not in filtered), DRILL[0])


def _limit(text: str) -> int:
    return min(int(text), 1000) if text.isascii() and text.isdigit() and int(text) else ROWS
