"""Outcomes that were told apart from their run, before or after it: the later one wins, whatever calls said.

A run that is there is taken out and put again as any corrected one; one that comes later finds what was told.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Cursor

from analytics.intern import call_key, run_key
from analytics.scores import LONE_DAYS
from analytics.statements import statement
from ingest.records import OutcomeRecord
from ingest.wire.limits import EPOCH

_COLUMNS = ("told_at", "received_at", "run", "lone", "project_id", "success", "value", "raw_id")
_COPY = f"COPY outcome_stage ({', '.join(_COLUMNS)}) FROM STDIN"


class Told(NamedTuple):
    """Outcomes of one project that came together."""

    project_id: int
    received_us: int
    records: Sequence[OutcomeRecord]


def stage(cursor: "Cursor[Any]", told: Told) -> None:
    """Keep what was told, unless something later is known; its runs are told by `tell_calls` and the ledger."""
    latest: dict[str, OutcomeRecord] = {}
    for record in told.records:
        held = latest.get(record.run)
        if held is None or record.at_us >= held.at_us:
            latest[record.run] = record
    with cursor.copy(_COPY) as copy:
        for record in latest.values():
            copy.write_row((
                _moment(record.at_us), _moment(told.received_us), run_key(record.run), call_key(record.run),
                told.project_id, record.success, record.value, record.run,
            ))  # fmt: skip


def keep(cursor: "Cursor[Any]") -> int:
    """Put what is staged into `outcome`; what is older than what is known leaves the stage."""
    cursor.execute(statement("drop_old_outcomes"))
    cursor.execute(statement("put_outcomes"))
    return cursor.rowcount


def any_told(cursor: "Cursor[Any]", projects: Collection[int]) -> bool:
    """Whether any outcome was ever told of these projects."""
    cursor.execute("SELECT EXISTS (SELECT FROM outcome WHERE project_id = ANY(%s))", [list(projects)])
    return cursor.fetchall() == [(True,)]


def tell_calls(cursor: "Cursor[Any]", projects: Collection[int], *, now: datetime) -> int:
    """Calls without a trace that are in the ledger get what was just told of them; returns how many changed."""
    changed = 0
    for project_id in projects:
        cursor.execute(
            "SELECT array_agg(lone), min(told_at) FROM outcome_stage WHERE project_id = %s", [project_id]
        )
        ids, first = cursor.fetchall()[0]
        if ids:
            values = {
                "project": project_id, "ids": ids, "lo": first - LONE_DAYS, "hi": now + timedelta(days=1), "now": now,
            }  # fmt: skip
            cursor.execute(statement("find_told_calls"), values)
            cursor.execute(statement("tell_calls"), values)
            changed += cursor.rowcount
    return changed


def _moment(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)
