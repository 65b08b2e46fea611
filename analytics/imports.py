"""Imports: a file's calls through the front door's own rules into the inbox, and loaded at the pace they come.

An import may be cut off anywhere: run again it goes on under the same number, and what is there already adds
nothing. Its figures come from the ledger: what carries its number is accepted, the rest was known before.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from django.db import connection, transaction

from accounts.audit import record
from accounts.errors import ApiError
from accounts.models import Project
from analytics.batch import BATCH
from analytics.load import load_lane
from analytics.models import ImportBatch
from ingest import inbox, privacy
from ingest.floor import floor_us
from ingest.inbox import Kind
from ingest.records import Rejection
from ingest.wire.chunks import Chunk
from ingest.wire.decoded import Decoded
from ingest.wire.documents import Documents
from ingest.wire.event import Rules
from ingest.wire.files import InputFile, opened
from ingest.wire.jsonl import Events, Requests
from ingest.wire.limits import micros_of
from ingest.wire.litellm import take_document
from ingest.wire.observed import Observed, langfuse_document
from ingest.wire.otlp import decode_traces
from ingest.wire.rows import Converter, Wanted
from ingest.wire.spans import Reading
from ingest.wire.tabular import Table

AHEAD = 50_000  # records that may wait unloaded: an import does not fill the inbox
SHOWN = 20  # rejections and warnings that are told; all are counted
LOCK_SPACE = 7302  # of imports that are running
PAUSE = 0.05  # seconds, while another loader holds the lane
PATIENCE = 300.0  # seconds that a full inbox is waited for


class Reader(Protocol):
    """A file of one format, opened."""

    left_out: list[str]

    def chunks(self, converter: Converter) -> Iterator[Chunk]:
        """Its records, some thousand at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be imported where."""

    project: Project
    path: Path
    format: str
    wanted: Wanted = field(default_factory=Wanted)


@dataclass(frozen=True, slots=True)
class Door:
    """The front door's rules for a project at a moment."""

    rules: Rules
    gate: privacy.Gate


@dataclass(frozen=True, slots=True)
class Format:
    """How files of one format are read, and what their records are."""

    kind: Kind
    read: Callable[[InputFile, Order, Door], Reader]
    mapped: bool = True  # whether --map and --set mean something
    zoned: bool = False  # whether --zone does


def _requests(file: InputFile, order: Order, door: Door) -> Reader:
    rules = door.rules
    traces = partial(
        decode_traces, json=True, now_us=rules.now_us, floor_us=rules.floor_us,
        keep_content=rules.keep_content, fingerprint=door.gate.fingerprint,
    )  # fmt: skip
    return Requests(file, traces)


def _payloads(file: InputFile, order: Order, door: Door) -> Reader:
    """LiteLLM: payloads of its generic logger, or rows of its spend logs."""

    def take(number: int, item: Any, chunk: Chunk) -> None:
        decoded = Decoded(index=number)
        take_document(number, item, door.rules, decoded)
        chunk.records += decoded.records
        chunk.rejections += decoded.rejections
        chunk.warnings += [(warning.field, warning.message) for warning in decoded.warnings]

    return Documents(file, take)


def _observed(file: InputFile, order: Order, door: Door) -> Reader:
    """Langfuse: exported traces with their observations."""
    rules = door.rules
    reading = Reading(
        now_us=rules.now_us,
        floor_us=rules.floor_us,
        keep_content=rules.keep_content,
        fingerprint=door.gate.fingerprint,
    )

    def take(number: int, item: Any, chunk: Chunk) -> None:
        found = Observed()
        langfuse_document(number, item, reading, found)
        chunk.records += found.spans
        chunk.rejections += found.rejections

    return Documents(file, take)


FORMATS: Mapping[str, Format] = {
    "csv": Format(Kind.CALLS, lambda file, order, _: Table(file, order.wanted), zoned=True),
    "native": Format(Kind.CALLS, lambda file, order, _: Events(file, order.wanted)),
    "otlp": Format(Kind.SPANS, _requests, mapped=False),
    "litellm": Format(Kind.CALLS, _payloads, mapped=False),
    "langfuse": Format(Kind.SPANS, _observed, mapped=False),
}
SUFFIXES = {".csv": "csv", ".tsv": "csv", ".jsonl": "native", ".ndjson": "native", ".json": "native"}


@dataclass(slots=True)
class Seen:
    """What was read of a file so far."""

    left_out: list[str] = field(default_factory=list)
    read: int = 0  # calls; of traces: spans that are calls, and what was refused
    rejected: int = 0
    first_us: int | None = None
    last_us: int | None = None
    rejections: list[Rejection] = field(default_factory=list)  # the first SHOWN
    warnings: dict[tuple[str | None, str], None] = field(default_factory=dict)  # the first SHOWN, each once

    def add(self, chunk: Chunk, *, kind: Kind) -> None:
        """Count a chunk."""
        calls = chunk.records if kind == Kind.CALLS else [one for one in chunk.records if one.kind == "call"]
        self.read += len(calls) + len(chunk.rejections)
        self.rejected += len(chunk.rejections)
        self.rejections += chunk.rejections[: SHOWN - len(self.rejections)]
        for warning in chunk.warnings:
            if len(self.warnings) < SHOWN:
                self.warnings.setdefault(warning)
        times = [one.started_us for one in chunk.records]
        if times:
            self.first_us = min(times) if self.first_us is None else min(self.first_us, *times)
            self.last_us = max(times) if self.last_us is None else max(self.last_us, *times)


@dataclass(slots=True)
class Report:
    """What an import did: read = accepted + duplicates + rejected + set_aside."""

    batch: ImportBatch
    seen: Seen
    resumed: bool
    accepted: int = 0
    duplicates: int = 0
    set_aside: int = 0


Progress = Callable[[int], Any]  # the bytes of the file that were read so far


def format_of(path: Path) -> str | None:
    """The format that a file's name tells, or None."""
    name = path.with_suffix("") if path.suffix == ".gz" else path
    return SUFFIXES.get(name.suffix.lower())


def door_of(project: Project, now: datetime) -> Door:
    """The rules and redactions of a project."""
    rules = Rules(
        now_us=micros_of(now),
        floor_us=floor_us(),
        main_environment=project.main_environment,
        keep_content=project.keep_content,
    )
    return Door(rules, privacy.Gate(project))


def chunks_of(
    file: InputFile, order: Order, door: Door, *, seen: Seen, progress: Progress
) -> Iterator[Chunk]:
    """The file's chunks as they may be stored, counted in `seen`.

    Raises BadMappingError for what cannot be meant, UnreadableError where the file is damaged."""
    format_ = FORMATS[order.format]
    reader = format_.read(file, order, door)
    seen.left_out = reader.left_out
    admit: Callable[[list[Any]], list[Any]] = (
        door.gate.calls if format_.kind == Kind.CALLS else door.gate.spans
    )
    for chunk in reader.chunks(Converter(door.rules)):
        chunk.records = admit(chunk.records)
        seen.add(chunk, kind=format_.kind)
        yield chunk
        progress(file.position)


def run(order: Order, *, now: Callable[[], datetime], progress: Progress) -> Report:
    """Import a file; returns when all of it is loaded. Safe to repeat.

    Raises BadMappingError, UnreadableError; ApiError when the inbox stays full for PATIENCE seconds."""
    seen = Seen()
    with opened(order.path) as file:
        chunks = chunks_of(file, order, door_of(order.project, now()), seen=seen, progress=progress)
        first = next(chunks, None)  # a mapping that cannot be meant leaves no import behind
        batch, resumed = _batch_of(order)
        with running(batch):
            for chunk in chain([first] if first else [], chunks):
                _keep(chunk, order, batch, seen=seen, now=now)
            settle(order.project.lane, batch, now=now)
            return _finished(Report(batch, seen, resumed), now=now())


def _batch_of(order: Order) -> tuple[ImportBatch, bool]:
    """The import to go on with, if the same was begun and cut off, else a new one."""
    wanted = order.wanted
    known: dict[str, Any] = {
        "file_name": order.path.name[:300],
        "format": order.format,
        "mapping": {
            "map": dict(wanted.maps), "set": dict(wanted.sets), "zone": str(wanted.zone or ""),
            "sha256": _sha256(order.path),
        },
    }  # fmt: skip
    begun = ImportBatch.objects.filter(project=order.project, finished_at=None, undone_at=None, **known)
    for batch in begun.order_by("-id"):
        if not is_running(batch):
            return batch, True
    return ImportBatch.objects.create(project=order.project, **known), False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep(chunk: Chunk, order: Order, batch: ImportBatch, *, seen: Seen, now: Callable[[], datetime]) -> None:
    """Put a chunk into the inbox, once there is room and the import's period covers it."""
    make_room(order.project.lane, now=now)
    _widen(batch, seen)
    until = time.monotonic() + PATIENCE
    sender = inbox.Sender(order.project.pk, import_batch=batch.pk)
    while True:
        try:
            return inbox.put(
                chunk.records,
                kind=FORMATS[order.format].kind,
                sender=sender,
                now=now(),
                rejected=len(chunk.rejections),
            )
        except ApiError:
            if time.monotonic() > until:
                raise
            time.sleep(1)


def _widen(batch: ImportBatch, seen: Seen) -> None:
    """The period in which the import's calls lie is stored before they are: undo looks there."""
    if seen.first_us is None or seen.last_us is None:
        return
    first, last = _moment(seen.first_us), _moment(seen.last_us)
    first, last = min(first, batch.first_at or first), max(last, batch.last_at or last)
    if (first, last) != (batch.first_at, batch.last_at):
        batch.first_at, batch.last_at = first, last
        batch.save(update_fields=["first_at", "last_at"])


def make_room(lane: int, *, now: Callable[[], datetime]) -> None:
    """Load what waits in the lane while it fills a batch; wait for another loader while AHEAD records wait."""
    while (waiting := _one("SELECT coalesce(sum(items), 0) FROM inbox WHERE lane = %s", lane)) >= BATCH:
        if load_lane(lane, now=now()) is None:
            if waiting < AHEAD:
                return
            time.sleep(PAUSE)


def settle(lane: int, batch: ImportBatch, *, now: Callable[[], datetime]) -> None:
    """Load, or wait for whoever loads, until nothing of the import waits."""
    query = "SELECT EXISTS (SELECT FROM inbox WHERE lane = %s AND import_batch = %s)"
    while _one(query, lane, batch.pk):
        if load_lane(lane, now=now()) is None:
            time.sleep(PAUSE)


def _finished(report: Report, *, now: datetime) -> Report:
    """The report with what really is in the ledger, kept on the batch, with an audit line."""
    batch, seen = report.batch, report.seen
    report.accepted = calls_in(batch)
    report.set_aside = _one(
        "SELECT coalesce(sum(items), 0) FROM inbox_dead WHERE import_batch = %s", batch.pk
    )
    known = seen.read - seen.rejected - report.accepted - report.set_aside
    report.duplicates = max(0, known)
    with transaction.atomic():
        batch.finished_at, batch.read, batch.rejected = now, seen.read, seen.rejected
        batch.accepted, batch.duplicates = report.accepted, report.duplicates
        batch.save()
        record(
            project=batch.project, actor="command", action="calls.imported", target=batch.file_name,
            batch=batch.pk, calls=batch.accepted,
        )  # fmt: skip
    return report


def calls_in(batch: ImportBatch) -> int:
    """How many calls of the ledger the import brought."""
    return int(
        _one(
            "SELECT count(*) FROM call WHERE project_id = %s AND started_at BETWEEN %s AND %s AND import_batch = %s",
            batch.project_id, batch.first_at, batch.last_at, batch.pk,
        )
    )  # fmt: skip


@contextmanager
def running(batch: ImportBatch) -> Iterator[None]:
    """The import is at work: it cannot be undone meanwhile. Ends with the connection, whatever happens."""
    _one("SELECT pg_advisory_lock(%s, %s)", LOCK_SPACE, batch.pk)
    try:
        yield
    finally:
        if connection.connection is not None and not connection.needs_rollback:
            _one("SELECT pg_advisory_unlock(%s, %s)", LOCK_SPACE, batch.pk)


def is_running(batch: ImportBatch) -> bool:
    """Whether another process is at work on the import."""
    free = _one("SELECT pg_try_advisory_lock(%s, %s)", LOCK_SPACE, batch.pk)
    if free:
        _one("SELECT pg_advisory_unlock(%s, %s)", LOCK_SPACE, batch.pk)
    return not free


def _one(query: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
    return row[0] if row else None


def _moment(us: int) -> datetime:
    return datetime.fromtimestamp(us // 1_000_000, UTC).replace(microsecond=us % 1_000_000)
