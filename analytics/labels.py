"""The texts of what groups carry as numbers: error classes, statuses, names of customers, users, sessions."""

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import Cursor

from analytics.compile import NAME_KINDS, REST_ID
from analytics.dimensions import NONE, REST
from analytics.plan import dimensions_of
from analytics.query import Query
from ingest.records import ERROR_CLASSES

_NAMES = "SELECT id, value FROM name WHERE project_id = %(project)s AND kind = %(kind)s AND id = ANY(%(ids)s)"
# Sessions are named by their runs, those of calls without a trace beside customers and users.
_SESSIONS = """
    SELECT DISTINCT ON (session_id) session_id, session FROM run
    WHERE project_id = %(project)s AND session_id = ANY(%(ids)s) AND session IS NOT NULL
    UNION SELECT id, value FROM name WHERE project_id = %(project)s AND kind = 3 AND id = ANY(%(ids)s)
    ORDER BY session_id
"""
_FIXED: dict[str, Mapping[Any, str]] = {
    "class": {code: name or NONE for code, name in enumerate(ERROR_CLASSES)},
    "status": {False: "ok", True: "error"},
}


def labels(
    cursor: "Cursor[Any]", query: Query, groups: Iterable[tuple[Any, ...]]
) -> dict[str, Mapping[Any, str]]:
    """Text by raw value, for every dimension of these groups that is not text already."""
    rows = list(groups)
    found: dict[str, Mapping[Any, str]] = {}
    for place, one in enumerate(dimensions_of(query)):
        if one.kind in _FIXED:
            found[one.name] = _FIXED[one.kind]
        elif one.kind in NAME_KINDS:
            ids = {int(row[place]) for row in rows} - {0, REST_ID}
            found[one.name] = _named(cursor, query.project.pk, one.kind, ids)
    return found


def _named(cursor: "Cursor[Any]", project_id: int, kind: str, ids: set[int]) -> Mapping[Any, str]:
    texts: dict[Any, str] = {0: NONE, REST_ID: REST}
    if ids:
        values = {"project": project_id, "kind": NAME_KINDS[kind], "ids": sorted(ids)}
        cursor.execute(_SESSIONS if kind == "session" else _NAMES, values)
        texts.update(cursor.fetchall())
    return {**{number: f"#{number & (2**64 - 1):016x}" for number in ids}, **texts}
