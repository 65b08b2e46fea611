"""The timeline of one run: steps and calls as a tree, each with its place on the time axis, tokens and cost."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from django.db import connection

from analytics.entries import Call, Run
from analytics.intern import call_key, span_call_id
from dashboard import formats
from dashboard.entries import ERRORS, Cost, cost_of, input_tokens, output_tokens
from ingest.records import SpanRecord

MOST_SPANS = 2_000
MESSAGES_SUFFIX = b"m"
SHOWN_KINDS = ("step", "tool", "retrieval", "agent", "workflow", "wrapper")
_SPAN = msgspec.msgpack.Decoder(SpanRecord)
TICKS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a row lies on the axis, in percent of the run: start, width, waiting part, where its label stands."""

    start: str
    width: str
    wait: str
    end: str
    label: str
    before: bool  # the label stands left of the bar, where there is no room behind it
    shape: str  # bracket, call or failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the timeline."""

    id: str
    name: str
    note: str
    depth: int
    mark: Mark | None
    first_token: str = ""
    input: str = ""
    cached: str = ""
    output: str = ""
    cost: Cost | None = None
    status: str = ""
    failed: bool = False
    selected: bool = False
    is_call: bool = False

    @property
    def indent(self) -> str:
        """Spaces and a corner."""
        return "\u00a0\u00a0\u00a0" * self.depth + ("└ " if self.depth else "")


@dataclass(frozen=True, slots=True)
class Node:
    """A span or call of the tree, before it is drawn."""

    key: str
    parent: str
    name: str
    note: str
    start: datetime
    end: datetime
    failed: bool
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """The run's extent in milliseconds."""

    start: datetime
    length: float

    def percent(self, moment: datetime) -> float:
        """Where a moment lies, 0 to 100."""
        return max(0.0, min(100.0, (moment - self.start).total_seconds() * 1000 / self.length * 100))

    def ticks(self) -> list[tuple[str, str]]:
        """(percent, label) of the axis."""
        step = _nice(self.length / TICKS)
        count = int(self.length / step)
        return [(f"{i * step / self.length * 100:.2f}", _tick(i * step)) for i in range(count + 1)]


def _nice(step: float) -> float:
    size = 10 ** (len(str(max(1, int(step)))) - 1)
    return next(float(size * factor) for factor in (1, 2, 3, 5, 10) if size * factor >= step)


def _tick(ms: float) -> str:
    return f"{ms / 1000:g} s" if ms >= 1000 or not ms else f"{ms:g} ms"


def axis_of(run: Run, nodes: Sequence[Node]) -> Axis:
    """From the first start to the last end, a millisecond at least."""
    start = min([run.started_at, *(node.start for node in nodes)])
    end = max([run.ended_at, *(node.end for node in nodes)])
    return Axis(start, max(1.0, (end - start).total_seconds() * 1000))


def spans_of(run: Run, project_id: int) -> list[SpanRecord]:
    """The spans kept of a run's trace, oldest first; they have a retention of their own."""
    if not run.traced:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT span, record FROM span WHERE project_id = %s AND trace = %s AND started_at BETWEEN %s AND %s "
            "ORDER BY started_at LIMIT %s",
            [project_id, run.key, run.started_at, run.ended_at, MOST_SPANS],
        )
        rows = cursor.fetchall()
    kept = (
        record
        for name, record in rows
        if not (bytes(name).endswith(MESSAGES_SUFFIX) and len(bytes(name)) == 9)
    )
    return [_SPAN.decode(record) for record in kept]


def nodes_of(calls: Sequence[Call], spans: Sequence[SpanRecord]) -> list[Node]:
    """Steps from spans, calls from the ledger; a call hangs where its span hangs."""
    by_key = {call.key: call for call in calls}
    shown: dict[str, Node] = {}
    parents: dict[str, str] = {}
    placed: set[UUID] = set()
    for span in spans:
        parents[span.span] = span.parent or ""
        call = by_key.get(UUID(hex=call_key(span_call_id(span.trace, span.span))))
        if call is not None:
            placed.add(call.key)
        if call is not None or span.kind in SHOWN_KINDS:
            shown[span.span] = _span_node(span, call)
    found = [_rehung(node, parents, shown) for node in shown.values()]
    return found + [_call_node(call) for call in calls if call.key not in placed]


def _rehung(node: Node, parents: dict[str, str], shown: dict[str, Node]) -> Node:
    """A node below its nearest ancestor that is shown."""
    parent = node.parent
    seen: set[str] = set()
    while parent and parent not in shown and parent not in seen:
        seen.add(parent)
        parent = parents.get(parent, "")
    return Node(node.key, parent if parent in shown else "", node.name, node.note, node.start, node.end,
                node.failed, node.call)  # fmt: skip


def _span_node(span: SpanRecord, call: Call | None) -> Node:
    start, end = (datetime.fromtimestamp(us / 1e6, UTC) for us in (span.started_us, span.ended_us))
    note = (call.dimensions["model"] or "") if call else span.kind
    return Node(span.span, span.parent or "", span.name, note, start, end, span.failed, call)


def _call_node(call: Call) -> Node:
    end = (
        call.started_at
        if call.duration_ms is None
        else call.started_at + timedelta(milliseconds=call.duration_ms)
    )
    name = call.dimensions["step"] or call.dimensions["operation"] or "call"
    attempt = f", attempt {call.attempt}" if call.attempt > 1 else ""
    return Node(call.key.hex, "", f"{name}{attempt}", call.dimensions["model"] or "", call.started_at, end,
                call.failed, call)  # fmt: skip


def rows_of(run: Run, nodes: Sequence[Node], axis: Axis, *, selected: UUID | None) -> list[Row]:
    """The root, then every node below its parent in the order of time."""
    below: dict[str, list[Node]] = defaultdict(list)
    for node in sorted(nodes, key=lambda one: (one.start, one.end)):
        below[node.parent].append(node)
    root = Row(
        id="run", name=run.dimensions["flow"] or "run", note="run", depth=0,
        mark=_mark(axis, run.started_at, run.ended_at, "bracket", label=""),
        status="rescued" if run.rescued else run.outcome, failed=run.outcome == "failure",
    )  # fmt: skip
    return [root, *(_row(node, depth, axis, selected) for node, depth in _walk(below, "", 1))]


def _walk(below: dict[str, list[Node]], parent: str, depth: int) -> Iterator[tuple[Node, int]]:
    for node in below.pop(parent, []):
        yield node, depth
        yield from _walk(below, node.key, min(depth + 1, 12))


def _row(node: Node, depth: int, axis: Axis, selected: UUID | None) -> Row:
    call = node.call
    shape = "bracket" if call is None else "failed" if node.failed else "call"
    took = (node.end - node.start).total_seconds() * 1000
    mark = _mark(
        axis, node.start, node.end, shape, label=formats.duration(took), wait=call.ttft_ms if call else None
    )
    if call is None:
        return Row(id=f"span-{node.key}", name=node.name, note=node.note, depth=depth, mark=mark,
                   status="failed" if node.failed else "ok", failed=node.failed)  # fmt: skip
    return Row(
        id=f"call-{call.key.hex[:12]}", name=node.name, note=node.note, depth=depth, mark=mark, is_call=True,
        first_token=formats.MISSING if call.ttft_ms is None else formats.plain(call.ttft_ms / 1000, 2),
        input=formats.count(input_tokens(call)), cached=formats.count(call.tokens["cache_read"]),
        output=formats.count(output_tokens(call)), cost=cost_of(call), failed=call.failed,
        status=ERRORS.get(call.error_class, call.error_class) if call.failed else "ok", selected=call.key == selected,
    )  # fmt: skip


def _mark(
    axis: Axis, start: datetime, end: datetime, shape: str, *, label: str, wait: float | None = None
) -> Mark:
    left, right = axis.percent(start), axis.percent(end)
    width = max(0.3, right - left)
    waited = min(width, wait / axis.length * 100) if wait else 0.0
    before = right > 86 and left > 14
    return Mark(
        start=f"{left:.2f}", width=f"{width:.2f}", wait=f"{waited:.2f}", end=f"{left + width:.2f}",
        label=label, before=before, shape=shape,
    )  # fmt: skip
