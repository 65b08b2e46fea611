"""How budgets go on from here: the forecast day by day, and when the limit is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from accounts.models import Project
from analytics.forecast import Forecast, forecast
from analytics.outlook import HISTORY_DAYS
from analytics.periods import DAY, day_start
from guardrails.budgets_ask import Asker
from guardrails.budgets_look import coming_days
from guardrails.budgets_state import BudgetState


@dataclass(frozen=True, slots=True)
class Point:
    """What will be spent by an instant: median and 80 % interval."""

    at: datetime
    spent: float
    low: float
    high: float


def paths(project: Project, states: Sequence[BudgetState], *, now: datetime) -> dict[int, tuple[Point, ...]]:
    """From now to the end of each window, a point at the end of each day; budgets without a forecast have none.

    It ends exactly where the budget's stored forecast does. Raises ApiError 503."""
    able = [state for state in states if state.forecast is not None and state.window.end > now]
    if not able:
        return {}
    asker = Asker(project, [state.budget for state in able], now=now)
    today = now.astimezone(ZoneInfo(project.zone)).date()
    history = asker.by_day([state.budget for state in able], until=today)
    left = asker.day_left(now)
    found = {}
    for state in able:
        coming = coming_days(state.window, today=today, left=left)
        first = today - HISTORY_DAYS * DAY
        made = forecast(history[state.budget.pk], first_day=first, coming=coming)
        if made is not None:
            found[state.budget.pk] = _points(state, made, now)
    return found


def _points(state: BudgetState, made: Forecast, now: datetime) -> tuple[Point, ...]:
    spent, zone = float(state.spent or 0), state.window.zone
    low, high = state.interval or (Decimal(0), Decimal(0))
    ends = (float(state.forecast or 0) - spent, float(low) - spent, float(high) - spent)
    medians = [sum(made.by_day[: n + 1]) for n in range(len(made.by_day))]
    scaled = [
        _ending(values, end)
        for values, end in zip((medians, made.by_day_low, made.by_day_high), ends, strict=True)
    ]
    today = now.astimezone(ZoneInfo(zone)).date()
    points = [Point(now, spent, spent, spent)]
    for n, (middle, lower, upper) in enumerate(zip(*scaled, strict=True)):
        at = day_start(today + (n + 1) * DAY, zone)
        points.append(Point(at, spent + middle, spent + lower, spent + upper))
    return tuple(points)


def _ending(values: Sequence[float], end: float) -> list[float]:
    """The same course, scaled to end there."""
    last = values[-1] if values else 0.0
    return [value * end / last for value in values] if last else [end for _ in values]


def runs_out(state: BudgetState, path: Sequence[Point]) -> datetime | None:
    """When the limit is reached, None when the forecast stays below it or it is reached already."""
    limit = float(state.limit)
    for before, after in pairwise(path):
        if before.spent < limit <= after.spent:
            part = (limit - before.spent) / (after.spent - before.spent)
            return before.at + (after.at - before.at) * part
    return None
