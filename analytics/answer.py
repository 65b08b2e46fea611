"""Answering: a Query becomes SQL from the registries and comes back as a Result.

Read the cells of both periods, rank the groups, cut them, name them, and put rows and totals together. Totals
are merged from all cells, so they hold for measures that do not add up.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any

from psycopg import Cursor

from analytics.cells import Cells, Key, Parts, by_group, merged, read
from analytics.compile import NAME_KINDS
from analytics.dimensions import REST
from analytics.intervals import Interval
from analytics.labels import labels
from analytics.measures import MEASURES
from analytics.periods import Period
from analytics.plan import dimensions_of, planned
from analytics.query import Query
from analytics.reading import reading
from analytics.result import Column, Compared, Intervals, Result, Row
from analytics.score_query import kinds_of
from analytics.trust import trust_of

Group = tuple[Any, ...]
CUT = (REST,)  # the group of all groups beyond the limit


@dataclass(frozen=True, slots=True)
class Sides:
    """The cells of the period and of its base, and both by group, their times merged."""

    current: Cells
    base: Cells
    groups: dict[Group, Parts]
    base_groups: dict[Group, Parts]
    trust: Parts
    notes: tuple[str, ...]


def answer(query: Query, *, now: datetime, trust: bool = True) -> Result:
    """Answer a question. `trust` False leaves out what only trust figures need (they are then of nothing).

    Raises ApiError 422 (no table knows it), 503 (it took longer than ten seconds)."""
    with reading() as cursor:
        overview = None
        if query.grain != "all" and any(one.kind in NAME_KINDS for one in dimensions_of(query)):
            # Thousands of names by time would be read to be cut: rank them first, without time.
            overview = _sides(cursor, replace(query, grain="all"), now, trust=False)
        ranking = overview or _sides(cursor, query, now, trust=trust)
        by_name = query.ordering[0] in query.group_by
        names = labels(cursor, query, [*ranking.groups, *ranking.base_groups]) if by_name else {}
        kept, groups, cut = _ranked(query, ranking, names)
        sides = _sides(cursor, query, now, trust=trust, top=_top(query, kept)) if overview else ranking
        names = names or labels(cursor, query, kept)
        figures = trust_of(cursor, project=query.project, period=query.period, parts=sides.trust, now=now)
    build = _Builder(query, {group: place for place, group in enumerate(kept)}, names)
    totals_from = overview or sides
    rows = build.ordered(sides.current)
    return Result(
        period=query.period,
        columns=_columns(query),
        rows=build.rows(rows),
        totals=build.totals(totals_from.groups),
        intervals=build.intervals(rows),
        total_intervals=build.total_intervals(totals_from.groups),
        compare=build.compared(sides.base, totals_from.base_groups),
        complete_until=figures.complete_until,
        trust=figures,
        groups=groups,
        cut=cut,
        notes=tuple(dict.fromkeys((*query.notes, *sides.notes))),
    )


def _sides(
    cursor: "Cursor[Any]",
    query: Query,
    now: datetime,
    *,
    trust: bool,
    top: Mapping[str, list[int]] | None = None,
) -> Sides:
    plan = planned(query, query.period, now=now, trust=trust)
    base_plan = planned(query, query.base, now=now, trust=False) if query.base else None
    cells, parts = read(cursor, plan, query, top=top)
    base = read(cursor, base_plan, query, top=top)[0] if base_plan else {}
    notes = (*plan.notes, *(base_plan.notes if base_plan else ()))
    groups = by_group(cells)
    return Sides(cells, base, groups, by_group(base), parts or merged(groups.values()), notes)


def _ranked(
    query: Query, sides: Sides, names: Mapping[str, Mapping[Any, str]]
) -> tuple[list[Group], int, int]:
    """(groups that keep rows of their own, best first; how many the period has; how many of them are cut).

    Groups of the period come before those that only the base has."""
    current, base = sides.groups, sides.base_groups
    column, descending = query.ordering
    if column in query.group_by:
        ordered = _alphabetical(query, {**base, **current}, names.get(column, {}))
    else:
        value_of = MEASURES[column if column in MEASURES else query.measures[0]].combine
        descending = descending or column not in MEASURES
        gone = {group: parts for group, parts in base.items() if group not in current}
        ordered = [*_sorted(current, value_of, descending), *_sorted(gone, value_of, descending)]
    kept = ordered[: query.limit]
    return kept, len(current), sum(group in current for group in ordered[query.limit :])


def _alphabetical(query: Query, groups: Mapping[Group, Parts], names: Mapping[Any, str]) -> list[Group]:
    column, descending = query.ordering
    place = query.group_by.index(column)
    return sorted(
        groups, key=lambda group: (names.get(group[place], group[place]), str(group)), reverse=descending
    )


def _sorted(groups: Mapping[Group, Parts], value_of: Any, descending: bool) -> list[Group]:
    """By value, unknown ones last, equal ones by name."""
    values = {group: value_of(parts) for group, parts in groups.items()}
    known = sorted((group for group in groups if values[group] is not None), key=str)
    known.sort(key=lambda group: values[group], reverse=descending)
    return known + sorted((group for group in groups if values[group] is None), key=str)


def _top(query: Query, kept: Iterable[Group]) -> dict[str, list[int]]:
    """The ids of names that keep rows of their own, by dimension."""
    groups = list(kept)
    return {
        one.name: sorted({group[place] for group in groups})
        for place, one in enumerate(dimensions_of(query))
        if one.kind in NAME_KINDS
    }


def _columns(query: Query) -> tuple[Column, ...]:
    times = [Column(name="time", kind="time", label="Time")] if query.grain != "all" else []
    groups = [Column(name=one.name, kind="dimension", label=one.label) for one in dimensions_of(query)]
    booleans = {f"score:{name}" for name, kind in kinds_of(query).items() if kind == "boolean"}
    measures = [
        Column(name=name, kind="measure", label=MEASURES[name].label, additive=MEASURES[name].additive,
               unit="ratio" if name in booleans else MEASURES[name].unit)
        for name in query.measures
    ]  # fmt: skip
    return (*times, *groups, *measures)


@dataclass(frozen=True, slots=True)
class _Builder:
    """Rows and totals of one question, with the order of its groups and the names of their ids."""

    query: Query
    places: Mapping[Group, int]
    names: Mapping[str, Mapping[Any, str]]
    times: dict[date | datetime, datetime] = field(default_factory=dict)

    def ordered(self, cells: Cells) -> list[tuple[Key, Parts]]:
        """(key, merged parts) of the rows: by time, then in the order of the groups, `(rest)` last."""
        gathered: dict[Key, list[Parts]] = {}
        for key, parts in cells.items():
            group = key[1:] if key[1:] in self.places else CUT
            gathered.setdefault((key[0], *group), []).append(parts)
        newest_first = self.query.ordering == ("time", True)
        found = sorted(gathered, key=lambda key: self.places.get(key[1:], len(self.places)))
        if self.query.grain != "all":
            found.sort(key=lambda key: key[0], reverse=newest_first)
        return [
            (key, gathered[key][0] if len(gathered[key]) == 1 else merged(gathered[key])) for key in found
        ]

    def rows(self, ordered: list[tuple[Key, Parts]]) -> tuple[Row, ...]:
        """The rows as the answer has them."""
        return tuple(self._row(key, parts) for key, parts in ordered)

    def intervals(self, ordered: list[tuple[Key, Parts]]) -> Intervals:
        """The interval of each row, of the measures that have intervals."""
        return {name: tuple(measure(parts) for _, parts in ordered) for name, measure in self._sure().items()}

    def total_intervals(self, groups: Mapping[Group, Parts]) -> dict[str, Interval | None]:
        """The intervals of the totals."""
        sure = self._sure()
        everything = merged(groups.values()) if sure else {}
        return {name: measure(everything) for name, measure in sure.items()}

    def _sure(self) -> dict[str, Callable[[Mapping[str, Any]], Interval | None]]:
        found = {name: MEASURES[name].interval for name in self.query.measures}
        return {name: interval for name, interval in found.items() if interval is not None}

    def totals(self, groups: Mapping[Group, Parts]) -> dict[str, Any]:
        """Every measure over everything."""
        return self._values(merged(groups.values()))

    def compared(self, base: Cells, totals_from: Mapping[Group, Parts]) -> Compared | None:
        """The same of the base period, None without one."""
        if self.query.base is None:
            return None
        rows = self.ordered(base)
        return Compared(
            period=self.query.base,
            rows=self.rows(rows),
            totals=self.totals(totals_from),
            intervals=self.intervals(rows),
            total_intervals=self.total_intervals(totals_from),
        )

    def _row(self, key: Key, parts: Parts) -> Row:
        values = self._values(parts).values()
        times = [] if self.query.grain == "all" else [self._time(key[0])]
        return (*times, *self._texts(key[1:]), *values)

    def _time(self, moment: date | datetime) -> datetime:
        """Many groups share a moment, and a zone takes its time."""
        found = self.times.get(moment)
        if found is None:
            found = self.times[moment] = _local(moment, self.query.period)
        return found

    def _texts(self, group: Group) -> list[str]:
        if group == CUT and group not in self.places:
            return [REST] * len(self.query.group_by)
        return [
            self.names.get(name, {}).get(value, value)
            for name, value in zip(self.query.group_by, group, strict=True)
        ]

    def _values(self, parts: Parts) -> dict[str, Any]:
        return {name: MEASURES[name].combine(parts) for name in self.query.measures}


def _local(moment: date | datetime, period: Period) -> datetime:
    """The start of a bucket in the period's zone; where midnight is skipped, the first instant of the day."""
    if isinstance(moment, datetime):
        return moment.astimezone(period.tz)
    return datetime.combine(moment, time(), period.tz).astimezone(UTC).astimezone(period.tz)
