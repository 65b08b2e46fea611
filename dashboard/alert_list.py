"""The list of alerts: which fire, since when, how much against which limit; then those that are over."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, Value, When
from django.urls import reverse

from accounts.models import Project
from dashboard import formats
from dashboard.answers import Phrase
from dashboard.frame import Choice
from guardrails import wording
from guardrails.alert_models import FIRED, SHOWN, Alert, Evaluation, Rule
from guardrails.rules import measure_of

PAGE = 50
TONES = {"firing": "worse", "no_data": "warn", "pending": "", "resolved": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One alert of the list."""

    href: str
    title: str
    of: str
    state: str
    tone: str
    value: str
    bound: str
    since: str
    iso: str
    lasted: str
    note: str


def rows(project: Project, *, state: str, before: str, now: datetime) -> tuple[list[Row], str]:
    """(a page of rows, the cursor of the next or ""): open ones first, then newest first."""
    found = Alert.objects.filter(project=project, state__in=[state] if state else SHOWN)
    if before.isdigit() and len(before) < 19:
        found = found.filter(pk__lt=int(before), resolved_at__isnull=False)
    is_open = Case(When(resolved_at=None, then=Value(0)), default=Value(1))
    ordered = found.select_related("rule", "grouped_under").order_by(is_open, "-pk")
    page = list(ordered[: PAGE + 1])
    more = str(page[PAGE - 1].pk) if len(page) > PAGE and page[PAGE - 1].resolved_at else ""
    return [row(alert, project, now) for alert in page[:PAGE]], more


def row(alert: Alert, project: Project, now: datetime) -> Row:
    """An alert."""
    return Row(
        href=reverse("alert", args=[project.slug, alert.pk]),
        title=wording.title(alert),
        of=wording.of_what(alert) if alert.rule else "",
        state=wording.STATES[alert.state],
        tone=TONES[alert.state],
        value=shown(alert, "value"),
        bound=shown(alert, "bound"),
        since=formats.moment(alert.since, zone=project.zone, now=now),
        iso=alert.since.isoformat(),
        lasted=formats.lag(((alert.resolved_at or now) - alert.since).total_seconds()),
        note=note(alert, now),
    )


def shown(alert: Alert, field: str) -> str:
    """Value or bound in the measure's unit; a budget's in the budget's."""
    value = getattr(alert, field)
    if alert.rule is None:
        return wording.amount(alert, value)
    if alert.rule.condition == "no_data":
        return formats.MISSING
    return wording.figure(measure_of(alert.rule.measure), value)


def note(alert: Alert, now: datetime) -> str:
    """Who looks after it, whether it is quiet, or under which one it is told."""
    if alert.grouped_under_id is not None and alert.resolved_at is None:
        return f"told with {wording.title(alert.grouped_under)}" if alert.grouped_under else ""
    if alert.resolved_at is None and alert.muted_until is not None and alert.muted_until > now:
        return "muted"
    return f"acknowledged by {alert.acknowledged_by}" if alert.acknowledged_at else ""


def states(project: Project, path: str, current: str) -> tuple[Choice, ...]:
    """Links to each state with how many there are."""
    counted = Alert.objects.filter(project=project, state__in=SHOWN).values("state").annotate(n=Count("pk"))
    counts = {one["state"]: one["n"] for one in counted}
    every = Choice("All", path, not current, formats.count(sum(counts.values())))
    order = ("firing", "no_data", "pending", "resolved")
    each = (
        Choice(wording.STATES[state].capitalize(), f"{path}?state={state}", state == current,
               formats.count(counts.get(state, 0)))
        for state in order
    )  # fmt: skip
    return (every, *each)


def answer(project: Project, *, now: datetime) -> tuple[Phrase, ...]:
    """Two alerts fire, the oldest since 13:41; or how long nothing has; or that nothing is watched."""
    open_ones = Alert.objects.filter(project=project, resolved_at=None)
    fired = open_ones.filter(state__in=FIRED, grouped_under=None).order_by("since")
    first = fired.first()
    if first is not None:
        return _firing(fired.count(), first, project, now)
    watched = Rule.objects.filter(project=project).count()
    if not watched:
        return (Phrase("No rule watches this project yet."),)
    last = Alert.objects.filter(project=project, fired_at__isnull=False).order_by("-resolved_at").first()
    rules = f"{formats.count(watched)} {'rule' if watched == 1 else 'rules'}"
    if last is None or last.resolved_at is None:
        return (Phrase(f"Nothing fires. {rules} watch, and none has fired so far."),)
    at = formats.moment(last.resolved_at, zone=project.zone, now=now)
    return (
        Phrase(
            f"Nothing fires. {rules} {'watches' if watched == 1 else 'watch'}; the last alert ended {at}."
        ),
    )


def _firing(count: int, first: Alert, project: Project, now: datetime) -> tuple[Phrase, ...]:
    since = formats.moment(first.since, zone=project.zone, now=now)
    if count == 1:
        return (
            Phrase("One alert fires", "worse"), Phrase(f", since {since}: {wording.title(first)}, {_of(first)}."),
        )  # fmt: skip
    return (
        Phrase(f"{formats.count(count)} alerts fire", "worse"),
        Phrase(f", the oldest since {since}: {wording.title(first)}, {_of(first)}."),
    )


def _of(alert: Alert) -> str:
    return wording.of_what(alert) if alert.rule else "a budget"


def problem(project: Project) -> str:
    """What could not be evaluated the last time, "" when all was."""
    found: Iterable[str] = Evaluation.objects.filter(project=project).values_list("problem", flat=True)
    return next(iter(found), "")
