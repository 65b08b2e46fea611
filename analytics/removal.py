"""A project goes, with everything that was kept of it; only its lines in the audit log stay.

First, in one transaction, the project itself and what waits for it: from then on nobody sees it and nothing
is loaded for it. Then its rows in the big tables, a stretch of time at a time. A removal that was cut short
is finished at the next start (`finish`).
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Cursor, sql

from accounts import audit
from accounts.models import LANES, AuditLine, Project
from analytics.ledger import writing

BEGUN, DONE = "project.removed", "project.emptied"


class Kept(NamedTuple):
    """A table that has rows of projects, and the column and stretch in which they are deleted; None = at once."""

    table: str
    column: str | None = None
    step: timedelta = timedelta(days=28)


WAITING = (Kept("inbox"), Kept("inbox_dead"))
TABLES = (
    Kept("call", "started_at", timedelta(days=7)),
    Kept("content", "started_at", timedelta(days=7)),
    Kept("span", "started_at", timedelta(days=7)),
    Kept("run", "first_day", timedelta(days=7)),
    Kept("usage", "bucket"),
    Kept("usage_day", "day"),
    Kept("customer_bucket", "bucket"),
    Kept("customer_day", "day"),
    Kept("run_bucket", "bucket"),
    Kept("run_day", "day"),
    Kept("usage_coarse", "bucket"),
    Kept("usage_coarse_day", "day"),
    Kept("usage_coarse_month"),
    Kept("customer_coarse_day", "day"),
    Kept("customer_coarse_month"),
    Kept("run_coarse", "bucket"),
    Kept("run_coarse_day", "day"),
    Kept("run_coarse_month"),
    Kept("exemplar", "bucket"),
    Kept("audience_day", "day"),
    Kept("dirty_day"),
    Kept("intake"),
    Kept("sighting"),
    Kept("score"),
    Kept("scorer"),
    Kept("outcome"),
    Kept("score_bucket", "bucket"),
    Kept("score_day", "day"),
    Kept("sign_bucket", "bucket"),
    Kept("sign_day", "day"),
    Kept("series"),
    Kept("name"),
    Kept("waiting_flow"),
    Kept("tag_set"),
)


def remove_project(project: Project, *, by: audit.By = None) -> None:
    """Remove a project with all its rows in every table; leaves audit lines of who did it and that it is done."""
    number, slug, lane = project.pk, project.slug, project.lane
    with writing(lane, wait=True) as cursor:
        for kept in WAITING:
            _delete_all(cursor, kept, number)
        audit.record(
            project=None, actor=audit.actor_name(by), action=BEGUN, target=slug,
            project_id=number, name=project.name,
        )  # fmt: skip
        project.delete()
    _empty(number, slug)


def finish() -> None:
    """Finish removals that were cut short."""
    done = set(AuditLine.objects.filter(action=DONE).values_list("details__project_id", flat=True))
    for slug, details in AuditLine.objects.filter(action=BEGUN).values_list("target", "details"):
        if details["project_id"] not in done:
            _empty(details["project_id"], slug)


def was_made(slug: str) -> bool:
    """Whether a project of that slug was ever made here: the audit log never forgets."""
    return AuditLine.objects.filter(action="project.created", target=slug).exists()


def _empty(number: int, slug: str) -> None:
    lane = number % LANES
    for kept in (*WAITING, *TABLES):
        if kept.column is None:
            with writing(lane, wait=True) as cursor:
                _delete_all(cursor, kept, number)
            continue
        for start, end in _stretches(lane, kept, number):
            with writing(lane, wait=True) as cursor:
                _delete_between(cursor, kept, number, (start, end))
    audit.record(project=None, actor="system", action=DONE, target=slug, project_id=number)


def _stretches(lane: int, kept: Kept, number: int) -> Iterator[tuple[date | datetime, date | datetime]]:
    """The stretches of time in which a project has rows."""
    column, table = sql.Identifier(kept.column or ""), sql.Identifier(kept.table)
    query = sql.SQL("SELECT min({0}), max({0}) FROM {1} WHERE project_id = %s").format(column, table)
    with writing(lane, wait=True) as cursor:
        cursor.execute(query, [number])
        first, last = cursor.fetchall()[0]
    while first is not None and first <= last:
        yield first, first + kept.step
        first += kept.step


def _delete_between(cursor: "Cursor[Any]", kept: Kept, number: int, bounds: tuple[Any, Any]) -> None:
    statement = sql.SQL("DELETE FROM {0} WHERE project_id = %s AND {1} >= %s AND {1} < %s")
    names = sql.Identifier(kept.table), sql.Identifier(kept.column or "")
    cursor.execute(statement.format(*names), [number, *bounds])


def _delete_all(cursor: "Cursor[Any]", kept: Kept, number: int) -> None:
    statement = sql.SQL("DELETE FROM {} WHERE project_id = %s")
    cursor.execute(statement.format(sql.Identifier(kept.table)), [number])
