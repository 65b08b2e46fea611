"""One alert as its page shows it: the sentence, the strip, the chart, likely causes, runs, who was told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse

from dashboard import alert_chart, alert_list, entries, formats, guardrails_nav
from dashboard.answers import Phrase
from dashboard.formats import Figure
from dashboard.frame import Choice
from dashboard.panels import Panel, filled
from dashboard.scope import Scope
from dashboard.strip import StripCell
from guardrails import messages, wording
from guardrails.alert_models import Alert, Delivery
from guardrails.facts import is_about_errors, period_of
from guardrails.outages import scope_of
from guardrails.rules import measure_of

Facts = Mapping[str, Any]
LOOKED_BACK = timedelta(days=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One of the ten runs."""

    href: str
    name: str
    at: str
    iso: str
    flow: str
    customer: str
    outcome: str
    tone: str
    duration: str
    cost: str
    what: str


def page(alert: Alert, *, scope: Scope, facts: Facts, now: datetime) -> dict[str, Any]:
    """Everything that the template shows."""
    project = scope.project
    chart = Panel(id="chart", title=alert_chart.title(alert), template="dashboard/_chart.html",
                  note=alert_chart.note(alert, scope, facts), links=_all_runs(alert, scope, "As runs"))  # fmt: skip
    return {
        "nav": guardrails_nav.nav(project, "alerts"),
        "title": wording.title(alert),
        "of": wording.of_what(alert) if alert.rule else "",
        "state": wording.STATES[alert.state],
        "tone": alert_list.TONES[alert.state],
        "answer": answer(alert, facts, scope, now),
        "strip": strip(alert, facts, scope, now),
        "chart": filled(chart, lambda: alert_chart.body(alert, scope=scope, facts=facts), scope=scope),
        "causes": causes(alert, facts, scope, now),
        "told": told(alert, scope, now),
        "history": history(alert, scope, now),
        "runs": [run_line(run, scope, now) for run in facts.get("runs", ())],
        "all_runs": _all_runs(alert, scope, "All of them"),
        "runs_note": _runs_note(alert),
        "rule_words": rule_words(alert),
        "rule_href": reverse("rule", args=[project.slug, alert.rule_id]) if alert.rule_id else "",
        "earlier": earlier(alert, scope, now),
        "grouped": [
            Choice(wording.of_what(one), reverse("alert", args=[project.slug, one.pk]))
            for one in alert.grouped.select_related("rule").order_by("pk")[:50]
        ],
    }  # fmt: skip


def answer(alert: Alert, facts: Facts, scope: Scope, now: datetime) -> tuple[Phrase, ...]:
    """Since 13:41, 6.80 % …, the limit is 3.00 %. Then the likely cause, or that none is known."""
    said = wording.sentence(alert, project=scope.project, now=now)
    head, comma, rest = said.partition(", ")
    first: tuple[Phrase, ...] = (Phrase(said),)
    if alert.resolved_at is None and head.startswith("Since") and comma:
        since = head.removeprefix("Since ")
        first = (
            Phrase("Since "),
            Phrase(since, "bold"),
            Phrase(", "),
            Phrase(rest.removesuffix("."), "worse"),
            Phrase("."),
        )
    cause = facts.get("cause")
    if cause and cause["is_provider"] and cause["share"] >= 0.8:
        why = f" {cause['provider'].capitalize()}: {cause['error_class'].replace('_', ' ')}."
        return (*first, Phrase(why))
    return first


def strip(alert: Alert, facts: Facts, scope: Scope, now: datetime) -> list[StripCell]:
    """Now, since, runs, users and customers, cost."""
    project = scope.project
    since = formats.moment(alert.since, zone=project.zone, now=now)
    lasted = "long" if alert.resolved_at else "ago"
    ago = formats.lag(((alert.resolved_at or now) - alert.since).total_seconds())
    cost = facts.get("cost")
    spent = formats.money_answer(Decimal(cost)) if cost else formats.MISSING
    people = formats.count(facts.get("customers"))
    return [
        StripCell(label=_now_label(alert), figure=_value(alert), note=_limit(alert),
                  tone="worse" if alert.state == "firing" else ""),
        StripCell(label="Since", figure=Figure(since), note=f"{ago} {lasted}{_times(alert, now)}"),
        StripCell(label="Runs affected", figure=formats.figure_for("runs", "runs", facts.get("affected_runs")),
                  note=_errors(facts) if is_about_errors(alert) else "of these filters"),
        StripCell(label="Users, customers", figure=Figure(formats.count(facts.get("users")), f"and {people}"),
                  note="counted over its first 24 hours"),
        StripCell(label="Cost of it so far", figure=Figure(spent), note="of these calls, errors and all"),
    ]  # fmt: skip


def _now_label(alert: Alert) -> str:
    head = "At the end" if alert.resolved_at else "Now"
    return f"{head}, {wording.window(alert.rule.window)}" if alert.rule else head


def _value(alert: Alert) -> Figure:
    if alert.rule is None:
        return Figure(wording.amount(alert, alert.value))
    return formats.figure_for(measure_of(alert.rule.measure).unit, alert.rule.measure, alert.value)


def _limit(alert: Alert) -> str:
    parts = [f"limit {alert_list.shown(alert, 'bound')}" if alert.bound is not None else ""]
    parts.append(f"usually {alert_list.shown(alert, 'base')}" if alert.base is not None else "")
    parts.append(wording.sureness(alert))
    return "; ".join(part for part in parts if part)


def _errors(facts: Facts) -> str:
    return f"{formats.count(facts.get('errors'))} of {formats.count(facts.get('calls'))} calls failed"


def _times(alert: Alert, now: datetime) -> str:
    if alert.rule_id is None:
        return ""
    count = Alert.objects.filter(rule=alert.rule_id, group=alert.group, fired_at__gt=now - LOOKED_BACK,
                                 pk__lte=alert.pk).count()  # fmt: skip
    return f"; number {count} in 28 days" if count > 1 else "; the first in 28 days"


def causes(alert: Alert, facts: Facts, scope: Scope, now: datetime) -> list[dict[str, str]]:
    """What is likely and what is not, each with its evidence."""
    found = []
    cause = facts.get("cause")
    if cause:
        kind = cause["error_class"].replace("_", " ")
        found.append(
            {
                "mark": "",
                "title": f"{cause['provider'].capitalize()}: {kind}",
                "text": messages.cause_words(cause),
            }
        )
    if change := facts.get("change"):
        at = formats.moment(datetime.fromisoformat(change["at"]), zone=scope.project.zone, now=now)
        minutes = change["minutes_before"]
        gap = f"{formats.lag(abs(minutes) * 60)} {'before' if minutes >= 0 else 'after'} it began"
        named = f"{change['kind']} {change['subject']}".strip()
        moved = f"{change['before'] or formats.MISSING} to {change['after'] or formats.MISSING}"
        explained = cause is not None and cause["is_provider"] and cause["share"] >= 0.8
        found.append({"mark": "A", "title": f"{'Less likely: ' if explained else 'Nearest change: '}{named}",
                      "text": f"{moved}, {at}, {gap}."})  # fmt: skip
    if not found:
        found.append(
            {
                "mark": "",
                "title": "No known cause",
                "text": "Nothing is known to have changed in the day before.",
            }
        )
    return found


def told(alert: Alert, scope: Scope, now: datetime) -> list[dict[str, str]]:
    """Which channel was told what, when, and what it answered."""
    rows = (
        Delivery.objects.filter(event__alert=alert).select_related("channel", "event").order_by("created_at")
    )
    return [delivery_row(one, scope.project.zone, now) for one in rows[:100]]


def delivery_row(one: Delivery, zone: str, now: datetime) -> dict[str, str]:
    """A delivery for a table."""
    last = one.log[-1] if one.log else {}
    state = {"waiting": f"next try {formats.moment(one.next_try_at, zone=zone, now=now)}" if one.tries else "waits",
             "sending": "being sent", "done": "taken", "failed": "given up"}[one.state]  # fmt: skip
    at = datetime.fromisoformat(last["at"]) if last else one.created_at
    status = f"{last['status']} " if last.get("status") else ""
    return {
        "key": str(one.pk), "channel": one.channel.name if one.channel else (one.user.email if one.user else ""),
        "what": one.event.kind.replace("_", " ") if one.event else one.purpose,
        "at": formats.moment(at, zone=zone, now=now), "state": state, "failed": "1" if one.state == "failed" else "",
        "tries": formats.count(one.tries), "answer": f"{status}{last.get('answer', '')}"[:300],
    }  # fmt: skip


def history(alert: Alert, scope: Scope, now: datetime) -> list[dict[str, str]]:
    """Every change of its state."""
    return [
        {"at": formats.moment(one.at, zone=scope.project.zone, now=now), "kind": one.kind.replace("_", " "),
         "by": one.by, "said": one.said}
        for one in alert.events.order_by("number")
    ]  # fmt: skip


def run_line(run: Facts, scope: Scope, now: datetime) -> RunLine:
    """A run as the facts keep it."""
    failed, errors = run["outcome"] == "failure", run["errors"]
    attempts = (
        f"{errors} of {run['calls']} {'call' if run['calls'] == 1 else 'calls'} failed"
        if errors
        else "no call failed"
    )
    at = datetime.fromisoformat(run["started_at"])
    return RunLine(
        href=run["path"],
        name=run["id"][: entries.SHORT_ID],
        at=formats.moment(at, zone=scope.period.zone, now=now),
        iso=run["started_at"],
        flow=run["flow"] or "",
        customer=run["customer"] or formats.MISSING,
        outcome="failed" if failed else "rescued" if run["rescued"] else run["outcome"],
        tone="worse" if failed else "",
        duration=formats.MISSING
        if run["duration_ms"] is None
        else formats.plain(run["duration_ms"] / 1000, 2),
        cost=formats.call_cost(None if run["cost"] is None else Decimal(run["cost"])),
        what=attempts + (", the rest answered" if run["rescued"] else ""),
    )


def _runs_note(alert: Alert) -> str:
    if is_about_errors(alert):
        return "failed first, then slowest; failed attempts without usage are not billed"
    return "costliest first" if alert.rule and "cost" in alert.rule.measure else "failed first, then slowest"


def _all_runs(alert: Alert, scope: Scope, label: str) -> tuple[Choice, ...]:
    """The list of runs of the alert's filters and time."""
    period = period_of(alert, scope.project)
    tz = scope.period.tz
    filters = {
        one.dimension: [("!" if one.negated else "") + value for value in one.values]
        for one in scope_of(alert)
    }
    filters.setdefault("environment", ["*"])
    extra: dict[str, Sequence[str]] = {"status": ["error"]} if is_about_errors(alert) else {}
    path = reverse("runs", args=[scope.project.slug])
    bounds = {"from": period.start.astimezone(tz).isoformat(), "to": period.end.astimezone(tz).isoformat()}
    changes: dict[str, Any] = {**filters, **extra, **bounds, "period": None, "compare": None}
    return (Choice(label, scope.url(path, **changes)),)


def rule_words(alert: Alert) -> str:
    """Error rate above 3 % over 15 minutes; support-triage; at least 200; for 15min."""
    rule = alert.rule
    if rule is None:
        return "A budget's threshold." if alert.budget_id else "The rule was deleted."
    each = f", for each {rule.each.replace('_', ' ')}" if rule.each else ""
    least = f", at least {formats.count(rule.min_count)} of them" if rule.min_count else ""
    hold = f", for {rule.hold}" if rule.hold else ""
    return f"{rule.name}: {wording.title(alert)}, {wording.scope(rule)}{each}{least}{hold}."


def earlier(alert: Alert, scope: Scope, now: datetime) -> list[Choice]:
    """The last times that it fired."""
    if alert.rule_id is None:
        return []
    rows = Alert.objects.filter(
        rule=alert.rule_id, group=alert.group, fired_at__isnull=False, pk__lt=alert.pk
    )
    slug, zone = scope.project.slug, scope.project.zone
    return [
        Choice(formats.moment(one.since, zone=zone, now=now), reverse("alert", args=[slug, one.pk]))
        for one in rows.order_by("-pk")[:5]
    ]  # fmt: skip
