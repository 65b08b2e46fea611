"""What Celery runs of alerts: thin, each may run twice and be killed anywhere."""

from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.db import connection
from django.utils import timezone

from accounts.models import Project
from analytics.apart import apart
from guardrails import budgets_evaluate, deliveries, demo, digest, engine, messages

EVALUATOR = "evaluator"  # its sign of life, which /readyz and pages read


@shared_task(name="guardrails.tasks.evaluate", ignore_result=True)
def evaluate() -> None:
    """Evaluate every project's rules and budgets, then send what has to be told."""
    for project in Project.objects.order_by("pk"):
        # Budgets first: the engine makes alerts of the thresholds that were crossed, and does without when it fails.
        with apart("budgets", project.slug):
            demo.ensure(project, now=timezone.now())
            budgets_evaluate.evaluate(project, now=timezone.now())
        with apart("alerts", project.slug):
            engine.evaluate_project(project, now=timezone.now())
            messages.explain_new(project, now=timezone.now())
    _beat()
    deliver()


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
