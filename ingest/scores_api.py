"""Scores and outcomes: `POST /v1/scores`, `POST /v1/outcomes`, and the paths of Langfuse's SDKs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.keys import KeyHolder
from ingest import inbox, openapi, privacy
from ingest.api import (
    JSON,
    JSON_LINES,
    FrontDoor,
    answered,
    as_json,
    content_type,
    holder_of,
    malformed,
    wrong_content_type,
)
from ingest.body import taken
from ingest.inbox import Kind, Sender
from ingest.score_rules import rules_of
from ingest.wire.decoded import Decoded, MalformedError
from ingest.wire.langfuse_scores import decode_ingestion, decode_langfuse_scores
from ingest.wire.limits import micros_of
from ingest.wire.scores import Bounds, decode_outcomes, decode_scores

Decode = Callable[..., Decoded]


class Scores(FrontDoor):
    """Scores of calls, runs and sessions."""

    @extend_schema(
        operation_id="send_scores",
        summary="Send scores of calls, runs or sessions, before or after them",
        tags=["ingest"],
        request={JSON: openapi.SCORES, JSON_LINES[0]: openapi.BINARY},
        responses=openapi.event_answers(),
    )
    def post(self, request: Request) -> HttpResponse:
        """Take the scores that are good, name those that are not. The same id again replaces."""
        return answered(read(request, decode_scores, Kind.SCORES))


class Outcomes(FrontDoor):
    """What runs came to."""

    @extend_schema(
        operation_id="send_outcomes",
        summary="Send outcomes of runs, before or after them",
        tags=["ingest"],
        request={JSON: openapi.OUTCOMES, JSON_LINES[0]: openapi.BINARY},
        responses=openapi.event_answers(),
    )
    def post(self, request: Request) -> HttpResponse:
        """Take the outcomes that are good, name those that are not. Of one run the later wins."""
        return answered(read(request, decode_outcomes, Kind.OUTCOMES))


class LangfuseScores(FrontDoor):
    """Scores as Langfuse's SDKs and REST users send them."""

    @extend_schema(
        operation_id="langfuse_scores",
        summary="Send scores as Langfuse's SDKs do",
        tags=["ingest"],
        request={JSON: openapi.ANYTHING},
        responses=openapi.event_answers(),
    )
    def post(self, request: Request) -> HttpResponse:
        """A list, or one object; its answer names the id as Langfuse's does."""
        decoded = read(request, decode_langfuse_scores, Kind.SCORES)
        answer = answered(decoded)
        if len(decoded.records) != 1 or decoded.rejections:
            return answer
        return as_json({"id": decoded.records[0].id, "accepted": 1, "rejected": [], "warnings": []})


class LangfuseIngestion(FrontDoor):
    """Batches of Langfuse's older SDKs: scores are taken, traces come through OpenTelemetry."""

    @extend_schema(
        operation_id="langfuse_ingestion",
        summary="Send a batch as Langfuse's older SDKs do (scores are taken)",
        tags=["ingest"],
        request={JSON: openapi.ANYTHING},
        responses=openapi.ingestion_answers(),
    )
    def post(self, request: Request) -> HttpResponse:
        """207 with a line for each event."""
        ids: list[str] = []
        decoded = read(request, lambda body, **more: decode_ingestion(body, ids=ids, **more), Kind.SCORES)
        refused = {one.index: one for one in decoded.rejections}
        successes = [{"id": name, "status": 201} for index, name in enumerate(ids) if index not in refused]
        errors = [
            {"id": ids[index], "status": 400, "message": one.message, "error": one.hint or one.message}
            for index, one in refused.items()
        ]
        return as_json({"successes": successes, "errors": errors}, status=207)


class LangfuseProjects(FrontDoor):
    """What Langfuse's SDKs ask to see whether their key is good."""

    @extend_schema(
        operation_id="langfuse_projects",
        summary="The key's project, as Langfuse's SDKs ask for it",
        tags=["ingest"],
        responses=openapi.projects_answers(),
    )
    def get(self, request: Request) -> HttpResponse:
        """The project of the key."""
        project = holder_of(request).project
        found = {
            "id": project.slug,
            "name": project.name,
            "metadata": {},
            "organization": {"id": "", "name": ""},
        }
        return as_json({"data": [found]})


def read(request: Request, decode: Decode, kind: Kind) -> Decoded:
    """Decode the body by the project's rules and put what is good into the inbox."""
    now, holder = timezone.now(), holder_of(request)
    is_lines = content_type(request) in JSON_LINES
    if not is_lines and content_type(request) not in ("", JSON):
        raise wrong_content_type(JSON, JSON_LINES[0])
    bounds = Bounds(now_us=micros_of(now), rules=rules_of(holder.project.id))
    try:
        with taken(request._request) as body:
            decoded = decode(body, ndjson=is_lines, bounds=bounds)
    except MalformedError as problem:
        raise malformed(problem) from problem
    keep(decoded, kind, holder=holder, now=now)
    return decoded


def keep(decoded: Decoded, kind: Kind, *, holder: KeyHolder, now: datetime) -> None:
    """Acknowledged means committed."""
    records: list[Any] = decoded.records
    if kind == Kind.SCORES:
        records = decoded.records = privacy.Gate(holder.project).scores(records)
    sender = Sender(holder.project.id, holder.key_id)
    inbox.put(records, kind=kind, sender=sender, now=now, rejected=len(decoded.rejections))
