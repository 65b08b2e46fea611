"""The OTLP/HTTP front door: `/v1/traces`, `/v1/logs`, `/v1/metrics`, as the protocol demands.

Answers come in the encoding of the request, 200 with partial success, errors as `google.rpc.Status`, and 503
for whatever should be tried again: exporters drop data on any other failure.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypedDict

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from accounts.errors import ApiError, as_response
from accounts.keys import KeyHolder
from ingest import inbox, openapi, privacy
from ingest.api import JSON, FrontDoor, content_type, holder_of, malformed, wrong_content_type
from ingest.body import drain, taken
from ingest.floor import floor_us
from ingest.inbox import Kind, Sender
from ingest.records import Rejection, ScoreRecord
from ingest.wire.decoded import MalformedError
from ingest.wire.limits import micros_of
from ingest.wire.logs import decode_logs
from ingest.wire.otlp import decode_traces

PROTOBUF = "application/x-protobuf"
TOLD_REJECTIONS = 5
INVALID_ARGUMENT, INTERNAL = 3, 13
# HTTP status -> the code of google.rpc.Status; others are an invalid argument.
RPC_CODES = {401: 16, 403: 7, 404: 5, 405: 12, 413: 11, 429: 8, 500: INTERNAL, 503: 14}

LARGE = 4 * 2**20  # bytes; exporters send batches of 512 spans, some 100 kB
_large = threading.Lock()

log = logging.getLogger(__name__)


@contextmanager
def _one_large_at_a_time(size: int) -> Iterator[None]:
    """A parsed message can take 30 times the memory of its body (8 MiB of empty attributes: 216 MB)."""
    if size < LARGE:
        yield
        return
    with _large:
        yield


class Otlp(FrontDoor):
    """What the three signals share."""

    counted = ""  # the partial success's name for what was refused: `rejectedSpans`

    def take(self, body: bytes, *, is_json: bool, holder: KeyHolder, now: datetime) -> Sequence[Rejection]:
        """Decode and keep what the body holds; returns what was refused."""
        raise NotImplementedError

    def post(self, request: Request) -> HttpResponse:
        """Take an export request; the answer says how many items were refused and why."""
        kind = content_type(request)
        if kind not in (PROTOBUF, JSON):
            raise wrong_content_type(PROTOBUF, JSON)
        with taken(request._request) as body, _one_large_at_a_time(len(body)):
            try:
                rejections = self.take(
                    body, is_json=kind == JSON, holder=holder_of(request), now=timezone.now()
                )
            except MalformedError as problem:
                raise malformed(problem) from problem
        return self._answer(rejections, is_json=kind == JSON)

    def _answer(self, rejections: Sequence[Rejection], *, is_json: bool) -> HttpResponse:
        if not rejections:
            return _response({} if is_json else b"")
        told = _told(rejections)
        if is_json:
            return _response({"partialSuccess": {self.counted: str(len(rejections)), "errorMessage": told}})
        return _response(_bytes_field(1, _number_field(1, len(rejections)) + _bytes_field(2, told.encode())))

    def handle_exception(self, exc: Exception) -> Any:
        """Every refusal as `google.rpc.Status`, in the encoding that the client speaks."""
        drain(self.request._request)
        answer = as_response(exc, {})
        if answer is None:
            log.exception("An export request could not be taken.")
            answer = as_response(ApiError(500, "internal", "The server has a fault."), {})
        assert answer is not None  # noqa: S101 - an ApiError always has an answer
        error, code = answer.data["error"], RPC_CODES.get(answer.status_code, INVALID_ARGUMENT)
        message = _sentence(error["field"], error["message"], error["hint"])
        is_json = content_type(self.request) != PROTOBUF
        body: Any = {"code": code, "message": message}
        if not is_json:
            body = _number_field(1, code) + _bytes_field(2, message.encode())
        response = _response(body, status=answer.status_code)
        for name in ("Retry-After", "WWW-Authenticate", "Allow"):
            if name in answer.headers:
                response[name] = answer.headers[name]
        return response


@extend_schema_view(
    post=extend_schema(
        operation_id="export_traces",
        summary="Send OpenTelemetry spans",
        tags=["ingest"],
        request=openapi.EXPORT,
        responses=openapi.export_answers(),
    )
)
class Traces(Otlp):
    """Spans: model calls, and the steps that led to them."""

    counted = "rejectedSpans"

    def take(self, body: bytes, *, is_json: bool, holder: KeyHolder, now: datetime) -> Sequence[Rejection]:
        """Keep the spans. Raises ApiError 400 when none of them could be taken."""
        gate = privacy.Gate(holder.project)
        decoded = decode_traces(body, json=is_json, **_reading(gate, now))
        refused = decoded.rejections
        _keep(gate.spans(decoded.spans), refused, kind=Kind.SPANS, holder=holder, now=now)
        if decoded.scores:
            _keep(gate.scores(decoded.scores), (), kind=Kind.SCORES, holder=holder, now=now)
        if refused and not decoded.spans:
            first = refused[0]
            raise ApiError(400, "nothing_acceptable", first.message, field=first.field, hint=first.hint)
        return refused


@extend_schema_view(
    post=extend_schema(
        operation_id="export_logs",
        summary="Send OpenTelemetry log events",
        tags=["ingest"],
        request=openapi.EXPORT,
        responses=openapi.export_answers(),
    )
)
class Logs(Otlp):
    """Log events: messages of a span, where instrumentations put content. Other log records pass unread."""

    counted = "rejectedLogRecords"

    def take(self, body: bytes, *, is_json: bool, holder: KeyHolder, now: datetime) -> Sequence[Rejection]:
        """Keep what may be kept of the messages; usage in log events is never counted."""
        gate = privacy.Gate(holder.project)
        scores: list[ScoreRecord] = []
        messages, refused = decode_logs(body, json=is_json, scores=scores, **_reading(gate, now))
        if scores:
            _keep(gate.scores(scores), (), kind=Kind.SCORES, holder=holder, now=now)
        _keep(gate.messages(messages), refused, kind=Kind.MESSAGES, holder=holder, now=now)
        return refused


@extend_schema_view(
    post=extend_schema(
        operation_id="export_metrics",
        summary="Send OpenTelemetry metrics (answered, not counted)",
        tags=["ingest"],
        request=openapi.EXPORT,
        responses=openapi.export_answers(),
    )
)
class Metrics(Otlp):
    """Answered, not counted: their usage repeats the spans'."""

    counted = "rejectedDataPoints"

    def take(self, body: bytes, *, is_json: bool, holder: KeyHolder, now: datetime) -> Sequence[Rejection]:
        """Nothing is kept."""
        return ()


class Bounds(TypedDict):
    """What the readers of OTLP are told."""

    now_us: int
    floor_us: int
    keep_content: bool
    fingerprint: Callable[[str], str]


def _reading(gate: privacy.Gate, now: datetime) -> Bounds:
    return Bounds(
        now_us=micros_of(now),
        floor_us=floor_us(),
        keep_content=gate.keeps_content,
        fingerprint=gate.fingerprint,
    )


def _keep(
    records: Sequence[Any], refused: Sequence[Rejection], *, kind: Kind, holder: KeyHolder, now: datetime
) -> None:
    sender = Sender(holder.project.id, holder.key_id)
    inbox.put(records, kind=kind, sender=sender, now=now, rejected=len(refused))


def _told(rejections: Sequence[Rejection]) -> str:
    told = [
        f"item {each.index}: {_sentence(each.field, each.message, each.hint)}"
        for each in rejections[:TOLD_REJECTIONS]
    ]
    if len(rejections) > TOLD_REJECTIONS:
        told.append(f"and {len(rejections) - TOLD_REJECTIONS} more")
    return "; ".join(told)


def _sentence(field: str | None, message: str, hint: str | None) -> str:
    return f"{field + ': ' if field else ''}{message}{' ' + hint if hint else ''}"


def _response(body: Any, *, status: int = 200) -> HttpResponse:
    is_binary = isinstance(body, bytes)
    raw = body if is_binary else msgspec.json.encode(body)
    return HttpResponse(raw, content_type=PROTOBUF if is_binary else JSON, status=status)


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _number_field(tag: int, number: int) -> bytes:
    return _varint(tag << 3) + _varint(number)


def _bytes_field(tag: int, value: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(value)) + value
