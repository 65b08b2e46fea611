"""Rollups from the ledger, a day at a time, under the lane's lock: what is there goes, what the calls say comes."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Cursor, sql

from accounts.models import Project
from analytics import partitions, retention
from analytics.families import COARSE, FAMILIES, day_bounds
from analytics.fold import rebuild_sketches
from analytics.ledger import kept_from, roll_up, writing
from analytics.statements import statement


class TooOld(ValueError):
    """The ledger no longer holds this day: its rollups outlive it and are left alone."""


def rebuild(project: Project, *, first: date, last: date, now: datetime) -> Iterator[date]:
    """Rebuild the days from `first` to before `last`; yields each day that is done.

    Raises TooOld for a day that begins before the ledger's floor."""
    day = first
    while day < last:
        if day_bounds(project, day)[0] < retention.floor():
            raise TooOld(f"{day} lies before the ledger's floor, {retention.floor():%Y-%m-%d}")
        rebuild_day(project, day, now=now)
        yield day
        day += timedelta(days=1)


def rebuild_day(project: Project, day: date, *, now: datetime) -> None:
    """Rebuild every rollup of one day of the project's zone."""
    start, end = day_bounds(project, day)
    window = {"project": project.pk, "start": start, "end": end}
    with writing(project.lane, wait=True) as cursor:
        partitions.ensure(cursor, start, end, now=now)
        _clear(cursor, project, day, start, end)
        cursor.execute(statement("fill_delta"), window)
        cursor.execute(statement("fill_run_delta"), window)
        cursor.execute(statement("fill_score_delta"), window)
        roll_up(cursor, kept_from=kept_from(now))
        rebuild_sketches(cursor, project, day)


def _clear(cursor: "Cursor[Any]", project: Project, day: date, start: datetime, end: datetime) -> None:
    for one in COARSE:
        if one.month:
            cursor.execute(statement(f"take_{one.fine}"), {"project": project.pk, "day": day})
        else:
            _clear_quarters(cursor, one.table, project, (start, end))
    for family in FAMILIES:
        _clear_quarters(cursor, family.quarter, project, (start, end))
        cursor.execute(
            sql.SQL("DELETE FROM {} WHERE project_id = %s AND day = %s").format(sql.Identifier(family.day)),
            [project.pk, day],
        )


def _clear_quarters(
    cursor: "Cursor[Any]", table: str, project: Project, bounds: tuple[datetime, datetime]
) -> None:
    cursor.execute(
        sql.SQL("DELETE FROM {} WHERE project_id = %s AND bucket >= %s AND bucket < %s").format(
            sql.Identifier(table)
        ),
        [project.pk, *bounds],
    )
