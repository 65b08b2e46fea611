"""1,000 rules, 100 of them for each of 200 customers: how long one evaluation takes, and how much it asks.

Run it with `make bench` or `.venv/bin/python -m bench.alerts`; it makes a database of its own.
"""

import os
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

RULES, EACH, CUSTOMERS, FLOWS = 1_000, 100, 200, 50
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def traffic(project: Any, now: datetime) -> int:
    """Calls of every flow and customer in the last hours."""
    from analytics.load import drain  # noqa: PLC0415
    from ingest import inbox  # noqa: PLC0415
    from ingest.records import CallRecord, Tokens  # noqa: PLC0415

    at = int(START.timestamp() * 1e6)
    records = [
        CallRecord(
            id=f"c-{flow}-{customer}-{n}", started_us=at + n * 900_000_000 + customer, flow=f"flow-{flow}",
            feature="bench", provider="openai", model="gpt-4.1-mini", customer=f"customer-{customer}",
            tokens=Tokens(input=1000, output=100), duration_us=500_000 + customer * 1000,
            failed=n == 1 and customer % 20 == 0, error_class="timeout" if n == 1 and customer % 20 == 0 else "",
        )
        for flow in range(FLOWS) for customer in range(CUSTOMERS) for n in range(2)
    ]  # fmt: skip
    for start in range(0, len(records), 5000):
        inbox.put(
            records[start : start + 5000], kind=inbox.Kind.CALLS, sender=inbox.Sender(project.pk), now=now
        )
    drain(now=lambda: now)
    return len(records)


def rules_of(project: Any) -> list[Any]:
    """900 rules on flows, and 100 for each customer of a flow: of cost this month, calls and errors of an hour."""
    from guardrails.alert_models import Rule  # noqa: PLC0415

    plain = (
        ("error_rate", {"above": 0.5}, "15min"), ("p95_latency", {"above": 4000}, "1h"),
        ("cost", {"above": 100}, "day"), ("calls", {"above": 1_000_000}, "1h"),
        ("cost_per_call", {"change_over": 80, "against": "same_hours"}, "1h"),
        ("p95_run_duration", {"above": 9000}, "1h"),
    )  # fmt: skip
    each = (("cost", {"above": 50}, "month"), ("calls", {"above": 100_000}, "1h"))
    made = []
    for number in range(RULES - EACH):
        measure, condition, window = plain[number % len(plain)]
        made.append(Rule(project=project, name=f"rule {number}", measure=measure, condition=condition, window=window,
                         filters={"flow": [f"flow-{number % FLOWS}"]}, min_count=5))  # fmt: skip
    for number in range(EACH):
        measure, condition, window = each[number % len(each)]
        made.append(Rule(project=project, name=f"each {number}", measure=measure, condition=condition, window=window,
                         filters={"flow": [f"flow-{number // 2}"]}, each="customer"))  # fmt: skip
    return Rule.objects.bulk_create(made)


def measured() -> list[tuple[str, str]]:
    """One evaluation after another: nothing fires, then everything of a kind does."""
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from accounts.projects import create_project  # noqa: PLC0415
    from guardrails import engine  # noqa: PLC0415
    from guardrails.alert_models import Alert, Rule  # noqa: PLC0415

    project = create_project(name="Bench alerts", zone="Europe/Berlin")
    now = START.replace(hour=9, minute=46)
    calls = traffic(project, now)
    rules_of(project)
    rows = []
    for said in ("nothing fires", "again", "every customer of 50 rules fires"):
        if said.startswith("every"):
            Rule.objects.filter(project=project, measure="cost", each="customer").update(
                condition={"above": float(Decimal("0.000001"))}
            )
        now = now.replace(minute=now.minute + 1)
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            outcome = engine.evaluate_project(project, now=now)
            seconds = time.perf_counter() - started
        assert outcome is not None
        fired = Alert.objects.filter(project=project, resolved_at=None).count()
        asked = f"{outcome.questions} questions, {len(queries)} other statements"
        done = f"{seconds:.2f} s, {outcome.rules} rules, {outcome.groups} groups"
        rows.append((said, f"{done}, {asked}, {fired} open alerts, {calls} calls"))
    return rows


def main() -> None:
    """A table."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django  # noqa: PLC0415

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.test.runner import DiscoverRunner  # noqa: PLC0415

    from analytics import pricebook  # noqa: PLC0415

    runner = DiscoverRunner(verbosity=0, interactive=False)
    old = runner.setup_databases()
    try:
        call_command("migrate", verbosity=0)
        pricebook.sync()
        for said, figures in measured():
            sys.stdout.write(f"{said:36} {figures}\n")
    finally:
        runner.teardown_databases(old)


if __name__ == "__main__":
    main()
