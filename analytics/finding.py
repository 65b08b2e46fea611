"""Find: what of a project is called so. Every source is one look-up that an index or a small table answers.

Customers, users and sessions are found by how their names begin (index name_prefix), runs by their id or its
beginning, calls by the opaque id of a list. A call's own id, as its sender knows it, is looked for in the last three
days only: the ledger has no index on it. Response ids have none at all and are not looked for.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Cursor

from accounts.models import Project
from analytics.intern import CUSTOMER, SESSION, USER, call_key, hash_of, run_key
from analytics.opaque import call_id, read_id
from analytics.reading import reading

MOST = 5  # of each kind
LONGEST = 200
RECENT = timedelta(days=3)
_HEX = re.compile(r"[0-9a-f]{6,32}").fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Found:
    """One thing: `value` as its page's filter or address has it, `note` what is known beside it."""

    kind: str
    value: str
    note: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: the text, and as patterns of LIKE in small letters."""

    project: Project
    text: str
    now: datetime

    @property
    def values(self) -> dict[str, Any]:
        """Parameters that the sources share."""
        escaped = re.sub(r"([\\%_])", r"\\\1", self.text.lower())
        return {
            "project": self.project.pk,
            "most": MOST,
            "begins": f"{escaped[:100]}%",
            "holds": f"%{escaped}%",
        }


def find(text: str, *, project: Project, now: datetime) -> list[Found]:
    """What is called so, by kind; nothing for a text without a letter. Raises ApiError 503 after ten seconds."""
    text = _CONTROL.sub(" ", text).strip()[:LONGEST]
    if not text:
        return []
    wanted = Wanted(project, text, now)
    with reading() as cursor:
        return [one for source in SOURCES for one in source(cursor, wanted)]


def _features(cursor: "Cursor[Any]", wanted: Wanted) -> list[Found]:
    return _named(cursor, wanted, "feature", "analytics_feature", "NULL::text", "")


def _flows(cursor: "Cursor[Any]", wanted: Wanted) -> list[Found]:
    join = """LEFT JOIN analytics_feature f ON f.id = today.feature_id
        LEFT JOIN analytics_feature g ON g.id = coalesce(f.alias_of_id, f.id)"""
    return _named(cursor, wanted, "flow", "analytics_flow", "g.name", join)


def _named(cursor: "Cursor[Any]", wanted: Wanted, kind: str, table: str, note: str, join: str) -> list[Found]:
    """Names of the catalogue that hold the text, other names leading to today's; those that begin so first."""
    query = f"""
        SELECT today.name, min(CASE WHEN named.pk THEN {note} ELSE 'also ' || named.name END),
            min(CASE WHEN lower(named.name) LIKE %(begins)s THEN 0 ELSE 1 END) AS place
        FROM (SELECT *, alias_of_id IS NULL AS pk FROM {table} WHERE project_id = %(project)s
              AND lower(name) LIKE %(holds)s) named
        JOIN {table} today ON today.id = coalesce(named.alias_of_id, named.id) {join}
        GROUP BY today.name ORDER BY place, length(today.name), today.name LIMIT %(most)s"""  # noqa: S608
    cursor.execute(query.encode(), wanted.values)
    return [Found(kind, name, told or "") for name, told, _ in cursor.fetchall()]


def _prompts(cursor: "Cursor[Any]", wanted: Wanted) -> list[Found]:
    cursor.execute(
        """
        SELECT prompt, count(DISTINCT prompt_version) FROM series
        WHERE project_id = %(project)s AND lower(prompt) LIKE %(holds)s
        GROUP BY prompt ORDER BY lower(prompt) LIKE %(begins)s DESC, length(prompt), prompt LIMIT %(most)s""",
        wanted.values,
    )
    return [
        Found("prompt", name, f"{count} version{'' if count == 1 else 's'}")
        for name, count in cursor.fetchall()
    ]


def _people(kind: str, code: int) -> Callable[["Cursor[Any]", Wanted], list[Found]]:
    """Names of one kind that begin so: at most a few rows of an index."""

    def source(cursor: "Cursor[Any]", wanted: Wanted) -> list[Found]:
        cursor.execute(
            """
            SELECT value FROM name
            WHERE project_id = %(project)s AND kind = %(kind)s AND lower(left(value, 100)) LIKE %(begins)s
            ORDER BY lower(left(value, 100)) USING ~<~ LIMIT %(most)s""",
            wanted.values | {"kind": code},
        )
        return [Found(kind, value) for (value,) in cursor.fetchall()]

    return source


def _sessions(cursor: "Cursor[Any]", wanted: Wanted) -> list[Found]:
    """The very session, by its runs, and sessions of calls without a trace that begin so."""
    cursor.execute(
        """
        SELECT max(session), max(started_at) FROM run
        WHERE project_id = %(project)s AND session_id = %(id)s HAVING count(*) > 0""",
        {"project": wanted.project.pk, "id": hash_of(wanted.text)},
    )
    exact = [Found("session", name or wanted.text, at=at) for name, at in cursor.fetchall()]
    others = _people("session", SESSION)(cursor, wanted)
    return [*exact, *(one for one in others if one.value not in {known.value for known in exact})][:MOST]


def _runs(cursor: "Cursor[Any]", wanted: Wanted) -> list[Found]:
    """Runs by trace id, by the beginning of one, or by the id of a span that is a call."""
    text = wanted.text
    keys = [run_key(text), run_key(text.lower().replace("-", ""))]
    if "-" in text:
        keys.append(run_key(text.split("-")[0]))
    values: dict[str, Any] = {
        "project": wanted.project.pk,
        "keys": keys,
        "most": MOST,
        "low": None,
        "high": None,
    }
    begins = text.lower().replace("-", "")
    if _HEX(begins):
        values |= {"low": begins.ljust(32, "0"), "high": begins.ljust(32, "f")}
    cursor.execute(
        """
        SELECT id, raw_id, started_at FROM (
            SELECT id, raw_id, started_at FROM run WHERE project_id = %(project)s AND id = ANY(%(keys)s::uuid[])
            UNION ALL (SELECT id, raw_id, started_at FROM run
                WHERE project_id = %(project)s AND id BETWEEN %(low)s::uuid AND %(high)s::uuid LIMIT 50)) found
        ORDER BY started_at DESC LIMIT %(most)s""",
        values,
    )
    rows = {row[0]: row for row in cursor.fetchall()}
    return [Found("run", raw or key.hex, at=at) for key, raw, at in rows.values()]


def _calls(cursor: "Cursor[Any]", wanted: Wanted) -> list[Found]:
    """A call by its opaque id, or by its sender's in the last days."""
    known = read_id(wanted.text)
    if known is not None:
        since, until, key = known[0], known[0], str(known[1])
    else:
        since, until, key = wanted.now - RECENT, wanted.now + timedelta(hours=2), call_key(wanted.text)
    cursor.execute(
        """
        SELECT c.started_at, c.id, c.trace, run.raw_id FROM call c
        LEFT JOIN LATERAL (SELECT raw_id FROM run WHERE run.project_id = c.project_id AND run.id = c.trace LIMIT 1)
            run ON true
        WHERE c.project_id = %(project)s AND c.started_at BETWEEN %(since)s AND %(until)s AND c.id = %(key)s::uuid
        ORDER BY c.started_at DESC LIMIT 1""",
        {"project": wanted.project.pk, "since": since, "until": until, "key": key},
    )
    return [
        Found("call", (raw or trace.hex) if trace else call_id(at, number), f"call-{number.hex[:12]}", at)
        for at, number, trace, raw in cursor.fetchall()
    ]


Source = Callable[["Cursor[Any]", Wanted], Sequence[Found]]
SOURCES: tuple[Source, ...] = (
    _flows,
    _features,
    _prompts,
    _people("customer", CUSTOMER),
    _people("user", USER),
    _sessions,
    _runs,
    _calls,
)
