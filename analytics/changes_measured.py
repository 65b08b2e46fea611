"""What changes did, measured by a task and kept: lists show it without asking the rollups for each line."""

from django.db import models

from analytics.changes_models import Change


class Measured(models.Model):
    """The effects of one change as they were measured last: `effects` is analytics.effects_store's own form."""

    change = models.OneToOneField(Change, on_delete=models.CASCADE, primary_key=True, related_name="measured")
    at = models.DateTimeField()
    effects = models.JSONField(default=list)

    class Meta:
        db_table = "change_measured"

    def __str__(self) -> str:
        return f"{self.change_id} at {self.at:%Y-%m-%d %H:%M}"
