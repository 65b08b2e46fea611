"""The change ledger: moments when something that calls depend on became different, declared or noticed."""

from django.db import models
from django.utils import timezone

from accounts.models import Project

NOTICED = "noticed"  # who, of a change that nobody declared


class Change(models.Model):
    """One change. `before` and `after` are versions, models, …; null = nothing there, or nobody said.

    `subject`: the prompt's name, or the model of a price. `environment` "" = not told: all of them.
    `first_call_at`: the first call that carried it, null while none was seen. `key` tells a repeat of a declared
    one: the client's id, or its content."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=20)
    environment = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    before = models.CharField(max_length=400, null=True)
    after = models.CharField(max_length=400, null=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=200)
    link = models.CharField(max_length=1000, blank=True)
    note = models.CharField(max_length=2000, blank=True)
    noticed = models.BooleanField(default=False)
    first_call_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(default=timezone.now)
    key = models.CharField(max_length=220, null=True)

    class Meta:
        db_table = "change"
        constraints = (models.UniqueConstraint(fields=["project", "key"], name="change_once"),)
        indexes = (
            # The list, newest first; markers of a period.
            models.Index(fields=["project", "-at", "-id"], name="change_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.before or '–'} → {self.after or '–'} at {self.at:%Y-%m-%d %H:%M}"


class ChangeFlow(models.Model):
    """A flow that a change concerns, by its raw name; a declared change without any concerns all flows.

    `first_call_at`: its first call there that carried the change, in `environment`; null = none was seen."""

    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="on_flows")
    name = models.CharField(max_length=200)
    environment = models.CharField(max_length=200, blank=True)
    first_call_at = models.DateTimeField(null=True)
    told = models.BooleanField(default=False)  # the sender named it; otherwise calls did
    # What its calls carried and what they had carried before, as they spell it.
    seen_subject = models.CharField(max_length=200, blank=True)
    seen_before = models.CharField(max_length=400, null=True)
    seen_after = models.CharField(max_length=400, null=True)

    class Meta:
        db_table = "change_flow"
        constraints = (
            models.UniqueConstraint(fields=["change", "name", "environment"], name="change_flow_once"),
        )
        # What is known of one flow.
        indexes = (models.Index(fields=["name", "change"], name="change_of_flow"),)

    def __str__(self) -> str:
        return self.name


class PriceMark(models.Model):
    """Which state of the price book a project's price changes were read from."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True)
    version = models.CharField(max_length=200)

    class Meta:
        db_table = "change_price_mark"

    def __str__(self) -> str:
        return self.version
