"""What a flow used until a change: the value of most of its last calls before it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Cursor

from analytics.asked import kept_from
from analytics.changes_noticed import News
from analytics.periods import quarter_floor
from analytics.statements import statement

LAST = 20  # calls that tell what was in use
BACK = (timedelta(days=1), timedelta(days=8), timedelta(days=60))  # how far back they are looked for
FEW = 5  # calls of one fingerprint, and most of all: what prompts used before they were all different tells nothing


def before_of(cursor: "Cursor[Any]", project_id: int, news: News, *, now: datetime) -> str | None:
    """What was in use before; None when that makes it no change (a fingerprint among ever different ones)."""
    used = _last_uses(cursor, project_id, news, now=now)
    if not used:
        return news.latest if news.kind.name != "fingerprint" else None
    value, calls = max(used.items(), key=lambda pair: (pair[1], pair[0]))
    if news.kind.name == "fingerprint" and (calls < FEW or calls * 2 <= sum(used.values())):
        return None
    return value


def _last_uses(cursor: "Cursor[Any]", project_id: int, news: News, *, now: datetime) -> Counter[str]:
    """Calls by value, of the last quarter hours (or days) that make LAST calls together."""
    for rows in _windows(cursor, project_id, news, now=now):
        used = _counted(rows, news.rivals)
        if used:
            return used
    return Counter()


def _windows(
    cursor: "Cursor[Any]", project_id: int, news: News, *, now: datetime
) -> Iterator[list[tuple[Any, int, int]]]:
    common = {"project": project_id, "series": list(news.rivals)}
    until = quarter_floor(news.first_at)
    fine = until >= kept_from(now)
    name = "read_uses" if fine else "read_uses_by_day"
    edge = until if fine else until.astimezone(UTC).date()
    for back in BACK:
        cursor.execute(statement(name), {**common, "since": edge - back, "until": edge})
        yield cursor.fetchall()


def _counted(rows: Iterable[tuple[Any, int, int]], rivals: Mapping[int, str]) -> Counter[str]:
    used: Counter[str] = Counter()
    last: Any = None
    for bucket, series, calls in rows:
        if bucket != last and sum(used.values()) >= LAST:
            break
        used[rivals[series]] += int(calls)
        last = bucket
    return used
