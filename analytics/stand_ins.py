"""Fingerprints that stand in for the version of prompts that nobody versioned: at most twenty new ones a flow and day.

A prompt with a date or a name in it has another fingerprint with every day or call: the rest are `(other)`.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

from psycopg import Cursor

from analytics.changes_kinds import STAND_IN
from analytics.dimensions import OTHER

A_DAY = 20
SHOWN = 12  # hex digits of a fingerprint that are kept as a version: 48 bits, for at most thousands a flow
DAY_US = 86_400_000_000
_KNOWN = """
    SELECT s.flow_id, s.prompt_version, floor(extract(epoch FROM min(g.first_at)) / 86400)::int
    FROM series s LEFT JOIN sighting g ON g.project_id = s.project_id AND g.series_id = s.id
    WHERE s.project_id = %s AND s.prompt_version LIKE %s GROUP BY 1, 2
"""


def version_of(prompt_version: str | None, fingerprint: str | None) -> str | None:
    """What a call says of its prompt's version: the version, else its fingerprint, shortened."""
    if prompt_version is not None or not fingerprint:
        return prompt_version
    return STAND_IN + fingerprint[:SHOWN]


@dataclass(slots=True)
class StandIns:
    """The fingerprints of a project's flows that are versions, and how many a day brought."""

    known: set[tuple[int, str]] = field(default_factory=set)
    new: dict[tuple[int, int], int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def admitted(self, flow_id: int, version: str, at_us: int) -> str:
        """The version itself, or `(other)` where the flow had its new ones of that day (UTC) already."""
        with self.lock:
            if (flow_id, version) in self.known:
                return version
            day = (flow_id, at_us // DAY_US)
            if self.new.get(day, 0) >= A_DAY:
                return OTHER
            self.new[day] = self.new.get(day, 0) + 1
            self.known.add((flow_id, version))
        return version


def load_stand_ins(cursor: "Cursor[Any]", project_id: int) -> StandIns:
    """What is stored of a project."""
    found = StandIns()
    cursor.execute(_KNOWN, [project_id, f"{STAND_IN}%"])
    for flow_id, version, day in cursor.fetchall():
        found.known.add((flow_id, version))
        if day is not None:
            found.new[flow_id, day] = found.new.get((flow_id, day), 0) + 1
    return found
