"""Who hears of what: changes of state become deliveries, in the transaction of the change.

A firing alert is told once. It waits while it or its rule is muted; it is grouped, and not told, while another one
tells of the same thing: the rule it depends on, the provider whose outage it is, or its own rule for many groups.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from accounts.models import Project
from guardrails import outages, spans
from guardrails.alert_models import FIRED, Alert, AlertEvent, Channel, Delivery
from guardrails.crossings import channels_of
from guardrails.history import QUIETLY, record
from guardrails.rules import NO_DATA

MOST_APART = 5  # a rule that fires for more groups at once is one message


def tell(project: Project, events: Sequence[AlertEvent], *, now: datetime) -> None:
    """Queue what channels have to hear: resolved alerts, those that fired, reminders."""
    loud = [event for event in events if event.said != QUIETLY]
    work = _Telling(project, now)
    for event in loud:
        if event.kind == "resolved" and event.alert.told_at is not None:
            work.queue(event.alert, event)
    fired = list(
        Alert.objects.filter(project=project, resolved_at=None, state__in=FIRED)
        .select_related("rule", "rule__depends_on").order_by("fired_at", "pk")
    )  # fmt: skip
    if fired:
        _tell_fired(work, fired)
        _remind(work, fired)
    work.save()


def _tell_fired(work: "_Telling", fired: Sequence[Alert]) -> None:
    untold = [alert for alert in fired if alert.told_at is None and _is_loud(alert)]
    if not untold:
        return
    outages.name_providers(work.project, untold, now=work.now)
    leads = _Leads(fired)
    heard, moved = [], []
    for alert in untold:
        lead = leads.of(alert)
        if (lead.pk if lead else None) != alert.grouped_under_id:
            alert.grouped_under = lead
            moved.append(alert)
        if lead is None and not work.is_muted(alert):
            heard.append(alert)
    Alert.objects.bulk_update(moved, ["grouped_under"], batch_size=1000)
    events = _last_fired(heard)
    for alert in heard:
        if alert.pk in events:
            work.queue(alert, events[alert.pk])


def _is_loud(alert: Alert) -> bool:
    """A rate whose window went empty is no news; a rule on no data is about just that."""
    return alert.state == "firing" or (alert.rule is not None and alert.rule.condition == NO_DATA)


def _last_fired(alerts: Sequence[Alert]) -> dict[int, AlertEvent]:
    """The newest firing event of each: what a message tells of."""
    rows = AlertEvent.objects.filter(alert__in=[alert.pk for alert in alerts], kind__in=FIRED)
    return {event.alert_id: event for event in rows.order_by("number")}


def _remind(work: "_Telling", fired: Sequence[Alert]) -> None:
    due = [
        alert for alert in fired
        if alert.told_at is not None and alert.told_at != work.now and alert.rule is not None
        and alert.rule.renotify and alert.acknowledged_at is None and alert.grouped_under_id is None
        and work.now - alert.told_at >= spans.span(alert.rule.renotify) and not work.is_muted(alert)
    ]  # fmt: skip
    for event in record(((alert, "reminder", "") for alert in due), now=work.now):
        work.queue(event.alert, event)


class _Leads:
    """Which alert tells of what another one would only repeat. Looked up once: thousands may fire together."""

    def __init__(self, fired: Sequence[Alert]) -> None:
        self.open = {one.pk: one for one in fired}
        self.of_rule: dict[int, Alert] = {}
        self.untold: dict[int, list[Alert]] = {}
        self.of_provider: dict[str, Alert] = {}
        for one in fired:
            if one.rule_id is not None:
                self.of_rule.setdefault(one.rule_id, one)
                if one.told_at is None:
                    self.untold.setdefault(one.rule_id, []).append(one)
            if one.provider and (one.told_at is not None or one.grouped_under_id is None):
                self.of_provider.setdefault(one.provider, one)

    def of(self, alert: Alert) -> Alert | None:
        """The alert that this one is grouped under, None when it speaks for itself."""
        kept = self.open.get(alert.grouped_under_id or 0)  # it stays where it is while that one fires
        return kept or self._depended(alert) or self._same_provider(alert) or self._same_rule(alert)

    def _depended(self, alert: Alert) -> Alert | None:
        above = alert.rule.depends_on_id if alert.rule else None
        return self.of_rule.get(above) if above is not None else None

    def _same_provider(self, alert: Alert) -> Alert | None:
        first = self.of_provider.get(alert.provider)
        return None if first is None or first.pk == alert.pk else first

    def _same_rule(self, alert: Alert) -> Alert | None:
        untold = self.untold.get(alert.rule_id or 0, [])
        if len(untold) <= MOST_APART or untold[0].pk == alert.pk:
            return None
        return untold[0]


class _Telling:
    """Deliveries of one evaluation, each change and channel once."""

    def __init__(self, project: Project, now: datetime) -> None:
        self.project, self.now = project, now
        self.channels = {one.name: one for one in Channel.objects.filter(project=project).only("pk", "name")}
        self.rows: list[Delivery] = []
        self.told: list[int] = []

    def is_muted(self, alert: Alert) -> bool:
        """Whether the alert or its rule is quiet at the moment."""
        if alert.muted_until is not None and self.now < alert.muted_until:
            return True
        mutes = alert.rule.mutes if alert.rule else []
        return bool(mutes) and spans.is_muted(mutes, at=self.now, zone=self.project.zone)

    def queue(self, alert: Alert, event: AlertEvent) -> None:
        """One delivery for each channel of the rule or budget."""
        if event.kind == "resolved" and self.is_muted(alert):
            return
        self.told.append(alert.pk)
        for channel in self._channels(alert):
            self.rows.append(outbox(channel, f"{channel.pk}:{event.pk}", event=event, now=self.now))

    def _channels(self, alert: Alert) -> Iterable[Channel]:
        names = alert.rule.channels if alert.rule else channels_of(alert)
        return [self.channels[name] for name in names if name in self.channels]

    def save(self) -> None:
        """The outbox rows; a row that is there already stays as it is."""
        Alert.objects.filter(pk__in=self.told).update(told_at=self.now)
        Delivery.objects.bulk_create(self.rows, ignore_conflicts=True, batch_size=1000)


def outbox(
    channel: Channel, key: str, *, now: datetime, event: AlertEvent | None = None, purpose: str = "alert"
) -> Delivery:
    """An unsaved delivery to a channel, due at once."""
    return Delivery(
        project_id=channel.project_id, channel=channel, event=event, purpose=purpose, key=key, created_at=now,
        next_try_at=now,
    )  # fmt: skip
