"""What is sent: the JSON of the contract, and the same as a subject and a text for people."""

from datetime import datetime
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import F
from django.urls import reverse

from accounts.models import Project
from analytics import formats
from analytics.output import plain
from guardrails import facts, wording
from guardrails.alert_models import FIRED, Alert, AlertEvent
from guardrails.crossings import budget_of
from guardrails.rules import measure_of

Body = dict[str, Any]
MOST_EXPLAINED = 20  # a tick


def url_of(alert: Alert, project: Project) -> str:
    """The alert's page."""
    return settings.PUBLIC_URL + reverse("alert", args=[project.slug, alert.pk])


def alert_body(alert: Alert, *, project: Project, now: datetime) -> Body:
    """An alert as API and webhook give it. Amounts are decimal texts, other figures numbers."""
    known = alert.facts or {}
    money = alert.rule is None or measure_of(alert.rule.measure).is_money
    runs = [{**run, "url": settings.PUBLIC_URL + run["path"]} for run in known.get("runs", ())]
    about = {"rule": alert.name, "rule_id": alert.rule_id} if alert.budget_id is None else budget_of(alert)
    return {
        "id": alert.pk, **about, "state": alert.state, "value": _figure(alert.value, money=money),
        "limit": _figure(alert.bound, money=money), "since": alert.since, "fired_at": alert.fired_at,
        "resolved_at": alert.resolved_at, "group": alert.group or None,
        "measure": alert.rule.measure if alert.rule else "cost", "usual": _figure(alert.base, money=money),
        "n": alert.n, "low": alert.low, "high": alert.high, "provider": alert.provider or None,
        "acknowledged_at": alert.acknowledged_at, "acknowledged_by": alert.acknowledged_by or None,
        "muted_until": alert.muted_until, "grouped_under": alert.grouped_under_id,
        "sentence": wording.sentence(alert, project=project, now=now),
        "users": known.get("users"), "customers": known.get("customers"), "cost": known.get("cost"),
        "affected_runs": known.get("affected_runs"), "cause": known.get("cause"), "change": known.get("change"),
        "runs": runs, "project": project.slug, "url": url_of(alert, project),
    }  # fmt: skip


def _figure(value: Any, *, money: bool) -> Any:
    if value is None:
        return None
    value = value.normalize()
    if money:
        return f"{value:f}"
    return int(value) if value == value.to_integral_value() else float(value)


def message(event: AlertEvent, *, project: Project, now: datetime) -> Body:
    """What a delivery sends: {"json", "subject", "text"}. The state is the event's, whatever came after it."""
    alert = event.alert
    explain(alert, project=project, now=now)
    then = as_of(event)
    body = alert_body(then, project=project, now=now)
    body["event"] = {"kind": event.kind, "number": event.number, "at": event.at}
    state = (
        "reminder, still firing" if event.kind == "reminder" else wording.STATES.get(then.state, then.state)
    )
    subject = f"{project.name}: {wording.title(then)}, {wording.of_what(then)}: {state}"
    return {"json": msgspec.json.encode(plain(body)).decode(), "subject": subject[:200],
            "text": text_of(then, body, project=project, now=now)}  # fmt: skip


def explain(alert: Alert, *, project: Project, now: datetime) -> None:
    """Look up what people want to know of an alert, once."""
    if alert.facts is None:
        alert.facts = plain(facts.facts_of(alert, project=project, now=now))
        Alert.objects.filter(pk=alert.pk).update(facts=alert.facts)


def explain_new(project: Project, *, now: datetime) -> None:
    """Some of the alerts that fired and were not looked into yet: those that no channel hears of have runs too."""
    rows = Alert.objects.filter(project=project, resolved_at=None, state__in=FIRED, facts=None)
    for alert in rows.select_related("rule", "rule__project").order_by(
        F("grouped_under_id").asc(nulls_first=True), "pk"
    )[:MOST_EXPLAINED]:
        explain(alert, project=project, now=now)


def as_of(event: AlertEvent) -> Alert:
    """The alert as it was when the event happened."""
    alert = event.alert
    if event.kind == "resolved" or alert.resolved_at is None:
        return alert
    then = Alert.objects.select_related("rule").get(pk=alert.pk)
    then.facts = alert.facts
    then.state = "no_data" if event.kind == "no_data" else "firing"
    then.resolved_at, then.value = None, event.value
    return then


def text_of(alert: Alert, body: Body, *, project: Project, now: datetime) -> str:
    """The message for people: the sentence, how sure, whom it touches, the likely cause, runs, the page."""
    lines = [body["sentence"], *_details(alert, body, project, now), "", f"Alert: {body['url']}"]
    runs = [_run_line(run, project, now) for run in body["runs"]]
    lines += ["", "Runs to look at:", *runs] if runs and not alert.resolved_at else []
    return "\n".join(lines)


def _details(alert: Alert, body: Body, project: Project, now: datetime) -> list[str]:
    found = []
    if sure := wording.sureness(alert):
        found.append(f"How sure: {sure}.")
    touched = [
        f"{formats.count(body[name])} {word}"
        for name, word in (("affected_runs", "runs"), ("users", "users"), ("customers", "customers")) if body[name]
    ]  # fmt: skip
    found += [f"Affected: {', '.join(touched)}."] if touched else []
    found += [cause_words(body["cause"])] if body["cause"] else []
    found.append(change_words(body["change"], project=project, now=now))
    return found


def cause_words(cause: Body) -> str:
    """97.0 % of the errors are overloaded from anthropic, claude-sonnet-4-5, in 3 flows."""
    flows = f", in {cause['flows']} flow{'s' if cause['flows'] != 1 else ''}"
    model = f", {cause['model']}" if cause["model"] else ""
    kind = cause["error_class"].replace("_", " ")
    return f"{formats.share(cause['share'])} of the errors are {kind} from {cause['provider']}{model}{flows}."


def change_words(change: Body | None, *, project: Project, now: datetime) -> str:
    """The likeliest change, or that there is none."""
    if change is None:
        return "No change is known within the day before."
    at = formats.moment(datetime.fromisoformat(change["at"]), zone=project.zone, now=now)
    subject = f" {change['subject']}" if change["subject"] else ""
    return f"Nearest change: {change['kind']}{subject} {change['before'] or '–'} to {change['after'] or '–'}, {at}."


def _run_line(run: Body, project: Project, now: datetime) -> str:
    at = formats.moment(datetime.fromisoformat(run["started_at"]), zone=project.zone, now=now)
    outcome = f"{run['outcome']}, rescued" if run["rescued"] else run["outcome"]
    return f"{at}  {run['flow']}  {outcome}  {formats.duration(run['duration_ms'])}  {run['url']}"
