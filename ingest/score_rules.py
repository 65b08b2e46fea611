"""What a project has confirmed of its scores, for the door: read from the table that `analytics` writes."""

import time
from decimal import Decimal

from django.db import connection

from ingest.wire.scores import Rule

KEPT_SECONDS = 5
_QUERY = """
    SELECT name, kind, low, high FROM score_definition WHERE project_id = %s AND confirmed_at IS NOT NULL
"""
_kept: dict[int, tuple[float, dict[str, Rule]]] = {}


def rules_of(project_id: int) -> dict[str, Rule]:
    """Confirmed type and range by score name; at most KEPT_SECONDS old."""
    due, rules = _kept.get(project_id, (0.0, {}))
    if time.monotonic() >= due:
        with connection.cursor() as cursor:
            cursor.execute(_QUERY, [project_id])
            rules = {
                name: Rule(kind, _plain(low), _plain(high)) for name, kind, low, high in cursor.fetchall()
            }
        _kept[project_id] = (time.monotonic() + KEPT_SECONDS, rules)
    return rules


def _plain(bound: Decimal | None) -> Decimal | None:
    return None if bound is None else bound.normalize()


def forget() -> None:
    """Read them again at the next question."""
    _kept.clear()
