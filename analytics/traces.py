"""Spans of a batch: stored, their traces resolved again, and what that makes of the ledger staged.

A trace can be resolved again whenever more of it arrives. Whole traces up to LARGE spans; beyond that only the
new spans and their ancestors are looked at.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from psycopg import Cursor

from analytics.intern import call_key, run_key, span_call_id
from analytics.resolve import Resolved, resolve
from analytics.series import ProjectState
from analytics.stage import NEW, SET, Source, gone, rows
from analytics.statements import statement
from ingest.records import CallRecord, MessagesRecord, SpanRecord

LARGE = 2_000
MOST_COPIES = 32_767  # counted of one call: what its column holds
MESSAGES_SUFFIX = b"m"  # messages of a span stand beside it, under its id and this
_ENCODER = msgspec.msgpack.Encoder()
_SPAN = msgspec.msgpack.Decoder(SpanRecord)
_MESSAGES = msgspec.msgpack.Decoder(MessagesRecord)


@dataclass(slots=True)
class Trace:
    """All that is known of one trace, old and new."""

    stored: dict[str, list[SpanRecord]] = field(default_factory=dict)  # a copy may begin at another time
    fresh: list[SpanRecord] = field(default_factory=list)
    fresh_ids: set[str] = field(default_factory=set)
    copies: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    messages: dict[str, MessagesRecord] = field(default_factory=dict)

    def spans(self) -> list[SpanRecord]:
        """Every copy of every span that is to be looked at."""
        if len(self.stored) + len(self.fresh) <= LARGE:
            return [*chain.from_iterable(self.stored.values()), *self.fresh]
        return [*self._ancestors(), *self.fresh]

    def _ancestors(self) -> Iterator[SpanRecord]:
        """Stored copies of the new spans, and what stands above them; a ring of parents ends."""
        wanted = {span.parent for span in self.fresh if span.parent} | self.fresh_ids
        seen: set[str] = set()
        while wanted:
            found = [span for name in wanted for span in self.stored.get(name, ())]
            yield from found
            seen |= wanted
            wanted = {span.parent for span in found if span.parent} - seen


class Ready(NamedTuple):
    """What a trace comes to if nothing of it is stored: its calls, steps and outcome, and the staging rows."""

    resolved: Resolved
    rows: list[str]


class Prepared(NamedTuple):
    """Spans of one project, read and resolved as far as that goes without the database."""

    traces: dict[str, Trace]
    ready: dict[str, Ready]
    lines: str  # spans and messages for the table that keeps them


@dataclass(slots=True)
class Outcome:
    """What the spans of a batch come to: staging rows, and how many spans had been seen before."""

    rows: list[str] = field(default_factory=list)
    seen_before: int = 0
    resolved: list[Resolved] = field(default_factory=list)


def make_ready(
    state: ProjectState, spans: Sequence[SpanRecord], messages: Sequence[MessagesRecord], source: Source
) -> Prepared:
    """Resolve the traces of these spans as if no more of them were stored, which is so for most. Needs no lock: the
    next batch is made ready while Postgres works on this one."""
    traces = _gather(spans, messages)
    ready = {key: _resolved(trace, state, source) for key, trace in traces.items() if trace.fresh}
    return Prepared(traces, ready, _lines(state.project.pk, spans, messages))


def stage_spans(cursor: "Cursor[Any]", state: ProjectState, prepared: Prepared, source: Source) -> Outcome:
    """Store the spans and messages of one project, resolve again what is not as it was made ready, return the staging
    rows. Under the lane's lock."""
    known = _read_stored(cursor, state.project.pk, prepared.traces)
    result = Outcome()
    for key, trace in prepared.traces.items():
        result.seen_before += sum(1 for span in trace.fresh if span.span in trace.stored)
        if trace.fresh or trace.stored:
            ready = _resolved(trace, state, source) if key in known else prepared.ready[key]
            result.resolved.append(ready.resolved)
            result.rows.extend(ready.rows)
    if prepared.lines:
        with cursor.copy(
            "COPY span_stage (started_us, trace, project_id, span, copies, record) FROM STDIN"
        ) as copy:
            copy.write(prepared.lines)
        cursor.execute(statement("insert_spans"))
    return result


def _resolved(trace: Trace, state: ProjectState, source: Source) -> Ready:
    resolved = resolve(trace.spans())
    calls = [_with_rest(call, trace) for call in resolved.calls]
    return Ready(resolved, list(_staged(trace, calls, state, source)))


def _gather(spans: Sequence[SpanRecord], messages: Sequence[MessagesRecord]) -> dict[str, Trace]:
    traces: dict[str, Trace] = defaultdict(Trace)
    for span in spans:
        trace = traces[run_key(span.trace)]
        trace.fresh.append(span)
        trace.fresh_ids.add(span.span)
        trace.copies[span.span] += 1
    for message in messages:
        traces[run_key(message.trace)].messages[message.span] = message
    return dict(traces)


def _read_stored(cursor: "Cursor[Any]", project_id: int, traces: dict[str, Trace]) -> set[str]:
    """Add what is stored of the traces; returns the keys of those of which anything is."""
    cursor.execute(statement("read_traces"), {"project": project_id, "traces": list(traces)})
    known = set()
    for key, span_id, copies, record in cursor.fetchall():
        known.add(key.hex)
        trace = traces[key.hex]
        if span_id.endswith(MESSAGES_SUFFIX) and len(span_id) == 9:
            message = _MESSAGES.decode(record)
            trace.messages.setdefault(message.span, message)
        else:
            stored = _SPAN.decode(record)
            trace.stored.setdefault(stored.span, []).append(stored)
            trace.copies[stored.span] += copies
    return known


def _staged(trace: Trace, calls: Sequence[CallRecord], state: ProjectState, source: Source) -> Iterator[str]:
    """Rows of a trace's calls as they are now; calls that it no longer has are taken out."""
    yield from rows(calls, state=state, source=source, mode=SET if trace.stored else NEW)
    kept = {(call.id, call.started_us) for call in calls}
    looked_at = {span.span for span in trace.spans()}
    for span in chain.from_iterable(trace.stored.values()):
        call_id = span_call_id(span.trace, span.span)
        if span.call is None or span.span not in looked_at or (call_id, span.started_us) in kept:
            continue
        yield gone(span.started_us, call_key(call_id), state.project.pk)


def _with_rest(call: CallRecord, trace: Trace) -> CallRecord:
    """A resolved call with the copies of its span counted, and the fingerprint that log events gave."""
    copies = trace.copies.get(call.span or "", 1) - 1
    messages = trace.messages.get(call.span or "")
    fingerprint = call.fingerprint or (messages.fingerprint if messages else None)
    if not copies and fingerprint == call.fingerprint:
        return call
    duplicates = min(MOST_COPIES, call.duplicates + copies)
    return msgspec.structs.replace(call, duplicates=duplicates, fingerprint=fingerprint)


def _lines(project_id: int, spans: Sequence[SpanRecord], messages: Sequence[MessagesRecord]) -> str:
    """COPY lines of the spans and messages, copies of one counted and its fullest kept."""
    stored: dict[tuple[str, bytes, int], list[Any]] = {}
    for span in spans:
        key = (run_key(span.trace), bytes.fromhex(span.span), span.started_us)
        held = stored.setdefault(key, [0, b""])
        held[0] += 1
        held[1] = max(held[1], _ENCODER.encode(_skeleton(span)), key=len)
    for message in messages:
        key = (run_key(message.trace), bytes.fromhex(message.span) + MESSAGES_SUFFIX, message.at_us)
        stored[key] = [1, _ENCODER.encode(msgspec.structs.replace(message, input=None, output=None))]
    return "".join(
        f"{us}\t{trace}\t{project_id}\t\\\\x{span.hex()}\t{copies}\t\\\\x{record.hex()}\n"
        for (trace, span, us), (copies, record) in stored.items()
    )


def _skeleton(span: SpanRecord) -> SpanRecord:
    """A span as it is kept: without content, which has a table and a retention of its own."""
    if span.call is None or (span.call.input is None and span.call.output is None):
        return span
    return msgspec.structs.replace(span, call=msgspec.structs.replace(span.call, input=None, output=None))
