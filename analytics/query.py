"""A question: period, grain, measures, groups, filters, comparison, order, limit. Frozen; it is its own URL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from accounts.models import Project
from analytics.measures import MEASURES
from analytics.periods import Period

GRAINS = ("15min", "hour", "day", "week", "month", "all")
FINE_GRAINS = ("15min", "hour")  # answered from quarter hours only
DEFAULT_PERIOD = "mtd"
DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Filter:
    """Only groups whose `dimension` is one of `values`, labels such as `(none)` too; negated: none of them."""

    dimension: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question about one project.

    `base` is the period to compare with, already cut to what can be compared; `compare` the word that made
    it ("previous", "weekdays", "year"), "" when it was given by dates or there is none. `order`: a column's
    name, `-` before it for descending. `notes` say what differs from what was asked."""

    project: Project
    period: Period
    measures: tuple[str, ...]
    group_by: tuple[str, ...] = ()
    grain: str = "all"
    filters: tuple[Filter, ...] = ()
    compare: str = ""
    base: Period | None = None
    order: str = ""
    limit: int = DEFAULT_LIMIT
    notes: tuple[str, ...] = ()

    @property
    def ordering(self) -> tuple[str, bool]:
        """(column, descending); the first measure, largest first, unless told otherwise."""
        order = self.order or f"-{self.measures[0]}"
        return order.removeprefix("-"), order.startswith("-")

    def values_of(self, dimension: str) -> tuple[str, ...]:
        """What a dimension is filtered to (positive filters only)."""
        return tuple(v for f in self.filters if f.dimension == dimension and not f.negated for v in f.values)

    def filtered(self, dimension: str, *values: str) -> "Query":
        """The same question, with this dimension filtered to these values; without values, not filtered."""
        kept = tuple(f for f in self.filters if f.dimension != dimension)
        return replace(self, filters=(*kept, Filter(dimension, values)) if values else kept)

    def to_params(self) -> dict[str, list[str]]:
        """The parameters that `parse` reads back to this question."""
        params = {"measures": [",".join(self.measures)]}
        params |= {"group_by": [",".join(self.group_by)]} if self.group_by else {}
        params |= {"grain": [self.grain]} if self.grain != "all" else {}
        params |= self._period_params()
        for one in self.filters:
            params.setdefault(one.dimension, []).extend(("!" if one.negated else "") + v for v in one.values)
        params |= {"order": [self.order]} if self.order else {}
        params |= {"limit": [str(self.limit)]} if self.limit != DEFAULT_LIMIT else {}
        return params

    def to_url(self) -> str:
        """`to_params` as a URL's query string."""
        return urlencode(self.to_params(), doseq=True)

    def _period_params(self) -> dict[str, list[str]]:
        params = _bounds(self.period, "") if not self.period.name else {"period": [self.period.name]}
        params |= {"zone": [self.period.zone]} if self.period.zone != self.project.zone else {}
        if self.compare:
            params["compare"] = [self.compare]
        elif self.base:
            params |= _bounds(self.base, "compare_")
        return params


def _bounds(period: Period, prefix: str) -> dict[str, list[str]]:
    return {f"{prefix}from": [_moment(period.start, period)], f"{prefix}to": [_moment(period.end, period)]}


def _moment(moment: datetime, period: Period) -> str:
    """A date where the moment starts a day of the period's zone, else a time with its offset."""
    local = moment.astimezone(period.tz)
    midnight = not (local.hour or local.minute or local.second)
    return local.date().isoformat() if midnight else local.isoformat()


def parse(params: Mapping[str, Sequence[str]], *, project: Project, now: datetime) -> Query:
    """Read a question from URL parameters (a QueryDict). Raises ApiError 422, naming the nearest question."""
    raise NotImplementedError


__all__ = ["GRAINS", "MEASURES", "Filter", "Query", "parse"]
