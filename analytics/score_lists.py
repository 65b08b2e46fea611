"""The runs that a score thinks worst of, and scores whose call or run has not come."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg import Cursor

from accounts.models import Project
from analytics.asks import Ask, worst_of
from analytics.compile import Asked, series_sql
from analytics.scores_models import ScoreDefinition

# ruff: noqa: S608 - built from registries and constants
PER_RUN = 5  # scores of one run that may stand before those of others are found


def worst(cursor: "Cursor[Any]", ask: Ask) -> dict[UUID, datetime]:
    """Keys of the worst scored runs of the period and when they were, worst first. Index: score_time.

    By the definition's good direction; categories that do not pass come first."""
    name = worst_of(ask.order)
    definition = ScoreDefinition.objects.filter(project=ask.query.project, name=name).first()
    if definition is None:
        return {}
    asked = Asked(ask.query, ask.query.period.zone, {})
    order = {
        "categorical": "score_passes(f.kind, f.good, f.threshold, f.passing, s.value, s.label)",
    }.get(definition.kind, "s.value" if definition.good == "up" else "-s.value")
    cursor.execute(
        f"SELECT coalesce(s.bound_run, s.bound_call), s.at FROM score s"
        " JOIN scorer k ON k.project_id = s.project_id AND k.id = s.scorer_id"
        " JOIN score_definition f ON f.project_id = s.project_id AND f.name = k.name"
        f" WHERE s.project_id = {asked.put(ask.query.project.pk)} AND k.name = {asked.put(name)}"
        f" AND s.at >= {asked.put(ask.query.period.start)} AND s.at < {asked.put(ask.query.period.end)}"
        f" AND s.series_id = ANY(ARRAY({series_sql(asked, {}, 's.id')}))"
        f" ORDER BY {order} NULLS LAST, s.at DESC, s.id LIMIT {asked.put(ask.limit * PER_RUN)}".encode(),
        asked.parameters.values,
        prepare=False,
    )
    best: dict[UUID, datetime] = {}
    for key, at in cursor.fetchall():
        if len(best) < ask.limit:
            best.setdefault(key, at)
    return best


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A score or an outcome that waits for what it was given to. `kind`: score or outcome; `target`: as sent."""

    kind: str
    name: str
    target: str
    value: Decimal | None
    label: str | None
    source: str
    received_at: datetime


_ORPHANS = """
    SELECT * FROM (
        (SELECT 'score' AS kind, k.name, coalesce(s.target, '') AS target, s.value, s.label, k.source, s.received_at
         FROM score s JOIN scorer k ON k.project_id = s.project_id AND k.id = s.scorer_id
         WHERE s.project_id = %(project)s AND s.series_id IS NULL ORDER BY s.received_at LIMIT %(most)s)
        UNION ALL
        (SELECT 'outcome', 'outcome', coalesce(raw_id, ''), value, success::text, 'user', received_at FROM outcome
         WHERE project_id = %(project)s AND found_at IS NULL ORDER BY received_at LIMIT %(most)s)) AS waiting
    ORDER BY received_at LIMIT %(most)s
"""
_HOW_MANY = """
    SELECT (SELECT count(*) FROM score WHERE project_id = %(project)s AND series_id IS NULL)
         + (SELECT count(*) FROM outcome WHERE project_id = %(project)s AND found_at IS NULL)
"""


def orphans(project: Project, *, most: int = 100) -> tuple[list[Orphan], int]:
    """(the oldest scores and outcomes whose target has not come, how many there are). Index: score_waiting."""
    values = {"project": project.pk, "most": most}
    with connection.cursor() as cursor:
        cursor.execute(_HOW_MANY, values)
        (count,) = cursor.fetchone()
        cursor.execute(_ORPHANS, values)
        names = ("kind", "name", "target", "value", "label", "source", "received_at")
        return [Orphan(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()], count
