"""What moved a budget: where this window costs more or less than the one before, as far as it has come."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.urls import reverse

from analytics.answer import answer
from analytics.dimensions import LABELS, REST
from analytics.periods import DAY, Period, day_start, quarter_floor
from analytics.query import Query
from dashboard.answers import Answer, Phrase
from dashboard.budget_rows import answer_money
from dashboard.flow_links import flow_path
from dashboard.scope import address
from guardrails.budgets import environment_of, scope_of
from guardrails.budgets_ask import MEASURE_OF, scope_filters
from guardrails.budgets_state import BudgetState
from guardrails.windows import before

MOST = 4
BY = {"flow": "model", "model": "flow", "customer": "flow", "provider": "model"}  # else by flow


@dataclass(frozen=True, slots=True)
class Mover:
    """One flow or model, and by how much it moved."""

    name: str
    href: str
    amount: str
    tone: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The movers, and against what."""

    against: str
    movers: tuple[Mover, ...]


def moved(state: BudgetState, *, now: datetime) -> Moved | None:
    """The largest moves against the same stretch of the window before; None when there is nothing to compare.

    Raises ApiError 503."""
    sides = _sides(state, now)
    if sides is None:
        return None
    budget, (period, base) = state.budget, sides
    dimension, measure = BY.get(budget.dimension, "flow"), MEASURE_OF[budget.unit]
    values = (budget.value,) if budget.dimension else ()
    query = Query(project=budget.project, period=period, base=base, measures=(measure,), group_by=(dimension,),
                  filters=scope_filters(environment_of(budget), budget.dimension, values), limit=1000)  # fmt: skip
    result = answer(query, now=now, trust=False)
    current = {group[0]: _known(row[measure]) for group, row in result.by_group().items()}
    earlier = {group[0]: _known(row[measure]) for group, row in result.base_by_group().items()}
    if not any(earlier.values()):
        return None
    found = [
        (current.get(n, Decimal(0)) - earlier.get(n, Decimal(0)), n) for n in {*current, *earlier} - {REST}
    ]
    found = sorted((pair for pair in found if pair[0]), key=lambda pair: (-abs(pair[0]), pair[1]))
    movers = tuple(_mover(state, dimension, name, amount) for amount, name in found[:MOST])
    days = "" if budget.window == "day" else "whole days "
    return Moved(f"{dimension}s, {days}against the {budget.window} before", movers) if movers else None


def why(name: str, found: Moved | None) -> Answer:
    """What moved the budget of that name most, in words; nothing where nothing grew."""
    grown = next((one for one in found.movers if one.tone == "worse"), None) if found else None
    if grown is None:
        return ()
    return Phrase(f" {grown.name}", "bold"), Phrase(f" moved {name} most: {grown.amount.removeprefix('▲ ')}.")


def _known(value: object) -> Decimal:
    return Decimal(str(value or 0))


def _mover(state: BudgetState, dimension: str, name: str, amount: Decimal) -> Mover:
    budget = state.budget
    window = state.window
    params = {
        "environment": [environment_of(budget)], "from": [window.first_day.isoformat()], "group_by": ["model"],
        **{key: [value] for key, value in scope_of(budget).items()}, dimension: [name],
    }  # fmt: skip
    shown = answer_money(abs(amount), budget.unit)
    page = reverse("explore", args=[budget.project.slug])
    own = flow_path(budget.project.slug, name)
    if dimension == "flow" and name not in LABELS and "?" not in own:
        page = own  # it tells why
        params = {key: params[key] for key in ("environment", "from")}
    return Mover(
        name=name,
        href=address(page, params),
        amount=f"{'▲ +' if amount > 0 else '▼ −'}{shown}",
        tone="worse" if amount > 0 else "better",
    )


def _sides(state: BudgetState, now: datetime) -> tuple[Period, Period] | None:
    """This window so far and the same stretch of the one before: whole days, for a day the hours so far."""
    window, earlier = state.window, before(state.window)
    if window.kind == "day":
        reach = quarter_floor(now)
        length = reach - window.start
    else:
        reach = day_start(now.astimezone(ZoneInfo(window.zone)).date(), window.zone)
        days = (reach.astimezone(ZoneInfo(window.zone)).date() - window.first_day).days
        length = day_start(earlier.first_day + days * DAY, window.zone) - earlier.start
    if reach <= window.start:
        return None
    period = Period(start=window.start, end=reach, zone=window.zone)
    return period, Period(start=earlier.start, end=min(earlier.start + length, earlier.end), zone=window.zone)
