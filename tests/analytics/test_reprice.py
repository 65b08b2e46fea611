"""Corrected prices are found, shown and applied; the rollups follow to the last digit."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import AuditLine, Project
from analytics.pricebook import row_of
from analytics.reprice import reprice
from analytics.verify import verify
from pricing.own import own_price
from tests.analytics.ledger import NOW, call, load, rows, send

pytestmark = pytest.mark.django_db
DAYS: dict[str, Any] = {"first": date(2026, 11, 1), "last": date(2026, 12, 1), "now": NOW}
SPENT = (
    "SELECT sum(call_cost(cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit)),"
    " sum(unpriced) FROM usage_day"
)


@pytest.fixture
def project() -> Project:
    project = Project.objects.create(slug="acme", name="Acme")
    send(project, [call(n, provider="house", model="house-1", trace=f"run-{n // 2}") for n in range(10)])
    send(project, [call(n) for n in range(10, 14)])
    load(project)
    return project


def give_price(project: Project, dollars: str) -> None:
    entry = own_price(
        "house", "house-1", {"input": Decimal(dollars), "output": Decimal(10)},
        valid_from=datetime(2026, 1, 1, tzinfo=UTC), recorded_at=NOW,
    )  # fmt: skip
    row_of(entry, project_id=project.pk).save()


def test_a_price_given_later_prices_the_calls_that_waited_for_it(project):
    assert rows(SPENT) == [(Decimal("0.00084"), 10)]
    give_price(project, "2")
    shown = reprice(project, dry_run=True, **DAYS)
    assert [(line.calls, line.before, line.after) for line in shown.lines.values()] == [
        (10, Decimal(0), Decimal("0.03"))
    ]
    assert rows(SPENT) == [(Decimal("0.00084"), 10)]
    assert reprice(project, **DAYS).lines == shown.lines
    assert rows(SPENT) == [(Decimal("0.03084"), 0)]
    assert rows("SELECT sum(cost) FROM run_day") == [(Decimal("0.03084"),)]
    assert list(verify(project, now=NOW)) == []
    assert AuditLine.objects.get().details == {"calls": 10}


def test_applying_the_same_prices_again_changes_nothing(project):
    give_price(project, "2")
    reprice(project, **DAYS)
    assert reprice(project, **DAYS).lines == {}
    give_price(project, "3")
    assert [line.after - line.before for line in reprice(project, **DAYS).lines.values()] == [Decimal("0.01")]
    assert list(verify(project, now=NOW)) == []
