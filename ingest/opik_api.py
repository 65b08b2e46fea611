"""Opik's own REST paths: batches of traces and spans as its SDK sends them, kept as spans."""

from typing import Any, ClassVar

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.errors import ApiError
from ingest import inbox, openapi, privacy
from ingest.api import JSON, FrontDoor, as_json, content_type, holder_of, malformed, wrong_content_type
from ingest.body import taken
from ingest.floor import floor_us
from ingest.inbox import Kind, Sender
from ingest.wire.decoded import MalformedError
from ingest.wire.items import document_items
from ingest.wire.limits import micros_of
from ingest.wire.native import MAX_ITEMS
from ingest.wire.observed import OPIK_SPAN, OPIK_TRACE, Names, Observed
from ingest.wire.responses import plain
from ingest.wire.spans import Reading


class Batch(FrontDoor):
    """What traces and spans share. A good batch is answered 204, as the SDK expects; what was refused is told."""

    envelope: ClassVar[str]
    names: ClassVar[Names]

    @extend_schema(
        operation_id="send_opik_batch",
        summary="Send a batch of Opik's SDK",
        tags=["ingest"],
        request={JSON: openapi.BATCH},
        responses=openapi.batch_answers(),
    )
    def post(self, request: Request) -> HttpResponse:
        """Keep the items that are good, name the others."""
        if content_type(request) not in ("", JSON):
            raise wrong_content_type(JSON)
        now, holder = timezone.now(), holder_of(request)
        gate = privacy.Gate(holder.project)
        reading = Reading(
            now_us=micros_of(now), floor_us=floor_us(), keep_content=holder.project.keep_content,
            fingerprint=gate.fingerprint,
        )  # fmt: skip
        found = Observed()
        try:
            with taken(request._request) as body:
                items = document_items(body, limit=MAX_ITEMS, envelope=self.envelope)
                for index, item in enumerate(items):
                    found.take_any(index, plain(item), self.names, reading)
        except MalformedError as problem:
            raise malformed(problem) from problem
        sender = Sender(holder.project.id, holder.key_id)
        inbox.put(
            gate.spans(found.spans), kind=Kind.SPANS, sender=sender, now=now, rejected=len(found.rejections)
        )
        return _answer(found)

    put = post  # some releases of the SDK


class TraceBatch(Batch):
    """`{"traces": [...]}`"""

    envelope, names = "traces", OPIK_TRACE


class SpanBatch(Batch):
    """`{"spans": [...]}`"""

    envelope, names = "spans", OPIK_SPAN


def _answer(found: Observed) -> HttpResponse:
    if not found.rejections:
        return HttpResponse(status=204)
    told: dict[str, Any] = {"accepted": len(found.spans), "rejected": msgspec.to_builtins(found.rejections)}
    if found.spans:
        return as_json(told)
    first = found.rejections[0]
    raise ApiError(400, "nothing_acceptable", first.message, field=first.field, hint=first.hint)
