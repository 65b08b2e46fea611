"""Scores on their way into the ledger: staged, put, attributed to their call, run or session, counted.

A score counts at the time and in the series of what it was given to. When that changes its series, or goes, the
score follows in the same transaction; what has not come yet is waited for. One writer a project: the lane's lock.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from psycopg import Cursor

from accounts.models import Project
from analytics.intern import call_key, hash_of, name_id, run_key, span_call_id
from analytics.score_definitions import Definitions, MisfitError, definitions_for, value_of
from analytics.series import ProjectState
from analytics.statements import statement
from ingest.inbox import Kind, encode
from ingest.models import SetAside
from ingest.records import ScoreRecord
from ingest.wire.limits import EPOCH

FOREVER = datetime(1970, 1, 1, tzinfo=UTC)
LONE_DAYS = timedelta(days=35)  # so far back a call without a trace is looked for by its id alone
STAGED = (
    "scored_at", "received_at", "call_at", "scorer_id", "session_id", "id", "call", "call_alt", "run", "project_id",
    "import_batch", "value", "label", "raw_id", "target", "comment",
)  # fmt: skip
_COPY = f"COPY score_stage ({', '.join(STAGED)}) FROM STDIN"
_FIND = ("find_scored_calls", "find_scored_runs", "find_scored_sessions")


class Scored(NamedTuple):
    """Scores of one project that came together."""

    project: Project
    received_us: int
    import_batch: int | None
    records: Sequence[ScoreRecord]


class Moments(NamedTuple):
    """The present, and from when on quarter hours are kept."""

    now: datetime
    kept_from: datetime


def scorer_id(name: str, source: str, judge_version: str | None) -> int:
    """The id of who scores: a hash of name, source and judge's version."""
    return hash_of(msgspec.json.encode((name, source, judge_version)).decode())


def stage(cursor: "Cursor[Any]", scored: Scored, moments: Moments) -> int:
    """Put scores where `follow` takes them from; returns how many. What its definition does not allow is set aside."""
    definitions = definitions_for(scored.project, scored.records, now=moments.now)
    if definitions.changed:
        recount(cursor, scored.project, definitions.changed, moments)
    rows = dict(_rows(scored, definitions, moments))
    _keep_scorers(cursor, scored, moments)
    with cursor.copy(_COPY) as copy:
        for row in rows.values():
            copy.write_row(row)
    return len(rows)


def put(cursor: "Cursor[Any]") -> int:
    """What is staged enters or replaces; returns how many scores are new or changed."""
    cursor.execute(statement("drop_known_scores"))
    cursor.execute(statement("put_scores"))
    put_in = cursor.rowcount
    cursor.execute("TRUNCATE score_stage")
    return put_in


def _rows(
    scored: Scored, definitions: Definitions, moments: Moments
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    misfits: list[tuple[ScoreRecord, str]] = []
    for record in scored.records:
        try:
            value, label = value_of(record, definitions.by_name[record.name])
        except MisfitError as problem:
            misfits.append((record, str(problem)))
            continue
        key = call_key(record.id)
        yield (
            key,
            (
                _moment(record.at_us), _moment(scored.received_us),
                None if record.call_us is None else _moment(record.call_us),
                scorer_id(record.name, record.source, record.judge_version),
                name_id(record.session) if record.session else None,
                key, *_target(record), scored.project.pk, scored.import_batch, value, label,
                record.id if len(record.id) != 36 else None,
                record.call or record.run or record.session, record.comment,
            ),
        )  # fmt: skip
    _set_aside(scored, misfits, moments.now)


def _target(record: ScoreRecord) -> tuple[str | None, str | None, str | None]:
    """(key of the call, other key that may be meant, key of the run)."""
    if record.call is not None:
        alt = call_key(span_call_id(record.run, record.call)) if record.run else None
        return call_key(record.call), alt, run_key(record.run) if record.run else None
    if record.run is not None:
        return None, call_key(record.run), run_key(record.run)
    return None, None, None


def _keep_scorers(cursor: "Cursor[Any]", scored: Scored, moments: Moments) -> None:
    found = {(one.name, one.source, one.judge_version) for one in scored.records}
    cursor.executemany(
        "INSERT INTO scorer (project_id, id, name, source, judge_version, first_seen_at)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        sorted((scored.project.pk, scorer_id(*one), *one, moments.now) for one in found),
    )


def _set_aside(scored: Scored, misfits: Iterable[tuple[ScoreRecord, str]], now: datetime) -> None:
    project = scored.project
    SetAside.objects.bulk_create(
        SetAside(
            lane=project.lane, project_id=project.pk, received_at=_moment(scored.received_us), kind=Kind.SCORES,
            items=1, import_batch=scored.import_batch, body=encode([record]), reason=reason, failed_at=now,
        )
        for record, reason in misfits
    )  # fmt: skip


def follow(cursor: "Cursor[Any]", states: dict[int, ProjectState], *, now: datetime) -> None:
    """Attribute what is open: new scores, those whose call or run came, changed or went. Fills score_delta."""
    for project_id in states:
        cursor.execute("SELECT EXISTS (SELECT FROM scorer WHERE project_id = %s)", [project_id])
        if cursor.fetchall() != [(True,)]:
            continue
        values = {"project": project_id, "now": now}
        cursor.execute(statement("open_scores"), values)
        cursor.execute(statement("find_scored_arrived"), values)
        for everywhere in (False, True):
            if not _find(cursor, values, everywhere=everywhere):
                break
        cursor.execute(statement("bind_scores"), values)
        cursor.execute("TRUNCATE score_found")
        cursor.execute("DELETE FROM score_open WHERE project_id = %s", [project_id])


def _find(cursor: "Cursor[Any]", values: dict[str, Any], *, everywhere: bool) -> bool:
    """Look for the targets of open scores: first around the time when they were given, then everywhere.

    Returns whether there was anything to look for."""
    cursor.execute(statement("read_open_scores"), values)
    calls, runs, lone, sessions, lo, hi, oldest = cursor.fetchall()[0]
    if not (calls or runs or sessions):
        return False
    ahead = values["now"] + timedelta(days=1)
    window = {"lo": FOREVER, "hi": ahead} if everywhere else {"lo": lo, "hi": min(hi, ahead)}
    for name in _FIND:
        cursor.execute(statement(name), values | window)
    if lone:
        first = oldest - LONE_DAYS if everywhere else lo
        cursor.execute(statement("find_scored_lone"), values | {"lo": first, "hi": ahead, "ids": lone})
    return True


def recount(cursor: "Cursor[Any]", project: Project, names: Iterable[str], moments: Moments) -> None:
    """Count all scores of these names again, by the definitions of now. What the ledger no longer has stays as it was.

    Call it under the lane's lock, before anything stands in score_delta."""
    cursor.execute(
        "SELECT array_agg(id) FROM scorer WHERE project_id = %s AND name = ANY(%s)", [project.pk, list(names)]
    )
    (scorers,) = cursor.fetchall()[0]
    values = {"project": project.pk, "scorers": scorers or []}
    for part in statement("recount_scores").split(";\n"):
        cursor.execute(part, values)
    cursor.execute("SELECT nextval('ledger_batch')")
    (batch,) = cursor.fetchall()[0]
    cursor.execute(statement("roll_scores"), {"batch": batch, "kept_from": moments.kept_from})
    cursor.execute("TRUNCATE score_delta")


def _moment(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)
