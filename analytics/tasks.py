"""What Celery runs: thin, each may run twice."""

from celery import shared_task
from django.db import connection
from django.utils import timezone

from analytics import (
    catalogue_queue,
    changes_notice,
    demo,
    effects_store,
    fold,
    load,
    partitions,
    pricebook,
    retention,
)
from analytics.apart import apart

DRAIN_SECONDS = 20.0


@shared_task(name="analytics.tasks.drain", ignore_result=True)
def drain() -> None:
    """Load what waits; when there is more than 20 s of it, queue the rest."""
    _beat("worker")
    load.drain(now=timezone.now, seconds=DRAIN_SECONDS)


@shared_task(name="analytics.tasks.fold", ignore_result=True)
def fold_rollups() -> None:
    """Fold appended rollup rows."""
    fold.fold(now=timezone.now())


@shared_task(name="analytics.tasks.housekeeping", ignore_result=True)
def housekeeping() -> None:
    """Partitions ahead, retention, and newer prices when the package brought some."""
    now = timezone.now()
    with apart("partitions", "all"):
        partitions.make_ahead(now=now)
    with apart("retention", "all"):
        retention.enforce(now=now)
    with apart("prices", "all"):
        pricebook.sync()


@shared_task(name="analytics.tasks.notice", ignore_result=True)
def notice() -> None:
    """Changes that calls and the price book tell of enter the change ledger."""
    changes_notice.notice(now=timezone.now())


@shared_task(name="analytics.tasks.measure_changes", ignore_result=True)
def measure_changes() -> None:
    """What changes did since, for lists and for the suspects."""
    effects_store.measure(now=timezone.now())


@shared_task(name="analytics.tasks.catalogue", ignore_result=True)
def tidy_catalogue() -> None:
    """New flow names without calls go; calls of names that found no room get their flow when there is some."""
    catalogue_queue.tidy(now=timezone.now())


@shared_task(name="analytics.tasks.demo", ignore_result=True)
def trickle() -> None:
    """The demo project's traffic goes on."""
    demo.trickle(now=timezone.now())


def _beat(name: str) -> None:
    """Leave a sign of life for /readyz."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO heartbeat (name, at) VALUES (%s, now()) ON CONFLICT (name) DO UPDATE SET at = excluded.at",
            [name],
        )
