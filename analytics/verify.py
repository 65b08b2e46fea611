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
from analytics.families import FAMILIES, Family, day_bounds
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
    cursor.execute("TRUNCATE delta, run_delta")
    for family in FAMILIES:
        cursor.execute(
            sql.SQL("TRUNCATE pg_temp.{}, pg_temp.{}").format(
                sql.Identifier(family.quarter), sql.Identifier(family.day)
            )
        )
    cursor.execute(statement("fill_delta"), window)
    cursor.execute(statement("fill_run_delta"), window)
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
