"""The catalogue, the stored price book and imports: ordinary models. The big tables are in migrations/ledger.sql."""

from django.db import models
from django.utils import timezone

from accounts.models import Project
from analytics.changes_measured import Measured
from analytics.changes_models import Change, ChangeFlow, PriceMark
from analytics.rates_models import ExchangeRate
from analytics.scores_models import FlowQuality, ScoreDefinition

__all__ = [  # those of other modules belong to this app, too
    "UNATTRIBUTED",
    "CatalogueChange",
    "Change",
    "ChangeFlow",
    "ExchangeRate",
    "Feature",
    "Flow",
    "FlowQuality",
    "ImportBatch",
    "Measured",
    "Price",
    "PriceMark",
    "ScoreDefinition",
]  # fmt: skip

UNATTRIBUTED = 0  # flow_id of calls that named no flow


class Feature(models.Model):
    """A feature of the product; its flows are what calls serve."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="features")
    name = models.CharField(max_length=200)
    alias_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="aliases")
    owner = models.CharField(
        max_length=100, blank=True, default=""
    )  # of its flows too, unless they say otherwise
    cost_centre = models.CharField(max_length=100, blank=True, default="")
    description = models.CharField(max_length=1000, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "name"], name="feature_name"),)

    def __str__(self) -> str:
        return self.name


class Flow(models.Model):
    """A flow's raw name as calls carry it. Alias, feature, owner and cost centre are resolved when asked, so that a
    rename, merge or move is exact and can be undone. An alias leads to its flow in one step."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="flows")
    name = models.CharField(max_length=200)
    feature = models.ForeignKey(Feature, null=True, on_delete=models.SET_NULL, related_name="flows")
    alias_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="aliases")
    owner = models.CharField(max_length=100, blank=True, default="")  # empty = its feature's
    cost_centre = models.CharField(max_length=100, blank=True, default="")  # empty = its feature's
    description = models.CharField(max_length=1000, blank=True, default="")
    first_seen_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "name"], name="flow_name"),)

    def __str__(self) -> str:
        return self.name


class CatalogueChange(models.Model):
    """What was done to the catalogue, with every row as it was and as it became: undone exactly, or not at all."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="catalogue_changes")
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=60)  # as the audit log calls it, for instance `flow.renamed`
    says = models.CharField(max_length=1000)
    edits = models.JSONField(default=list)  # analytics.catalogue.Edit
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        # The newest changes of a project.
        indexes = (models.Index(fields=["project", "-id"], name="catalogue_change_newest"),)

    def __str__(self) -> str:
        return self.says


class Price(models.Model):
    """One dated row of the price book; project null = everybody's. Nothing is overwritten."""

    id = models.AutoField(primary_key=True)  # int: the ledger's rows carry it
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="prices")
    provider = models.CharField(max_length=100)
    model = models.CharField(max_length=200)
    valid_from = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)
    source = models.CharField(max_length=60)
    body = models.JSONField()  # pricing.book.Price, as JSON
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        # The book of one project: its own rows and everybody's.
        indexes = (models.Index(fields=["project", "provider", "model"], name="price_book"),)

    def __str__(self) -> str:
        return f"{self.provider}/{self.model} from {self.valid_from:%Y-%m-%d}"


class ImportBatch(models.Model):
    """One import: what it brought, so that it can be taken back."""

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imports")
    file_name = models.CharField(max_length=300)
    format = models.CharField(max_length=20)
    mapping = models.JSONField(default=dict)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    read = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)  # new calls
    duplicates = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    # Between these its calls lie: the ledger has no index on an import, but partitions by time.
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.file_name} ({self.id})"
