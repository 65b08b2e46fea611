"""Compaction: appended rows become one row a key, and what corrections made stale is built again.

Each table is folded by one statement under the lane's lock, so nothing that a load adds can count twice. The same
statement brings the coarse rollups up to what is over (docs/decisions/0013-coarse-rollups.md).
"""

from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Cursor

from accounts.models import LANES, Project
from analytics import audience
from analytics.families import FAMILIES, day_bounds
from analytics.ledger import LaneBusy, writing
from analytics.statements import statement

MOST = 20_000  # keys of one table folded at once: the lock is held for a second or two
TABLES = tuple(table for family in FAMILIES for table in (family.quarter, family.day))


def fold(*, now: datetime, lanes: range = range(LANES)) -> int:
    """Fold what was appended in these lanes; returns the rows written. A busy lane waits for the next time."""
    return sum(fold_lane(lane, now=now) for lane in lanes)


def fold_lane(lane: int, *, now: datetime, wait: bool = False) -> int:
    """Fold one lane, table by table, each in a transaction of its own."""
    folded = 0
    for table in (*TABLES, "intake"):
        try:
            with writing(lane, wait=wait) as cursor:
                cursor.execute(statement(f"fold_{table}"), {"lane": lane, "most": MOST, "now": now})
                folded += cursor.rowcount
        except LaneBusy:
            return folded
    _refresh(lane, now=now, wait=wait)
    return folded


def _refresh(lane: int, *, now: datetime, wait: bool) -> None:
    try:
        with writing(lane, wait=wait) as cursor:
            since = now - timedelta(days=2)
            cursor.execute(statement("trim_exemplars"), {"lane": lane, "since": since})
            cursor.execute(
                "DELETE FROM dirty_day WHERE project_id %% 16 = %s RETURNING project_id, day", [lane]
            )
            for project_id, day in cursor.fetchall():
                project = Project.objects.filter(pk=project_id).first()
                if project is not None:
                    rebuild_sketches(cursor, project, day)
    except LaneBusy:
        return


def rebuild_sketches(cursor: "Cursor[Any]", project: Project, day: date) -> None:
    """Build a day's distinct counts and exemplars again from the ledger."""
    start, end = day_bounds(project, day)
    window = {"project": project.pk, "start": start, "end": end}
    cursor.execute("TRUNCATE delta, run_delta, run_new")
    cursor.execute("DELETE FROM audience_day WHERE project_id = %s AND day = %s", [project.pk, day])
    cursor.execute(statement("delete_exemplars"), window)
    cursor.execute(statement("fill_delta"), window)
    cursor.execute(statement("fill_run_new"), window)
    cursor.execute(statement("gather_audience"))
    audience.add(cursor, cursor.fetchall())
    cursor.execute(statement("pick_exemplars"))
    cursor.execute("TRUNCATE delta, run_delta, run_new")
