"""What an alert says: what, against what, since when, how sure. The same words on pages and in messages."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from accounts.models import Project
from analytics import formats
from analytics.measures import Measure
from guardrails import spans
from guardrails.alert_models import Alert, Rule
from guardrails.budget_models import Budget
from guardrails.rules import Condition, condition_of, measure_of

WINDOWS = {"day": "today", "week": "this week", "month": "this month", "quarter": "this quarter"}
STATES = {"pending": "pending", "firing": "firing", "no_data": "no data", "resolved": "resolved"}


def figure(measure: Measure, value: Decimal | None) -> str:
    """A value with its unit: 6.80 %, 4.12 s, $50.20."""
    shown = formats.figure_for(measure.unit, measure.name, value)
    space = formats.NBSP if shown.unit else ""
    return f"{shown.text}{space}{shown.unit}"


def window(text: str) -> str:
    """over 15 minutes; this month"""
    if text in WINDOWS:
        return WINDOWS[text]
    minutes = int(spans.span(text).total_seconds() // 60)
    for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0:
            count = minutes // size
            return f"over {count} {word}{'s' if count != 1 else ''}"
    return f"over {text}"


def condition(rule: Rule) -> str:
    """above 3 % over 15 minutes"""
    found = condition_of(rule)
    return f"{_CONDITIONS[found.kind](found, measure_of(rule.measure))} {window(rule.window)}"


def _usual_change(it: Condition, measure: Measure) -> str:
    way = _DIRECTION[measure.good]
    return f"{way} by over {formats.plain(it.limit or 0)}{formats.NBSP}% against the same hours of four weeks"


_DIRECTION: dict[str | None, str] = {"down": "up", "up": "down", None: "changed"}
_CONDITIONS: dict[str, Callable[[Condition, Measure], str]] = {
    "above": lambda it, measure: f"above {figure(measure, it.limit)}",
    "below": lambda it, measure: f"below {figure(measure, it.limit)}",
    "change_over": _usual_change,
    "no_data": lambda it, measure: "no data",
}


def scope(rule: Rule) -> str:
    """What a rule watches: support-triage, for each customer; "everything" without filters."""
    parts = [
        f"{name.replace('_', ' ')} {', '.join(values)}"
        for name, values in rule.filters.items()
        if name != "environment"
    ]
    environment = rule.filters.get("environment")
    if environment:
        parts.append("all environments" if environment == ["*"] else f"in {', '.join(environment)}")
    return ", ".join(parts) or "everything"


def title(alert: Alert) -> str:
    """Error rate above 3 % over 15 minutes"""
    if alert.rule is None:
        return alert.name
    return f"{measure_of(alert.rule.measure).label} {condition(alert.rule)}"


def of_what(alert: Alert) -> str:
    """The group, or what the rule watches."""
    return alert.group or (scope(alert.rule) if alert.rule else alert.name)


def sentence(alert: Alert, *, project: Project, now: datetime) -> str:
    """Since 13:41, error rate of support-answer is 6.80 %, the limit is 3.00 %."""
    since = formats.moment(alert.since, zone=project.zone, now=now)
    if alert.rule is None:
        return _of_budget(alert, since)
    measure = measure_of(alert.rule.measure)
    name = f"{measure.label} of {of_what(alert)}"
    found = condition_of(alert.rule)
    if found.kind == "no_data":
        began = f"Since {since} there is no data of {of_what(alert)}, {window(alert.rule.window)}."
        return (
            began
            if not alert.resolved_at
            else f"Data of {of_what(alert)} is back; there was none since {since}."
        )
    now_is = figure(measure, alert.value)
    if alert.resolved_at:
        until = formats.moment(alert.resolved_at, zone=project.zone, now=now)
        return f"{name} is {now_is} again; from {since} to {until} it was {_CONDITIONS[found.kind](found, measure)}."
    return f"Since {since}, {name[:1].lower()}{name[1:]} is {now_is}, {_against(alert, found, measure)}."


def _of_budget(alert: Alert, since: str) -> str:
    """Support assistant reached 80 %: $16,002.10 of $20,000.00, since 13:41."""
    if alert.value is None or alert.bound is None:
        return f"{alert.name}, since {since}."
    return f"{alert.name}: {amount(alert, alert.value)} of {amount(alert, alert.bound)}, since {since}."


def amount(alert: Alert, value: Decimal | None) -> str:
    """An amount of a budget's alert in the budget's unit: $16,002.10; 1,200,000 tokens."""
    if value is None:
        return formats.MISSING
    unit = Budget.objects.filter(pk=alert.budget_id or 0).values_list("unit", flat=True).first()
    return f"{formats.count(value)} tokens" if unit == "tokens" else formats.money(value)


def _against(alert: Alert, found: Condition, measure: Measure) -> str:
    if found.kind == "change_over":
        return f"usually {figure(measure, alert.base)} at these hours"
    return f"the limit is {figure(measure, alert.bound)}"


def sureness(alert: Alert) -> str:
    """n 1,912, 6.2 to 7.5 %: the interval of a rate, else what it was made from."""
    if alert.n is None:
        return ""
    text = f"n{formats.NBSP}{formats.count(alert.n)}"
    if alert.low is None or alert.high is None:
        return text
    return (
        f"{text}, {formats.plain(alert.low * 100, 1)} to {formats.plain(alert.high * 100, 1)}{formats.NBSP}%"
    )
