"""What the ledger's tests share: calls put into the inbox and loaded, and the tables as plain rows."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from accounts.models import Project
from analytics.load import load_lane
from ingest import inbox
from ingest.records import CallRecord, Tokens

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
T0 = int(datetime(2026, 11, 24, 9, 0, tzinfo=UTC).timestamp()) * 1_000_000
MINUTE = 60_000_000


def call(number: int, **fields: Any) -> CallRecord:
    """A call of support-triage on gpt-4o-mini: 1,000 tokens in, 100 out, 500 ms, `number` minutes after T0."""
    given: dict[str, Any] = {
        "id": f"call-{number}", "started_us": T0 + number * MINUTE, "flow": "support-triage", "feature": "support",
        "provider": "openai", "model": "gpt-4o-mini", "tokens": Tokens(input=1000, output=100),
        "duration_us": 500_000, "user": f"u-{number % 3}", "customer": "acme",
    }  # fmt: skip
    return CallRecord(**(given | fields))


def send(
    project: Project, records: Iterable[Any], *, kind: inbox.Kind = inbox.Kind.CALLS, now: datetime = NOW
) -> None:
    """Put records into the inbox."""
    inbox.put(list(records), kind=kind, sender=inbox.Sender(project.pk), now=now)


def load(project: Project, *, now: datetime = NOW) -> None:
    """Load everything that waits in the project's lane."""
    while load_lane(project.lane, now=now) is not None:
        pass


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
