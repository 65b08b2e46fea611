"""What corrected prices change, and the correction: calls priced again, through the one signed operation."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection
from psycopg import Cursor

from accounts.audit import record
from accounts.models import Project
from analytics import retention
from analytics.families import day_bounds
from analytics.ledger import roll, writing
from analytics.ledger_codes import UNPRICED
from analytics.pricebook import books
from analytics.series import load_state
from analytics.stage import settled
from analytics.statements import statement
from ingest.records import Tokens
from pricing.book import PriceBook, Target
from pricing.charge import WIDE, without_price

CHUNK = 20_000  # calls looked at in one transaction
_NONE = UUID(int=0)
_UNITS = msgspec.json.Decoder(dict[str, Decimal])


class Priced(NamedTuple):
    """A call's price as it is or shall be: price id, status code, amounts by kind."""

    price_id: int | None
    status: int
    by_kind: tuple[Decimal | None, ...]

    @property
    def total(self) -> Decimal:
        """The amount it counts with; what is unpriced counts with nothing."""
        if self.status in UNPRICED:
            return Decimal(0)
        return sum((WIDE.plus(amount) for amount in self.by_kind if amount), Decimal(0))


class Changed(NamedTuple):
    """A call whose price is to change."""

    started_at: datetime
    id: UUID
    flow_id: int
    before: Priced
    after: Priced


@dataclass(slots=True)
class Line:
    """What changes for one flow in one month (of the project's zone)."""

    calls: int = 0
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)


@dataclass(slots=True)
class Difference:
    """What a re-pricing changes, by (flow id, first day of the month)."""

    lines: dict[tuple[int, date], Line] = field(default_factory=lambda: defaultdict(Line))

    def add(self, changed: Changed, zone: ZoneInfo) -> None:
        """Count one call."""
        month = changed.started_at.astimezone(zone).date().replace(day=1)
        line = self.lines[changed.flow_id, month]
        line.calls += 1
        line.before += changed.before.total
        line.after += changed.after.total


def reprice(
    project: Project, *, first: date, last: date, now: datetime, dry_run: bool = False, actor: str = "command"
) -> Difference:
    """Price the calls from `first` to before `last` again; returns the difference. Safe to repeat.

    A call keeps what was reported of it. Days before the ledger's floor are left alone."""
    start = max(day_bounds(project, first)[0], retention.floor())
    end = day_bounds(project, last)[0]
    difference, zone = Difference(), ZoneInfo(project.zone)
    at, key = start - timedelta(days=1), _NONE
    while True:
        with writing(project.lane, wait=True) as cursor:
            chunk = _read(cursor, project, start, end, (at, key))
            found = list(_changed(chunk, books.of(project.pk), wins=project.reported_cost_wins))
            if found and not dry_run:
                _apply(cursor, project, found, now=now)
        for changed in found:
            difference.add(changed, zone)
        if len(chunk) < CHUNK:
            break
        at, key = chunk[-1][0], chunk[-1][1]
    if not dry_run:
        calls = sum(line.calls for line in difference.lines.values())
        record(
            project=project, actor=actor, action="prices.applied", target=f"{first} to {last}", calls=calls
        )
    return difference


def _read(
    cursor: "Cursor[Any]", project: Project, start: datetime, end: datetime, after: tuple[datetime, UUID]
) -> list[tuple[Any, ...]]:
    cursor.execute(
        statement("read_priced"),
        {
            "project": project.pk,
            "start": start,
            "end": end,
            "after_at": after[0],
            "after_id": after[1],
            "most": CHUNK,
        },
    )
    return cursor.fetchall()


def _changed(chunk: list[tuple[Any, ...]], book: PriceBook, *, wins: bool) -> Iterator[Changed]:
    for at, key, *rest in chunk:
        tokens, units = Tokens(*rest[:8]), rest[8] and _UNITS.decode(rest[8])
        failed, cost, currency = rest[9] != 0, rest[10], rest[11]
        rates = book.rates(Target(*rest[12:16]), at)
        computed = (
            without_price(tokens, units, failed=failed)
            if rates is None
            else rates.charge(tokens, units, failed)
        )
        status, charge = settled(cost, currency, computed, wins=wins)
        before = Priced(rest[17], rest[18], tuple(rest[19:25]))
        after = Priced(charge.price_id, status, charge.by_kind)
        if before != after:
            yield Changed(at, key, rest[16], before, after)


def _apply(cursor: "Cursor[Any]", project: Project, found: list[Changed], *, now: datetime) -> None:
    with cursor.copy("COPY repriced FROM STDIN") as copy:
        for changed in found:
            after = changed.after
            copy.write_row((changed.started_at, changed.id, after.price_id, after.status, *after.by_kind))
    window = {"project": project.pk, "lo": found[0].started_at, "hi": found[-1].started_at}
    cursor.execute(statement("find_repriced"), window)
    cursor.execute(statement("reprice_calls"), window)
    states = {project.pk: load_state(project, books.of(project.pk), cursor)}
    roll(cursor, states, window | {"corrected": True}, now=now)


def flow_names(project: Project) -> dict[int, str]:
    """Names of a project's flows by id."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM analytics_flow WHERE project_id = %s", [project.pk])
        return {0: "(unattributed)", **dict(cursor.fetchall())}
