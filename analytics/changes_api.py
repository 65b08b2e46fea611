"""The API of changes: declared by `POST` (scope `ingest`), listed by `GET` (scope `read`)."""

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.errors import ApiError
from accounts.keys import KeyHolder, asker, requires
from accounts.models import Project
from analytics import openapi
from analytics.api import AsAsked, ReadView
from analytics.asked import refuse, times
from analytics.changes_declare import Declared, WrongChangeError, declare, read
from analytics.changes_kinds import KINDS
from analytics.changes_list import DEFAULT_LIMIT, MAX_LIMIT, WHO, Position, Wanted, line_body, one, page
from analytics.ledger import writing
from analytics.openapi import TEXT, TIME, WHOLE, answers, listed, optional, parameter, thing
from analytics.output import json_response
from ingest.body import drain, taken
from ingest.openapi import errors

MOST = 1_000  # changes of one request
CHANGE = thing(
    id=TEXT, kind={"type": "string", "enum": list(KINDS)}, flow=optional(TEXT), flows=listed(TEXT),
    environment=optional(TEXT), subject=optional(TEXT), before=optional(TEXT), after=optional(TEXT), at=TIME, by=TEXT,
    noticed={"type": "boolean"}, link=optional(TEXT), note=optional(TEXT), first_call_at=optional(TIME),
    seen={"type": "object"}, not_evaluated_before={"type": "boolean"}, recorded_at=TIME,
)  # fmt: skip
SENT = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": list(KINDS)},
        **dict.fromkeys(("id", "flow", "environment", "subject", "before", "after", "by", "link", "note"), TEXT),
        "flows": listed(TEXT),
        "at": TIME,
    },
    "required": ["kind"],
    "example": {
        "kind": "prompt", "flow": "support-triage", "before": "v11", "after": "v12", "at": "2026-11-10T09:30:00+01:00",
        "by": "Ana Ruiz", "link": "https://git.example.com/kestrel/prompts/pull/812",
    },
}  # fmt: skip
BODY = {"anyOf": [thing(changes=listed(SENT)), listed(SENT), SENT]}
REFUSED = thing(index=WHOLE, field=optional(TEXT), message=TEXT, hint=optional(TEXT))
TAKEN = thing(accepted=WHOLE, ids=listed(TEXT), rejected=listed(REFUSED))
LIST = [
    parameter("flow", "Only changes of this flow, and those of all flows. Repeatable.", many=True),
    parameter("kind", "Only these kinds. Repeatable.", many=True, enum=list(KINDS)),
    parameter("environment", "Only of this environment, and those that name none. Repeatable.", many=True),
    parameter("who", "Only what was noticed from the calls, or only what was declared.", enum=list(WHO)),
    *openapi.TIMES,
    parameter("limit", f"How many, 1 to {MAX_LIMIT:,}; default {DEFAULT_LIMIT}.", int),
    parameter("cursor", "Where the page before ended: its `next`."),
]


class ByMethod(BasePermission):
    """Sending needs `ingest`, reading `read`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Raises ApiError 403 that names the scope."""
        scope = "read" if request.method in ("GET", "HEAD", "OPTIONS") else "ingest"
        return bool(requires(scope)().has_permission(request, view))


class ChangeList(APIView):
    """The change ledger."""

    permission_classes = (ByMethod,)
    parser_classes = ()
    content_negotiation_class = AsAsked

    def handle_exception(self, exc: Exception) -> Any:
        """The refusal, once the sender has finished sending."""
        drain(self.request._request)
        return super().handle_exception(exc)

    @extend_schema(operation_id="changes", parameters=LIST, tags=["read"],
                   responses=answers(thing(changes=listed(CHANGE), next=optional(TEXT))))  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """Changes by filters, newest first; without a period from the beginning."""
        project = asker(request).project
        wanted = wanted_from(request.query_params, project, timezone.now())
        found = page(project, wanted)
        following = cursor_of(found.next) if found.next else None
        return json_response({"changes": [line_body(line) for line in found.lines], "next": following})

    @extend_schema(
        operation_id="send_changes",
        tags=["ingest"],
        request={"application/json": BODY},
        responses={(202, "application/json"): OpenApiResponse(TAKEN, description="What was taken, what was refused."),
                   **errors()},
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Declare changes: one, a list, or {"changes": […]}. The same `id` replaces, the same content adds nothing."""
        holder, now = asker(request), timezone.now()
        with taken(request._request) as body:
            items = _items(body)
        good, rejected = _read(items, holder, now)
        if rejected and not good:
            first = rejected[0]
            raise ApiError(
                400, "nothing_acceptable", first["message"], field=first["field"], hint=first["hint"]
            )
        with writing(holder.project.lane, wait=True):
            ids = [str(declare(holder.project, declared)[0].pk) for declared in good]
        return json_response({"accepted": len(good), "ids": ids, "rejected": rejected}, status=202)


class ChangeDetail(ReadView):
    """One change."""

    @extend_schema(operation_id="change", responses=answers(CHANGE), tags=["read"])
    def get(self, request: Request, number: int) -> HttpResponse:
        """The change with that id."""
        line = one(self.project, number) if number < 2**63 else None
        if line is None:
            raise ApiError(404, "not_found", "There is no such change.", hint="GET /v1/changes lists them.")
        return json_response(line_body(line))


def _items(body: bytes) -> list[Any]:
    try:
        sent = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise ApiError(
            400, "malformed", f"The body is no JSON: {problem}.", hint="Send one change, or a list."
        ) from (problem)
    items = sent.get("changes", [sent]) if isinstance(sent, dict) else sent
    if not isinstance(items, list) or not items:
        raise ApiError(
            400, "malformed", "The body holds no change.", hint='Send {"changes": […]} or one change.'
        )
    if len(items) > MOST:
        raise ApiError(
            413, "too_many_items", f"At most {MOST} changes in a request.", hint="Send several requests."
        )
    return items


def _read(items: list[Any], holder: KeyHolder, now: datetime) -> tuple[list[Declared], list[dict[str, Any]]]:
    good, rejected = [], []
    for index, item in enumerate(items):
        try:
            good.append(read(item, by=f"key {holder.prefix}…", now=now))
        except WrongChangeError as problem:
            rejected.append({"index": index, "field": problem.field or None, "message": problem.message,
                             "hint": problem.hint})  # fmt: skip
    return good, rejected


def wanted_from(params: Any, project: Project, now: datetime) -> Wanted:
    """Which changes a request asks for. Raises ApiError 422."""
    kinds = tuple(value for value in params.getlist("kind") if value)
    for kind in kinds:
        if kind not in KINDS:
            raise refuse("kind", f"There is no kind {kind[:40]!r}.", f"Use one of {', '.join(KINDS)}.")
    who = params.get("who", "")
    if who not in ("", *WHO):
        raise refuse("who", f"There is no {who[:40]!r}.", f"Use one of {', '.join(WHO)}.")
    given = {name: params[name] for name in ("period", "from", "to", "zone") if params.get(name)}
    period = times(given, project=project, now=now)[0] if given.keys() - {"zone"} else None
    return Wanted(
        flows=_texts(params, "flow"), kinds=kinds, environments=_texts(params, "environment"), who=who,
        start=period.start if period else None, end=period.end if period else None,
        after=position_of(params.get("cursor", "")), limit=_limit(params.get("limit", "")),
    )  # fmt: skip


def _texts(params: Any, name: str) -> tuple[str, ...]:
    values = tuple(value for value in params.getlist(name) if value)
    if any("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value) for value in values):
        raise refuse(name, "The value holds a character that is no text.", "Remove it.")
    return values


def _limit(text: str) -> int:
    if not text:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_LIMIT):
        raise refuse("limit", f"{text[:40]!r} is no limit.", f"Give a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def cursor_of(position: Position) -> str:
    """A place in the list, as clients hand it back."""
    at, number = position
    return f"{at.isoformat()}~{number}".replace("+00:00", "Z")


def position_of(text: str) -> Position | None:
    """What `cursor_of` wrote; None for none. Raises ApiError 422."""
    if not text:
        return None
    moment, _, number = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        found = (
            (at, int(number))
            if at.tzinfo and number.isascii() and number.isdigit() and len(number) < 19
            else None
        )
    except ValueError:
        found = None
    if found is None:
        raise refuse("cursor", "The cursor cannot be read.", "Give the `next` of the page before, unchanged.")
    return found
