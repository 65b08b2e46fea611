"""Dated exchange rates of a project, typed in by hand: written by finance, read wherever amounts are shown."""

from django.db import models
from django.utils import timezone

from accounts.models import Project


class ExchangeRate(models.Model):
    """What one US dollar was worth in a currency on a day. Changing one leaves a line in the audit log."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="exchange_rates")
    currency = models.CharField(max_length=3)
    day = models.DateField()
    per_usd = models.DecimalField(max_digits=24, decimal_places=12)
    note = models.CharField(max_length=200, blank=True, default="")
    entered_by = models.CharField(max_length=200)
    entered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        # The newest rate of a currency within a month.
        constraints = (
            models.UniqueConstraint(fields=["project", "currency", "day"], name="exchange_rate_day"),
            models.CheckConstraint(condition=models.Q(per_usd__gt=0), name="exchange_rate_positive"),
        )

    def __str__(self) -> str:
        return f"{self.currency} {self.per_usd.normalize():f} of {self.day}"
