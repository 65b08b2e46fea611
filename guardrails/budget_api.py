"""The API of budgets: kept as code (scope `admin`), and where each stands (`read` or `guard`) with an ETag."""

import hashlib
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseNotModified
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.keys import KeyHolder, asker, requires
from accounts.models import Project
from analytics.api import AsAsked
from analytics.openapi import PROBLEMS, TEXT, TIME, WHOLE, answers, listed, optional, thing
from analytics.output import json_response, plain
from guardrails import budgets
from guardrails.bodies import json_object
from guardrails.budget_models import Budget
from guardrails.budgets import SCOPES, UNITS, amount, environment_of, scope_of
from guardrails.budgets_evaluate import state_of, states_of
from guardrails.budgets_state import BudgetState
from guardrails.windows import WINDOWS
from ingest.body import drain

WORDS = {"type": "string", "enum": list(WINDOWS)}
DEFINED = {
    "name": TEXT,
    "scope": {"type": "object", "additionalProperties": TEXT, "description": f"One of {', '.join(SCOPES)}, or {{}}."},
    "environment": TEXT,
    "window": WORDS,
    "limit": TEXT,
    "unit": {"type": "string", "enum": list(UNITS)},
    "thresholds": listed(WHOLE),
    "on": listed({"type": "string", "enum": list(budgets.KINDS)}),
    "carry_over": {"type": "boolean"},
    "channels": listed(TEXT),
    "owner": TEXT,
}  # fmt: skip
BODY = {
    "type": "object", "properties": DEFINED, "required": ["name", "scope", "window", "limit"],
    "example": {"name": "Triage", "scope": {"flow": "support-triage"}, "window": "month", "limit": "1000.00",
                "thresholds": [50, 80, 100], "on": ["actual", "forecast"], "channels": ["ops"], "owner": "Ana Ruiz"},
}  # fmt: skip
STATE = thing(
    id=WHOLE, name=TEXT, scope=DEFINED["scope"], window=WORDS, limit=TEXT, spent=optional(TEXT),
    unpriced_calls=WHOLE, forecast=optional(TEXT), state={"type": "string", "enum": ["ok", "warned", "over"]},
    resets_at=TIME, complete_until=TIME,
    **{name: DEFINED[name] for name in ("environment", "unit", "thresholds", "on", "carry_over", "channels", "owner")},
    carried=TEXT, share=optional(TEXT), forecast_interval=optional(listed(TEXT)), days_known=WHOLE, starts_at=TIME,
)  # fmt: skip
WRITTEN: dict[Any, Any] = {
    400: OpenApiResponse(description="A body that is no budget; field and hint say what to change"),
    409: OpenApiResponse(description="Another budget has this name"),
}


class BudgetView(APIView):
    """What the views of budgets share: `admin` writes; `read`, `guard` and `admin` read."""

    parser_classes = ()
    content_negotiation_class = AsAsked

    class ByMethod(BasePermission):
        """Raises ApiError 403 that names the scope."""

        def has_permission(self, request: Request, view: APIView) -> bool:
            reads = request.method in ("GET", "HEAD", "OPTIONS")
            wanted = requires("read", "guard", "admin") if reads else requires("admin")
            return bool(wanted().has_permission(request, view))

    permission_classes = (ByMethod,)

    def handle_exception(self, exc: Exception) -> Any:
        """The refusal, once the sender has finished sending."""
        drain(self.request._request)
        return super().handle_exception(exc)

    @property
    def project(self) -> Project:
        """The project of the key."""
        return asker(self.request).project

    def one(self, number: int) -> Budget:
        """The budget of that id with where it stands, in one statement. Raises ApiError 404."""
        rows = Budget.objects.select_related("standing", "project").filter(project=self.project)
        budget = rows.filter(pk=number).first() if number < 2**63 else None
        if budget is None:
            raise budgets.gone()
        return budget


class BudgetList(BudgetView):
    """All budgets of the project."""

    @extend_schema(
        operation_id="budgets", responses=answers(thing(budgets=listed(STATE))), tags=["guardrails"]
    )
    def get(self, request: Request) -> HttpResponse:
        """Every budget with where it stands, by name."""
        states = states_of(self.project, now=timezone.now())
        return json_response({"budgets": [body_of(state) for state in states]})

    @extend_schema(operation_id="create_budget", request={"application/json": BODY}, tags=["guardrails"],
                   responses={(201, "application/json"): STATE, **WRITTEN, **PROBLEMS})  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Make a budget."""
        now = timezone.now()
        definition = budgets.read(json_object(request), project=self.project)
        budget = budgets.create(self.project, definition, by=_by(asker(request)), now=now)
        return json_response(body_of(state_of(budget, now=now)), status=201)


class BudgetDetail(BudgetView):
    """One budget."""

    @extend_schema(operation_id="budget", responses=answers(STATE), tags=["guardrails"])
    def get(self, request: Request, number: int) -> HttpResponse:
        """Where the budget stands: as of `complete_until`, at most a few minutes ago. Send back the ETag as
        If-None-Match: 304 says that nothing changed."""
        return tagged(request, body_of(state_of(self.one(number), now=timezone.now())))

    @extend_schema(operation_id="change_budget", request={"application/json": BODY}, tags=["guardrails"],
                   responses={**answers(STATE), **WRITTEN})  # fmt: skip
    def put(self, request: Request, number: int) -> HttpResponse:
        """Replace the budget's definition. Thresholds that were told in this window are not told again."""
        now, budget = timezone.now(), self.one(number)
        definition = budgets.read(json_object(request), project=self.project)
        budgets.change(budget, definition, by=_by(asker(request)), now=now)
        return json_response(body_of(state_of(self.one(number), now=now)))

    @extend_schema(operation_id="delete_budget", responses={204: None, **PROBLEMS}, tags=["guardrails"])
    def delete(self, request: Request, number: int) -> HttpResponse:
        """Take the budget away, with the history of its thresholds."""
        drain(request._request)
        budgets.remove(self.one(number), by=_by(asker(request)))
        return HttpResponse(status=204)


def body_of(state: BudgetState) -> dict[str, Any]:
    """A budget as the contract has it: where it stands, then what else defines it, so that it can be sent back."""
    budget, tz = state.budget, state.window.period.tz

    def told(value: Any) -> str | None:
        return None if value is None else amount(value, budget.unit)

    return {
        "id": budget.pk,
        "name": budget.name,
        "scope": scope_of(budget),
        "window": budget.window,
        "limit": told(budget.limit),
        "spent": told(state.spent),
        "unpriced_calls": state.unpriced_calls,
        "forecast": told(state.forecast),
        "state": state.state,
        "resets_at": state.resets_at.astimezone(tz),
        "complete_until": state.complete_until,
        "environment": environment_of(budget),
        "unit": budget.unit,
        "thresholds": budget.thresholds,
        "on": budget.on,
        "carry_over": budget.carry_over,
        "channels": budget.channels,
        "owner": budget.owner,
        "carried": told(state.carried),
        "share": None if state.share is None else f"{state.share:.6f}",
        "forecast_interval": None if state.interval is None else [told(value) for value in state.interval],
        "days_known": state.days,
        "starts_at": state.window.start.astimezone(tz),
    }


def tagged(request: Request, body: dict[str, Any]) -> HttpResponse:
    """The answer with its ETag, or 304 where the asker has it already."""
    content = msgspec.json.encode(plain(body))
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    asked = [part.strip().removeprefix("W/") for part in request.headers.get("If-None-Match", "").split(",")]
    answer: HttpResponse = (
        HttpResponseNotModified()
        if tag in asked or "*" in asked
        else HttpResponse(content, content_type="application/json")
    )
    answer["ETag"], answer["Cache-Control"] = tag, "no-cache"
    return answer


def _by(holder: KeyHolder) -> str:
    """How the audit log names the key."""
    return f"key {holder.prefix}"
