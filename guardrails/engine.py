"""The one engine of alerts: a project's rules are evaluated at its watermark, and budgets' crossings become alerts.

All of a project's changes of state are one transaction with their outbox rows: a process that is killed anywhere
leaves nothing or everything, and a second evaluator finds the row held.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Q

from accounts.errors import ApiError
from accounts.models import Project
from analytics.models import ImportBatch
from analytics.periods import Period
from guardrails import judging, spans, telling
from guardrails.alert_models import FIRED, OPEN, Alert, AlertEvent, Evaluation, Rule
from guardrails.crossings import cross
from guardrails.history import QUIETLY, record
from guardrails.judging import Seen
from guardrails.observe import Observed, Observer, Watched, nothing, renames, watched
from guardrails.rules import measure_of
from guardrails.states import Standing, Step, Verdict, step

log = structlog.get_logger()
SETTLED = timedelta(minutes=2)  # what an import brought is in the rollups by then
ABANDONED = timedelta(days=1)  # an import that never ended is not waited for
_WATERMARK = "SELECT min(received_at) FROM inbox WHERE lane = %s AND project_id = %s"


@dataclass(slots=True)
class Outcome:
    """What one evaluation did."""

    project: Project
    until: datetime
    rules: int = 0
    groups: int = 0
    questions: int = 0
    events: list[AlertEvent] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def watermark(project: Project, *, now: datetime) -> datetime:
    """Up to when everything that was accepted is loaded."""
    with connection.cursor() as cursor:
        cursor.execute(_WATERMARK, [project.lane, project.pk])
        (oldest,) = cursor.fetchone() or (None,)
    return min(oldest, now) if oldest else now


def evaluate_project(project: Project, *, now: datetime) -> Outcome | None:
    """Evaluate a project's rules and budgets once; None when another process does it. May run twice, at any time."""
    Evaluation.objects.get_or_create(project=project, defaults={"at": now})
    with transaction.atomic():
        row = Evaluation.objects.select_for_update(skip_locked=True).filter(project=project).first()
        if row is None:
            return None
        outcome = Outcome(project, watermark(project, now=now))
        if row.evaluated_until is None or outcome.until >= row.evaluated_until:
            _evaluate_rules(outcome, row, now)
            row.evaluated_until = outcome.until
        outcome.events += cross(project, now=now)
        telling.tell(project, outcome.events, now=now)
        row.at, row.problem = now, "; ".join(outcome.problems)[:500]
        row.save()
    return outcome


def _evaluate_rules(outcome: Outcome, row: Evaluation, now: datetime) -> None:
    project = outcome.project
    rename = renames(project)
    stored = Rule.objects.filter(project=project).select_related("project", "depends_on")
    rules = [one for one in (_readable(rule, rename, outcome) for rule in stored) if one is not None]
    observer = Observer(project, until=outcome.until, now=now)
    observed = _observed(observer, rules, outcome)
    opens = _opens(project, rules, rename)
    imports = _imports(project, row, now)
    work = _Work(outcome, now)
    for one in rules:
        if (seen := observed.get(one.rule.pk)) is not None:
            work.rule(one, seen, opens.get(one.rule.pk, {}), _touched(imports, one, outcome, row))
    outcome.rules, outcome.questions = len(rules), observer.questions
    work.save()


def _readable(rule: Rule, rename: Any, outcome: Outcome) -> Watched | None:
    """None, with a note, for a rule whose measure is no longer there."""
    try:
        measure_of(rule.measure)
        return watched(rule, rename)
    except (KeyError, ValueError, StopIteration):
        outcome.problems.append(f"{rule.name}: {rule.measure} is not known any more")
        return None


def _observed(observer: Observer, rules: Sequence[Watched], outcome: Outcome) -> dict[int, Observed]:
    """What all rules see; when a question fails, each rule is asked alone, so that one cannot stop the others."""
    try:
        with transaction.atomic():
            return observer.observe(rules)
    except ApiError as problem:
        log.warning("rules asked one by one", project=outcome.project.slug, problem=problem.message)
    found: dict[int, Observed] = {}
    for one in rules:
        try:
            with transaction.atomic():
                found |= Observer(outcome.project, until=observer.until, now=observer.now).observe([one])
        except ApiError as problem:
            outcome.problems.append(f"{one.rule.name}: {problem.message}")
    return found


def _opens(project: Project, rules: Sequence[Watched], rename: Any) -> dict[int, dict[str, Alert]]:
    """Open alerts by rule and by their group's name of today."""
    each = {one.rule.pk: one.rule.each for one in rules}
    found: dict[int, dict[str, Alert]] = {}
    for alert in Alert.objects.filter(project=project, resolved_at=None, state__in=OPEN, rule__isnull=False):
        group = rename(each.get(alert.rule_id or 0, ""), alert.group)
        held = found.setdefault(alert.rule_id or 0, {})
        if (
            group not in held
        ):  # of two that were merged the second resolves: its own name has no calls any more
            alert.group = group
        held[alert.group] = alert
    return found


def _imports(project: Project, row: Evaluation, now: datetime) -> list[ImportBatch]:
    """Imports that run, or ended since the last evaluation."""
    lately = row.at - SETTLED
    running = Q(finished_at=None, started_at__gt=now - ABANDONED)
    batches = ImportBatch.objects.filter(
        running | Q(finished_at__gt=lately), project=project, first_at__isnull=False
    )
    return list(batches)


def _touched(imports: Sequence[ImportBatch], one: Watched, outcome: Outcome, row: Evaluation) -> bool:
    """Whether imported history has just come into the rule's window."""
    if not imports:
        return False
    period = spans.looked_at(one.rule.window, until=outcome.until, zone=outcome.project.zone)
    return any(_overlaps(batch, period) for batch in imports)


def _overlaps(batch: ImportBatch, period: Period) -> bool:
    if batch.first_at is None or batch.last_at is None:
        return False
    return batch.first_at < period.end and batch.last_at >= period.start


class _Work:
    """The changes of one evaluation, saved in few statements."""

    def __init__(self, outcome: Outcome, now: datetime) -> None:
        self.outcome, self.now = outcome, now
        self.new: list[Alert] = []
        self.changed: list[Alert] = []
        self.gone: list[Alert] = []
        self.events: list[tuple[Alert, Step]] = []

    def rule(self, one: Watched, observed: Observed, opens: dict[str, Alert], imported: bool) -> None:
        """All groups of one rule: those that are seen, those that are missed, those with an open alert."""
        groups = dict.fromkeys((*observed.whole, *observed.filling, *observed.expected, *opens))
        if not one.rule.each:
            groups.setdefault("")
        absent = nothing(measure_of(one.name))
        for group in groups:
            self.outcome.groups += 1
            seen = observed.whole.get(group, absent)
            verdict, seen = _judged(one, seen, observed.filling.get(group))
            alert = opens.get(group)
            if alert is None and verdict is not Verdict.BREACH:
                continue
            self._step(one, group, alert, (verdict, seen), imported)

    def _step(
        self, one: Watched, group: str, alert: Alert | None, judged: tuple[Verdict, Seen], imported: bool
    ) -> None:
        verdict, seen = judged
        until = self.outcome.until
        standing = Standing(alert.state, alert.since) if alert else None
        fired = "no_data" if one.condition.kind == "no_data" else "firing"
        taken = step(standing, verdict, until=until, hold=one.hold, fired=fired, imported=imported)
        if not taken.state:
            self.gone += [alert] if alert else []
            return
        if alert is None:
            alert = Alert(
                project=self.outcome.project, rule=one.rule, name=one.rule.name, group=group, since=until
            )
            self.new.append(alert)
        else:
            self.changed.append(alert)
        _note(alert, one, seen, taken, until)
        if taken.event:
            self.events.append((alert, taken))

    def save(self) -> None:
        """Alerts, then the events that tell of them."""
        Alert.objects.filter(pk__in=[alert.pk for alert in self.gone]).delete()
        Alert.objects.bulk_create(self.new, batch_size=1000)
        Alert.objects.bulk_update(self.changed, _KEPT, batch_size=500) if self.changed else None
        self.outcome.events += record(
            ((alert, taken.event, "" if taken.loud else QUIETLY) for alert, taken in self.events),
            now=self.now,
        )


_KEPT = (
    "group", "state", "value", "bound", "base", "low", "high", "n", "evaluated_until", "fired_at", "resolved_at",
)  # fmt: skip


def _judged(one: Watched, seen: Seen, filling: Seen | None) -> tuple[Verdict, Seen]:
    """The whole window's verdict; the one that fills can only be sure of a breach."""
    measure, least = measure_of(one.name), one.rule.min_count
    verdict = judging.verdict(one.condition, measure, seen, min_count=least)
    if verdict is Verdict.BREACH or filling is None:
        return verdict, seen
    if judging.surely(one.condition, measure, filling, min_count=least):
        return Verdict.BREACH, filling
    return verdict, seen


def _note(alert: Alert, one: Watched, seen: Seen, taken: Step, until: datetime) -> None:
    """Figures and state onto the row. A resolved alert keeps the figures with which it was resolved."""
    measure = measure_of(one.name)
    alert.state, alert.evaluated_until = taken.state, until
    alert.value, alert.n, alert.base = seen.value, seen.n, seen.base
    alert.bound = judging.bound_of(one.condition, measure, seen)
    found = judging.interval(measure, seen)
    alert.low, alert.high = found or (None, None)
    if taken.state in FIRED and alert.fired_at is None:
        alert.fired_at = until
    if taken.state == "resolved":
        alert.resolved_at = until
