"""What every page says of alerts: how many fire, and whether anybody still looks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from accounts.models import Project
from dashboard import formats

STALE = timedelta(minutes=5)
_PULSE = """
    SELECT (SELECT count(*) FROM guardrails_alert WHERE project_id = %(project)s AND resolved_at IS NULL
                AND state IN ('firing', 'no_data') AND grouped_under_id IS NULL),
           (SELECT at FROM heartbeat WHERE name = 'evaluator'),
           EXISTS (SELECT FROM guardrails_rule WHERE project_id = %(project)s)
"""


@dataclass(frozen=True, slots=True)
class Pulse:
    """`firing`: alerts that fire; `stale`: a sentence when nobody evaluates any more, else ""."""

    firing: int
    stale: str


def pulse(project: Project, *, now: datetime) -> Pulse:
    """One statement for a page."""
    with connection.cursor() as cursor:
        cursor.execute(_PULSE, {"project": project.pk})
        firing, at, has_rules = cursor.fetchone() or (0, None, False)
    if at is None:
        return Pulse(firing, "Alerts have not been evaluated yet." if has_rules else "")
    if now - at <= STALE:
        return Pulse(firing, "")
    since = formats.moment(at, zone=project.zone, now=now)
    return Pulse(
        firing, f"Alerts were last evaluated {since}: nothing fires and nothing clears until that runs again."
    )
