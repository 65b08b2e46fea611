"""A batch of the inbox made ready for the ledger: chosen, read, priced, interned. No lock is needed for it, so the
next one is made ready while Postgres works on this one (analytics/ahead.py)."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from psycopg import Cursor

from analytics.content import has_content
from analytics.intern import run_key
from analytics.ledger_codes import FAILED_TOOL, FAILURE, SUCCESS
from analytics.outcomes import Told
from analytics.resolve import Resolved
from analytics.scores import Scored
from analytics.series import ProjectState
from analytics.stage import NEW, Source, rows
from analytics.traces import Prepared, make_ready
from ingest.inbox import Kind, read_records
from ingest.records import CallRecord, MessagesRecord, SpanRecord
from ingest.wire.scores import scores_of

BATCH = 20_000  # records a transaction; prototype: 10,000 took 21,800 events/s, 500 took 13,500
READ_AHEAD = 1_000  # rows looked at to choose a batch
_started = attrgetter("started_us")


@dataclass(slots=True)
class Waiting:
    """One inbox row."""

    id: int
    project_id: int
    key_id: int | None
    received_at: datetime
    kind: int
    items: int
    import_batch: int | None
    body: bytes


class RunName(NamedTuple):
    """What is known of a run beside its calls; the last five only of traces that came as spans."""

    key: str
    raw_id: str | None
    session: str | None
    started_us: int | None = None
    ended_us: int | None = None
    outcome: int | None = None
    rescued: bool | None = None
    signs: int | None = None  # analytics.ledger_codes.FAILED_TOOL


class Calls(NamedTuple):
    """Native calls of one project: lines for the staging table, names of runs, and those with content."""

    state: ProjectState
    lines: list[str]
    names: list[RunName]
    content: list[CallRecord]


class Spans(NamedTuple):
    """Spans and messages of one project. Their traces are resolved as if nothing of them were stored; those of which
    something is are resolved again under the lane's lock."""

    state: ProjectState
    source: Source
    times: tuple[int, int]
    prepared: Prepared
    content: list[Any]


@dataclass(slots=True)
class Batch:
    """Inbox rows and what they come to. `states` are those of the projects that the calls were interned with."""

    waiting: list[Waiting]
    states: dict[int, ProjectState]
    calls: list[Calls] = field(default_factory=list)
    spans: list[Spans] = field(default_factory=list)
    scores: list[Scored] = field(default_factory=list)
    outcomes: list[Told] = field(default_factory=list)
    records: int = 0
    too_old: int = 0

    @property
    def ids(self) -> list[int]:
        """The inbox rows."""
        return [row.id for row in self.waiting]


def read(
    cursor: "Cursor[Any]", lane: int, *, most: int = BATCH, without: Sequence[int] = ()
) -> list[Waiting]:
    """The oldest rows of a lane, at most `most` records, at most half of them from one project while others wait.

    `without`: rows that another batch has already."""
    cursor.execute(
        "SELECT id, project_id, items FROM inbox WHERE lane = %s AND NOT id = ANY(%s::bigint[])"
        " ORDER BY id LIMIT %s",
        [lane, list(without), READ_AHEAD],
    )
    chosen = _choose(cursor.fetchall(), most)
    cursor.execute(
        "SELECT id, project_id, key_id, received_at, kind, items, import_batch, body FROM inbox"
        " WHERE id = ANY(%s) ORDER BY id",
        [chosen],
        binary=True,
    )
    return [Waiting(*row) for row in cursor.fetchall()]


def _choose(found: list[tuple[int, int, int]], most: int) -> list[int]:
    """Ids of the rows (id, project, items) that make a batch."""
    several = len({project for _, project, _ in found}) > 1
    share = most // 2 if several else most
    taken: dict[int, int] = defaultdict(int)
    chosen: list[int] = []
    for number, project, items in found:
        if chosen and (taken[project] + items > share or sum(taken.values()) + items > most):
            continue
        taken[project] += items
        chosen.append(number)
    return chosen


def prepare(waiting: list[Waiting], states: dict[int, ProjectState], *, floor: datetime) -> Batch:
    """Read, price and intern the records of these rows; rows of projects without a state are only counted."""
    batch = Batch(waiting, states)
    groups: dict[tuple[int, bool, int | None], list[Any]] = defaultdict(list)
    received: dict[tuple[int, bool, int | None], datetime] = {}
    for row in waiting:
        records = read_records(row.kind, row.body)
        row.body = b""
        batch.records += len(records)
        key = (row.project_id, row.kind == Kind.CALLS, row.import_batch)
        if row.project_id in states and row.kind in _TOLD:
            _TOLD[row.kind](batch, row, records)
        elif row.project_id in states:
            groups[key].extend(records)
            received.setdefault(key, row.received_at)
    for (project_id, native, import_batch), records in groups.items():
        source = Source(as_us(received[project_id, native, import_batch]), import_batch)
        floor_us = as_us(floor)
        kept = [r for r in records if (r.started_us if native else when(r)) >= floor_us]
        batch.too_old += len(records) - len(kept)
        if native:
            batch.calls.append(_calls(kept, states[project_id], source))
            if scored := [score for call in kept if call.scores for score in scores_of(call)]:
                batch.scores.append(Scored(states[project_id].project, *source, scored))
        elif kept:
            batch.spans.append(_spans(kept, states[project_id], source))
    return batch


def _add_scores(batch: Batch, row: Waiting, records: list[Any]) -> None:
    project = batch.states[row.project_id].project
    batch.scores.append(Scored(project, as_us(row.received_at), row.import_batch, records))


def _add_outcomes(batch: Batch, row: Waiting, records: list[Any]) -> None:
    """All of a project together: of two that were told of one run the later counts."""
    for place, told in enumerate(batch.outcomes):
        if told.project_id == row.project_id:
            batch.outcomes[place] = told._replace(records=[*told.records, *records])
            return
    batch.outcomes.append(Told(row.project_id, as_us(row.received_at), records))


_TOLD: dict[int, Callable[[Batch, Waiting, list[Any]], None]] = {
    Kind.SCORES: _add_scores,
    Kind.OUTCOMES: _add_outcomes,
}


def _calls(records: list[CallRecord], state: ProjectState, source: Source) -> Calls:
    """Calls in the order of the ledger's key, whose index is then written side by side."""
    chosen = _unique(records)
    chosen.sort(key=_started)
    lines = rows(chosen, state=state, source=source, mode=NEW)
    return Calls(state, lines, list(_names_of_calls(chosen)), [call for call in chosen if has_content(call)])


def _spans(records: list[Any], state: ProjectState, source: Source) -> Spans:
    messages = [record for record in records if isinstance(record, MessagesRecord)]
    spans = [record for record in records if isinstance(record, SpanRecord)]
    times = list(map(when, records))
    content = [*(span.call for span in spans if span.call is not None), *messages]
    prepared = make_ready(state, spans, messages, source)
    return Spans(state, source, (min(times), max(times)), prepared, content)


def _unique(records: list[CallRecord]) -> list[CallRecord]:
    """Copies of one key within the batch become one row that counts them."""
    if len({(record.started_us, record.id) for record in records}) == len(records):
        return records
    first: dict[tuple[int, str], CallRecord] = {}
    seen = Counter((record.started_us, record.id) for record in records)
    for record in records:
        first.setdefault((record.started_us, record.id), record)
    return [
        msgspec.structs.replace(record, duplicates=seen[key] - 1) if seen[key] > 1 else record
        for key, record in first.items()
    ]


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


def names_of_traces(traces: Sequence[Resolved]) -> Iterator[RunName]:
    """What the spans say of their runs."""
    for trace in traces:
        outcome = {None: None, True: SUCCESS, False: FAILURE}[trace.outcome]
        times = (trace.started_us, trace.ended_us)
        session = trace.context.get("session")
        signs = FAILED_TOOL if any(step.failed and step.kind == "tool" for step in trace.steps) else 0
        yield RunName(run_key(trace.trace), None, session, *times, outcome, trace.rescued, signs)


def when(record: Any) -> int:
    """The instant (unix microseconds) that places a record in time."""
    at: int = record.at_us if isinstance(record, MessagesRecord) else record.started_us
    return at


def as_us(moment: datetime) -> int:
    """An instant as unix microseconds."""
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond


def as_moment(us: int) -> datetime:
    """Unix microseconds as an instant, to about a microsecond."""
    return datetime.fromtimestamp(us / 1e6, UTC)
