"""What an import would bring, told without writing anything."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from analytics.imports import FORMATS, Order, Progress, Seen, chunks_of, door_of
from analytics.intern import call_key
from analytics.ledger_codes import COST_STATUSES
from analytics.pricebook import books
from analytics.series import ProjectState
from analytics.stage import charge_of
from analytics.statements import statement
from ingest.inbox import Kind
from ingest.records import CallRecord, Tokens
from ingest.wire.files import opened
from ingest.wire.ordinals import Ordinals, digest_of
from pricing.charge import WIDE

MAX_LINES = 10_000  # distinct pairs of flow and model that are told apart
REST = ("(other)", "(other)")
BY_TRACE = "(decided by the trace)"  # a flow that is known when its trace is resolved
_INPUT = ("input", "cache_read", "cache_write", "cache_write_1h", "audio_input")
_OUTPUT = ("output", "reasoning", "audio_output")


@dataclass(slots=True)
class Line:
    """What would come of one flow and model."""

    calls: int = 0
    failed: int = 0
    input: int = 0
    output: int = 0
    cost: Decimal = Decimal(0)

    def add(self, record: CallRecord, total: Decimal | None) -> None:
        """Count one call."""
        self.calls += 1
        self.failed += record.failed
        self.input += _sum(record.tokens, _INPUT)
        self.output += _sum(record.tokens, _OUTPUT)
        self.cost = WIDE.add(self.cost, total or Decimal(0))


@dataclass(slots=True)
class Preview:
    """What would come: new calls by flow and model, by cost status, and their sums."""

    seen: Seen = field(default_factory=Seen)
    new: int = 0
    duplicates: int = 0
    lines: dict[tuple[str, str], Line] = field(default_factory=lambda: defaultdict(Line))
    statuses: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    reported: Decimal = Decimal(0)

    def add(self, record: CallRecord, state: ProjectState, flow: str) -> None:
        """Count one new call."""
        self.new += 1
        status, charge = charge_of(record, state)
        self.statuses[COST_STATUSES[status]] += 1
        if record.reported_cost is not None:
            self.reported = WIDE.add(self.reported, record.reported_cost)
        key = (flow, record.model or "(none)")
        self.lines[key if key in self.lines or len(self.lines) < MAX_LINES else REST].add(
            record, charge.total
        )


def preview(order: Order, *, now: datetime, progress: Progress) -> Preview:
    """Read a file as an import would. Raises BadMappingError, UnreadableError."""
    found, repeats = Preview(), Ordinals()
    state = ProjectState(project=order.project, book=books.of(order.project.pk), flows={})
    kind = FORMATS[order.format].kind
    unknown = "(unattributed)" if kind == Kind.CALLS else BY_TRACE
    with opened(order.path) as file:
        door = door_of(order.project, now)
        for chunk in chunks_of(file, order, door, seen=found.seen, progress=progress):
            calls = _calls(chunk.records, kind)
            new = _new(order.project.pk, _once(calls, repeats))
            found.duplicates += len(calls) - len(new)
            for record in new:
                found.add(record, state, record.flow or unknown)
    return found


def _calls(records: Sequence[Any], kind: Kind) -> list[CallRecord]:
    if kind == Kind.CALLS:
        return list(records)
    return [span.call for span in records if span.kind == "call" and span.call is not None]


def _once(calls: list[CallRecord], repeats: Ordinals) -> list[CallRecord]:
    """The calls that did not come before in the file."""
    ordinals = repeats.of([digest_of(f"{call.started_us} {call.id}".encode()) for call in calls])
    return [call for call, ordinal in zip(calls, ordinals, strict=True) if not ordinal]


def _new(project_id: int, calls: list[CallRecord]) -> list[CallRecord]:
    """The calls that the ledger does not have."""
    if not calls:
        return []
    times = [call.started_us for call in calls]
    values: dict[str, Any] = {
        "project": project_id, "times": times, "ids": [call_key(call.id) for call in calls],
        "first": min(times), "last": max(times),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(statement("find_known"), values)
        known = {number for (number,) in cursor.fetchall()}
    return [call for number, call in enumerate(calls, start=1) if number not in known]


def _sum(tokens: Tokens, names: tuple[str, ...]) -> int:
    return sum(getattr(tokens, name) or 0 for name in names)
