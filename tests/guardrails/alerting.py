"""What the tests of alerts share: rules made as the API makes them, traffic, evaluations at a given time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import Project
from guardrails import channels, engine, rules
from guardrails.alert_models import Alert, Channel, Rule
from tests.analytics.ledger import call, load, send

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MINUTES = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    """So many minutes after nine."""
    return START + minutes * MINUTES


def make_channel(project: Project, name: str = "ops", **fields: Any) -> Channel:
    given = {"name": name, "kind": "webhook", "url": "https://hooks.example.com/x", "secret": "s3cret"}
    channel = channels.read({**given, **fields}, project=project, now=START)
    channel.save()
    return channel


def make_rule(project: Project, name: str = "errors", **fields: Any) -> Rule:
    """More than one in ten calls of a quarter hour failed, unless told otherwise."""
    given = {"name": name, "measure": "error_rate", "condition": {"above": 0.1}, "window": "15min"}
    rule = rules.read({**given, **fields}, project=project, now=START)
    rule.save()
    return rule


def traffic(project: Project, minutes: Mapping[float, int] | range, **fields: Any) -> None:
    """A call at each of these minutes (or so many); sent and loaded."""
    counts = minutes if isinstance(minutes, Mapping) else dict.fromkeys(minutes, 1)
    tag = "-".join(str(value) for value in fields.values())
    records = [
        call(0, id=f"{tag}-{minute}-{n}", started_us=int(at(minute).timestamp() * 1e6) + n, **fields)
        for minute, count in counts.items() for n in range(count)
    ]  # fmt: skip
    send(project, records, now=at(max(counts)))
    load(project, now=at(max(counts)))


def failing(project: Project, minutes: Mapping[float, int] | range, **fields: Any) -> None:
    traffic(project, minutes, **({"failed": True, "error_class": "overloaded"} | fields))


def evaluate(project: Project, minutes: float) -> Any:
    return engine.evaluate_project(project, now=at(minutes))


def alert_of(rule: Rule, group: str = "") -> Alert:
    """The newest alert of a rule."""
    found = Alert.objects.filter(rule=rule, group=group).order_by("-pk").first()
    assert found is not None
    return found


def states(rule: Rule) -> list[tuple[str, str]]:
    return list(Alert.objects.filter(rule=rule).order_by("pk").values_list("group", "state"))
