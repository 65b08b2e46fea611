"""Reading the change ledger: filtered, newest first, a page at a time; flows by the names they have today."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import Project
from analytics.changes_kinds import KINDS
from analytics.changes_models import Change
from analytics.models import Flow
from analytics.statements import statement

DEFAULT_LIMIT, MAX_LIMIT = 100, 1_000
WHO = ("noticed", "declared")
Position = tuple[datetime, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which changes: [start, end) by time; empty texts = any. `environment` also finds those that name none."""

    flows: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    who: str = ""
    start: datetime | None = None
    end: datetime | None = None
    after: Position | None = None
    limit: int = DEFAULT_LIMIT
    oldest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A change as people see it. `flows` by today's names, empty = all; `seen`: the first call on each of them.

    `not_evaluated`: no scored call in the environment `eval` carried it before."""

    id: int
    kind: str
    subject: str
    before: str | None
    after: str | None
    at: datetime
    by: str
    noticed: bool
    flows: tuple[str, ...]
    seen: Mapping[str, datetime]
    environment: str
    link: str
    note: str
    recorded_at: datetime
    first_call_at: datetime | None
    not_evaluated: bool

    @property
    def values(self) -> tuple[str, ...]:
        """What calls carry, to filter them by; empty where no dimension knows the kind."""
        return (self.after,) if self.after and KINDS[self.kind].column else ()


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, and where the next page begins (None: there is none)."""

    lines: tuple[Line, ...]
    next: Position | None


def page(project: Project, wanted: Wanted) -> Page:
    """A page of changes, newest first unless told otherwise."""
    order = ("at", "pk") if wanted.oldest_first else ("-at", "-pk")
    rows = list(_chosen(project, wanted).order_by(*order).prefetch_related("on_flows")[: wanted.limit + 1])
    shown = rows[: wanted.limit]
    following = (shown[-1].at, shown[-1].pk) if len(rows) > wanted.limit else None
    return Page(_lines(project, shown), following)


def one(project: Project, number: int) -> Line | None:
    """One change of the project."""
    rows = list(Change.objects.filter(project=project, pk=number).prefetch_related("on_flows"))
    return next(iter(_lines(project, rows)), None)


def shown_names(project: Project) -> dict[str, str]:
    """Today's name of every raw flow name."""
    rows = Flow.objects.filter(project=project).values_list("name", "alias_of__name")
    return {name: alias or name for name, alias in rows}


def raw_names(project: Project, names: Iterable[str]) -> list[str]:
    """The raw names behind today's names, and the names themselves."""
    wanted = set(names)
    return [
        *wanted,
        *(raw for raw, shown in shown_names(project).items() if shown in wanted and raw not in wanted),
    ]


def _chosen(project: Project, wanted: Wanted) -> QuerySet[Change]:
    found = Change.objects.filter(project=project)
    if wanted.flows:
        named = Change.objects.filter(project=project, on_flows__name__in=raw_names(project, wanted.flows))
        everywhere = Change.objects.filter(project=project, on_flows__isnull=True, noticed=False)
        found = found.filter(Q(pk__in=named.values("pk")) | Q(pk__in=everywhere.values("pk")))
    if wanted.kinds:
        found = found.filter(kind__in=wanted.kinds)
    if wanted.environments:
        found = found.filter(environment__in=("", *wanted.environments))
    if wanted.who:
        found = found.filter(noticed=wanted.who == "noticed")
    if wanted.start:
        found = found.filter(at__gte=wanted.start)
    if wanted.end:
        found = found.filter(at__lt=wanted.end)
    if wanted.after:
        at, number = wanted.after
        found = found.filter(Q(at__lt=at) | Q(at=at, pk__lt=number))
    return found


def _lines(project: Project, rows: Sequence[Change]) -> tuple[Line, ...]:
    names = shown_names(project)
    evaluated = evaluated_before(project, rows)
    return tuple(_line(row, names, evaluated) for row in rows)


def _line(row: Change, names: Mapping[str, str], evaluated: Mapping[int, bool]) -> Line:
    seen: dict[str, datetime] = {}
    on_flows = sorted(
        row.on_flows.all(), key=lambda one: (one.first_call_at is None, one.first_call_at, one.name)
    )
    for one in on_flows:
        if one.first_call_at is not None:
            seen.setdefault(names.get(one.name, one.name), one.first_call_at)
    told_before = next((one.seen_before for one in on_flows if one.seen_before), None)
    subject = next((one.seen_subject for one in on_flows if one.seen_subject), "")
    everywhere = not row.noticed and not any(one.told for one in on_flows)
    return Line(
        id=row.pk, kind=row.kind, subject=row.subject or subject, before=row.before or told_before, after=row.after,
        at=row.at, by=row.by, noticed=row.noticed,
        flows=() if everywhere else tuple(dict.fromkeys(names.get(one.name, one.name) for one in on_flows)),
        seen=seen, environment=row.environment, link=row.link, note=row.note, recorded_at=row.recorded_at,
        first_call_at=row.first_call_at, not_evaluated=not evaluated.get(row.pk, True),
    )  # fmt: skip


def evaluated_before(project: Project, rows: Iterable[Change]) -> dict[int, bool]:
    """Of the changes to a variant that calls carry: whether a scored call in `eval` carried it before."""
    asked = [
        (row.pk, KINDS[row.kind].column, next((o.seen_after for o in row.on_flows.all() if o.seen_after), row.after),
         row.first_call_at)
        for row in rows
        if KINDS[row.kind].variant and row.first_call_at and row.after
    ]  # fmt: skip
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(statement("find_evaluated"), {"project": project.pk})
        firsts: dict[tuple[str, str], datetime] = {
            (column, value): at for column, value, at in cursor.fetchall()
        }
    found: dict[int, bool] = {}
    for number, column, value, first_call_at in asked:
        first = firsts.get((column, value or ""))
        found[number] = first is not None and first < first_call_at
    return found


def line_body(line: Line) -> dict[str, Any]:
    """A change as the API gives it."""
    return {
        "id": str(line.id), "kind": line.kind, "flow": line.flows[0] if len(line.flows) == 1 else None,
        "flows": list(line.flows), "environment": line.environment or None, "subject": line.subject or None,
        "before": line.before, "after": line.after, "at": line.at, "by": line.by, "noticed": line.noticed,
        "link": line.link or None, "note": line.note or None, "first_call_at": line.first_call_at,
        "seen": {name: at.isoformat() for name, at in line.seen.items()}, "not_evaluated_before": line.not_evaluated,
        "recorded_at": line.recorded_at,
    }  # fmt: skip
