"""Which calls of a period came after a moment: what is late, and what a statement taken then did not have.

Read from the ledger itself, by block ranges of the time of arrival (index call_received): calls lie in the order
in which they came, so that only the late ones' blocks are read. Names come from the same registries as the query
engine's, with the catalogue of today.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.errors import ApiError
from analytics.compile import Asked, on_row, series_sql
from analytics.families import day_bounds
from analytics.ledger_codes import UNPRICED
from analytics.measures import COSTS, INPUTS, OUTPUTS
from analytics.periods import DAY
from analytics.query import Query
from analytics.reading import reading
from analytics.retention import floor

# ruff: noqa: S608 - built from the registries; every value is a parameter
_TOKENS = " + ".join(f"coalesce(u.{name}, 0)::bigint" for name in (*INPUTS, *OUTPUTS))
_COST = f"call_cost({', '.join('u.' + name for name in COSTS)})"
_FIGURES = (
    f"count(*), sum({_TOKENS})::bigint, sum({_COST}), "
    f"count(*) FILTER (WHERE u.cost_status IN ({', '.join(map(str, UNPRICED))}))"
)
SECONDS = 2  # a month that was imported as a whole has no blocks to leave out; unknown is said rather than waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Calls that came after the moment, in one group. `cost` None: no call has a price."""

    calls: int
    tokens: int
    cost: Decimal | None
    unpriced: int


Group = tuple[str, ...]


def arrivals(query: Query, *, after: datetime, imported: bool | None = None) -> dict[Group, Arrived] | None:
    """Calls of the query's period, filters and groups that were received at `after` or later.

    `imported`: only those of imports, or only the others; None: both. None is returned where it cannot be known:
    a filter on the kind of unit, days before the ledger's floor, or over two seconds of reading."""
    if any(one.dimension == "unit" for one in query.filters) or query.period.start < floor():
        return None
    sql, values = _statement(query, after, imported)
    try:
        with reading() as cursor, transaction.atomic():
            cursor.execute(f"SET LOCAL statement_timeout = '{SECONDS}s'")
            cursor.execute(sql.encode(), values, prepare=False)
            found = cursor.fetchall()
    except ApiError:
        return None
    width = len(query.group_by)
    return {
        tuple(row[:width]): Arrived(calls=row[width], tokens=row[width + 1] or 0, cost=row[width + 2],
                                    unpriced=row[width + 3])
        for row in found
    }  # fmt: skip


def _statement(query: Query, after: datetime, imported: bool | None) -> tuple[str, dict[str, object]]:
    asked = Asked(query, query.period.zone, {})
    texts = {one.name: f"d{place}" for place, one in enumerate(asked.groups)}
    first, last = query.period.first_day, query.period.last_day
    start, end = day_bounds(query.project, first)[0], day_bounds(query.project, last + DAY)[0]
    dims = series_sql(asked, texts)
    where = [
        f"u.project_id = {asked.put(query.project.pk)}",
        f"u.started_at >= {asked.put(start)} AND u.started_at < {asked.put(end)}",
        f"u.received_at >= {asked.put(after)}",
        *(on_row(one, dimension, asked) for one, dimension in asked.filters if dimension.code),
    ]
    if imported is not None:
        where.append(f"u.import_batch IS {'NOT ' if imported else ''}NULL")
    groups = [f"dims.{name}" for name in texts.values()]
    by = f" GROUP BY {', '.join(map(str, range(1, len(groups) + 1)))}" if groups else " HAVING count(*) > 0"
    sql = (
        f"WITH dims AS MATERIALIZED ({dims}) SELECT {', '.join((*groups, _FIGURES))} FROM call u"
        f" JOIN dims ON dims.id = u.series_id WHERE {' AND '.join(where)}{by}"
    )
    return sql, dict(asked.parameters.values)
