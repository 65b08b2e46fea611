"""Lists of calls and runs, newest first, a page at a time, and the extreme runs of a period."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import dict_row

from accounts.errors import ApiError
from accounts.models import Project
from analytics.asks import EXEMPLAR_KINDS, Ask, check_runs, worst_of
from analytics.compile import CATALOGUE, CODES, NAME_KINDS, Asked, on_row, one_of, series_sql
from analytics.entries import CALLS, LONE_COLUMNS, RUN_COLUMNS, RUNS, Call, Run, call_of, run_of
from analytics.intern import call_key, run_key
from analytics.ledger_codes import COST_STATUSES, FAILURE
from analytics.opaque import call_id, read_id
from analytics.reading import reading
from analytics.score_lists import worst
from analytics.windows import Window, windows

# ruff: noqa: S608 - built from registries and constants
MOST_CALLS_OF_A_RUN = 2_000
_TAG_SET = "LEFT JOIN tag_set ON tag_set.project_id = u.project_id AND tag_set.id = u.tag_set_id"


# Runs are partitioned by the day of their start (UTC).
_DAYS = {
    "run": (
        "u.first_day BETWEEN (w.lo AT TIME ZONE 'UTC')::date - 1 AND (w.hi AT TIME ZONE 'UTC')::date + 1",
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    """Calls, and the cursor of the next page (None: there is none)."""

    calls: tuple[Call, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Runs, and the cursor of the next page (None: there is none)."""

    runs: tuple[Run, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """One run with its calls, oldest first, at most MOST_CALLS_OF_A_RUN of them."""

    run: Run
    calls: tuple[Call, ...]


def calls(ask: Ask, *, now: datetime) -> CallPage:
    """A page of calls, newest first. Raises ApiError 503 when it takes over ten seconds."""
    need = ask.limit + 1
    found: list[dict[str, Any]] = []
    with reading() as cursor:
        for helping in windows(cursor, ask, runs=False, need=need, now=now):
            found += _calls_in(cursor, ask, helping, need - len(found))
            if len(found) >= need:
                break
    page = [call_of(row) for row in found[: ask.limit]]
    return CallPage(calls=tuple(page), next=page[-1].id if len(found) > ask.limit else None)


def runs(ask: Ask, *, now: datetime) -> RunPage:
    """A page of runs: newest first, or the extreme ones of the period (one page).

    Raises ApiError 422 for a filter that runs do not know, 503 when it takes over ten seconds."""
    check_runs(ask)
    need = ask.limit + 1
    found: list[dict[str, Any]] = []
    with reading() as cursor:
        if ask.order in EXEMPLAR_KINDS:
            return RunPage(runs=_extreme(cursor, ask), next=None)
        if worst_of(ask.order):
            return RunPage(runs=_runs_of(cursor, ask, worst(cursor, ask)), next=None)
        for helping in windows(cursor, ask, runs=True, need=need, now=now):
            found += _runs_in(cursor, ask, helping, need - len(found))
            if len(found) >= need:
                break
    page = [run_of(row) for row in found[: ask.limit]]
    after = call_id(page[-1].started_at, page[-1].key) if len(found) > ask.limit else None
    return RunPage(runs=tuple(page), next=after)


def one_call(opaque: str, *, project: Project) -> Call | None:
    """The call of that opaque id, None when the project has none."""
    found = read_id(opaque)
    if found is None:
        return None
    with reading() as cursor:
        rows = _rows(
            cursor,
            CALLS,
            "SELECT u.* FROM call u WHERE u.project_id = %(project)s AND u.started_at = %(at)s AND u.id = %(key)s",
            {"project": project.pk, "at": found[0], "key": found[1]},
        )
    return call_of(rows[0]) if rows else None


def one_run(name: str, *, project: Project) -> RunDetail | None:
    """The newest run of that id: a trace id as it was sent, or, of a call without a trace, its opaque id or its own.

    By its own id a call is looked for from the newest back: the older, the longer it takes."""
    values = {"project": project.pk, "key": run_key(name)}
    with reading() as cursor:
        rows = _rows(cursor, RUNS, _run_page("u.id = %(key)s::uuid", RUN_COLUMNS, "run", 1), values)
        if rows:
            return RunDetail(run=run_of(rows[0]), calls=_calls_of(cursor, rows[0]))
        lone: dict[str, Any] = {"project": project.pk, "key": call_key(name)}
        where = "u.id = %(key)s::uuid AND u.trace IS NULL"
        if (found := read_id(name)) is not None:
            lone |= {"at": found[0], "key": found[1]}
            where += " AND u.started_at = %(at)s"
        rows = _rows(cursor, RUNS, _run_page(where, LONE_COLUMNS, "call", 1), lone)
    call = one_call(call_id(rows[0]["started_at"], rows[0]["id"]), project=project) if rows else None
    return RunDetail(run=run_of(rows[0]), calls=(call,)) if rows and call else None


def has_trace(name: str, *, project: Project) -> bool:
    """Whether the project has a run of that trace id; one look-up of an index."""
    with reading() as cursor:
        values = {"project": project.pk, "key": run_key(name)}
        cursor.execute(
            "SELECT 1 FROM run WHERE project_id = %(project)s AND id = %(key)s::uuid LIMIT 1", values
        )
        return cursor.fetchone() is not None


def has_call(name: str, *, project: Project) -> bool:
    """Whether the project has a call without a trace of that id, as `one_run` looks for it; False when it takes too
    long to know."""
    try:
        return one_run(name, project=project) is not None
    except ApiError:
        return False


def _calls_of(cursor: "Cursor[Any]", run: dict[str, Any]) -> tuple[Call, ...]:
    page = f"""SELECT u.* FROM call u WHERE u.project_id = %(project)s AND u.trace = %(key)s
        AND u.started_at BETWEEN %(start)s AND %(end)s ORDER BY u.started_at LIMIT {MOST_CALLS_OF_A_RUN}"""
    values = {
        "project": run["project_id"],
        "key": run["id"],
        "start": run["started_at"],
        "end": run["ended_at"],
    }
    return tuple(call_of(row) for row in reversed(_rows(cursor, CALLS, page, values)))


def _calls_in(cursor: "Cursor[Any]", ask: Ask, helping: list[Window], need: int) -> list[dict[str, Any]]:
    asked = Asked(ask.query, ask.query.period.zone, {})
    conditions = [*_conditions(ask, asked, status="(u.error_class <> 0)"), *_cost_statuses(ask, asked)]
    page = _page(asked, ask, "call", "u.*", helping, conditions, need)
    return _rows(cursor, CALLS, page, asked.parameters.values)


def _runs_in(cursor: "Cursor[Any]", ask: Ask, helping: list[Window], need: int) -> list[dict[str, Any]]:
    """Runs of the helping, then calls without a trace, which are runs too.

    When the runs fill the page, only calls newer than its last one are read: without that bound a project
    that sends traces only would be read to its beginning for calls that are in none."""
    asked = Asked(ask.query, ask.query.period.zone, {})
    conditions = _conditions(ask, asked, status="(u.errors > 0)")
    conditions += [f"u.outcome = {FAILURE}"] if ask.order == "failed" else []
    page = _page(asked, ask, "run", RUN_COLUMNS, helping, conditions, need)
    traced = _rows(cursor, RUNS, page, asked.parameters.values)
    lone = Asked(ask.query, ask.query.period.zone, {})
    conditions = [*_conditions(ask, lone, status="(u.error_class <> 0)"), "u.trace IS NULL"]
    conditions += (
        ["(NOT u.outcome OR (u.outcome IS NULL AND u.error_class <> 0))"] if ask.order == "failed" else []
    )
    if len(traced) >= need:
        conditions.append(f"u.started_at >= {lone.put(traced[-1]['started_at'])}")
    page = _page(lone, ask, "call", LONE_COLUMNS, helping, conditions, need)
    found = [*traced, *_rows(cursor, RUNS, page, lone.parameters.values)]
    found.sort(key=lambda row: (row["started_at"], row["id"]), reverse=True)
    return found[:need]


def _page(
    asked: Asked, ask: Ask, table: str, columns: str, helping: list[Window], conditions: list[str], need: int
) -> str:
    """SELECT of at most `need` rows inside the windows, newest first, behind the cursor."""
    where = [f"u.project_id = {asked.put(ask.query.project.pk)}", *conditions]
    if ask.after:
        where.append(f"(u.started_at, u.id) < ({asked.put(ask.after[0])}, {asked.put(ask.after[1])})")
    if any(dimension.text for _, dimension in asked.filters):
        where.append(f"u.series_id = ANY(ARRAY({series_sql(asked, {}, 's.id')}))")
    tags = _TAG_SET if any(dimension.key and dimension.code for _, dimension in asked.filters) else ""
    rest = f"ORDER BY started_at DESC, id DESC LIMIT {asked.put(need)}"
    if len(helping) == 1:
        low, high = asked.put(helping[0][0]), asked.put(helping[0][1])
        where.append(f"u.started_at >= {low} AND u.started_at < {high}")
        return f"SELECT {columns} FROM {table} u {tags} WHERE {' AND '.join(where)} {rest}"
    # OFFSET 0 keeps the windows in charge: the planner would read everything backwards, hoping to be done soon.
    low, high = asked.put([one[0] for one in helping]), asked.put([one[1] for one in helping])
    where += ["u.started_at >= w.lo AND u.started_at < w.hi", *_DAYS.get(table, ())]
    inner = f"SELECT {columns} FROM {table} u {tags} WHERE {' AND '.join(where)} OFFSET 0"
    windows_sql = f"unnest({low}::timestamptz[], {high}::timestamptz[]) w (lo, hi)"
    return f"SELECT u.* FROM {windows_sql} CROSS JOIN LATERAL ({inner}) u {rest}"


def _conditions(ask: Ask, asked: Asked, *, status: str) -> list[str]:
    """Filters on the row itself; an id that is asked for plainly can use an index."""
    found = []
    for one, dimension in asked.filters:
        if dimension.kind in NAME_KINDS and not one.negated and 0 not in (codes := _codes(one.values)):
            found.append(f"u.{dimension.kind}_id = ANY({asked.put(codes)})")
        elif dimension.code:
            found.append(on_row(one, dimension, asked).replace("(u.error_class <> 0)", status))
    return found


def _codes(values: tuple[str, ...]) -> list[int]:
    return [CODES["user"](value) for value in values]


def _cost_statuses(ask: Ask, asked: Asked) -> list[str]:
    if not ask.cost_statuses:
        return []
    codes = [code for code, status in enumerate(COST_STATUSES) if status in ask.cost_statuses]
    return [f"u.cost_status = ANY({asked.put(codes)})"]


def _extreme(cursor: "Cursor[Any]", ask: Ask) -> tuple[Run, ...]:
    """The slowest or costliest runs of the period, from those kept of each quarter hour."""
    asked = Asked(ask.query, ask.query.period.zone, {})
    where = [
        f"s.project_id = {asked.put(ask.query.project.pk)}",
        f"s.bucket >= {asked.put(ask.query.period.start)} AND s.bucket < {asked.put(ask.query.period.end)}",
        f"s.kind = {asked.put(EXEMPLAR_KINDS[ask.order])}",
        *(one_of(dimension.text, list(one.values), one, asked) for one, dimension in asked.filters),
    ]  # fmt: skip
    cursor.execute(
        f"SELECT s.run, s.started_at FROM exemplar s {CATALOGUE} WHERE {' AND '.join(where)}"
        f" ORDER BY s.value DESC, s.run LIMIT {asked.put(ask.limit)}".encode(),
        asked.parameters.values,
        prepare=False,
    )
    return _runs_of(cursor, ask, dict(cursor.fetchall()))


def _runs_of(cursor: "Cursor[Any]", ask: Ask, best: dict[UUID, datetime]) -> tuple[Run, ...]:
    """These runs (calls without a trace by their time too), in this order."""
    values = {"project": ask.query.project.pk, "keys": list(best), "times": list(best.values())}
    most = len(best)
    traced = _rows(cursor, RUNS, _run_page("u.id = ANY(%(keys)s)", RUN_COLUMNS, "run", most), values)
    page = _run_page(
        "u.started_at = ANY(%(times)s) AND u.id = ANY(%(keys)s) AND u.trace IS NULL",
        LONE_COLUMNS,
        "call",
        most,
    )
    found = {row["id"]: run_of(row) for row in (*traced, *_rows(cursor, RUNS, page, values))}
    return tuple(found[key] for key in best if key in found)


def _run_page(condition: str, columns: str, table: str, most: int) -> str:
    return (
        f"SELECT {columns} FROM {table} u WHERE u.project_id = %(project)s AND {condition}"
        f" ORDER BY u.started_at DESC LIMIT {most}"
    )


def _rows(cursor: "Cursor[Any]", frame: str, page: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of a page, framed by names, as dicts."""
    cursor.execute(frame.replace("{page}", page).encode(), values, prepare=False)
    make = dict_row(cursor)
    return [make(row) for row in cursor.fetchall()]
