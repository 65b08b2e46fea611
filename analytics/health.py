"""Whether the installation lives, is ready, and how it does: /healthz, /readyz, /metrics. No key is needed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from accounts.models import Project
from analytics import demo
from analytics.output import json_response

HEARTBEAT_SECONDS = 60  # older: no worker runs what beat asks for
EVALUATOR_SECONDS = 300  # it evaluates alerts every minute
BROKER_SECONDS = 2
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_STATE = """
    SELECT coalesce(sum(items), 0)::bigint, count(*), min(received_at), (SELECT count(*) FROM inbox_dead)
    FROM inbox
"""
_INTAKE = """
    SELECT coalesce(sum(accepted), 0)::bigint, coalesce(sum(rejected), 0)::bigint,
        coalesce(sum(duplicates), 0)::bigint FROM intake
"""


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The web process answers."""
    return json_response({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when database, broker and worker answer, else 503 that says which does not. Lag is told, never unready."""
    now = timezone.now()
    checks = {name: check(now) for name, check in CHECKS.items()}
    ready = not any(checks.values())
    body: dict[str, Any] = {
        "status": "ready" if ready else "not ready",
        "checks": {name: problem or "ok" for name, problem in checks.items()},
    }
    if not checks["database"]:
        body["lag_seconds"] = _lag(now)
    return json_response(body, status=200 if ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures of the whole installation in Prometheus' text format."""
    try:
        registry = _measured(timezone.now())
    except (DatabaseError, InterfaceError):
        connection.close_if_unusable_or_obsolete()
        return HttpResponse("The database does not answer.\n", status=503, content_type="text/plain")
    return HttpResponse(generate_latest(registry), content_type=METRICS_TYPE)


def _database(now: datetime) -> str:
    try:
        _row("SELECT 1")
    except (DatabaseError, InterfaceError):
        connection.close_if_unusable_or_obsolete()
        return "The database does not answer."
    return ""


def _broker(now: datetime) -> str:
    try:
        with current_app.connection_for_read() as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
    except (OperationalError, OSError, psycopg.Error):  # pgmq's errors come as they are
        return "The broker does not answer."
    return ""


def _worker(now: datetime) -> str:
    """Beat asks the worker every second; what it answered last stands in `heartbeat`."""
    try:
        (at,) = _row("SELECT max(at) FROM heartbeat WHERE name = 'worker'")
    except (DatabaseError, InterfaceError):
        connection.close_if_unusable_or_obsolete()
        return "The database does not answer."
    if at is None:
        return "No worker has run yet."
    age = (now - at).total_seconds()
    return "" if age <= HEARTBEAT_SECONDS else f"The worker was last seen {age:.0f} seconds ago."


def _evaluator(now: datetime) -> str:
    """Whoever evaluates alerts leaves a sign of life each time; a worker begins with it."""
    try:
        (at,) = _row("SELECT max(at) FROM heartbeat WHERE name = 'evaluator'")
    except (DatabaseError, InterfaceError):
        connection.close_if_unusable_or_obsolete()
        return "The database does not answer."
    if at is None:
        return "Alerts have not been evaluated yet."
    age = (now - at).total_seconds()
    return "" if age <= EVALUATOR_SECONDS else f"Alerts were last evaluated {age:.0f} seconds ago."


_shown: set[int] = set()  # demo projects that were seen whole: asked once


def _demo(now: datetime) -> str:
    """Ready means that the demo is there to be looked at."""
    try:
        project = Project.objects.filter(is_demo=True).first() if settings.DEMO else None
        if project is None or project.pk in _shown:
            return ""
        if not demo.is_filled(project):
            return "The demo project is being filled."
    except (DatabaseError, InterfaceError):
        connection.close_if_unusable_or_obsolete()
        return "The database does not answer."
    _shown.add(project.pk)
    return ""


CHECKS: dict[str, Callable[[datetime], str]] = {
    "database": _database, "broker": _broker, "worker": _worker, "evaluator": _evaluator,
    "demo": _demo,
}  # fmt: skip


def _lag(now: datetime) -> float:
    (oldest,) = _row("SELECT min(received_at) FROM inbox")
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0


def _measured(now: datetime) -> CollectorRegistry:
    waiting, rows, oldest, dead = _row(_STATE)
    accepted, rejected, duplicates = _row(_INTAKE)
    (seen,) = _row("SELECT max(at) FROM heartbeat WHERE name = 'worker'")
    figures = {
        "inbox_records": ("Accepted records that are not loaded yet", waiting),
        "inbox_rows": ("Rows of the inbox", rows),
        "inbox_age_seconds": ("Age of the oldest record that is not loaded yet", _age(oldest, now)),
        "inbox_bound_records": ("Records at which the front door answers 503", settings.INGEST_INBOX_BOUND),
        "inbox_dead_rows": ("Inbox rows that could not be loaded", dead),
        "calls_loaded_total": ("Calls that entered the ledger", accepted),
        "items_rejected_total": ("Items that the front door refused", rejected),
        "duplicates_total": ("Calls that were known already", duplicates),
        "worker_heartbeat_age_seconds": ("Time since the worker was last seen", _age(seen, now)),
    }
    registry = CollectorRegistry()
    for name, (words, value) in figures.items():
        Gauge(f"flowledger_{name}", words, registry=registry).set(value)
    return registry


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


def _row(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()
