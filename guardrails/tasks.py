"""What Celery runs of alerts: thin, each may run twice and be killed anywhere."""

from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_ready
from django.db import DatabaseError, connection
from django.utils import timezone

from accounts.errors import ApiError
from accounts.models import Project
from guardrails import budgets_evaluate, deliveries, demo, digest, engine, messages

log = structlog.get_logger()
EVALUATOR = "evaluator"  # its sign of life, which /readyz and pages read


@shared_task(name="guardrails.tasks.evaluate", ignore_result=True)
def evaluate() -> None:
    """Evaluate every project's rules and budgets, then send what has to be told."""
    for project in Project.objects.order_by("pk"):
        _evaluate_budgets(project)
        try:
            engine.evaluate_project(project, now=timezone.now())
            messages.explain_new(project, now=timezone.now())
        except DatabaseError as problem:
            log.error("alerts not evaluated", project=project.slug, problem=str(problem))
            connection.close_if_unusable_or_obsolete()
    _beat()
    deliver()


def _evaluate_budgets(project: Project) -> None:
    """Before the rules, which make alerts of the thresholds that were crossed; they do without when it fails."""
    try:
        demo.ensure(project, now=timezone.now())
        budgets_evaluate.evaluate(project, now=timezone.now())
    except (ApiError, DatabaseError) as problem:
        log.error("budgets not evaluated", project=project.slug, problem=str(problem))
        connection.close_if_unusable_or_obsolete()


@shared_task(name="guardrails.tasks.deliver", ignore_result=True)
def deliver() -> None:
    """Send what is due."""
    deliveries.deliver(now=timezone.now())


@shared_task(name="guardrails.tasks.digests", ignore_result=True)
def digests() -> None:
    """The weekly digest where it is due; old deliveries are forgotten."""
    now = timezone.now()
    digest.queue_due(now=now)
    deliveries.forget(now=now)


@worker_ready.connect
def _first(sender: Any = None, **_: Any) -> None:
    """A worker that starts evaluates at once: beat's first tick is a minute away."""
    evaluate.apply_async(expires=60)


def _beat() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO heartbeat (name, at) VALUES (%s, now()) ON CONFLICT (name) DO UPDATE SET at = excluded.at",
            [EVALUATOR],
        )
