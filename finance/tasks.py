"""What Celery runs: thin, each may run twice."""

from celery import shared_task
from django.utils import timezone

from finance import schedules


@shared_task(name="finance.tasks.schedules", ignore_result=True)
def run_schedules() -> None:
    """Take and mail the exports whose day has come."""
    schedules.run_due(now=timezone.now())
