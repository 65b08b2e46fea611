"""The Celery app: broker, schedule, and where tasks are found."""

import os
from typing import Any

from celery import Celery
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def _transport_options() -> dict[str, Any]:
    """Options of the broker in use. pgmq shares the ledger's database; figures in docs/decisions/0003."""
    if not settings.CELERY_BROKER_URL.startswith("pgmq"):
        return {"visibility_timeout": 3600}
    params = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert")
    return {
        "conn_string": make_conninfo(**{name: params[name] for name in names if params.get(name)}),
        "init_extension": False,
        "use_notify": True,
        "wait_time_seconds": 0,
        "visibility_timeout": 3600,
        "polling_interval": 1,
    }


app = Celery("flowledger")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_transport_options=_transport_options(),
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=16,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    task_acks_late=True,
    task_ignore_result=True,
    task_serializer="json",
    timezone="UTC",
    beat_schedule={
        "drain": {"task": "analytics.tasks.drain", "schedule": 1.0, "options": {"expires": 5}},
        "fold": {"task": "analytics.tasks.fold", "schedule": 30.0, "options": {"expires": 30}},
        "housekeeping": {
            "task": "analytics.tasks.housekeeping",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "notice": {"task": "analytics.tasks.notice", "schedule": 60.0, "options": {"expires": 60}},
        "catalogue": {"task": "analytics.tasks.catalogue", "schedule": 60.0, "options": {"expires": 60}},
        "schedules": {"task": "finance.tasks.schedules", "schedule": 900.0, "options": {"expires": 900}},
        "evaluate": {"task": "guardrails.tasks.evaluate", "schedule": 60.0, "options": {"expires": 60}},
        "deliver": {"task": "guardrails.tasks.deliver", "schedule": 10.0, "options": {"expires": 10}},
        "digests": {"task": "guardrails.tasks.digests", "schedule": 900.0, "options": {"expires": 900}},
        "measure_changes": {
            "task": "analytics.tasks.measure_changes",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "demo": {"task": "analytics.tasks.demo", "schedule": 60.0, "options": {"expires": 60}},
    },
)
app.set_default()  # for the web server's threads too, which do not inherit the current app
app.autodiscover_tasks(["analytics", "ingest", "guardrails", "finance"])
