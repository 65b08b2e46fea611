"""What a project says of its scores: type, range, good direction, threshold; and which one is a flow's quality."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.models import Project

KINDS = ("numeric", "boolean", "categorical")
DIRECTIONS = ("up", "down")
TARGETS = ("call", "run", "session")
SOURCES = ("user", "heuristic", "judge", "human", "telemetry")


class ScoreDefinition(models.Model):
    """One score name of a project. Until it is confirmed it is a guess, and fits itself to what comes.

    `low`, `high`: the range of numeric values, whose hundredths are counted. `good`: the better way. `threshold`:
    numeric values pass from it on. `labels`: categories in the order in which they were first seen; `passing`: those
    that pass. `source`: whose scores are meant where nobody says whose."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="scores")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    low = models.DecimalField(max_digits=30, decimal_places=15, null=True)
    high = models.DecimalField(max_digits=30, decimal_places=15, null=True)
    good = models.CharField(max_length=4, default="up")
    threshold = models.DecimalField(max_digits=30, decimal_places=15, null=True)
    labels = ArrayField(models.CharField(max_length=200), default=list)
    passing = ArrayField(models.CharField(max_length=200), default=list)
    target = models.CharField(max_length=10, default="call")
    source = models.CharField(max_length=20, default="user")
    description = models.CharField(max_length=500, blank=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "score_definition"
        constraints = (models.UniqueConstraint(fields=["project", "name"], name="score_name"),)

    def __str__(self) -> str:
        return self.name

    @property
    def range(self) -> tuple[Decimal, Decimal] | None:
        """(low, high) of a numeric score that has a range."""
        return (self.low, self.high) if self.low is not None and self.high is not None else None


class FlowQuality(models.Model):
    """The primary score of a flow: its "quality"."""

    flow = models.OneToOneField(
        "analytics.Flow", on_delete=models.CASCADE, primary_key=True, related_name="quality"
    )
    score = models.ForeignKey(ScoreDefinition, on_delete=models.CASCADE, related_name="primary_of")

    class Meta:
        db_table = "flow_quality"

    def __str__(self) -> str:
        return f"{self.flow}: {self.score}"
