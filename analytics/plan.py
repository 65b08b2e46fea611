"""Which tables answer a question, and which stretches of them: day rows, quarter hours at ragged edges, or calls.

What no table can answer is refused here, naming the nearest question that one can.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from analytics.asked import kept_from, refuse
from analytics.dimensions import DIMENSIONS, RAW, SCORES, Dimension, dimension_of
from analytics.families import COARSE_OF, LEVELS
from analytics.measures import COSTS, MEASURES
from analytics.periods import DAY, Period, month_start, past
from analytics.query import FINE_GRAINS, Query
from analytics.score_query import chosen, source_for
from analytics.sources import SOURCES, Source

RAW_LONGEST = timedelta(hours=25)  # a local day at the end of summer time
TRUST_PARTS = (
    "calls",
    "partial",
    "unpriced",
    "duplicates",
    "unattributed_calls",
    "unattributed_cost",
    *COSTS,
)
MONTH_GRAINS = ("month", "all")  # whole months can be read as such
_READS = re.compile(r"\b([a-z_]+)\.([a-z_]+)").findall
PRESENCE: dict[str, tuple[str, ...]] = {
    "calls": ("calls",),
    "runs": ("runs",),
    "audience": (),
    "scores": ("scores",),
    "signs": (),
}
BY_WHOLE_DAYS = "Users and customers are counted by whole days."


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows of one table: days [first, after) of the day table, or [start, end) of the quarter hours or calls.
    `months`: coarse rows of these months [first, after) instead of those of the days."""

    days: tuple[date, date] | None = None
    months: tuple[date, date] | None = None
    instants: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """What to read from one source; `grouped` false: one sum over everything. `level`: of the coarse rollups
    (analytics.families.LEVELS); 0 = the fine ones."""

    source: Source
    parts: tuple[str, ...]
    stretches: tuple[Stretch, ...]
    grouped: bool = True
    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one period of a question is read."""

    fetches: tuple[Fetch, ...]
    notes: tuple[str, ...] = ()


def dimensions_of(query: Query) -> tuple[Dimension, ...]:
    """The dimensions that the rows are grouped by."""
    return tuple(_dimension(name, query) for name in query.group_by)


def planned(query: Query, period: Period, *, now: datetime, trust: bool = True) -> Plan:
    """How `period` (the query's own, or its base) is read. Raises ApiError 422."""
    _check_unit(query)
    notes: list[str] = []
    fetches = []
    asked = _families(query)
    scores = chosen(query) if "scores" in asked else None
    notes += scores.notes if scores else ()
    for family in ["calls", *asked] if trust and "calls" not in asked and not _of_scores(query) else asked:
        parts = _parts(family, query, trust)
        own = source_for(scores) if scores and family == "scores" else None
        source = _source_for(family, parts, query, own)
        stretches, note = _READERS.get(source.name, _rollup)(query, period, now)
        grouped = family in asked
        level = coarsest(source, query, grouped=grouped)
        if level and query.grain in MONTH_GRAINS and COARSE_OF[source.day_table].month:
            stretches = tuple(_by_months(stretches, _of_project(period, query).day_of(now)))
        fetches.append(Fetch(source=source, parts=parts, stretches=stretches, grouped=grouped, level=level))
        notes += [note] if note else []
    return Plan(fetches=tuple(fetches), notes=tuple(notes))


def _dimension(name: str, query: Query) -> Dimension:
    found = dimension_of(name, tracked=query.project.tracked_tags)
    if found is None:
        raise refuse("group_by", f"There is no dimension {name!r}.", f"Known are {', '.join(DIMENSIONS)}.")
    return found


def _used(query: Query) -> list[Dimension]:
    names = dict.fromkeys((*query.group_by, *(one.dimension for one in query.filters)))
    return [_dimension(name, query) for name in names]


def _parts(family: str, query: Query, trust: bool) -> tuple[str, ...]:
    """The parts that the asked measures of a family need; what says that a group exists; trust figures."""
    wanted = dict.fromkeys(PRESENCE[family])
    for name in query.measures:
        one = MEASURES[name]
        if family in (one.family, one.beside):
            known = SOURCES[family].parts if one.beside and family in SOURCES else one.parts
            wanted |= dict.fromkeys(part for part in one.parts if part in known)
    if family == "calls" and trust:
        wanted |= dict.fromkeys(TRUST_PARTS)
    return tuple(wanted)


def _families(query: Query) -> dict[str, None]:
    """The families of rollups that the measures need, in the order asked."""
    measures = [MEASURES[name] for name in query.measures]
    return dict.fromkeys(name for one in measures for name in (one.family, one.beside) if name)


def _of_scores(query: Query) -> bool:
    """Whether a dimension is known to scores only: calls cannot be counted by it, not even for trust figures."""
    return any(one.sources == frozenset({SCORES}) for one in _used(query))


def _source_for(family: str, parts: tuple[str, ...], query: Query, own: Source | None) -> Source:
    used = _used(query)
    candidates = [own] if own else [source for source in SOURCES.values() if source.family == family]
    for source in candidates:
        if all(source.name in one.sources for one in used) and all(part in source.parts for part in parts):
            return source
    raise _no_source(candidates, parts, used, query)


def coarsest(source: Source, query: Query, *, grouped: bool = True) -> int:
    """The coarsest level that knows every dimension of the question, 0 when only the fine rows do."""
    if source.day_table not in COARSE_OF:
        return 0
    names = (*(query.group_by if grouped else ()), *(one.dimension for one in query.filters))
    needed = {column for name in names for column in _series_columns(_dimension(name, query))}
    levels = COARSE_OF[source.day_table].levels
    return next((level for level, known in LEVELS.items() if level in levels and needed <= known), 0)


def _series_columns(dimension: Dimension) -> set[str]:
    """What of the series a dimension's text reads; the catalogue is reached by the flow."""
    return {column if alias == "s" else "flow_id" for alias, column in _READS(dimension.text)}


def _by_months(stretches: tuple[Stretch, ...], today: date) -> Iterator[Stretch]:
    """Days as whole months, where there are any, and the days before and after them.

    Month rows hold days that are over: where a stretch reaches today, its last month is whole as well."""
    for stretch in stretches:
        if not stretch.days:
            yield stretch
            continue
        first, after = stretch.days
        start = first if first.day == 1 else month_start(first.replace(day=1) + 31 * DAY)
        end = month_start(after.replace(day=1) + 31 * DAY if after >= today and after.day > 1 else after)
        if start >= end:
            yield stretch
            continue
        whole = min(end, after)
        yield Stretch(months=(start, end), days=(start, whole))
        yield from (Stretch(days=days) for days in ((first, start), (whole, after)) if days[0] < days[1])


def _no_source(
    candidates: list[Source], parts: tuple[str, ...], used: list[Dimension], query: Query
) -> Exception:
    """Says which measure cannot be had by which dimension, and by which it can."""
    measure = next(m for m in query.measures if set(MEASURES[m].parts) & set(parts))
    able = [source for source in candidates if all(part in source.parts for part in MEASURES[measure].parts)]
    able = able or candidates
    strangers = [one.name for one in used if not any(source.name in one.sources for source in able)]
    known = [
        name for name, one in DIMENSIONS.items() if any(s.name in one.sources for s in able if s.name != RAW)
    ]
    blamed = strangers or [one.name for one in used]
    field = "group_by" if set(blamed) & set(query.group_by) else blamed[0]
    return refuse(
        field,
        f"{measure} is not known by {' and '.join(blamed)}{'' if strangers else ' together'}.",
        f"{measure} can be grouped and filtered by {', '.join(known)}.",
    )


def _check_unit(query: Query) -> None:
    if any(one.name == "unit" for one in _used(query)):
        others = [name for name in query.measures if name != "cost"]
        if others:
            raise refuse(
                "group_by", f"unit divides cost only, not {', '.join(others)}.", "Ask for measures=cost."
            )


def _rollup(query: Query, period: Period, now: datetime) -> tuple[tuple[Stretch, ...], str]:
    """Whole days of the project's zone from day rows, the rest from quarter hours, as far as they are kept."""
    kept, zone = kept_from(now), query.project.zone
    if query.grain in FINE_GRAINS or (period.zone != zone and query.grain != "all"):
        if period.start < kept:
            asked = f"A grain of {query.grain}" if query.grain in FINE_GRAINS else f"The zone {period.zone}"
            raise refuse(
                "grain" if query.grain in FINE_GRAINS else "zone",
                f"{asked} is known only from {kept.astimezone(period.tz):%Y-%m-%d %H:%M} on.",
                f"Ask for a grain of day, week, month or all in the zone {zone}, or from a later time.",
            )
        return (Stretch(instants=(period.start, period.end)),), ""
    return tuple(_days_and_edges(_of_project(period, query), kept, period)), ""


def _of_project(period: Period, query: Query) -> Period:
    """The period by days of the project's zones, each in the zone that held then."""
    return replace(period, zone=query.project.zone, earlier=past(query.project.earlier_zones))


def _days_and_edges(local: Period, kept: datetime, period: Period) -> Iterator[Stretch]:
    first, after = local.first_day, local.day_of(local.end)
    if local.day_start(first) < local.start:
        first += DAY
    whole_start, whole_end = local.day_start(first), local.day_start(after)
    if whole_start >= whole_end and not local.whole_days:
        edges = [(local.start, local.end)]
    else:
        edges = [(local.start, whole_start), (whole_end, local.end)]
        yield Stretch(days=(first, after))
    for start, end in edges:
        if start < end:
            if start < kept:
                raise _ragged(start, end, period, local)
            yield Stretch(instants=(start, end))


def _ragged(start: datetime, end: datetime, period: Period, local: Period) -> Exception:
    edge = "from" if start == period.start else "to"
    whole = replace(local, start=start, end=end)
    return refuse(
        edge,
        f"So far back only whole days of the zone {local.zone} are known.",
        f"The nearest is {edge}={whole.first_day if edge == 'to' else whole.last_day + DAY}.",
    )


def _audience(query: Query, period: Period, now: datetime) -> tuple[tuple[Stretch, ...], str]:
    """Sketches are kept by day of the project's zone: every day that the period touches."""
    zone = query.project.zone
    if query.grain in FINE_GRAINS or (period.zone != zone and query.grain != "all"):
        raise refuse(
            "grain" if query.grain in FINE_GRAINS else "zone",
            f"Users and customers are counted by days of the zone {zone}.",
            f"Ask for a grain of day, week, month or all in the zone {zone}.",
        )
    local = _of_project(period, query)
    days = (local.first_day, local.last_day + DAY)
    return (Stretch(days=days),), "" if local.whole_days else BY_WHOLE_DAYS


def _raw(query: Query, period: Period, now: datetime) -> tuple[tuple[Stretch, ...], str]:
    """Calls themselves, over at most a day."""
    if period.end - period.start > RAW_LONGEST:
        names = [one.name for one in _used(query) if one.sources == frozenset({RAW})]
        rollups = [n for n, one in DIMENSIONS.items() if one.sources != frozenset({RAW})]
        raise refuse(
            "from",
            f"{' and '.join(names) or _together(query)} is known to calls only, which are read over at most 24 hours.",
            f"Choose a shorter period, or group by {', '.join(rollups)}.",
        )
    return (Stretch(instants=(period.start, period.end)),), ""


def _together(query: Query) -> str:
    return f"{' and '.join(query.measures)} by {' and '.join(one.name for one in _used(query))}"


_READERS = {"audience": _audience, RAW: _raw}
