"""A project with two months of calls in three currencies' worth of trouble: failed, unpriced, without a flow."""

from datetime import UTC, datetime

import pytest

from ingest.records import Tokens
from tests.analytics.ledger import call, load, send
from tests.personas import make_project

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def at(day: int, month: int = 10, hour: int = 12) -> int:
    """Microseconds of a moment of 2026, UTC."""
    return int(datetime(2026, month, day, hour, tzinfo=UTC).timestamp() * 1e6)


def calls():
    """October: ten priced calls of two flows and providers, one without a price, one without a flow; September: two."""
    found = [
        call(n, started_us=at(1 + n), flow="triage" if n % 2 else "answer", feature="support",
             provider="openai" if n < 6 else "anthropic", model="gpt-4o-mini" if n < 6 else "claude-sonnet-4-5",
             tokens=Tokens(input=1001 + n, cache_read=33, output=77))
        for n in range(10)
    ]  # fmt: skip
    found.append(call(20, started_us=at(12), model="house-1", provider="acme", flow="=cmd|' /C calc'!A0"))
    found.append(call(21, started_us=at(13), flow=None, feature=None))
    found += [call(30 + n, started_us=at(10 + n, month=9), flow="triage") for n in range(2)]
    return found


@pytest.fixture
def project(db):
    """Nothing in it; a zone in which days do not begin at midnight UTC."""
    return make_project(zone="Europe/Berlin")


@pytest.fixture
def filled(project):
    """Its calls arrived as they were made; none is late."""
    for record in calls():
        when = datetime.fromtimestamp(record.started_us / 1e6, UTC)
        send(project, [record], now=when)
    load(project, now=NOW)
    return project
