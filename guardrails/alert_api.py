"""Rules, channels and alerts over HTTP: `admin` writes, `read` and `guard` read. A key sees its own project only."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import audit
from accounts.errors import ApiError
from accounts.keys import asker, require
from accounts.models import Project
from analytics.output import json_response
from guardrails import acts, alert_openapi, bodies, channels, deliveries, messages, rules
from guardrails.alert_models import SHOWN, Alert, Channel, Delivery, Rule
from guardrails.configuring import save_channel, save_rule

READERS = ("read", "guard", "admin")
PAGE = 100
T = TypeVar("T", bound=models.Model)


class AsJson(BaseContentNegotiation):
    """Bodies are JSON and answers are JSON, whatever the headers say."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Bodies are read by `bodies.json_object`."""
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Errors are JSON."""
        return renderers[0], renderers[0].media_type


class ConfigView(APIView):
    """A key may read with one of READERS, and change with `admin`."""

    content_negotiation_class = AsJson

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises ApiError 401, 403."""
        super().initial(request, *args, **kwargs)
        holder = asker(request)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            require(holder, scope="admin")
        elif holder.scopes.isdisjoint(READERS):
            require(holder, scope="read")

    @property
    def project(self) -> Project:
        """The project of the key."""
        return asker(self.request).project

    @property
    def actor(self) -> str:
        """How history names the key."""
        return f"key {asker(self.request).prefix}"


def the(found: T | None, what: str) -> T:
    """The row. Raises ApiError 404 without one."""
    if found is None:
        raise ApiError(404, "not_found", f"There is no such {what}.", hint=f"GET /v1/{what}s lists them.")
    return found


def once(save: Callable[[], T], field: str = "name") -> T:
    """Save a row whose name must be new. Raises ApiError 409."""
    try:
        with transaction.atomic():
            return save()
    except IntegrityError as problem:
        raise ApiError(409, "exists", "There is one of that name already.", field=field,
                       hint="Change it with PUT, or choose another name.") from problem  # fmt: skip


class Rules(ConfigView):
    """The rules of a project."""

    @extend_schema(operation_id="rules", responses=alert_openapi.RULES, tags=["guardrails"])
    def get(self, request: Request) -> HttpResponse:
        """All rules, by name."""
        found = Rule.objects.filter(project=self.project).select_related("depends_on").order_by("name")
        return json_response({"rules": [rules.body_of(rule) for rule in found]})

    @extend_schema(
        operation_id="create_rule",
        request=alert_openapi.RULE_BODY,
        responses=alert_openapi.NEW_RULE,
        tags=["guardrails"],
    )
    def post(self, request: Request) -> HttpResponse:
        """Create a rule; 409 when the name is taken."""
        given, now = bodies.json_object(request), timezone.now()
        if Rule.objects.filter(project=self.project).count() >= rules.MOST_RULES:
            raise ApiError(409, "too_many", "The project has as many rules as it can.", hint="Delete some.")
        rule = once(lambda: save_rule(given, project=self.project, now=now, by=self.actor))
        return json_response(rules.body_of(rule), status=201)


class OneRule(ConfigView):
    """One rule."""

    @extend_schema(operation_id="rule", responses=alert_openapi.ONE_RULE, tags=["guardrails"])
    def get(self, request: Request, number: int) -> HttpResponse:
        """The rule."""
        return json_response(rules.body_of(self._rule(number)))

    @extend_schema(
        operation_id="change_rule",
        request=alert_openapi.RULE_BODY,
        responses=alert_openapi.ONE_RULE,
        tags=["guardrails"],
    )
    def put(self, request: Request, number: int) -> HttpResponse:
        """Replace the rule. What fired under other terms ends quietly."""
        known = self._rule(number)
        given = bodies.json_object(request)
        rule = once(
            lambda: save_rule(given, project=self.project, now=timezone.now(), by=self.actor, known=known)
        )
        return json_response(rules.body_of(rule))

    @extend_schema(operation_id="delete_rule", responses=alert_openapi.GONE, tags=["guardrails"])
    def delete(self, request: Request, number: int) -> HttpResponse:
        """Delete the rule; its alerts stay in the history."""
        acts.delete_rule(self._rule(number), by=self.actor, now=timezone.now())
        return HttpResponse(status=204)

    def _rule(self, number: int) -> Rule:
        rows = Rule.objects.filter(project=self.project, pk=number).select_related("project", "depends_on")
        return the(rows.first(), "rule")


class Channels(ConfigView):
    """The channels of a project."""

    @extend_schema(operation_id="channels", responses=alert_openapi.CHANNELS, tags=["guardrails"])
    def get(self, request: Request) -> HttpResponse:
        """All channels, by name; secrets are never given back."""
        found = Channel.objects.filter(project=self.project).order_by("name")
        return json_response({"channels": [channels.body_of(channel) for channel in found]})

    @extend_schema(
        operation_id="create_channel", request=alert_openapi.CHANNEL_BODY, responses=alert_openapi.NEW_CHANNEL,
        tags=["guardrails"],
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Create a channel; 409 when the name is taken."""
        given, now = bodies.json_object(request), timezone.now()
        if Channel.objects.filter(project=self.project).count() >= channels.MOST_CHANNELS:
            raise ApiError(
                409, "too_many", "The project has as many channels as it can.", hint="Delete some."
            )
        channel = once(lambda: save_channel(given, project=self.project, now=now, by=self.actor))
        return json_response(channels.body_of(channel), status=201)


class OneChannel(ConfigView):
    """One channel."""

    @extend_schema(operation_id="channel", responses=alert_openapi.ONE_CHANNEL, tags=["guardrails"])
    def get(self, request: Request, name: str) -> HttpResponse:
        """The channel."""
        return json_response(channels.body_of(channel_of(self.project, name)))

    @extend_schema(
        operation_id="change_channel", request=alert_openapi.CHANNEL_BODY, responses=alert_openapi.ONE_CHANNEL,
        tags=["guardrails"],
    )  # fmt: skip
    def put(self, request: Request, name: str) -> HttpResponse:
        """Replace the channel; address and secret stay where the body leaves them out."""
        known = channel_of(self.project, name)
        given = {"name": name, **bodies.json_object(request)}
        channel = once(
            lambda: save_channel(given, project=self.project, now=timezone.now(), by=self.actor, known=known)
        )
        return json_response(channels.body_of(channel))

    @extend_schema(operation_id="delete_channel", responses=alert_openapi.GONE, tags=["guardrails"])
    def delete(self, request: Request, name: str) -> HttpResponse:
        """Delete the channel; what waits for it is not sent."""
        with transaction.atomic():
            channel_of(self.project, name).delete()
            audit.record(project=self.project, actor=self.actor, action="channel.deleted", target=name)
        return HttpResponse(status=204)


class TryChannel(ConfigView):
    """A message to see whether the channel works."""

    @extend_schema(
        operation_id="test_channel", request=None, responses=alert_openapi.TESTED, tags=["guardrails"]
    )
    def post(self, request: Request, name: str) -> HttpResponse:
        """Send a test message now, and say what came back."""
        channel = channel_of(self.project, name)
        delivery = acts.trial_of(channel, now=timezone.now())
        answer = deliveries.try_now(delivery, now=timezone.now())
        return json_response(
            {
                "delivered": answer.ok,
                "status": answer.status,
                "answer": answer.answer,
                "delivery": str(delivery.pk),
            }
        )


def channel_of(project: Project, name: str) -> Channel:
    """The channel of that name. Raises ApiError 404."""
    found = Channel.objects.filter(project=project, name=name).first() if bodies.is_text(name) else None
    return the(found, "channel")


class Alerts(ConfigView):
    """The alerts of a project."""

    @extend_schema(
        operation_id="alerts", parameters=alert_openapi.ALERT_PARAMETERS, responses=alert_openapi.ALERTS,
        tags=["guardrails"],
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """Alerts, newest first, a hundred a page."""
        state = request.query_params.get("state", "")
        if state and state not in SHOWN:
            raise bodies.wrong(
                "state", f"There is no state {state[:40]!r}.", f"Use one of {', '.join(SHOWN)}."
            )
        rows = Alert.objects.filter(project=self.project, state__in=[state] if state else SHOWN)
        cursor = request.query_params.get("cursor", "")
        if cursor:
            rows = rows.filter(pk__lt=_number(cursor))
        found = list(rows.select_related("rule").order_by("-pk")[: PAGE + 1])
        now = timezone.now()
        return json_response({
            "alerts": [messages.alert_body(one, project=self.project, now=now) for one in found[:PAGE]],
            "next": str(found[PAGE - 1].pk) if len(found) > PAGE else None,
        })  # fmt: skip


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise bodies.wrong(
            "cursor", "The cursor cannot be read.", "Give the `next` of the page before, unchanged."
        )
    return int(text)


class OneAlert(ConfigView):
    """One alert."""

    @extend_schema(operation_id="alert", responses=alert_openapi.ONE_ALERT, tags=["guardrails"])
    def get(self, request: Request, number: int) -> HttpResponse:
        """The alert with its history and its deliveries."""
        alert = alert_of(self.project, number)
        body = messages.alert_body(alert, project=self.project, now=timezone.now())
        events = [
            {"kind": one.kind, "number": one.number, "at": one.at, "by": one.by or None, "said": one.said or None}
            for one in alert.events.order_by("number")
        ]  # fmt: skip
        sent = (
            Delivery.objects.filter(event__alert=alert)
            .select_related("channel", "event")
            .order_by("created_at")
        )
        return json_response(body | {"events": events, "deliveries": [delivery_body(one) for one in sent]})


def delivery_body(delivery: Delivery) -> dict[str, Any]:
    """A delivery with the answers of its last tries."""
    return {
        "id": str(delivery.pk), "channel": delivery.channel.name if delivery.channel else None,
        "event": delivery.event.kind if delivery.event else None, "state": delivery.state, "tries": delivery.tries,
        "next_try_at": delivery.next_try_at if delivery.state == "waiting" else None, "answers": delivery.log,
    }  # fmt: skip


def alert_of(project: Project, number: int) -> Alert:
    """The alert. Raises ApiError 404."""
    rows = Alert.objects.filter(project=project, pk=number, state__in=SHOWN)
    return the(rows.select_related("rule", "rule__project").first(), "alert")


class Acknowledge(ConfigView):
    """Somebody looks after it."""

    @extend_schema(operation_id="acknowledge_alert", request=alert_openapi.ACK_BODY, responses=alert_openapi.ONE_ALERT,
                   tags=["guardrails"])  # fmt: skip
    def post(self, request: Request, number: int) -> HttpResponse:
        """No more reminders; recovery is still told. Doing it twice changes nothing."""
        alert, given = alert_of(self.project, number), bodies.json_object(request)
        bodies.only(given, ("by",))
        by = bodies.text(given, "by", most=200, default="") or self.actor
        alert = acts.acknowledge(alert, by=by, now=timezone.now())
        return json_response(messages.alert_body(alert, project=self.project, now=timezone.now()))


class Mute(ConfigView):
    """Silence for a while."""

    @extend_schema(operation_id="mute_alert", request=alert_openapi.MUTE_BODY, responses=alert_openapi.ONE_ALERT,
                   tags=["guardrails"])  # fmt: skip
    def post(self, request: Request, number: int) -> HttpResponse:
        """No message about this alert for so long, an hour unless told otherwise; "0min" ends it."""
        alert, given = alert_of(self.project, number), bodies.json_object(request)
        bodies.only(given, ("for",))
        length = acts.mute_length(bodies.text(given, "for", most=20, default="1h"))
        alert = acts.mute(alert, length, by=self.actor, now=timezone.now())
        return json_response(messages.alert_body(alert, project=self.project, now=timezone.now()))
