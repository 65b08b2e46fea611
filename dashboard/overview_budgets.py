"""What Overview says of budgets: how far each feature's month is used, and where the month will end."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.core.cache import cache
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.outlook import Outlook, outlook
from analytics.periods import quarter_floor
from analytics.result import Result
from dashboard import budget_rows, formats
from dashboard.scope import Scope
from dashboard.strip import HEIGHT, WIDTH, StripCell
from guardrails.budgets_evaluate import budgets_of, is_stale
from guardrails.budgets_state import BudgetState, state_from

KEPT_SECONDS = 900  # a forecast holds for a quarter hour


@dataclass(frozen=True, slots=True)
class Used:
    """A budget beside a row: bar, percent, what it is of, where it leads; without a bar, a way to set one."""

    text: str
    href: str
    bar: SafeString | None = None
    of: str = ""
    tone: str = ""


def is_running_month(scope: Scope) -> bool:
    """Whether the page shows what monthly budgets are about: the main environment's month to date, unfiltered."""
    return (
        scope.period.name == "mtd"
        and scope.period.zone == scope.project.zone
        and scope.environments == (scope.project.main_environment,)
        and not scope.filters
    )


def monthly(scope: Scope) -> dict[tuple[str, str], BudgetState]:
    """Monthly budgets of the main environment in money that were evaluated lately, by scope; of two the tighter."""
    found: dict[tuple[str, str], BudgetState] = {}
    for budget in budgets_of(scope.project):
        plain = budget.window == "month" and budget.unit == "USD" and not budget.environment
        if not plain or is_stale(budget, now=scope.now):
            continue
        state = state_from(budget, budget.standing)
        known = found.get((budget.dimension, budget.value))
        if known is None or state.limit < known.limit:
            found[budget.dimension, budget.value] = state
    return found


def used_by(scope: Scope, known: dict[tuple[str, str], BudgetState]) -> Callable[[str, str], Used | None]:
    """Makes the budget beside a row: (dimension, value) -> what stands there; ("", "") is the total."""
    new, every = (reverse(name, args=[scope.project.slug]) for name in ("budget_new", "budgets"))

    def used(dimension: str, value: str) -> Used | None:
        state = known.get((dimension, value))
        if state is not None:
            tone = "worse" if state.state == "over" or (state.forecast_share or 0) > 1 else ""
            limit = formats.money_answer(state.limit)
            return Used(formats.share(state.share), f"{every}?budget={state.budget.pk}",
                        budget_rows.bar(state, now=scope.now), f"of {limit}", tone)  # fmt: skip
        if not dimension or value.startswith("("):
            return None
        query = scope.url(new, name=value, dimension=dimension, value=value, period=None, compare=None)
        return Used("set a budget", query)

    return used


def forecast_cell(
    scope: Scope, result: Result, known: dict[tuple[str, str], BudgetState]
) -> StripCell | None:
    """Where the month ends: estimate, interval, and the project's budget as a tick. None where it is not asked."""
    spent = result.totals["cost"]
    if spent is None:
        return None
    state, href = known.get(("", "")), reverse("budgets", args=[scope.project.slug])
    found = _kept(scope)
    label = "Forecast, month end"
    if found.estimate is None or found.interval is None or found.to_date is None:
        note = f"too few days: {found.days} of 14"
        return StripCell(label=label, figure=formats.Figure(formats.MISSING), href=href, note=note)
    moved = spent - found.to_date
    estimate, low, high = (value + moved for value in (found.estimate, *found.interval))
    limit = state.limit if state else None
    note, tone = _beside(estimate, limit)
    return StripCell(
        label=label,
        figure=formats.Figure(formats.money_answer(estimate)),
        href=href,
        note=note,
        tone=tone,
        spark=_interval(estimate, low, high, limit),
    )


def _kept(scope: Scope) -> Outlook:
    """The forecast of this quarter hour: three questions that need not be asked for every look."""
    key = f"outlook:{scope.project.pk}:{scope.project.zone}:{quarter_floor(scope.now).isoformat()}"
    found: Outlook | None = cache.get(key)
    if found is None:
        found = outlook(scope.project, filters=scope.asked.filters, now=scope.now)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _beside(estimate: Decimal, limit: Decimal | None) -> tuple[str, str]:
    if limit is None:
        return "80 % interval below", ""
    over = estimate - limit
    if over > 0:
        return f"▲ {formats.money_answer(over)} over budget of {formats.money_answer(limit)}", "worse"
    return f"within {formats.money_answer(limit)}", ""


def _interval(estimate: Decimal, low: Decimal, high: Decimal, limit: Decimal | None) -> SafeString:
    """A line with the interval, the estimate as a mark, the budget as a tick."""
    left, right = 44.0, WIDTH - 44.0
    edges = [float(low), float(high), *([float(limit)] if limit is not None else [])]
    first, last = min(edges), max(edges)
    span = (last - first) or 1.0

    def x(value: Decimal) -> str:
        return f"{left + (float(value) - first) / span * (right - left):.1f}"

    tick = format_html('<path class="today" d="M{} 3V21"/>', x(limit)) if limit is not None else ""
    told = f"80 % interval {formats.money_answer(low)} to {formats.money_answer(high)}"
    return format_html(
        '<svg class="interval" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" aria-label="{told}">'
        '<text x="0" y="16">{low}</text><rect class="range" x="{x1}" y="9" width="{wide}" height="6"/>'
        '<rect class="bar" x="{mid}" y="6" width="2" height="12"/>{tick}'
        '<text x="{w}" y="16" text-anchor="end">{high}</text></svg>',
        w=WIDTH, h=HEIGHT, told=told, low=f"${formats.short(low)}", high=f"${formats.short(high)}", x1=x(low),
        wide=f"{float(x(high)) - float(x(low)):.1f}", mid=x(estimate), tick=tick,
    )  # fmt: skip
