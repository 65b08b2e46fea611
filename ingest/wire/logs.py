"""OTLP log events -> the messages and fingerprint of the span that they name. Never usage: spans have that.

Read are `gen_ai.client.inference.operation.details` (attributes as on a span) and the older one event a message
(`gen_ai.user.message`, `gen_ai.choice`, …). Other log records are no business of ours and pass unread.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from ingest.records import MessagesRecord, Rejection, ScoreRecord
from ingest.wire.content import content_text, fingerprint_source, input_text, output_text
from ingest.wire.limits import RefusedError, checked_time
from ingest.wire.otlp_json import ERRORS, HINT, Number, Pair, Value, decoded, json_slots, json_value
from ingest.wire.otlp_read import Slots, any_value, parsed, slots_of
from ingest.wire.scores import evaluation
from ingest.wire.span_calls import Fingerprint
from ingest.wire.spans import Reading

DETAILS = "gen_ai.client.inference.operation.details"
_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_EVENTS = frozenset((DETAILS, _CHOICE, *_ROLES))
_EVALUATION = "gen_ai.evaluation.result"
_IDS_HINT = "A message belongs to a span: send the log record with trace id (16 bytes) and span id (8 bytes)."


class RawLog(msgspec.Struct):
    """One log record as sent."""

    trace: str
    span: str
    event: str
    time_ns: int
    body: Any
    slots: Slots


class Messages(msgspec.Struct):
    """What came for one span, in order."""

    at_us: int
    slots: Slots
    asked: list[dict[str, Any]] = msgspec.field(default_factory=list)
    answered: list[dict[str, Any]] = msgspec.field(default_factory=list)


def decode_logs(
    body: bytes,
    *,
    json: bool,
    now_us: int,
    floor_us: int,
    keep_content: bool = True,
    fingerprint: Fingerprint | None = None,
    scores: list[ScoreRecord] | None = None,
) -> tuple[list[MessagesRecord], list[Rejection]]:
    """Messages by span of an `ExportLogsServiceRequest`, inflated already, and why records were refused
    (index = n-th log record of the request). Arguments as `decode_traces`; `scores` gets evaluation results.
    Raises MalformedError where the body is no such request."""
    reading = Reading(now_us=now_us, floor_us=floor_us, keep_content=keep_content, fingerprint=fingerprint)
    found: dict[tuple[str, str], Messages] = {}
    rejections: list[Rejection] = []
    scores = [] if scores is None else scores
    for index, raw in enumerate(_read_json(body) if json else _read_protobuf(body)):
        if isinstance(raw, Rejection):
            rejections.append(raw)
        elif raw is not None and (raw.event == _EVALUATION or (raw.event in _EVENTS and raw.span)):
            try:
                if raw.event == _EVALUATION:
                    scores.append(_score(raw, reading))
                else:
                    _collect(raw, found, reading)
            except RefusedError as error:
                rejections.append(Rejection(index, error.field, error.message, error.hint))
    records = (_record(key, messages, reading) for key, messages in found.items())
    return [record for record in records if record.input or record.output or record.fingerprint], rejections


def _collect(raw: RawLog, found: dict[tuple[str, str], Messages], reading: Reading) -> None:
    if len(raw.trace) != 32 or len(raw.span) != 16:
        raise RefusedError("The log record's ids are not those of a span.", _IDS_HINT, field="spanId")
    try:
        at_us = checked_time(raw.time_ns // 1000, now_us=reading.now_us, floor_us=reading.floor_us)
    except RefusedError as error:
        error.field = "timeUnixNano"
        raise
    messages = found.setdefault((raw.trace, raw.span), Messages(at_us, {}))
    messages.at_us = min(messages.at_us, at_us)
    told = raw.body if isinstance(raw.body, dict) else {"content": raw.body}
    if raw.event == DETAILS:
        messages.slots.update(raw.slots)
    elif raw.event == _CHOICE:
        answer = told.get("message")
        messages.answered.append(_row("assistant", answer if isinstance(answer, dict) else told))
    else:
        messages.asked.append(_row(_ROLES[raw.event], told))


def _score(raw: RawLog, reading: Reading) -> ScoreRecord:
    """An evaluation result (`gen_ai.evaluation.result`) as a score of the span, or trace, that it names."""
    if len(raw.trace) != 32 or len(raw.span) not in (0, 16):
        raise RefusedError("The evaluation names no trace.", _IDS_HINT, field="traceId")
    at_us = checked_time(raw.time_ns // 1000, now_us=reading.now_us, floor_us=reading.floor_us)
    return evaluation(raw.slots.get("evaluation", {}), at_us=at_us, run=raw.trace, span=raw.span or None)


def _row(role: str, told: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, **{key: value for key, value in told.items() if value is not None}}


def _record(key: tuple[str, str], messages: Messages, reading: Reading) -> MessagesRecord:
    asked, answered = _told(messages.asked), _told(messages.answered)
    slots: Slots = {**({"input": asked} if asked else {}), **messages.slots}
    source = fingerprint_source(slots) if reading.fingerprint is not None else None
    return MessagesRecord(
        trace=key[0],
        span=key[1],
        at_us=messages.at_us,
        input=input_text(slots) if reading.keep_content else None,
        output=(output_text(slots) or content_text(answered)) if reading.keep_content else None,
        fingerprint=reading.fingerprint(source) if reading.fingerprint is not None and source else None,
    )


def _told(rows: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """The rows, None where the sender left all content out (roles and names of tools say nothing)."""
    text = content_text(rows) or ""
    return rows if '"content":' in text or '"arguments":' in text else None


def _read_protobuf(body: bytes) -> Iterator[RawLog | None]:
    for of_resource in parsed(ExportLogsServiceRequest, body).resource_logs:
        for of_scope in of_resource.scope_logs:
            for record in of_scope.log_records:
                slots = slots_of(record.attributes, any_value)
                yield RawLog(
                    record.trace_id.hex(),
                    record.span_id.hex(),
                    record.event_name or str(slots.get("event_name", "")),
                    record.time_unix_nano or record.observed_time_unix_nano,
                    any_value(record.body),
                    slots,
                )


class LogRecord(msgspec.Struct, rename="camel"):
    time_unix_nano: Number | None = None
    observed_time_unix_nano: Number | None = None
    event_name: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    body: Value | None = None
    attributes: list[Pair] | None = None


class ScopeLogs(msgspec.Struct, rename="camel"):
    log_records: list[msgspec.Raw] | None = None


class ResourceLogs(msgspec.Struct, rename="camel"):
    scope_logs: list[ScopeLogs] | None = None


class Request(msgspec.Struct, rename="camel"):
    resource_logs: list[ResourceLogs] | None = None


_REQUEST = msgspec.json.Decoder(Request)
_RECORD = msgspec.json.Decoder(LogRecord)


def _read_json(body: bytes) -> Iterator[RawLog | Rejection]:
    index = 0
    for of_resource in decoded(_REQUEST, body).resource_logs or ():
        for of_scope in of_resource.scope_logs or ():
            for raw in of_scope.log_records or ():
                yield _json_log(raw, index)
                index += 1


def _json_log(raw: msgspec.Raw, index: int) -> RawLog | Rejection:
    try:
        record = _RECORD.decode(raw)
        slots = json_slots(record.attributes)
        return RawLog(
            (record.trace_id or "").lower(),
            (record.span_id or "").lower(),
            record.event_name or str(slots.get("event_name", "")),
            int(record.time_unix_nano or record.observed_time_unix_nano or 0),
            json_value(record.body),
            slots,
        )
    except (*ERRORS, ValueError, OverflowError) as error:
        return Rejection(index, None, f"The log record cannot be read: {error}"[:300], HINT)
