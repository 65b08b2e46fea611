"""The queue of new flow names: what stands in it, what is cleaned out of it, and what waits for room in it.

At most 500 names wait to be confirmed (`analytics/series.py`). Calls of further new names are `(unattributed)` and
keep the raw name; `waiting_flow` knows when they were. When there is room they are corrected through the one signed
operation, under the lane's lock.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet
from psycopg import Cursor

from accounts.models import Project
from analytics.catalogue import alone
from analytics.ledger import roll, writing
from analytics.models import Flow
from analytics.pricebook import books
from analytics.series import MAX_NEW_FLOWS, ProjectState, load_state
from analytics.statements import statement

CHUNK = 20_000  # calls corrected in one transaction
PROVISIONAL = timedelta(hours=1)  # so long a trace may take until it says its flow
_NONE = UUID(int=0)


def unconfirmed(project: Project) -> QuerySet[Flow]:
    """The names that nobody has confirmed, whether they have calls or not."""
    return Flow.objects.filter(project=project, confirmed_at=None, alias_of=None)


def with_calls(project: Project, flows: Sequence[int]) -> set[int]:
    """Those of these flows (raw names) that have calls, in all their history."""
    if not flows:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(statement("find_flows_with_calls"), {"project": project.pk, "flows": list(flows)})
        return {number for (number,) in cursor.fetchall()}


def queue(project: Project) -> list[Flow]:
    """New names to be confirmed, by name: those with calls. An unfinished trace's name of a moment is none."""
    found = list(unconfirmed(project).select_related("feature__alias_of").order_by("name"))
    known = with_calls(project, [flow.pk for flow in found])
    return [flow for flow in found if flow.pk in known]


def waiting_names(project: Project) -> list[tuple[str, datetime, datetime]]:
    """Names without room: (name, first call, last call); the name "" stands for still others."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, first_at, last_at FROM waiting_flow WHERE project_id = %s ORDER BY name",
            [project.pk],
        )
        return [(name, first, last) for name, first, last in cursor.fetchall()]


def tidy(*, now: datetime) -> None:
    """For every project: names that have no calls go, and calls of names without room get their flow."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT project_id FROM waiting_flow")
        waiting = {number for (number,) in cursor.fetchall()}
    old = unconfirmed_projects(before=now - PROVISIONAL)
    for project in Project.objects.filter(pk__in=waiting | old).order_by("pk"):
        clean(project, now=now)
        if project.pk in waiting:
            attribute(project, now=now)


def unconfirmed_projects(*, before: datetime) -> set[int]:
    """Projects that have had unconfirmed names since before that time."""
    flows = Flow.objects.filter(confirmed_at=None, alias_of=None, first_seen_at__lt=before)
    return set(flows.values_list("project_id", flat=True).distinct())


def clean(project: Project, *, now: datetime) -> int:
    """Remove new names that have no calls: the outermost span that had come named them for a moment.

    Returns how many. The loader reads the names again: what it remembers of them must not be used any more."""
    candidates = unconfirmed(project).filter(first_seen_at__lt=now - PROVISIONAL, aliases=None)
    numbers = list(candidates.values_list("pk", flat=True))
    if not set(numbers) - with_calls(project, numbers):
        return 0
    with writing(project.lane, wait=True):
        alone(project)
        empty = set(numbers) - with_calls(project, numbers)
        removed, _ = Flow.objects.filter(
            pk__in=empty, confirmed_at=None, alias_of=None, aliases=None
        ).delete()
        _read_again(project)
    return removed


def attribute(project: Project, *, now: datetime) -> int:
    """Give calls that kept a raw name their flow, as far as there is room; returns how many. Safe to repeat.

    Names with the most calls first. A crash leaves the rest to the next time."""
    done = 0
    with writing(project.lane, wait=True) as cursor:
        stretch = _stretch(cursor, project)
        names = _with_room(cursor, project, stretch, now) if stretch else []
    if stretch is None or not names:
        return 0
    after: tuple[datetime, UUID] | None = (stretch[0], _NONE)
    while after is not None:
        with writing(project.lane, wait=True) as cursor:
            chunk = _read(cursor, project, stretch, names, after)
            _give_flows(cursor, project, chunk, now=now)
        done += len(chunk)
        after = (chunk[-1][0], chunk[-1][1]) if len(chunk) == CHUNK else None
    with writing(project.lane, wait=True) as cursor:
        _forget_done(cursor, project)
    return done


def _stretch(cursor: "Cursor[Any]", project: Project) -> tuple[datetime, datetime] | None:
    """Between when calls wait; None when none do."""
    cursor.execute("SELECT min(first_at), max(last_at) FROM waiting_flow WHERE project_id = %s", [project.pk])
    first, last = cursor.fetchall()[0]
    return None if first is None else (first, last)


def _waiting(
    cursor: "Cursor[Any]", project: Project, stretch: tuple[datetime, datetime]
) -> list[tuple[str, datetime, datetime]]:
    """Raw names that calls of the stretch have kept, with most calls first: (name, first call, last call)."""
    values = {"project": project.pk, "first": stretch[0], "last": stretch[1]}
    cursor.execute(statement("find_waiting_flows"), values)
    return [(name, first, last) for name, _, first, last in cursor.fetchall()]


def _with_room(
    cursor: "Cursor[Any]", project: Project, stretch: tuple[datetime, datetime], now: datetime
) -> list[str]:
    """The names whose calls can be corrected: those that are flows by now, and as many new ones as there is room."""
    names = [name for name, _, _ in _waiting(cursor, project, stretch)]
    known = set(Flow.objects.filter(project=project, name__in=names).values_list("name", flat=True))
    room = MAX_NEW_FLOWS - Flow.objects.filter(project=project, confirmed_at=None).count()
    new = [name for name in names if name not in known][: max(0, room)]
    made = [Flow(project=project, name=name, first_seen_at=now) for name in new]
    Flow.objects.bulk_create(made, ignore_conflicts=True)
    if not names:
        cursor.execute("DELETE FROM waiting_flow WHERE project_id = %s", [project.pk])
    if new:
        _read_again(project)
    return [*known, *new]


def _read(
    cursor: "Cursor[Any]",
    project: Project,
    stretch: tuple[datetime, datetime],
    names: list[str],
    after: tuple[datetime, UUID],
) -> list[tuple[datetime, UUID, int, str]]:
    values = {
        "project": project.pk, "first": stretch[0], "last": stretch[1], "names": names, "after_at": after[0],
        "after_id": after[1], "most": CHUNK,
    }  # fmt: skip
    cursor.execute(statement("read_waiting_calls"), values)
    return cursor.fetchall()


def _give_flows(
    cursor: "Cursor[Any]", project: Project, chunk: list[tuple[datetime, UUID, int, str]], *, now: datetime
) -> None:
    if not chunk:
        return
    state = load_state(project, books.of(project.pk), cursor)
    cursor.execute(statement("create_attributed"))
    with cursor.copy("COPY attributed FROM STDIN") as copy:
        for at, key, series, name in chunk:
            copy.write_row((at, key, _series_of(state, series, name)))
    state.store(cursor)
    window = {"project": project.pk, "lo": chunk[0][0], "hi": chunk[-1][0]}
    cursor.execute(statement("find_attributed"), window)
    cursor.execute(statement("attribute_calls"), window)
    roll(cursor, {project.pk: state}, window | {"corrected": True}, now=now)


def _series_of(state: ProjectState, series: int, name: str) -> int:
    return state.id_of(state.known[series]._replace(flow_id=state.flows[name]))


def _forget_done(cursor: "Cursor[Any]", project: Project) -> None:
    """Keep only what still waits, with the names of today."""
    stretch = _stretch(cursor, project)
    if stretch is None:
        return
    still = _waiting(cursor, project, stretch)
    cursor.execute("DELETE FROM waiting_flow WHERE project_id = %s", [project.pk])
    for name, first, last in still:
        values = {"project": project.pk, "name": name, "first": first, "last": last, "most": MAX_NEW_FLOWS}
        cursor.execute(statement("note_waiting_flow"), values)


def _read_again(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(catalogue_version=F("catalogue_version") + 1)
