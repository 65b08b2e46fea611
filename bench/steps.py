"""`python -m bench.steps native|otlp ITEMS`: one loader at work in this process, and the seconds of each of its steps.

Run against a product whose worker and clock stand still (SIGSTOP), with its DATABASE_URL. Prints JSON.
"""

import json
import os
import sys
import time
from typing import Any

import django

from bench import traffic
from bench.product import cpu_of


def main(kind: str, items: int) -> dict[str, Any]:
    """Puts traffic into the inbox and loads it; items, and the seconds of what it took."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connection  # noqa: PLC0415 - after django.setup()
    from django.utils import timezone  # noqa: PLC0415

    from accounts.models import Project  # noqa: PLC0415
    from analytics import ledger, load  # noqa: PLC0415

    project = Project.objects.get(slug="bench-1")
    _put(kind, items, project)
    server = connection.connection.info.backend_pid
    start, python, postgres = time.perf_counter(), time.process_time(), cpu_of(server)
    load.drain(
        now=timezone.now, seconds=600, lanes=[project.lane]
    )  # as the worker does: the next batch made ready
    return {
        "items": items, "seconds": time.perf_counter() - start, "python": time.process_time() - python,
        "postgres": cpu_of(server) - postgres, "steps": ledger.TIMES_SPENT,
    }  # fmt: skip


def _put(kind: str, items: int, project: Any) -> None:
    from ingest import inbox  # noqa: PLC0415
    from ingest.wire.event import Rules  # noqa: PLC0415
    from ingest.wire.native import decode_events  # noqa: PLC0415
    from ingest.wire.otlp import decode_traces  # noqa: PLC0415

    now_us = int(time.time() * 1e6)
    sender = inbox.Sender(project.pk)
    world = traffic.World(now_us)
    if kind == "native":
        for body in traffic.native(world, at_us=now_us, items=items, size=1_000):
            found = decode_events(body.data, ndjson=False, rules=Rules(now_us=now_us)).records
            inbox.put(found, kind=inbox.Kind.CALLS, sender=sender, now=_moment(now_us))
        return
    for body in traffic.otlp(world, at_us=now_us, items=items):
        spans = decode_traces(body.data, json=False, now_us=now_us, floor_us=0, keep_content=False).spans
        inbox.put(spans, kind=inbox.Kind.SPANS, sender=sender, now=_moment(now_us))


def _moment(us: int) -> Any:
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime.fromtimestamp(us / 1e6, UTC)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
