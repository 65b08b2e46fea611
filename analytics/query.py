"""A question: period, grain, measures, groups, filters, comparison, order, limit. Frozen, and its own URL."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from urllib.parse import urlencode

from django.utils.datastructures import MultiValueDict

from accounts.models import Project
from analytics.asked import refuse, times
from analytics.dimensions import DIMENSIONS, TAG, dimension_of
from analytics.measures import MEASURES
from analytics.periods import Period
from analytics.score_names import unknown_score

GRAINS = ("15min", "hour", "day", "week", "month", "all")
FINE_GRAINS = ("15min", "hour")  # answered from quarter hours only
TIME_PARAMETERS = ("period", "from", "to", "zone", "compare", "compare_from", "compare_to")
RESERVED = frozenset(("measures", "group_by", "grain", "order", "limit", "format", *TIME_PARAMETERS))
DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Filter:
    """Only what has one of `values` as `dimension`, labels such as `(none)` too; negated: none of them."""

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
    """Read a question from URL parameters: a QueryDict, or lists of values by name.

    Raises ApiError 422, naming the field and the nearest question that can be answered."""
    given = {name: _clean(name, values) for name, values in _lists(params).items()}
    single = {name: values[-1] for name, values in given.items() if name in RESERVED and values}
    measures = _names(single.get("measures", ""))
    for name in measures:
        if name not in MEASURES:
            raise refuse("measures", f"There is no measure {name!r}.", _nearest(name, MEASURES))
        if (scores := unknown_score(project, name)) is not None:
            raise refuse("measures", f"There is no score {name.partition(':')[2]!r}.", _nearest(name, scores))
    if not measures:
        raise refuse("measures", "The question names no measure.", f"Known are {', '.join(MEASURES)}.")
    period, base, notes = times(single, project=project, now=now)
    group_by = _names(single.get("group_by", ""))
    filters = tuple(_filters({name: given[name] for name in given if name not in RESERVED}))
    for name in (*group_by, *(one.dimension for one in filters)):
        _known_dimension(name, project, "group_by" if name in group_by else name)
    return Query(
        project=project,
        period=period,
        measures=measures,
        group_by=group_by,
        grain=_choice(single, "grain", GRAINS, "all"),
        filters=filters,
        compare=single.get("compare", ""),
        base=base,
        order=_order(single.get("order", ""), (*measures, *group_by, "time")),
        limit=_limit(single.get("limit", "")),
        notes=notes,
    )


def _lists(params: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    return dict(params.lists()) if isinstance(params, MultiValueDict) else params


def _clean(name: str, values: Sequence[str]) -> list[str]:
    """Values without empty ones (a form sends them); what Postgres cannot hold is refused."""
    for text in (name, *values):
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise refuse(
                name.replace("\0", "?"), "The value holds a character that is no text.", "Remove it."
            )
    return [value for value in values if value not in ("", "!")]


def _names(text: str) -> tuple[str, ...]:
    """A comma-separated list, each name once, in order."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _filters(given: Mapping[str, Sequence[str]]) -> Iterator[Filter]:
    for name, values in given.items():
        wanted = tuple(dict.fromkeys(value for value in values if not value.startswith("!")))
        unwanted = tuple(dict.fromkeys(value[1:] for value in values if value.startswith("!")))
        if wanted:
            yield Filter(name, wanted)
        if unwanted:
            yield Filter(name, unwanted, negated=True)


def _known_dimension(name: str, project: Project, field: str) -> None:
    if dimension_of(name, tracked=project.tracked_tags) is None:
        known = (*DIMENSIONS, *(f"{TAG}{key}" for key in project.tracked_tags))
        raise refuse(field, f"There is no dimension or parameter {name[:60]!r}.", _nearest(name, known))


def _choice(given: Mapping[str, str], field: str, known: Sequence[str], default: str) -> str:
    value = given.get(field) or default
    if value not in known:
        raise refuse(field, f"There is no {field} {value[:60]!r}.", f"Use one of {', '.join(known)}.")
    return value


def _order(text: str, known: Sequence[str]) -> str:
    if text and text.removeprefix("-") not in known:
        raise refuse("order", f"The answer has no column {text.removeprefix('-')[:60]!r} to order by.",
                     f"Use one of {', '.join(known)}, with - for descending.")  # fmt: skip
    return text


def _limit(text: str) -> int:
    if not text:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_LIMIT):
        raise refuse("limit", f"{text[:40]!r} is no limit.", f"Give a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def _nearest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"Nearest: {', '.join(close)}." if close else f"Known are {', '.join(known)}."
