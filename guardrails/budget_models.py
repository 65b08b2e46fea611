"""Budgets, where each stands, and the thresholds that were crossed.

Who tells people of a crossing reads `BudgetCrossing` rows with an empty `quiet`; nothing else is shared with the
evaluation.
"""

from django.db import models
from django.utils import timezone

from accounts.models import Project


class Budget(models.Model):
    """What may be spent in a window. `dimension` and `value` are the scope, empty = the whole project.

    `environment`: "" = the project's main one, "*" = all. `on` holds `actual` and `forecast`. `revision` counts
    the changes after which thresholds are measured anew: limit, unit, window, scope, environment, thresholds."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="budgets")
    name = models.CharField(max_length=100)
    dimension = models.CharField(max_length=20, blank=True, default="")  # guardrails.budgets.SCOPES
    value = models.CharField(max_length=200, blank=True, default="")
    environment = models.CharField(max_length=100, blank=True, default="")
    window = models.CharField(max_length=10)  # guardrails.windows.WINDOWS
    limit = models.DecimalField(max_digits=24, decimal_places=6)
    unit = models.CharField(max_length=6, default="USD")  # USD or tokens
    thresholds = models.JSONField(default=list)  # whole percents of the limit, ascending
    on = models.JSONField(default=list)
    carry_over = models.BooleanField(default=False)  # what the window before left is added to this one
    channels = models.JSONField(default=list)  # names
    owner = models.CharField(max_length=100, blank=True, default="")
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=200, blank=True, default="")
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "name"], name="budget_name"),)

    def __str__(self) -> str:
        return self.name


class BudgetStanding(models.Model):
    """Where a budget stands in the window that holds `complete_until`: what the API gives without asking the ledger.

    Amounts are in the budget's unit; null = unknown. `carried` was added to the limit. `rest` is what the forecast
    adds to what is spent, made at `forecast_at`, with its 80 % interval; null = too few days (`days` of them).
    `members`: the flows of a scope by feature or cost centre at that time; `imported_until`: how far imports were
    seen."""

    budget = models.OneToOneField(Budget, on_delete=models.CASCADE, primary_key=True, related_name="standing")
    revision = models.PositiveIntegerField()
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    spent = models.DecimalField(max_digits=60, decimal_places=30, null=True)
    carried = models.DecimalField(max_digits=60, decimal_places=30, default=0)
    unpriced_calls = models.BigIntegerField(default=0)
    rest = models.DecimalField(max_digits=60, decimal_places=30, null=True)
    rest_low = models.DecimalField(max_digits=60, decimal_places=30, null=True)
    rest_high = models.DecimalField(max_digits=60, decimal_places=30, null=True)
    forecast_at = models.DateTimeField(null=True)
    days = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=6)  # ok, warned, over
    members = models.JSONField(null=True)
    complete_until = models.DateTimeField()
    evaluated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.budget_id} {self.state} until {self.complete_until:%Y-%m-%d %H:%M}"


class BudgetCrossing(models.Model):
    """A threshold that one window of a budget went past; once for each revision, window, kind and threshold.

    `quiet` says why nobody is to hear of it ("moved", "imported", "passed", "told"), empty = somebody is.
    `spent` is the actual or forecast amount, `limit` with what was carried over, both in `unit`; `at` the watermark
    at which it was seen; `mapping` the flows that the scope had then (null where a scope has none). A quiet crossing
    that is undone (the flow moved back) is deleted, a loud one stays."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="crossings")
    revision = models.PositiveIntegerField()
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    kind = models.CharField(max_length=8)  # actual, forecast
    threshold = models.PositiveIntegerField()  # percent
    at = models.DateTimeField()
    spent = models.DecimalField(max_digits=60, decimal_places=30)
    limit = models.DecimalField(max_digits=60, decimal_places=30)
    unit = models.CharField(max_length=6)
    quiet = models.CharField(max_length=10, blank=True, default="")
    mapping = models.JSONField(null=True)
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["budget", "revision", "window_start", "kind", "threshold"],
                name="budget_crossing_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.budget_id} {self.kind} {self.threshold} %"
