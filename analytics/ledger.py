"""The one operation that changes the ledger: rows as they were (sign -1) and as they are (sign +1).

New, corrected, re-attributed, re-priced and undone calls all come through here, in one transaction that holds
the lane's lock. What changed stands in `delta`; runs are gathered again from their calls; then every rollup
gets what changed, appended.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from psycopg import Cursor
from psycopg.errors import UniqueViolation

from analytics import audience, outcomes, partitions, scores
from analytics.series import ProjectState, merged
from analytics.stage import COLUMNS, GONE, NEW, NULL, SET, TIMES, copy_text
from analytics.statements import statement

CAREFUL_BATCHES = 20  # after one that had known calls
LARGE = 2_000  # calls from which a run is only added to
LOCK_SPACE = 7301  # of the lanes' advisory locks
SET_UP = "flowledger_staging"
_COPY = f"COPY stage (mode, {', '.join(TIMES)}, {', '.join(COLUMNS)}) FROM STDIN"


@dataclass(slots=True)
class Applied:
    """What a change of the ledger did."""

    new: int = 0
    duplicates: int = 0
    corrected: int = 0
    removed: int = 0


class LaneBusy(Exception):
    """Another writer holds the lane."""


@contextmanager
def writing(lane: int, *, wait: bool = False) -> "Iterator[Cursor[Any]]":
    """One transaction that holds the lane's lock; the raw psycopg cursor with the staging tables in place.

    Raises LaneBusy when another writer holds it and `wait` is false."""
    with transaction.atomic(), connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, lane])
        else:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_SPACE, lane])
            if not _one(cursor):
                raise LaneBusy
        # The inbox rows of a batch come back with it when a crash loses it.
        cursor.execute("SET LOCAL synchronous_commit = off")
        # Thirty sums a group fill a hash table quickly; sorted groups need one state (customers: 18 to 14 us a call).
        cursor.execute("SET LOCAL enable_hashagg = off")
        staging(cursor)
        yield cursor


def staging(cursor: "Cursor[Any]") -> None:
    """The staging tables, empty. Temporary tables live as long as the connection; they are made when it is new."""
    cursor.execute("SELECT to_regclass('pg_temp.repriced') IS NOT NULL")
    if not _one(cursor):
        for part in statement("create_staging").split(";\n"):
            cursor.execute(part)
    elif connection.savepoint_ids:  # inside another transaction no commit has emptied them
        cursor.execute(
            "TRUNCATE stage, delta, touched, run_new, run_name, series_of_set, run_delta, span_stage, repriced,"
            " score_stage, score_open, score_found, score_delta, outcome_stage"
        )


def copy_rows(cursor: "Cursor[Any]", rows: Iterable[str]) -> None:
    """COPY staging rows (analytics/stage.py) in."""
    text = "".join(rows)
    with timed("copy"), cursor.copy(_COPY) as copy:
        copy.write(text)


def name_runs(cursor: "Cursor[Any]", project_id: int, names: Iterable[tuple[Any, ...]]) -> None:
    """What is known of runs beside their calls: rows of analytics.batch.RunName."""
    lines = [
        f"{project_id}\t{key}\t{copy_text(raw)}\t{copy_text(session)}\t"
        + "\t".join([NULL if value is None else str(value) for value in trace])
        for key, raw, session, *trace in names
    ]
    if lines:
        with cursor.copy("COPY run_name FROM STDIN") as copy:
            copy.write("\n".join(lines) + "\n")


def apply(cursor: "Cursor[Any]", states: dict[int, ProjectState], *, now: datetime) -> Applied:
    """Make the ledger and its rollups as the staged rows say. Returns what was new, known, changed, removed."""
    cursor.execute(
        "SELECT mode, count(*), min(started_at), max(started_at) FROM stage GROUP BY mode ORDER BY mode"
    )
    found = cursor.fetchall()
    staged = {mode: count for mode, count, _, _ in found}
    told = _told(cursor)
    if not found and not told:
        return Applied()
    lo, hi = min([row[2] for row in found], default=now), max([row[3] for row in found], default=now)
    partitions.ensure(cursor, lo, hi, now=now)
    for state in states.values():
        state.store(cursor)
    window = {"lo": lo, "hi": hi}
    done = Applied()
    if outcomes.any_told(cursor, states):
        _run(cursor, "tell_staged", {})
    if staged.get(SET) or staged.get(GONE):
        done.corrected = _run(cursor, "find_corrected", window)
        _run(cursor, "correct_calls", window)
        done.removed = _run(cursor, "remove_calls", window)
        done.corrected -= done.removed
    done.new = _insert(cursor)
    if staged.get(NEW) and done.new < staged[NEW] + staged.get(SET, 0):
        done.duplicates = _run(cursor, "find_duplicates", window)
        _run(cursor, "count_duplicates", window)
    if told:
        outcomes.tell_calls(cursor, states, now=now)
    roll(cursor, states, window | {"corrected": bool(done.corrected or done.removed)}, now=now)
    return done


def _told(cursor: "Cursor[Any]") -> bool:
    """Whether scores or outcomes are to be attributed."""
    cursor.execute("SELECT EXISTS (SELECT FROM outcome_stage) OR EXISTS (SELECT FROM score_open)")
    return bool(_one(cursor))


@dataclass(slots=True)
class Guess:
    """Whether the next batch is believed to have no known call. Batches with known ones come in rows: a client that
    sends again, a file imported again."""

    careful: int = 0  # so many batches look every call up before they insert it

    def is_fresh(self) -> bool:
        """Asked once a batch."""
        self.careful = max(0, self.careful - 1)
        return not self.careful

    def failed(self) -> None:
        """A batch had a known call."""
        self.careful = CAREFUL_BATCHES


guess = Guess()


def _insert(cursor: "Cursor[Any]") -> int:
    """Insert the staged calls that are new, and say how many: quickly while none is known, else one by one."""
    if guess.is_fresh():
        cursor.execute("SAVEPOINT fresh")
        try:
            new = _run(cursor, "insert_fresh", {})
        except UniqueViolation:
            cursor.execute("ROLLBACK TO SAVEPOINT fresh")
            guess.failed()
        else:
            cursor.execute("RELEASE SAVEPOINT fresh")
            return new
    return _run(cursor, "insert_calls", {})


def roll(
    cursor: "Cursor[Any]", states: dict[int, ProjectState], window: dict[str, Any], *, now: datetime
) -> None:
    """Bring runs and every rollup up to what stands in `delta`."""
    window = window | {"told": outcomes.any_told(cursor, states)}
    _runs(cursor, states, window)
    if window["told"]:
        _run(cursor, "note_told", {"projects": list(states), "now": now})
    scores.follow(cursor, states, now=now)
    _run(cursor, "note_sightings", {})
    if window.get("corrected"):
        _run(cursor, "doubt_sightings", {})
    roll_up(cursor, kept_from=kept_from(now))
    for name in ("pick_exemplars", "mark_dirty"):
        _run(cursor, name, {})
    with timed("gather_audience"):
        cursor.execute(statement("gather_audience"))
        audience.add(cursor, cursor.fetchall())


def roll_up(cursor: "Cursor[Any]", *, kept_from: datetime) -> None:
    """Append to every rollup what `delta` and `run_delta` say, as one batch."""
    cursor.execute("SELECT nextval('ledger_batch')")
    values = {"batch": _one(cursor), "kept_from": kept_from}
    cursor.execute("SET LOCAL enable_hashagg = on")  # few groups of many calls
    for name in ("roll_usage", "roll_runs"):
        _run(cursor, name, values)
    cursor.execute("SET LOCAL enable_hashagg = off")
    for name in ("roll_customers", "roll_scores", "roll_signs"):
        _run(cursor, name, values)


def kept_from(now: datetime) -> datetime:
    """The quarter hours that are kept begin here; older ones are answered by days."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=settings.QUARTER_HOUR_DAYS)


def _runs(cursor: "Cursor[Any]", states: dict[int, ProjectState], window: dict[str, Any]) -> None:
    touched = _run(cursor, "touch_runs", {})
    if told := _run(cursor, "touch_told_runs", window):
        cursor.execute("SELECT least(min(lo), %(lo)s), greatest(max(hi), %(hi)s) FROM touched", window)
        lo, hi = cursor.fetchall()[0]
        window = window | {"lo": lo, "hi": hi}
    if not touched + told:
        return
    if _run(cursor, "take_runs", window):
        _run(cursor, "widen_touched", {"large": LARGE})
    cursor.execute("SELECT min(lo), max(hi) FROM touched")
    run_lo, run_hi = cursor.fetchall()[0]
    window = window | {"run_lo": run_lo, "run_hi": run_hi}
    _run(cursor, "gather_runs", window)
    _run(cursor, "extend_runs", {})
    _name_sets(cursor, states)
    _run(cursor, "name_runs", {})
    _run(cursor, "judge_runs", window)
    if window["told"]:
        _run(cursor, "tell_runs", {})
    if _run(cursor, "find_wasted", window):
        _run(cursor, "mark_wasted", window)
    _run(cursor, "put_runs", {})


def _name_sets(cursor: "Cursor[Any]", states: dict[int, ProjectState]) -> None:
    """Give every distinct set of series that runs are made of its run series."""
    cursor.execute("SELECT DISTINCT project_id, series_set FROM run_new WHERE series_set IS NOT NULL")
    rows = []
    for project_id, members in cursor.fetchall():
        state = states[project_id]
        series = merged([state.known[number] for number in members])
        rows.append((project_id, members, state.id_of(series), series.flow_id))
    for state in states.values():
        state.store(cursor)
    with cursor.copy("COPY series_of_set (project_id, series_set, series_id, flow_id) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


TIMES_SPENT: dict[str, float] = {}  # seconds by step, for the benchmarks


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Add the time that a step takes to TIMES_SPENT."""
    start = time.perf_counter()
    yield
    TIMES_SPENT[step] = TIMES_SPENT.get(step, 0.0) + time.perf_counter() - start


def _run(cursor: "Cursor[Any]", name: str, values: dict[str, Any]) -> int:
    """Run one fixed statement; returns the number of rows it wrote."""
    with timed(name):
        cursor.execute(statement(name), values or None)
    return cursor.rowcount


def _one(cursor: "Cursor[Any]") -> Any:
    row = cursor.fetchone()
    return row[0] if row else None
