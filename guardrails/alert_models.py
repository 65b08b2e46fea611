"""Rules, alerts with their history, channels, and deliveries: the outbox of messages."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Project, User

OPEN = (
    "pending",
    "firing",
    "no_data",
    "held",
)  # not resolved; `held`: true through imported history, told nobody
SHOWN = ("pending", "firing", "no_data", "resolved")  # what pages and API know
FIRED = ("firing", "no_data")
UNFINISHED = ("waiting", "sending")


class Channel(models.Model):
    """Where messages go. Address and secret are sealed (`guardrails.sealed`): they are never given back."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="channels")
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=10)  # guardrails.channels.KINDS
    url = models.BinaryField()
    secret = models.BinaryField(null=True)
    shown = models.CharField(max_length=300)  # the address without what is secret in it
    digest = models.BooleanField(default=False)  # gets the weekly digest
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "name"], name="channel_name"),)

    def __str__(self) -> str:
        return self.name


class Rule(models.Model):
    """When a measure is an alert; the fields are those of the contract, checked by `guardrails.rules`."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=100)
    measure = models.CharField(max_length=200)
    filters = models.JSONField(default=dict)  # {dimension: [values]}, a value with ! negates
    each = models.CharField(max_length=100, blank=True, default="")
    condition = (
        models.JSONField()
    )  # {"above": "4000"} | {"below": …} | {"change_over": …, "against": …} | "no_data"
    window = models.CharField(max_length=20)
    hold = models.CharField(max_length=20, blank=True, default="")  # `for`
    renotify = models.CharField(max_length=20, blank=True, default="")
    min_count = models.PositiveIntegerField(default=0)
    channels = models.JSONField(default=list)  # names
    depends_on = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="dependents")
    mutes = models.JSONField(
        default=list
    )  # [{"days": […], "from": "22:00", "to": "06:00"} | {"from", "until"}]
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "name"], name="rule_name"),)

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """One time that a rule's condition held for one group, or that a budget crossed a threshold.

    `since`: the watermark at which the condition was first seen; `bound` what `value` went past, `base` what it
    was compared with; `low` and `high` the 95 % interval of a rate. `grouped_under`: the alert that told of the
    same thing. `facts`: what was looked up for people (users, likely cause, runs), null until it was."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="alerts")
    rule = models.ForeignKey(Rule, null=True, on_delete=models.SET_NULL, related_name="alerts")
    budget_id = models.BigIntegerField(null=True)
    crossing_id = models.BigIntegerField(null=True, unique=True)
    name = models.CharField(max_length=200)  # of the rule or budget, which may be gone
    group = models.CharField(max_length=400, blank=True, default="")
    state = models.CharField(max_length=10)
    since = models.DateTimeField()
    fired_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    value = models.DecimalField(max_digits=60, decimal_places=30, null=True)
    bound = models.DecimalField(max_digits=60, decimal_places=30, null=True)
    base = models.DecimalField(max_digits=60, decimal_places=30, null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    n = models.BigIntegerField(null=True)
    evaluated_until = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=200, blank=True, default="")
    muted_until = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)  # when a message was last due
    provider = models.CharField(
        max_length=100, blank=True, default=""
    )  # whose outage it is, where that is clear
    grouped_under = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="grouped")
    facts = models.JSONField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["rule", "group"],
                condition=Q(resolved_at=None, rule__isnull=False),
                name="alert_open_once",
            ),
        )
        indexes = (
            # The list of a project, newest first; the number of firing ones in the header.
            models.Index(fields=["project", "-since", "-id"], name="alert_newest"),
            models.Index(fields=["project", "state"], condition=Q(resolved_at=None), name="alert_open"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.group} {self.state}".replace("  ", " ")


class AlertEvent(models.Model):
    """One change of an alert's state, or what somebody did to it. `number` counts within the alert."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    kind = models.CharField(
        max_length=20
    )  # pending, firing, no_data, resolved, reminder, acknowledged, muted
    at = models.DateTimeField()
    value = models.DecimalField(max_digits=60, decimal_places=30, null=True)
    by = models.CharField(max_length=200, blank=True, default="")
    said = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["alert", "number"], name="alert_event_once"),)

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


class Delivery(models.Model):
    """One message to one channel (or, a digest, one member): an outbox row, tried until it is taken or a day is over.

    `id` is the same on every try, so that a receiver can tell a repeat. `key` names what it tells of: nothing is
    told twice. `body` is frozen at the first try."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, null=True, on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(AlertEvent, null=True, on_delete=models.CASCADE, related_name="deliveries")
    purpose = models.CharField(max_length=10)  # alert, test, digest
    key = models.CharField(max_length=200, unique=True)
    body = models.JSONField(null=True)
    state = models.CharField(max_length=10, default="waiting")  # waiting, sending, done, failed (given up)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    log = models.JSONField(default=list)  # the last tries: [{"at", "status", "answer"}]

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["channel", "event"], condition=Q(event__isnull=False), name="delivery_once"
            ),
        )
        indexes = (
            # What is due; and a channel's or an alert's newest.
            models.Index(fields=["next_try_at"], condition=Q(state__in=UNFINISHED), name="delivery_due"),
            models.Index(fields=["channel", "-created_at"], name="delivery_newest"),
        )

    def __str__(self) -> str:
        return f"{self.purpose} {self.key} {self.state}"


class Evaluation(models.Model):
    """How far a project's rules were evaluated; its row is what one evaluator holds."""

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, primary_key=True, related_name="evaluation"
    )
    at = models.DateTimeField()
    evaluated_until = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.project} at {self.at:%Y-%m-%d %H:%M}"


class DigestReader(models.Model):
    """A member who gets the weekly digest by e-mail."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="digest_readers")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="digests")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "user"], name="digest_reader_once"),)

    def __str__(self) -> str:
        return f"{self.user} of {self.project}"
