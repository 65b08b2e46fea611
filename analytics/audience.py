"""Distinct users and customers of each day, as mergeable sketches. They take no deltas: only additions;
what is taken away marks the day dirty, and it is built again from the ledger."""

from typing import Any

import numpy as np
from psycopg import Cursor

from analytics import sketch

ALL_FLOWS = -1
_IDS = np.dtype(">i8")
Row = tuple[int, Any, str, int, bytes | None, bytes | None]
_READ = """
    SELECT a.project_id, a.day, a.environment, a.flow_id, a.users, a.customers
    FROM audience_day a
    JOIN unnest(%s::int[], %s::date[], %s::text[], %s::bigint[]) AS k(project_id, day, environment, flow_id)
      ON (a.project_id, a.day, a.environment, a.flow_id) = (k.project_id, k.day, k.environment, k.flow_id)
"""
_WRITE = """
    INSERT INTO audience_day (project_id, day, environment, flow_id, users, customers)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (project_id, day, environment, flow_id)
    DO UPDATE SET users = excluded.users, customers = excluded.customers
"""


def add(cursor: "Cursor[Any]", rows: list[Row]) -> None:
    """Merge (project, day, environment, flow, user ids, customer ids) into the stored sketches.

    Ids are packed, eight bytes each, big-endian."""
    if not rows:
        return
    seen: dict[tuple[Any, ...], tuple[bytearray, bytearray]] = {}
    for project, day, environment, flow, users, customers in rows:
        for key in ((project, day, environment, flow), (project, day, environment, ALL_FLOWS)):
            known = seen.setdefault(key, (bytearray(), bytearray()))
            known[0].extend(users or b"")
            known[1].extend(customers or b"")
    cursor.execute(_READ, [list(column) for column in zip(*seen, strict=True)])
    stored = {row[:4]: (bytes(row[4]), bytes(row[5])) for row in cursor.fetchall()}
    empty = sketch.of(np.array([], dtype=np.int64))
    changed: list[tuple[Any, ...]] = []
    for key, ids in seen.items():
        before = stored.get(key, (empty, empty))
        after = tuple(
            sketch.union([old, sketch.of(np.frombuffer(new, _IDS).astype(np.int64))]) if new else old
            for old, new in zip(before, ids, strict=True)
        )
        if after != before or key not in stored:
            changed.append((*key, *after))
    if changed:
        changed.sort(key=lambda row: row[:4])
        cursor.executemany(_WRITE, changed)
