"""What came back from the tables: parts of measures by (time, group), merged exactly."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from psycopg import Cursor

from analytics import histogram, sketch
from analytics.compile import compiled
from analytics.measures import COSTS, HISTOGRAMS, SKETCHES, known_sum
from analytics.plan import PRESENCE, Fetch, Plan
from analytics.query import Query

Key = tuple[Any, ...]  # (time or None, then one raw value per dimension)
Parts = dict[str, Any]
Cells = dict[Key, Parts]

_MERGE: dict[str, Callable[[list[Any]], Any]] = {
    **dict.fromkeys(HISTOGRAMS, histogram.merged),
    **dict.fromkeys(SKETCHES, sketch.union),
}
_READ: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(HISTOGRAMS, histogram.unpacked),
    **dict.fromkeys(SKETCHES, lambda packed: packed and sketch.folded(packed)),
}


def merged(many: Iterable[Parts]) -> Parts:
    """The parts of several cells as if they had been one."""
    columns: dict[str, list[Any]] = {}
    for parts in many:
        for name, value in parts.items():
            if value is not None:
                columns.setdefault(name, []).append(value)
    return {name: _MERGE.get(name, known_sum)(values) for name, values in columns.items()}


def by_group(cells: Cells) -> dict[Key, Parts]:
    """Cells with their times merged."""
    gathered: dict[Key, list[Parts]] = {}
    for key, parts in cells.items():
        gathered.setdefault(key[1:], []).append(parts)
    return {group: many[0] if len(many) == 1 else merged(many) for group, many in gathered.items()}


def read(
    cursor: "Cursor[Any]", plan: Plan, query: Query, *, top: Mapping[str, list[int]] | None = None
) -> tuple[Cells, Parts]:
    """(cells, trust figures, where the cells themselves do not have them)."""
    cells: Cells = {}
    trust: Parts = {}
    for fetch in plan.fetches:
        sql, parameters = compiled(fetch, query, zone=query.period.zone, top=top)
        cursor.execute(sql.encode(), parameters, prepare=False)
        for row in cursor:
            if not fetch.grouped:
                trust = _parts(fetch, row)
                continue
            key, parts = _cell(fetch, row, query)
            cells.setdefault(key, {}).update(parts)
    if "unit" in _names(query):
        return _by_unit(cells, query), trust or merged(cells.values())
    return {key: parts for key, parts in cells.items() if _is_there(parts)}, trust


def _names(query: Query) -> set[str]:
    return {*query.group_by, *(one.dimension for one in query.filters)}


def _parts(fetch: Fetch, row: tuple[Any, ...]) -> Parts:
    values = row[len(row) - len(fetch.parts) :]
    return {
        name: _READ[name](value) if name in _READ else value
        for name, value in zip(fetch.parts, values, strict=True)
    }


def _cell(fetch: Fetch, row: tuple[Any, ...], query: Query) -> tuple[Key, Parts]:
    keys = row[: len(row) - len(fetch.parts)]
    return (keys if query.grain != "all" else (None, *keys)), _parts(fetch, row)


def _is_there(parts: Parts) -> bool:
    """Whether anything is left of a cell: corrections can take everything out of it again."""
    counts = [name for names in PRESENCE.values() for name in names if name in parts]
    return any(parts[name] for name in counts) or any(parts.get(name) for name in SKETCHES)


def _by_unit(cells: Cells, query: Query) -> Cells:
    """Cost taken apart by kind of unit, in place of the dimension `unit`; filters on it applied."""
    place = 1 + query.group_by.index("unit") if "unit" in query.group_by else None
    split: dict[Key, list[Parts]] = {}
    for key, parts in cells.items():
        for column in COSTS:
            unit = column.removeprefix("cost_")
            if parts.get(column) is not None and _passes(unit, query):
                at = key if place is None else (*key[:place], unit, *key[place:])
                split.setdefault(at, []).append({column: parts[column]})
    return {key: merged(many) for key, many in split.items()}


def _passes(unit: str, query: Query) -> bool:
    return all((unit in one.values) != one.negated for one in query.filters if one.dimension == "unit")
