"""The native front door: `POST /v1/events`, and the project's key for fingerprints."""

from collections.abc import Callable
from typing import Any

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.errors import ApiError
from accounts.keys import KeyAuthentication, KeyHolder, requires
from accounts.models import Project
from ingest import inbox, openapi, privacy
from ingest.body import drain, taken
from ingest.floor import floor_us
from ingest.inbox import UNAVAILABLE, Kind, Sender, busy
from ingest.patience import patiently
from ingest.records import Remark
from ingest.wire.decoded import Decoded, MalformedError, TooManyError
from ingest.wire.event import Rules
from ingest.wire.limits import micros_of
from ingest.wire.litellm import decode_litellm
from ingest.wire.native import decode_events
from ingest.wire.responses import decode_responses

JSON = "application/json"
JSON_LINES = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines", "application/ndjson")


class NoNegotiation(BaseContentNegotiation):
    """Answers are JSON whatever the Accept header says: looking at it is time on the hot path."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class FrontDoor(APIView):
    """What all views of the front door share: a key with the scope `ingest`, bodies read by `ingest.body`."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (requires("ingest"),)
    parser_classes = ()
    content_negotiation_class = NoNegotiation

    def perform_authentication(self, request: Request) -> None:
        """Look the key up, with the patience of the front door."""
        try:
            with patiently():
                super().perform_authentication(request)
        except UNAVAILABLE as problem:
            raise busy("The database does not answer at the moment.") from problem

    def handle_exception(self, exc: Exception) -> Any:
        """The refusal, once the sender has finished sending."""
        drain(self.request._request)
        return super().handle_exception(exc)


class Events(FrontDoor):
    """Calls in the native format."""

    @extend_schema(
        operation_id="send_events",
        summary="Send calls",
        tags=["ingest"],
        request={JSON: openapi.EVENTS, JSON_LINES[0]: openapi.BINARY},
        responses=openapi.event_answers(),
    )
    def post(self, request: Request) -> HttpResponse:
        """Take the events that are good, name those that are not."""
        return _take(request, decode_events)


class Responses(FrontDoor):
    """Provider responses as they came."""

    @extend_schema(
        operation_id="send_responses",
        summary="Send provider responses as they came",
        tags=["ingest"],
        request={JSON: openapi.RESPONSES, JSON_LINES[0]: openapi.BINARY},
        responses=openapi.event_answers(),
    )
    def post(self, request: Request) -> HttpResponse:
        """Take the calls of responses in which usage is found, name the others."""
        return _take(request, decode_responses)


class LiteLLM(FrontDoor):
    """LiteLLM's generic API logger. What is refused is told in the answer; one bad payload never costs the batch:
    LiteLLM drops whole batches that are answered with an error."""

    @extend_schema(
        operation_id="send_litellm",
        summary="Send payloads of LiteLLM's generic API logger",
        tags=["ingest"],
        request={JSON: openapi.LITELLM, JSON_LINES[0]: openapi.BINARY},
        responses=openapi.event_answers(),
    )
    def post(self, request: Request) -> HttpResponse:
        """Take the payloads that are good, name those that are not."""
        return _take(request, decode_litellm)


class FingerprintKey(FrontDoor):
    """The project's key for fingerprints."""

    @extend_schema(
        operation_id="fingerprint_key",
        summary="Key for fingerprints",
        tags=["ingest"],
        responses=openapi.key_answers(),
    )
    def get(self, request: Request) -> HttpResponse:
        """The key as hex: a client that hashes prompts itself gets the same fingerprints as the server."""
        key = privacy.fingerprint_key(holder_of(request).project.id)
        return as_json({"key": key.hex(), "algorithm": "HMAC-SHA256, the first 32 hex digits"})


def holder_of(request: Request) -> KeyHolder:
    """Who asks: FrontDoor lets nobody in without a key."""
    holder: Any = request.user
    assert isinstance(holder, KeyHolder)  # noqa: S101 - for the type checker
    return holder


def content_type(request: Request) -> str:
    """The request's media type without parameters, lower case."""
    return (request.META.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower()


def wrong_content_type(*known: str) -> ApiError:
    """415: what would have been read."""
    hint = f"Send Content-Type: {' or '.join(known)}."
    return ApiError(
        415, "unsupported_type", "This content type is not read here.", field="Content-Type", hint=hint
    )


def as_json(value: Any, *, status: int = 200) -> HttpResponse:
    """An answer in JSON."""
    return HttpResponse(msgspec.json.encode(value), content_type=JSON, status=status)


def malformed(problem: MalformedError) -> ApiError:
    """The answer to a body that cannot be read as a whole."""
    status, code = (413, "too_many_items") if isinstance(problem, TooManyError) else (400, "malformed")
    return ApiError(status, code, problem.message, field=problem.field, hint=problem.hint)


def _rules(project: Project, now_us: int) -> Rules:
    return Rules(
        now_us=now_us,
        floor_us=floor_us(),
        main_environment=project.main_environment,
        keep_content=project.keep_content,
    )


def _take(request: Request, decode: Callable[..., Decoded]) -> HttpResponse:
    """Calls in one of the JSON forms: read, gated, kept, answered."""
    now = timezone.now()
    holder = holder_of(request)
    is_lines = content_type(request) in JSON_LINES
    if not is_lines and content_type(request) not in ("", JSON):
        raise wrong_content_type(JSON, JSON_LINES[0])
    rules = _rules(holder.project, micros_of(now))
    try:
        with taken(request._request) as body:
            decoded = decode(body, ndjson=is_lines, rules=rules)
    except MalformedError as problem:
        raise malformed(problem) from problem
    records = privacy.Gate(holder.project).calls(decoded.records)
    sender = Sender(holder.project.id, holder.key_id)
    inbox.put(records, kind=Kind.CALLS, sender=sender, now=now, rejected=len(decoded.rejections))
    return answered(decoded)


def answered(decoded: Decoded) -> HttpResponse:
    """What was taken, what was refused and why; 400 where nothing could be taken."""
    warnings = decoded.warnings
    if decoded.untold:
        warnings = [*warnings, Remark(decoded.index, None, f"{decoded.untold} more warnings.")]
    answer = {"accepted": len(decoded.records), "rejected": decoded.rejections, "warnings": warnings}
    if decoded.records or not decoded.rejections:
        return as_json(answer, status=202)
    first = decoded.rejections[0]
    error = {
        "code": "nothing_acceptable", "message": first.message, "field": first.field, "hint": first.hint,
    }  # fmt: skip
    return as_json({"error": error, **answer}, status=400)
