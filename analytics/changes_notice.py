"""Noticing changes from the calls: what is new among the first calls of series becomes lines of the change ledger.

Driven by `sighting`, which the loader keeps in the transaction of each load. One look is one transaction under the
lane's lock: what is new, the changes that it makes, and that it was looked at. A crash repeats it; a repeat finds
the same lines. Whatever arrives late, is corrected or undone is looked at again with all of its flow.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg import Cursor

from accounts.models import Project
from analytics.apart import apart
from analytics.changes_absorb import attach, detach, move
from analytics.changes_before import before_of
from analytics.changes_models import ChangeFlow
from analytics.changes_noticed import News, Sight, news_of
from analytics.changes_prices import notice_prices
from analytics.ledger import writing
from analytics.models import UNATTRIBUTED, Flow
from analytics.series import Series
from analytics.statements import statement

NOT_LOOKED_AT = ("eval", "test")  # environments whose calls try things out
MOST = 300  # changes that one look makes; the rest waits for the next
_COLUMNS = ", ".join(f"s.{name}" for name in Series._fields if name != "tags")


@dataclass(frozen=True, slots=True)
class Place:
    """One flow in one environment."""

    flow_id: int
    environment: str
    name: str


def notice(*, now: datetime) -> int:
    """Look at every project that has something new; returns how many changes were made, moved or taken back."""
    done = 0
    for project in Project.objects.order_by("pk"):
        with apart("changes", project.slug):
            done += notice_in(project, now=now)
    return done


def notice_in(project: Project, *, now: datetime) -> int:
    """Bring the project's noticed changes up to what its calls and the price book say."""
    done = notice_prices(project, now=now)
    if not _has_news(project):
        return done
    with writing(project.lane, wait=True) as cursor:
        fresh = _fresh(cursor, project)
        left = MOST
        looked: list[int] = []
        for place, series in _places(cursor, project, fresh).items():
            if left <= 0:
                break
            changed = _look(cursor, project, place, set(series), now=now) if place.name else 0
            left, done = left - changed, done + changed
            looked.extend(series)
        _looked_at(cursor, project, looked)
    return done


def look_again(project: Project, names: Iterable[str]) -> None:
    """Have the next look go over these flows again (all, when none is named): what was declared of them changed."""
    flows = list(Flow.objects.filter(project=project, name__in=list(names)).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sighting g SET news = true FROM series s WHERE g.project_id = %s AND s.project_id = g.project_id"
            " AND s.id = g.series_id AND (s.flow_id = ANY(%s) OR %s)",
            [project.pk, flows, not flows],
        )


def _has_news(project: Project) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT exists (SELECT FROM sighting WHERE project_id = %s AND news)", [project.pk])
        row = cursor.fetchone()
    return bool(row and row[0])


def _fresh(cursor: "Cursor[Any]", project: Project) -> list[int]:
    """The series that are news, those whose first call went elsewhere put right."""
    cursor.execute("SELECT series_id, doubtful FROM sighting WHERE project_id = %s AND news", [project.pk])
    found = cursor.fetchall()
    doubtful = [number for number, doubted in found if doubted]
    if doubtful:
        cursor.execute(statement("find_first_calls"), {"project": project.pk, "series": doubtful})
        left = dict(cursor.fetchall())
        cursor.executemany(
            "UPDATE sighting SET first_at = %s, doubtful = false WHERE project_id = %s AND series_id = %s",
            [(first_at, project.pk, number) for number, first_at in sorted(left.items())],
        )
    return [number for number, _ in found]


def _places(cursor: "Cursor[Any]", project: Project, fresh: Sequence[int]) -> dict[Place, list[int]]:
    """The flows and environments of series, and which of the series are theirs."""
    cursor.execute(
        "SELECT flow_id, environment, id FROM series WHERE project_id = %s AND id = ANY(%s) ORDER BY 1, 2, 3",
        [project.pk, list(fresh)],
    )
    rows = cursor.fetchall()
    names = dict(
        Flow.objects.filter(project=project, pk__in={row[0] for row in rows}).values_list("pk", "name")
    )
    found: dict[Place, list[int]] = defaultdict(list)
    for flow_id, environment, number in rows:
        skipped = flow_id == UNATTRIBUTED or environment in NOT_LOOKED_AT
        place = Place(flow_id, environment, "" if skipped else names.get(flow_id, ""))
        found[place].append(number)
    return found


def _looked_at(cursor: "Cursor[Any]", project: Project, series: list[int]) -> None:
    """What has no call any more is forgotten; the rest is no news any more."""
    cursor.execute(
        "DELETE FROM sighting WHERE project_id = %s AND series_id = ANY(%s) AND doubtful",
        [project.pk, series],
    )
    cursor.execute(
        "UPDATE sighting SET news = false WHERE project_id = %s AND series_id = ANY(%s)", [project.pk, series]
    )


def _look(cursor: "Cursor[Any]", project: Project, place: Place, fresh: set[int], *, now: datetime) -> int:
    """Make the stored sights of one flow as its calls say; returns how many lines changed."""
    expected = {_identity(news): news for news in news_of(_sights(cursor, project, place))}
    done = 0
    for identity, row in _stored(project, place).items():
        done += _kept_up(cursor, project, row, expected.pop(identity, None), fresh, now=now)
    for news in expected.values():
        before = before_of(cursor, project.pk, news, now=now)
        if before is not None:
            attach(project, news, before, name=place.name, environment=place.environment)
            done += 1
    return done


def _kept_up(
    cursor: "Cursor[Any]",
    project: Project,
    row: ChangeFlow,
    news: News | None,
    fresh: set[int],
    *,
    now: datetime,
) -> int:
    """Bring one stored sight up to date; 1 when it changed. What it had before is asked again when history came."""
    before = row.seen_before
    if news is not None and not fresh.isdisjoint(news.rivals):
        before = before_of(cursor, project.pk, news, now=now)
    if news is None or before is None:
        detach(row)
        return 1
    if (news.first_at, before) == (row.first_call_at, row.seen_before):
        return 0
    move(row, news.first_at, before)
    return 1


def _sights(cursor: "Cursor[Any]", project: Project, place: Place) -> list[Sight]:
    cursor.execute(
        f"SELECT s.id, g.first_at, {_COLUMNS} FROM series s"  # noqa: S608 - the columns of Series
        " JOIN sighting g ON g.project_id = s.project_id AND g.series_id = s.id"
        " WHERE s.project_id = %s AND s.flow_id = %s AND s.environment = %s AND NOT g.doubtful",
        [project.pk, place.flow_id, place.environment],
    )
    return [
        Sight(Series._make((*values, None)), number, first_at)
        for number, first_at, *values in cursor.fetchall()
    ]


def _identity(news: News) -> tuple[str, str, str]:
    return news.kind.name, news.subject, news.after


def _stored(project: Project, place: Place) -> dict[tuple[str, str, str], ChangeFlow]:
    """What is known of the flow, by what its calls carried."""
    rows = ChangeFlow.objects.select_related("change").filter(
        name=place.name, environment=place.environment, change__project=project, first_call_at__isnull=False,
    )  # fmt: skip
    return {(row.change.kind, row.seen_subject, row.seen_after or ""): row for row in rows}
