"""Where the ledger begins, and what is dropped when its time is over. The floor moves first, and only forward."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg import sql

from analytics import partitions
from ingest.models import EVER, LedgerFloor


def floor() -> datetime:
    """The instant before which load, import, correction and rebuild refuse what they are given (`too_old`)."""
    return LedgerFloor.objects.values_list("floor", flat=True).first() or EVER


def raise_floor(to: datetime) -> datetime:
    """Move the floor forward, never back; returns where it stands."""
    LedgerFloor.objects.filter(floor__lt=to).update(floor=to)
    return floor()


def enforce(*, now: datetime) -> list[str]:
    """Drop partitions whose time is over, and quarter hours that are no longer kept; returns what was dropped."""
    dropped: list[str] = []
    limits = {
        "call": settings.LEDGER_RETENTION_DAYS, "run": settings.LEDGER_RETENTION_DAYS,
        "span": settings.SPAN_RETENTION_DAYS, "content": settings.CONTENT_RETENTION_DAYS,
    }  # fmt: skip
    if settings.LEDGER_RETENTION_DAYS:
        limit = now - timedelta(days=settings.LEDGER_RETENTION_DAYS)
        raise_floor(partitions.start_of(limit, partitions.WEEK))
    for kind in partitions.TABLES:
        days = limits[kind.table]
        if days:
            dropped += _drop_older(kind.table, now - timedelta(days=days))
    _forget_quarters(_midnight(now) - timedelta(days=settings.QUARTER_HOUR_DAYS))
    return dropped


def _drop_older(table: str, limit: datetime) -> list[str]:
    """Drop the partitions that end before the limit; one that is in use is tried again next time."""
    dropped = []
    with connection.cursor() as cursor:
        ended = [name for name, _, end in partitions.existing(cursor.cursor, table) if end <= limit]
    for name in ended:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
            dropped.append(name)
        except OperationalError:
            continue
    partitions.forget()
    return dropped


_QUARTERS = (
    "usage", "usage_coarse", "customer_bucket", "run_bucket", "run_coarse", "score_bucket", "sign_bucket", "exemplar",
)  # fmt: skip


def _forget_quarters(limit: datetime) -> None:
    with connection.cursor() as cursor:
        for table in _QUARTERS:
            cursor.execute(sql.SQL("DELETE FROM {} WHERE bucket < %s").format(sql.Identifier(table)), [limit])


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
