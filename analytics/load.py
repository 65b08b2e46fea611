"""From the inbox to the ledger: one writer a lane, one transaction a batch, a repeat adds nothing.

1. Hold the lane's lock. 2. Read its oldest rows, fairly across its projects. 3. Stage, apply, count, delete the
rows. 4. Commit. A crash anywhere repeats the batch. A batch that fails is bisected by row, then by record; the
culprit is set aside with its reason and holds nobody up.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import structlog
from django.db import InterfaceError, OperationalError, connection
from psycopg import Cursor

from accounts.models import LANES, Project
from analytics import outcomes, partitions, retention, scores
from analytics.ahead import Ahead
from analytics.batch import (
    BATCH,
    READ_AHEAD,
    Batch,
    Calls,
    Spans,
    Waiting,
    as_moment,
    names_of_traces,
    prepare,
    read,
    when,
)
from analytics.content import keep_content
from analytics.ledger import (
    LOCK_SPACE,
    Applied,
    LaneBusy,
    apply,
    copy_rows,
    kept_from,
    name_runs,
    writing,
)
from analytics.pricebook import books
from analytics.series import ProjectState, load_state
from analytics.statements import statement
from analytics.traces import Outcome, stage_spans
from ingest.inbox import quarter_hour

log = structlog.get_logger()
ONE_BY_ONE = 3  # attempts after which a batch is a single row
GIVEN_UP = 6  # attempts after which that row is split, or set aside
_states: dict[int, ProjectState] = {}


@dataclass(slots=True)
class Loaded:
    """What one batch did."""

    rows: int = 0
    records: int = 0
    too_old: int = 0
    seen_before: int = 0  # spans
    applied: Applied = field(default_factory=Applied)


def drain(*, now: Callable[[], datetime], seconds: float = 20.0, lanes: Sequence[int] = range(LANES)) -> int:
    """Load what waits, at most so long; returns the number of records. Lanes that others hold are left alone."""
    until = time.monotonic() + seconds
    total = 0
    for lane in waiting_lanes():
        if lane in lanes:
            with Ahead(lane, _states.get) as ahead:
                while time.monotonic() < until and (done := load_lane(lane, now=now(), ahead=ahead)):
                    total += done.records
    return total


def waiting_lanes() -> list[int]:
    """The lanes in which rows wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT lane FROM inbox ORDER BY lane")
        return [lane for (lane,) in cursor.fetchall()]


def load_lane(lane: int, *, now: datetime, ahead: Ahead | None = None) -> Loaded | None:
    """Load one batch of a lane; None when nothing waits or another loader holds it.

    `ahead` makes the next batch ready meanwhile."""
    attempt = _count_attempt(lane)
    if attempt is None:
        return None
    attempts, careful = attempt
    one_by_one = careful or attempts > ONE_BY_ONE
    try:
        if attempts > GIVEN_UP:
            return _split(lane, f"It ended its loader {attempts - 1} times.", now=now)
        return _load(lane, now=now, most=1) if one_by_one else _load(lane, now=now, ahead=ahead)
    except LaneBusy:
        return None
    except (OperationalError, InterfaceError):
        forget()
        raise
    except Exception as problem:  # whatever a record can provoke: it is found and set aside, with its reason
        forget()
        log.warning("a batch could not be loaded", lane=lane, problem=str(problem), attempts=attempts)
        if one_by_one:
            return _split(lane, f"{type(problem).__name__}: {problem}", now=now)
        _be_careful(lane)
        return Loaded()


def _load(lane: int, *, now: datetime, most: int = BATCH, ahead: Ahead | None = None) -> Loaded | None:
    ready = ahead.take() if ahead is not None else None
    with writing(lane) as cursor:
        batch = _checked(cursor, ready) or _read(cursor, lane, most)
        if batch is None:
            return None
        if ahead is not None and batch.records > BATCH // 2:
            ahead.start(without=batch.ids)
        loaded = _stage(cursor, batch, now=now)
        _stage_told(cursor, batch, now=now)
        loaded.applied = apply(cursor, batch.states, now=now)
        _count_intake(cursor, batch.waiting, loaded)
        cursor.execute("DELETE FROM inbox WHERE id = ANY(%s)", [batch.ids])
    return loaded


def _checked(cursor: "Cursor[Any]", ready: Batch | None) -> Batch | None:
    """A batch that was made ready, if all its rows still wait: no other loader took them before the lock was held."""
    if ready is None:
        return None
    cursor.execute("SELECT count(*) FROM inbox WHERE id = ANY(%s)", [ready.ids])
    found = cursor.fetchone()
    if found != (len(ready.waiting),):
        return None
    # Made ready with another catalogue or for a project made anew: it is read again.
    known = [_state(project_id, cursor) is state for project_id, state in ready.states.items()]
    return ready if all(known) else None


def _read(cursor: "Cursor[Any]", lane: int, most: int) -> Batch | None:
    waiting = read(cursor, lane, most=most)
    if not waiting:
        return None
    projects = {row.project_id for row in waiting}
    states = {pk: state for pk in projects if (state := _state(pk, cursor)) is not None}
    return prepare(waiting, states, floor=retention.floor())


def _stage(cursor: "Cursor[Any]", batch: Batch, *, now: datetime) -> Loaded:
    loaded = Loaded(rows=len(batch.waiting), records=batch.records, too_old=batch.too_old)
    lines: list[str] = []
    for calls in batch.calls:
        _stage_calls(cursor, calls, now)
        lines.extend(calls.lines)
    for spans in batch.spans:
        outcome = _stage_traces(cursor, spans, now)
        loaded.seen_before += outcome.seen_before
        lines.extend(outcome.rows)
    copy_rows(cursor, lines)
    return loaded


def _stage_calls(cursor: "Cursor[Any]", calls: Calls, now: datetime) -> None:
    if calls.content:  # it is stored before the ledger makes the partitions of its calls
        times = list(map(when, calls.content))
        partitions.ensure(cursor, as_moment(min(times)), as_moment(max(times)), now=now)
    keep_content(cursor, calls.state.project, calls.content)
    name_runs(cursor, calls.state.project.pk, calls.names)


def _stage_traces(cursor: "Cursor[Any]", of: Spans, now: datetime) -> Outcome:
    project = of.state.project
    first, last = of.times
    partitions.ensure(cursor, as_moment(first), as_moment(last), now=now)
    outcome = stage_spans(cursor, of.state, of.prepared, of.source)
    keep_content(cursor, project, of.content)
    name_runs(cursor, project.pk, names_of_traces(outcome.resolved))
    return outcome


def _stage_told(cursor: "Cursor[Any]", batch: Batch, *, now: datetime) -> None:
    """Scores and outcomes enter before the calls, which may be what they were told of."""
    moments = scores.Moments(now, kept_from(now))
    for scored in batch.scores:
        scores.stage(cursor, scored, moments)
        scores.put(cursor)
    for told in batch.outcomes:
        outcomes.stage(cursor, told)
    if batch.outcomes:
        outcomes.keep(cursor)


def forget() -> None:
    """What was remembered in a transaction that did not commit is not so."""
    _states.clear()
    partitions.forget()


def _state(project_id: int, cursor: "Cursor[Any]") -> ProjectState | None:
    project = Project.objects.filter(pk=project_id).first()
    if project is None:
        return None  # deleted: its rows go with it
    state = _states.get(project_id)
    book = books.of(project_id)
    if state is None or _identity(state.project) != _identity(project):
        state = _states[project_id] = load_state(project, book, cursor)
    if _settings(state.project) != _settings(project):
        state.forget()
    state.bound()
    state.project, state.book = project, book
    return state


def _identity(project: Project) -> tuple[Any, ...]:
    """What of a project decides whether the names that are remembered of it are still so."""
    return project.created_at, project.catalogue_version


def _settings(project: Project) -> tuple[Any, ...]:
    """What of a project decides to which series a call belongs."""
    return project.tracked_tags, project.main_environment, project.dimension_bound


def _count_attempt(lane: int) -> tuple[int, bool] | None:
    """Count an attempt at the lane's oldest batch before it is made, so that one which ends its loader is seen.

    Returns (attempts, whether rows are to be loaded one by one); None when nothing waits."""
    with connection.cursor() as cursor:
        cursor.execute(statement("count_attempt"), {"lane": lane, "space": LOCK_SPACE})
        row: tuple[int, bool] | None = cursor.fetchone()
    return row


def _be_careful(lane: int) -> None:
    """Something in the batch cannot be loaded: its rows are taken one by one."""
    with connection.cursor() as cursor:
        cursor.execute(statement("be_careful"), {"lane": lane, "most": READ_AHEAD})


def _count_intake(cursor: "Cursor[Any]", waiting: list[Waiting], loaded: Loaded) -> None:
    """What each key sent; duplicates are counted on the batch's first key when several are in it."""
    counted: dict[tuple[int, int, datetime], int] = defaultdict(int)
    for row in waiting:
        counted[row.project_id, row.key_id or 0, quarter_hour(row.received_at)] += row.items
    for number, ((project, key, bucket), accepted) in enumerate(counted.items()):
        duplicates = loaded.applied.duplicates + loaded.seen_before if number == 0 else 0
        cursor.execute(
            "INSERT INTO intake (project_id, key_id, bucket, accepted, duplicates) VALUES (%s, %s, %s, %s, %s)",
            [project, key, bucket, accepted, duplicates],
        )


def _split(lane: int, reason: str, *, now: datetime) -> Loaded:
    """Halve the lane's oldest row; a row of one record is set aside with the reason."""
    with writing(lane) as cursor:
        cursor.execute(statement("read_oldest"), {"lane": lane})
        found = cursor.fetchone()
        if found is None:
            return Loaded()
        number, body = found
        halves = _halves(body)
        if halves:
            for half, items in halves:
                cursor.execute(statement("insert_half"), {"id": number, "items": items, "body": half})
        else:
            cursor.execute(statement("set_aside"), {"id": number, "reason": reason[:2000], "now": now})
        cursor.execute("DELETE FROM inbox WHERE id = %s", [number])
    return Loaded()


def _halves(body: bytes) -> list[Any]:
    """(body, items) of both halves of a row; empty for a row of one record, or one that cannot be read."""
    try:
        raw = msgspec.msgpack.decode(body)
    except msgspec.DecodeError:
        return []
    if len(raw) < 2:
        return []
    middle = len(raw) // 2
    return [(msgspec.msgpack.encode(half), len(half)) for half in (raw[:middle], raw[middle:])]
