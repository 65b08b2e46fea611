"""What people do to alerts, rules and channels."""

from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
from django.db import transaction

from accounts import audit
from analytics.output import plain
from guardrails import spans
from guardrails.alert_models import OPEN, Alert, Channel, Delivery, Rule
from guardrails.bodies import wrong
from guardrails.history import QUIETLY, record
from guardrails.telling import outbox

LONGEST_MUTE = timedelta(days=30)


def acknowledge(alert: Alert, *, by: str, now: datetime) -> Alert:
    """Somebody looks after it: reminders end. The first one stays."""
    with transaction.atomic():
        locked = Alert.objects.select_for_update().get(pk=alert.pk)
        if locked.acknowledged_at is None and locked.resolved_at is None:
            alert.acknowledged_at, alert.acknowledged_by = now, by[:200]
            alert.save(update_fields=["acknowledged_at", "acknowledged_by"])
            record([(alert, "acknowledged", "")], now=now, by=by[:200])
    return alert


def mute_length(text: str) -> timedelta:
    """How long a mute lasts. Raises ApiError 400."""
    try:
        found = spans.span(text)
    except ValueError as problem:
        raise wrong("for", f"{text!r} is no length of time.", "Write it like 1h, 4h or 1d.") from problem
    if found > LONGEST_MUTE:
        raise wrong("for", "A mute lasts 30 days at most.", "Write it like 1h, 4h or 30d.")
    return found


def mute(alert: Alert, length: timedelta, *, by: str, now: datetime) -> Alert:
    """No message for so long; no length ends a mute."""
    with transaction.atomic():
        Alert.objects.select_for_update().get(pk=alert.pk)
        alert.muted_until = now + length if length else None
        alert.save(update_fields=["muted_until"])
        said = f"until {alert.muted_until:%Y-%m-%d %H:%M} UTC" if alert.muted_until else "no longer"
        record([(alert, "muted", said)], now=now, by=by[:200])
    return alert


def end_alerts(rule: Rule, why: str, *, now: datetime, by: str) -> None:
    """Its open alerts end without a message; those that nobody saw go."""
    open_ones = Alert.objects.select_for_update().filter(rule=rule, resolved_at=None)
    open_ones.filter(state__in=("pending", "held")).delete()
    ended = list(open_ones.filter(state__in=OPEN))
    for alert in ended:
        alert.state, alert.resolved_at = "resolved", now
        alert.save(update_fields=["state", "resolved_at"])
    record(((alert, "resolved", f"{why}; {QUIETLY}") for alert in ended), now=now, by=by[:200])


def delete_rule(rule: Rule, *, by: str, now: datetime) -> None:
    """The rule goes, its alerts stay in the history."""
    with transaction.atomic():
        end_alerts(rule, "the rule was deleted", now=now, by=by)
        audit.record(project=rule.project, actor=by, action="rule.deleted", target=rule.name)
        rule.delete()


def trial_of(channel: Channel, *, now: datetime) -> Delivery:
    """A message that says that the channel works, ready to be sent."""
    said = f"The channel {channel.name} of {channel.project.name} works: alerts and digests come here."
    body = {
        "test": True,
        "channel": channel.name,
        "project": channel.project.slug,
        "sentence": said,
        "at": now,
    }
    delivery = outbox(channel, f"test:{uuid4()}", now=now, purpose="test")
    delivery.body = {
        "json": msgspec.json.encode(plain(body)).decode(), "subject": f"{channel.project.name}: test", "text": said,
    }  # fmt: skip
    delivery.save()
    return delivery
