"""The tables of the front door. The inbox is a local table without relations, written on the hot path."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

EVER = datetime(1970, 1, 1, tzinfo=UTC)


class Waiting(models.Model):
    """What an inbox row and one that was set aside have in common: at most 5,000 packed records."""

    id = models.BigAutoField(primary_key=True)
    lane = models.SmallIntegerField()  # project_id % 16
    project_id = models.IntegerField()
    key_id = models.BigIntegerField(null=True)  # None: an import, the demo
    received_at = models.DateTimeField()
    kind = models.SmallIntegerField()  # ingest.inbox.Kind
    items = models.IntegerField()
    attempts = models.SmallIntegerField(default=0, db_default=0)  # counted before a batch is tried
    import_batch = models.BigIntegerField(null=True)
    body = models.BinaryField()  # ingest.inbox.encode; already dense, so Postgres does not compress it

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.items} records of project {self.project_id}, {self.received_at:%Y-%m-%d %H:%M}"


class InboxRow(Waiting):
    """Accepted records that wait for the loader. Once it is committed nothing may lose them."""

    class Meta:
        db_table = "inbox"
        # The loader reads its lane in the order of arrival.
        indexes = (models.Index(fields=["lane", "id"], name="inbox_lane"),)


class SetAside(Waiting):
    """Records that could not be loaded: shown, downloadable, can be tried again, and hold nobody up."""

    reason = models.TextField()
    failed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "inbox_dead"
        # The list of a project, newest first.
        indexes = (models.Index(fields=["project_id", "-id"], name="inbox_dead_project"),)


class Intake(models.Model):
    """What a key sent in a quarter hour. Rows are appended, and folded into one later.

    Refusals are counted by the request that refused them, the rest by the load that decided it, each in the
    transaction of the fact.
    """

    pk = models.CompositePrimaryKey("project_id", "key_id", "bucket", "batch")
    project_id = models.IntegerField()
    key_id = models.BigIntegerField()  # 0: no key (an import, the demo)
    bucket = models.DateTimeField()  # start of the quarter hour of arrival
    batch = models.BigIntegerField()  # from a sequence: a row appended later has a higher one
    accepted = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)

    class Meta:
        db_table = "intake"

    def __str__(self) -> str:
        return f"key {self.key_id} from {self.bucket:%Y-%m-%d %H:%M}"


class LedgerFloor(models.Model):
    """The one row that says from when on the ledger takes calls. `analytics` moves it, only forward."""

    floor = models.DateTimeField(default=EVER)

    class Meta:
        db_table = "ledger_floor"
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=models.Q(id=1), name="ledger_floor_one_row")
        ]

    def __str__(self) -> str:
        return f"{self.floor:%Y-%m-%d}"
