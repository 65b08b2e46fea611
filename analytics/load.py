"""From the inbox to the ledger: one writer a lane, one transaction a batch, a repeat adds nothing.

1. Hold the lane's lock. 2. Read its oldest rows, fairly across its projects. 3. Stage, apply, count, delete the
rows. 4. Commit. A crash anywhere repeats the batch. A batch that fails is bisected by row, then by record; the
culprit is set aside with its reason and holds nobody up.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
import structlog
from django.db import InterfaceError, OperationalError, connection
from psycopg import Cursor

from accounts.models import LANES, Project
from analytics import partitions, retention
from analytics.content import keep_content
from analytics.intern import run_key
from analytics.ledger import Applied, LaneBusy, apply, copy_rows, writing
from analytics.ledger_codes import FAILURE, SUCCESS
from analytics.pricebook import books
from analytics.resolve import Resolved
from analytics.series import ProjectState, load_state
from analytics.stage import NEW, Source, rows
from analytics.statements import statement
from analytics.traces import Outcome, stage_spans
from ingest.inbox import Kind, quarter_hour, read_records
from ingest.records import CallRecord, MessagesRecord, SpanRecord

log = structlog.get_logger()
BATCH = 20_000  # records a transaction; prototype: 10,000 took 21,800 events/s, 500 took 13,500
READ_AHEAD = 1_000  # rows looked at to choose a batch
ONE_BY_ONE = 3  # attempts after which a batch is a single row
GIVEN_UP = 6  # attempts after which that row is split, or set aside
_states: dict[int, ProjectState] = {}


@dataclass(slots=True)
class Waiting:
    """One inbox row with its records."""

    id: int
    project_id: int
    key_id: int | None
    received_at: datetime
    kind: int
    items: int
    import_batch: int | None
    body: bytes


class RunName(NamedTuple):
    """What is known of a run beside its calls; the last four only of traces that came as spans."""

    key: str
    raw_id: str | None
    session: str | None
    started_us: int | None = None
    ended_us: int | None = None
    outcome: int | None = None
    rescued: bool | None = None


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
            while time.monotonic() < until and (done := load_lane(lane, now=now())):
                total += done.records
    return total


def waiting_lanes() -> list[int]:
    """The lanes in which rows wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT lane FROM inbox ORDER BY lane")
        return [lane for (lane,) in cursor.fetchall()]


def load_lane(lane: int, *, now: datetime) -> Loaded | None:
    """Load one batch of a lane; None when nothing waits or another loader holds it."""
    attempt = _count_attempt(lane)
    if attempt is None:
        return None
    attempts, careful = attempt
    one_by_one = careful or attempts > ONE_BY_ONE
    try:
        if attempts > GIVEN_UP:
            return _split(lane, f"It ended its loader {attempts - 1} times.", now=now)
        return _load(lane, now=now, most=1 if one_by_one else BATCH)
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


def _load(lane: int, *, now: datetime, most: int) -> Loaded | None:
    with writing(lane) as cursor:
        waiting = _read(cursor, lane, most)
        if not waiting:
            return None
        projects = {row.project_id for row in waiting}
        states = {pk: state for pk in projects if (state := _state(pk, cursor)) is not None}
        loaded = _stage(cursor, waiting, states, now=now)
        loaded.applied = apply(cursor, states, now=now)
        _count_intake(cursor, waiting, loaded)
        cursor.execute("DELETE FROM inbox WHERE id = ANY(%s)", [[row.id for row in waiting]])
    return loaded


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
    if state is None or state.project.created_at != project.created_at:
        state = _states[project_id] = load_state(project, book, cursor)
    if _settings(state.project) != _settings(project):
        state.forget()
    state.bound()
    state.project, state.book = project, book
    return state


def _settings(project: Project) -> tuple[Any, ...]:
    """What of a project decides to which series a call belongs."""
    return project.tracked_tags, project.main_environment, project.dimension_bound


def _count_attempt(lane: int) -> tuple[int, bool] | None:
    """Count an attempt at the lane's oldest batch before it is made, so that one which ends its loader is seen.

    Returns (attempts, whether rows are to be loaded one by one); None when nothing waits."""
    with connection.cursor() as cursor:
        cursor.execute(statement("count_attempt"), {"lane": lane})
        row: tuple[int, bool] | None = cursor.fetchone()
    return row


def _be_careful(lane: int) -> None:
    """Something in the batch cannot be loaded: its rows are taken one by one."""
    with connection.cursor() as cursor:
        cursor.execute(statement("be_careful"), {"lane": lane, "most": READ_AHEAD})


def _read(cursor: "Cursor[Any]", lane: int, most: int) -> list[Waiting]:
    """The oldest rows of a lane, at most `most` records, at most half of them from one project while others wait."""
    cursor.execute(
        "SELECT id, project_id, items FROM inbox WHERE lane = %s ORDER BY id LIMIT %s", [lane, READ_AHEAD]
    )
    found = cursor.fetchall()
    several = len({project for _, project, _ in found}) > 1
    share = most // 2 if several else most
    taken: dict[int, int] = defaultdict(int)
    chosen: list[int] = []
    for number, project, items in found:
        if chosen and (taken[project] + items > share or sum(taken.values()) + items > most):
            continue
        taken[project] += items
        chosen.append(number)
    cursor.execute(
        "SELECT id, project_id, key_id, received_at, kind, items, import_batch, body FROM inbox"
        " WHERE id = ANY(%s) ORDER BY id",
        [chosen],
        binary=True,
    )
    return [Waiting(*row) for row in cursor.fetchall()]


def _stage(
    cursor: "Cursor[Any]", waiting: list[Waiting], states: dict[int, ProjectState], *, now: datetime
) -> Loaded:
    floor_us = _us(retention.floor())
    loaded = Loaded(rows=len(waiting))
    groups: dict[tuple[int, int, int | None], list[Any]] = defaultdict(list)
    received: dict[tuple[int, int, int | None], datetime] = {}
    for row in waiting:
        records = read_records(row.kind, row.body)
        loaded.records += len(records)
        key = (row.project_id, row.kind if row.kind == Kind.CALLS else Kind.SPANS, row.import_batch)
        if row.project_id in states:
            groups[key].extend(records)
            received.setdefault(key, row.received_at)
    staged: list[str] = []
    for (project_id, kind, batch), records in groups.items():
        state = states[project_id]
        source = Source(_us(received[project_id, kind, batch]), batch)
        kept = [record for record in records if _when(record) >= floor_us]
        loaded.too_old += len(records) - len(kept)
        if kind == Kind.CALLS:
            staged.extend(_stage_calls(cursor, kept, state, source))
        elif kept:
            outcome = _stage_traces(cursor, kept, state, source, now)
            loaded.seen_before += outcome.seen_before
            staged.extend(outcome.rows)
    copy_rows(cursor, staged)
    return loaded


def _stage_calls(
    cursor: "Cursor[Any]", records: list[CallRecord], state: ProjectState, source: Source
) -> Sequence[str]:
    """Copies of one key within the batch become one row that counts them."""
    unique: dict[tuple[int, str], CallRecord] = {}
    copies: dict[tuple[int, str], int] = {}
    for record in records:
        key = (record.started_us, record.id)
        if key in unique:
            copies[key] = copies.get(key, 0) + 1
        else:
            unique[key] = record
    for key, count in copies.items():
        unique[key] = msgspec.structs.replace(unique[key], duplicates=count)
    chosen = list(unique.values())
    keep_content(cursor, state.project, chosen)
    _name_runs(cursor, state, _names_of_calls(chosen))
    return list(rows(chosen, state=state, source=source, mode=NEW))


def _stage_traces(
    cursor: "Cursor[Any]", records: list[Any], state: ProjectState, source: Source, now: datetime
) -> Outcome:
    messages = [record for record in records if isinstance(record, MessagesRecord)]
    spans = [record for record in records if isinstance(record, SpanRecord)]
    times = list(map(_when, records))
    partitions.ensure(cursor, _moment(min(times)), _moment(max(times)), now=now)
    outcome = stage_spans(cursor, state, spans, messages, source)
    keep_content(cursor, state.project, [*(span.call for span in spans if span.call is not None), *messages])
    _name_runs(cursor, state, _names_of_traces(outcome.resolved))
    return outcome


def _names_of_calls(records: Sequence[CallRecord]) -> Iterator[RunName]:
    """What a run's key does not tell: its id as sent, and the name of its session."""
    names: dict[str, tuple[str | None, str | None]] = {}
    for record in records:
        if record.trace is not None:
            key = run_key(record.trace)
            raw = None if key == record.trace else record.trace
            if raw or record.session:
                names[key] = (raw, record.session or names.get(key, (None, None))[1])
    for key, (raw, session) in names.items():
        yield RunName(key, raw, session)


def _names_of_traces(traces: Sequence[Resolved]) -> Iterator[RunName]:
    """What the spans say of their runs."""
    for trace in traces:
        outcome = {None: None, True: SUCCESS, False: FAILURE}[trace.outcome]
        times = (trace.started_us, trace.ended_us)
        session = trace.context.get("session")
        yield RunName(run_key(trace.trace), None, session, *times, outcome, trace.rescued)


def _name_runs(cursor: "Cursor[Any]", state: ProjectState, names: Iterable[RunName]) -> None:
    with cursor.copy("COPY run_name FROM STDIN") as copy:
        for name in names:
            copy.write_row((state.project.pk, *name))


def _when(record: Any) -> int:
    """The instant (unix microseconds) that places a record in time."""
    at: int = record.at_us if isinstance(record, MessagesRecord) else record.started_us
    return at


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


def _us(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp()) * 1_000_000 + moment.microsecond


def _moment(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1e6, UTC)
