"""Whether the rollups are what the ledger says: computed again by the loader's own statements, and compared.

One REPEATABLE READ snapshot: what loads meanwhile is not seen. The statements write into temporary tables that
stand before the real ones in the search path, so there is one definition of every figure.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from psycopg import Cursor, sql

from accounts.models import Project
from analytics import retention
from analytics.families import COARSE, FAMILIES, LEVEL_COLUMNS, Coarse, Family, day_bounds
from analytics.ledger import kept_from, roll_up, staging
from analytics.statements import statement


@dataclass(frozen=True, slots=True)
class Difference:
    """A rollup row that is not what the ledger says."""

    table: str
    key: tuple[Any, ...]
    stored: str
    expected: str


def verify(project: Project, *, now: datetime) -> Iterator[Difference]:
    """Every difference between a project's rollups and its ledger."""
    with transaction.atomic(), Cursor(connection.connection) as cursor:
        if not connection.savepoint_ids:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        staging(cursor)
        span = _span(cursor, project)
        if span is None:
            return
        _shadow(cursor)
        day = span[0]
        while day <= span[1]:
            yield from _differences(cursor, project, day, now=now)
            day += timedelta(days=1)
        _unshadow(cursor)
        for one in COARSE:
            yield from check_coarse(cursor, project, one)


def _span(cursor: "Cursor[Any]", project: Project) -> tuple[date, date] | None:
    """First and last day (of the project's zone) that the ledger or a rollup has."""
    cursor.execute(statement("read_span"), {"project": project.pk, "zone": project.zone})
    first, last = cursor.fetchall()[0]
    if first is None:
        return None
    floor = retention.floor().date() + timedelta(days=1)
    return max(first, floor), last


def _shadow(cursor: "Cursor[Any]") -> None:
    for family in FAMILIES:
        for table in (family.quarter, family.day):
            cursor.execute(
                sql.SQL("CREATE TEMP TABLE {0} (LIKE public.{0}) ON COMMIT DROP").format(
                    sql.Identifier(table)
                )
            )


def _unshadow(cursor: "Cursor[Any]") -> None:
    for family in FAMILIES:
        for table in (family.quarter, family.day):
            cursor.execute(sql.SQL("DROP TABLE pg_temp.{}").format(sql.Identifier(table)))


def _differences(
    cursor: "Cursor[Any]", project: Project, day: date, *, now: datetime
) -> Iterator[Difference]:
    start, end = day_bounds(project, day)
    window = {"project": project.pk, "start": start, "end": end}
    cursor.execute("TRUNCATE delta, run_delta, score_delta")
    for family in FAMILIES:
        cursor.execute(
            sql.SQL("TRUNCATE pg_temp.{}, pg_temp.{}").format(
                sql.Identifier(family.quarter), sql.Identifier(family.day)
            )
        )
    cursor.execute(statement("fill_delta"), window)
    cursor.execute(statement("fill_run_delta"), window)
    cursor.execute(statement("fill_score_delta"), window)
    roll_up(cursor, kept_from=kept_from(now))
    for family in FAMILIES:
        yield from _compare(cursor, family, family.day, "day", [project.pk, day, day])
        if start >= kept_from(now):
            last = end - timedelta(microseconds=1)
            yield from _compare(cursor, family, family.quarter, "bucket", [project.pk, start, last])


def _compare(
    cursor: "Cursor[Any]", family: Family, table: str, time: str, bounds: list[Any]
) -> Iterator[Difference]:
    """Rows of the real table and of its shadow that do not agree, both folded."""
    keys = [sql.Identifier(name) for name in (time, *family.keys)]
    folded = sql.SQL(
        "(SELECT {keys}, jsonb_build_object({values}) AS v FROM {{schema}}.{table}"
        " WHERE project_id = %s AND {time} BETWEEN %s AND %s GROUP BY {keys} HAVING {alive})"
    ).format(
        keys=sql.SQL(", ").join(keys),
        values=sql.SQL(", ").join(_values(family)),
        table=sql.Identifier(table),
        time=sql.Identifier(time),
        alive=sql.SQL("sum({}) <> 0").format(sql.Identifier(family.sums[0])),
    )
    text = folded.as_string(cursor)
    cursor.execute(
        f"SELECT to_jsonb(a) - 'v', a.v, to_jsonb(b) - 'v', b.v FROM {text.format(schema='public')} a"  # noqa: S608
        f" FULL JOIN {text.format(schema='pg_temp')} b USING ({sql.SQL(', ').join(keys).as_string(cursor)})"
        " WHERE a.v IS DISTINCT FROM b.v",
        bounds * 2,
    )
    for row in cursor.fetchall():  # Django's connections leave JSON as text
        left, stored, right, expected = (None if cell is None else json.loads(cell) for cell in row)
        key = tuple((left or right or {}).values())
        yield Difference(table, key, _shown(stored, expected), _shown(expected, stored))


def check_coarse(cursor: "Cursor[Any]", project: Project, one: Coarse) -> Iterator[Difference]:
    """Coarse rows that are not the sum of the folded fine rows of times that are over, and months that are not
    the sum of their days."""
    family = next(family for family in FAMILIES if one.fine in (family.quarter, family.day))
    time = "day" if one.fine == family.day else "bucket"
    levels = ", ".join(f"({level}, s.{LEVEL_COLUMNS[level]})" for level in one.levels)
    keys = ["level", time, *family.keys]
    fine = (
        f"(SELECT l.level, l.series, u.* FROM {one.fine} u JOIN series s ON s.project_id = u.project_id"  # noqa: S608
        f" AND s.id = u.series_id CROSS JOIN LATERAL (VALUES {levels}) l (level, series)"
        " WHERE u.project_id = %(project)s AND u.batch = 0) u"
    )
    coarse = f"(SELECT * FROM {one.table} WHERE project_id = %(project)s) u"  # noqa: S608
    as_coarse = ["u.series" if name == "series_id" else f"u.{name}" for name in keys]
    yield from _uneven(cursor, family, one.table, project, ((fine, as_coarse), (coarse, keys)))
    if one.month:
        of_days = ["date_trunc('month', day::timestamp)::date" if name == "day" else name for name in keys]
        of_months = ["month" if name == "day" else name for name in keys]
        months = f"(SELECT * FROM {one.month} WHERE project_id = %(project)s) u"  # noqa: S608
        yield from _uneven(cursor, family, one.month, project, ((coarse, of_days), (months, of_months)))


def _uneven(
    cursor: "Cursor[Any]",
    family: Family,
    table: str,
    project: Project,
    sides: tuple[tuple[str, list[str]], ...],
) -> Iterator[Difference]:
    """Groups of two relations (each with the keys that it is grouped by) whose sums are not the same."""
    values = sql.SQL(", ").join(_values(family)).as_string(cursor)
    expected, stored = (
        f"(SELECT jsonb_build_array({', '.join(keys)}) AS k, jsonb_build_object({values}) AS v FROM {relation}"  # noqa: S608
        f" GROUP BY {', '.join(keys)} HAVING sum({family.sums[0]}) <> 0)"
        for relation, keys in sides
    )
    cursor.execute(
        f"SELECT coalesce(a.k, b.k), a.v, b.v FROM {stored} a FULL JOIN {expected} b USING (k)"  # noqa: S608
        " WHERE a.v IS DISTINCT FROM b.v",
        {"project": project.pk},
    )
    for row in cursor.fetchall():
        key, left, right = (None if cell is None else json.loads(cell) for cell in row)
        yield Difference(table, tuple(key or ()), _shown(left, right), _shown(right, left))


def _values(family: Family) -> Iterator[sql.Composable]:
    """Sums as text without trailing zeros (0 and unknown alike), histograms folded as hex."""
    for name in family.sums:
        yield sql.SQL("{}, trim_scale(coalesce(sum({}), 0))::text").format(
            sql.Literal(name), sql.Identifier(name)
        )
    for name in family.histograms:
        yield sql.SQL("{}, encode(fold_histogram(string_agg({}, ''::bytea)), 'hex')").format(
            sql.Literal(name), sql.Identifier(name)
        )


def _shown(one: dict[str, Any] | None, other: dict[str, Any] | None) -> str:
    """What of one side the other does not have."""
    if one is None:
        return "missing"
    different = {name: value for name, value in one.items() if not other or other.get(name) != value}
    return ", ".join(f"{name} {str(value)[:60]}" for name, value in different.items())
