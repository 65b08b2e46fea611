"""Taking an import back: its calls leave the ledger through the one signed operation, chunk by chunk.

Each chunk is a transaction of its own under the lane's lock, so an undo that is cut off is completed by the next.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from accounts.audit import record
from accounts.models import Project
from analytics.imports import is_running
from analytics.ledger import apply, copy_rows, kept_from, roll_up, writing
from analytics.load import forget
from analytics.models import ImportBatch
from analytics.pricebook import books
from analytics.series import load_state
from analytics.stage import gone
from analytics.statements import statement
from ingest.wire.limits import micros_of

CHUNK = 20_000  # calls taken out in one transaction
_NONE = UUID(int=0)
Position = tuple[datetime, UUID]


class CannotUndoError(ValueError):
    """Why an import cannot be taken back, as a sentence."""


@dataclass(slots=True)
class Undone:
    """What was taken out: calls of the ledger, and records that still waited."""

    calls: int = 0
    waiting: int = 0


def undo(project: Project, number: int, *, now: datetime, actor: str = "command") -> Undone:
    """Take all calls of an import out again, runs and rollups with them. Safe to repeat after a crash.

    Raises CannotUndoError for an unknown import, one that is undone already, and one that is running."""
    batch = _found(project, number)
    done = Undone()
    with writing(project.lane, wait=True) as cursor:
        done.waiting = _forget_waiting(cursor, project, batch)
        _forget_scores(cursor, batch, now=now)
    after: Position | None = (batch.first_at, _NONE) if batch.first_at else None
    while after is not None:
        with writing(project.lane, wait=True) as cursor:
            chunk = _read(cursor, batch, after)
            _take_out(cursor, project, chunk, now=now)
        done.calls += len(chunk)
        after = chunk[-1] if len(chunk) == CHUNK else None
    with transaction.atomic():
        batch.undone_at = now
        batch.save(update_fields=["undone_at"])
        record(
            project=project, actor=actor, action="import.undone", target=batch.file_name,
            batch=batch.pk, calls=done.calls,
        )  # fmt: skip
    return done


def _found(project: Project, number: int) -> ImportBatch:
    batch = ImportBatch.objects.filter(project=project, pk=number).first()
    if batch is None:
        newest = ImportBatch.objects.filter(project=project, undone_at=None).order_by("-id")[:10]
        known = ", ".join(f"{one.pk} ({one.file_name})" for one in newest)
        raise CannotUndoError(
            f"The project {project.slug} has no import {number}. It has: {known or 'none'}."
        )
    if batch.undone_at is not None:
        raise CannotUndoError(f"Import {number} was undone already, on {batch.undone_at:%Y-%m-%d %H:%M} UTC.")
    if is_running(batch):
        raise CannotUndoError(f"Import {number} is still running: stop it, or wait until it ends.")
    return batch


def _forget_waiting(cursor: "Cursor[Any]", project: Project, batch: ImportBatch) -> int:
    """Remove what waits of the import, also what was set aside; returns how many records."""
    removed = 0
    for query in (
        "DELETE FROM inbox WHERE lane = %s AND import_batch = %s RETURNING items",
        "DELETE FROM inbox_dead WHERE lane = %s AND import_batch = %s RETURNING items",
    ):
        cursor.execute(query, [project.lane, batch.pk])
        removed += sum(items for (items,) in cursor.fetchall())
    return removed


def _forget_scores(cursor: "Cursor[Any]", batch: ImportBatch, *, now: datetime) -> None:
    """The scores that came with the import go, wherever they were counted."""
    cursor.execute(statement("forget_scores"), {"project": batch.project_id, "batch": batch.pk})
    if cursor.rowcount:
        roll_up(cursor, kept_from=kept_from(now))
        cursor.execute("TRUNCATE score_delta")


def _read(cursor: "Cursor[Any]", batch: ImportBatch, after: Position) -> list[Position]:
    cursor.execute(
        statement("read_imported"),
        {
            "project": batch.project_id, "batch": batch.pk, "end": batch.last_at,
            "after_at": after[0], "after_id": after[1], "most": CHUNK,
        },
    )  # fmt: skip
    return [(at, key) for at, key in cursor.fetchall()]


def _take_out(cursor: "Cursor[Any]", project: Project, chunk: list[Position], *, now: datetime) -> None:
    if not chunk:
        return
    forget()  # the loader's memory of this process is not that of this transaction
    copy_rows(cursor, (gone(micros_of(at), key.hex, project.pk) for at, key in chunk))
    window = {"project": project.pk, "lo": chunk[0][0], "hi": chunk[-1][0]}
    cursor.execute(statement("remove_content"), window)
    apply(cursor, {project.pk: load_state(project, books.of(project.pk), cursor)}, now=now)
    cursor.execute(statement("remove_spans"), window)
