"""What a page is asked about: project, environment, period, comparison, filters. The URL holds all of it.

Pages differ from the API in three defaults: the project's main environment unless another is chosen
(`environment=*` = all), a comparison with the previous period unless `compare=none`, and `until`, the last day
inclusive, which the date fields of the period menu send.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from accounts.errors import ApiError
from accounts.models import Project
from analytics.periods import COMPARISONS, Period
from analytics.query import Filter, Query, parse

ALL = "*"
NO_COMPARISON = "none"
DEFAULT_COMPARISON = "previous"
# Parameters in the order in which links write them; everything else is a filter.
KEPT = ("environment", "period", "from", "to", "zone", "compare")
PAGE = (
    "measures", "group_by", "columns", "grain", "view", "order", "limit", "after", "panel", "with", "kind", "who",
    "name", "by", "worst", "score", "change",
)  # fmt: skip
TIMES = ("period", "from", "to", "until")
SIDES = ("a.", "b.")  # what one side of Compare is filtered to, and its own dates
Params = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One page's question. `asked` is a Query with the page's period, base and filters, to be narrowed."""

    project: Project
    now: datetime
    path: str
    params: Params
    asked: Query

    @property
    def period(self) -> Period:
        return self.asked.period

    @property
    def base(self) -> Period | None:
        return self.asked.base

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments chosen; empty = all."""
        return self.asked.values_of("environment")

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The filters that show as chips: all but the environment."""
        return tuple(one for one in self.asked.filters if one.dimension != "environment" or one.negated)

    def value(self, name: str, default: str = "") -> str:
        """One of the page's own parameters."""
        values = self.params.get(name)
        return values[-1] if values else default

    def query(self, **changes: Any) -> Query:
        """The page's question with other measures, groups, grain, filters, …"""
        return replace(self.asked, **changes)

    def url(self, path: str = "", /, **changes: str | Iterable[str] | None) -> str:
        """A link that keeps the rest: parameters set, or left out when None. Another period drops the page's place."""
        params = {**self.params, **{name: _values(value) for name, value in changes.items()}}
        return address(path or self.path, params)

    def narrowed(self, path: str, dimension: str, value: str, /, **changes: str | None) -> str:
        """A link narrowed to one value of a dimension."""
        return self.url(path, **{**changes, dimension: value, "after": None})

    def elsewhere(self, path: str) -> str:
        """Another page of the same environment, period and comparison."""
        return address(path, {name: values for name, values in self.params.items() if name in KEPT})

    def elsewhere_filtered(self, path: str) -> str:
        """Another page of the same environment, period and filters."""
        return address(path, {name: values for name, values in self.params.items() if not is_own(name)})

    def with_period(self, **changes: str | None) -> str:
        """The same page about another stretch of time."""
        kept = {
            name: values
            for name, values in self.params.items()
            if name not in (*TIMES, "after") and not (name.startswith(SIDES) and name[2:] in TIMES)
        }
        return address(self.path, kept | {name: _values(value) for name, value in changes.items()})


def read(given: QueryDict, *, project: Project, now: datetime, path: str) -> Scope:
    """The scope of a request. Raises ApiError 422 for what cannot be read."""
    params = _ordered(_normal(dict(given.lists())))
    asked = parse(_for_engine(params, project), project=project, now=now)
    return Scope(project=project, now=now, path=path, params=params, asked=asked)


def address(path: str, params: Mapping[str, Iterable[str]]) -> str:
    """A path with its parameters, those of the period first."""
    ordered = _ordered({name: tuple(values) for name, values in params.items()})
    text = urlencode([(name, value) for name, values in ordered.items() for value in values], safe="*,:!")
    return f"{path}?{text}" if text else path


def _values(value: str | Iterable[str] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _ordered(params: Params) -> Params:
    filters = sorted(name for name in params if name not in KEPT and name not in PAGE)
    names = (*KEPT[:1], *KEPT[1:], *PAGE, *filters)
    return {name: params[name] for name in names if params.get(name)}


def _normal(lists: dict[str, list[str]]) -> Params:
    """Empty values dropped; `until` (inclusive) becomes `to`; a form's dates win over a period's word."""
    params: Params = {name: tuple(v for v in values if v) for name, values in lists.items()}
    until = params.pop("until", ())
    if until:
        params["to"] = (_day_after(until[-1]),)
    if params.get("from"):
        params.pop("period", None)
    return {name: values for name, values in params.items() if values}


def _day_after(text: str) -> str:
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError) as problem:
        raise ApiError(
            422, "bad_query", f"{text[:40]!r} is no date.", field="until", hint="Write 2026-11-24."
        ) from problem


def _for_engine(params: Params, project: Project) -> dict[str, list[str]]:
    """What `analytics.query.parse` reads: the page's own parameters out, the page's defaults in."""
    asked = {name: list(values) for name, values in params.items() if not is_own(name)}
    asked["measures"] = ["calls"]
    environments = asked.pop("environment", [project.main_environment])
    if ALL not in environments:
        asked["environment"] = environments
    compare = asked.pop("compare", [DEFAULT_COMPARISON])[-1]
    if compare != NO_COMPARISON and not asked.get("compare_from"):
        asked["compare"] = [compare]
    return asked


def is_own(name: str) -> bool:
    """Whether a parameter is a page's own, and no part of a question."""
    return name in PAGE or name.startswith(SIDES)


def comparison_of(scope: Scope) -> str:
    """The word of the comparison: previous, weekdays, year or none."""
    return scope.asked.compare if scope.asked.compare in COMPARISONS else NO_COMPARISON
