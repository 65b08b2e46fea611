"""Rules and channels are made and changed here, by pages and API alike: each leaves a line in the audit log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import Project
from guardrails import acts, channels, rules
from guardrails.alert_models import Channel, Rule
from guardrails.budget_models import Budget

TERMS = ("measure", "filters", "each", "condition", "window")  # with others it is another rule


def save_rule(
    given: Mapping[str, Any], *, project: Project, now: datetime, by: str, known: Rule | None = None
) -> Rule:
    """Create a rule, or change `known`; what fired under other terms ends quietly.

    Raises ApiError 400; IntegrityError when the name is taken."""
    before = {name: getattr(known, name) for name in TERMS} if known else {}
    rule = rules.read(given, project=project, now=now, known=known)
    with transaction.atomic():
        rule.save()
        if known is not None and before != {name: getattr(rule, name) for name in TERMS}:
            acts.end_alerts(rule, "the rule was changed", now=now, by=by)
        audit.record(project=project, actor=by, action="rule.changed" if known else "rule.created", target=rule.name,
                     says=str(rules.body_of(rule))[:1000])  # fmt: skip
    return rule


def save_channel(
    given: Mapping[str, Any], *, project: Project, now: datetime, by: str, known: Channel | None = None
) -> Channel:
    """Create a channel, or change `known`; a new name is also written into the rules that use it.

    Raises ApiError 400; IntegrityError when the name is taken."""
    old = known.name if known else ""
    channel = channels.read(given, project=project, now=now, known=known)
    with transaction.atomic():
        channel.save()
        if old and old != channel.name:
            _rename(project, old, channel.name)
        audit.record(project=project, actor=by, action="channel.changed" if known else "channel.created",
                     target=channel.name, kind=channel.kind, shown=channel.shown)  # fmt: skip
    return channel


def _rename(project: Project, old: str, new: str) -> None:
    models: tuple[Any, ...] = (Rule, Budget)
    for model in models:
        for row in model.objects.filter(project=project, channels__contains=[old]):
            row.channels = [new if name == old else name for name in row.channels]
            row.save(update_fields=["channels"])
