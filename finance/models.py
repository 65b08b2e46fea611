"""What finance keeps: exports as they were taken, invoices typed in, schedules and what they did."""

from django.db import models
from django.utils import timezone

from accounts.models import Project


class Export(models.Model):
    """A statement as it was taken away: the file, byte for byte, and the figures that it was made from.

    The same figures in the same form are the same file: it is kept once, and each taking leaves an audit line."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="exports")
    month = models.DateField()  # its first day
    form = models.CharField(max_length=20)  # finance.exports.FORMS
    group_by = models.JSONField()
    filters = models.JSONField(default=list)  # [dimension, values, negated]
    taken_at = models.DateTimeField()
    taken_by = models.CharField(max_length=200)  # an e-mail, `key flk_…` or `schedule …`
    complete_until = models.DateTimeField()
    waited = (
        models.BooleanField()
    )  # whether accepted calls were not loaded yet: then late ones cannot be told exactly
    currency = models.CharField(max_length=3)
    rate = models.CharField(max_length=40)  # exact decimals are text: numeric of a fixed scale would cut them
    total = models.CharField(max_length=120)
    total_usd = models.CharField(max_length=120)
    lines = models.PositiveIntegerField()
    calls = models.BigIntegerField()
    price_book = models.CharField(max_length=100, blank=True)
    figures = models.CharField(max_length=64)  # SHA-256 of what it says
    sha256 = models.CharField(max_length=64)  # of the file
    size = models.PositiveIntegerField()  # of the file, bytes
    body = models.BinaryField()  # the file, zstd
    cells = models.BinaryField()  # finance.difference.Cells, zstd

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "figures"], name="export_once"),)
        # The exports of a month, newest first.
        indexes = (models.Index(fields=["project", "month", "-taken_at"], name="export_of_month"),)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.form} {self.sha256[:12]}"


class Invoice(models.Model):
    """What a provider billed for a month, typed in. Each change leaves an audit line."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invoices")
    month = models.DateField()  # its first day
    provider = models.CharField(max_length=100)  # as the statement names it
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    currency = models.CharField(max_length=3, default="USD")
    dated = models.DateField()
    note = models.CharField(max_length=500, blank=True, default="")
    entered_by = models.CharField(max_length=200)
    entered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=["project", "month"], name="invoice_of_month"),)

    def __str__(self) -> str:
        return f"{self.provider} {self.month:%Y-%m} {self.amount.normalize():f} {self.currency}"


class Schedule(models.Model):
    """An export that is taken and mailed on a day of every month, about the month before."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="export_schedules")
    day = models.PositiveSmallIntegerField()  # 1 to 28
    form = models.CharField(max_length=20)
    group_by = models.JSONField()
    recipients = models.JSONField()  # e-mail addresses
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(day__gte=1, day__lte=28), name="schedule_day"),
        )

    def __str__(self) -> str:
        return f"schedule {self.pk}"


class ScheduleRun(models.Model):
    """What a schedule did about one month: exactly one row, whoever does it and however often."""

    STATES = ("waiting", "sending", "sent", "no_email")

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="runs")
    month = models.DateField()
    export = models.ForeignKey(Export, null=True, on_delete=models.SET_NULL)
    state = models.CharField(max_length=10, default="waiting")
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["schedule", "month"], name="schedule_month_once"),)

    def __str__(self) -> str:
        return f"{self.schedule} {self.month:%Y-%m} {self.state}"
