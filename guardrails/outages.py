"""Whose outage it is: errors that are a provider's fault, nearly all from one provider."""

from collections.abc import Sequence
from datetime import datetime

from accounts.errors import ApiError
from accounts.models import Project
from analytics.answer import answer
from analytics.query import Filter, Query
from guardrails import spans
from guardrails.alert_models import Alert
from guardrails.crossings import scope_filters
from guardrails.rules import filters_of

ERROR_MEASURES = ("errors", "error_rate")
FAULTS = ("overloaded", "timeout", "provider_fault", "rate_limit")
SHARE = 0.8  # of all errors, from one provider and of these classes
LEAST = 5  # errors
MOST_ASKED = 50  # alerts of one evaluation that are looked into


def name_providers(project: Project, alerts: Sequence[Alert], *, now: datetime) -> None:
    """Note the provider on alerts about errors that are that provider's."""
    wanted = [one for one in alerts if not one.provider and one.rule and one.rule.measure in ERROR_MEASURES]
    for alert in wanted[:MOST_ASKED]:
        provider = provider_of(alert, project=project, now=now)
        if provider:
            alert.provider = provider
            alert.save(update_fields=["provider"])


def scope_of(alert: Alert) -> tuple[Filter, ...]:
    """The filters of the alert's rule, narrowed to its group; of a budget its scope."""
    if alert.rule is None:
        return tuple(Filter(name, values) for name, values in scope_filters(alert).items())
    filters = filters_of(alert.rule)
    return (*filters, Filter(alert.rule.each, (alert.group,))) if alert.rule.each else filters


def provider_of(alert: Alert, *, project: Project, now: datetime) -> str:
    """The provider whose faults make up the alert's errors, "" when there is none or it cannot be told."""
    if alert.rule is None:
        return ""
    period = spans.looked_at(alert.rule.window, until=alert.evaluated_until, zone=project.zone)
    query = Query(
        project=project, period=period, measures=("errors",), group_by=("provider", "error_class"),
        filters=scope_of(alert), limit=1000,
    )  # fmt: skip
    try:
        counts = answer(query, now=now, trust=False).by_group()
    except ApiError:
        return ""  # this dimension does not know providers: customers' rollups have no error classes
    total = sum(figures["errors"] for figures in counts.values())
    by_provider: dict[str, int] = {}
    for (provider, error_class), figures in counts.items():
        if error_class in FAULTS:
            by_provider[provider] = by_provider.get(provider, 0) + figures["errors"]
    best = max(by_provider, key=lambda name: by_provider[name], default="")
    return best if best and total >= LEAST and by_provider[best] >= SHARE * total else ""
