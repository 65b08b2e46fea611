"""How far figures can be trusted: complete until when, priced, attributed, what was set aside or refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Cursor

from accounts.models import Project
from analytics.measures import MEASURES, QUOTIENT, cost_of
from analytics.periods import Period

# One row about a project: what waits, since when, what was set aside, what was refused in the period, the newest
# price row that it may use.
_PROJECT = """
    SELECT waiting.since, coalesce(waiting.items, 0)::bigint, dead.n, coalesce(refused.n, 0)::bigint, book.told
    FROM (SELECT min(received_at) AS since, sum(items) AS items FROM inbox
          WHERE lane = %(lane)s AND project_id = %(project)s) waiting,
         (SELECT count(*) AS n FROM inbox_dead WHERE project_id = %(project)s) dead,
         (SELECT sum(rejected) AS n FROM intake
          WHERE project_id = %(project)s AND bucket >= %(start)s AND bucket < %(end)s) refused
    LEFT JOIN LATERAL (
          SELECT source || ' ' || to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS told FROM analytics_price
          WHERE (project_id = %(project)s OR project_id IS NULL) AND withdrawn_at IS NULL
          ORDER BY recorded_at DESC LIMIT 1) book ON true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The trust figures of one answer. Shares are of the query's own calls, None when there are none;
    `rejected`, `waiting`, `set_aside` and `lag_seconds` are the whole project's."""

    complete_until: datetime
    lag_seconds: float  # age of the oldest accepted record that is not loaded yet; 0 = none waits
    calls: int
    priced_share: float | None
    unpriced_calls: int
    attributed_share: float | None
    attributed_spend_share: Decimal | None
    duplicates: int
    rejected: int  # items refused in the period, from the whole project
    waiting: int  # accepted records that are not loaded yet
    set_aside: int  # inbox rows that could not be loaded
    price_book: str | None  # source and date of the newest price row


def trust_of(
    cursor: "Cursor[Any]", *, project: Project, period: Period, parts: Mapping[str, Any], now: datetime
) -> Trust:
    """The trust figures of calls whose merged parts these are (analytics.plan.TRUST_PARTS)."""
    values = {"lane": project.lane, "project": project.pk, "start": period.start, "end": period.end}
    cursor.execute(_PROJECT, values)
    since, waiting, dead, refused, book = cursor.fetchone() or (None, 0, 0, 0, None)
    until = min(since, now) if since else now
    return Trust(
        complete_until=until,
        lag_seconds=(now - until).total_seconds(),
        calls=int(parts.get("calls") or 0),
        priced_share=MEASURES["priced_share"].combine(parts),
        unpriced_calls=int(parts.get("unpriced") or 0),
        attributed_share=MEASURES["attributed_share"].combine(parts),
        attributed_spend_share=_spend_share(parts),
        duplicates=int(parts.get("duplicates") or 0),
        rejected=refused,
        waiting=waiting,
        set_aside=dead,
        price_book=book,
    )


def _spend_share(parts: Mapping[str, Any]) -> Decimal | None:
    """Spend of calls that name their flow, of all spend; None where nothing was spent."""
    cost = cost_of(parts)
    if not cost:
        return None
    return QUOTIENT.divide(cost - (parts.get("unattributed_cost") or 0), cost)
