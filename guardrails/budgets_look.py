"""Looking at budgets: everything that an evaluation has to know of each, asked in few questions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from accounts.models import Project
from analytics.forecast import Forecast, days_known, forecast
from analytics.outlook import HISTORY_DAYS
from analytics.periods import DAY, day_start, quarter_floor
from guardrails.budget_models import Budget, BudgetStanding
from guardrails.budgets_ask import Asker, Spent
from guardrails.budgets_members import Catalogue, Place, moved_in
from guardrails.windows import Window, before, window_of

ZERO = Decimal(0)


@dataclass(slots=True)
class Look:
    """One budget as it was asked for. `prior`: its standing of before; `closing`: the window before, where that was
    not complete when it was last seen; `moved`: flows that came from elsewhere since; `renewed`: a new forecast."""

    budget: Budget
    prior: BudgetStanding | None
    window: Window
    members: list[Place] | None
    moved: list[Place]
    spent: Spent = field(init=False)
    carried: Decimal = ZERO
    closing: tuple[Window, Spent] | None = None
    moved_spent: Spent | None = None
    outlook: Forecast | None = None
    days: int = 0
    renewed: bool = False

    @property
    def known(self) -> BudgetStanding | None:
        """The standing of before, where it is about the same definition and window."""
        prior = self.prior
        same = prior and prior.revision == self.budget.revision and prior.window_start == self.window.start
        return prior if same else None

    @property
    def ids(self) -> list[int] | None:
        """The flows of the scope, as a standing keeps them."""
        return None if self.members is None else sorted(place.id for place in self.members)

    @property
    def reshaped(self) -> bool:
        """Whether the scope has other flows than before."""
        return self.known is not None and self.ids != self.known.members


def look(project: Project, budgets: Sequence[Budget], *, now: datetime, until: datetime) -> list[Look]:
    """Ask for all of them; `until`: the watermark. Raises ApiError 503."""
    asker = Asker(project, budgets, now=now)
    looks = _begun(asker, Catalogue(project, budgets), budgets)
    spent = asker.spent({one.budget.pk: one.window.period for one in looks})
    for one in looks:
        one.spent = spent[one.budget.pk]
        if one.moved:
            names = [place.flow for place in one.moved]
            one.moved_spent = asker.of_flows(one.budget, names, one.window.period)
    _ask_before(asker, looks)
    _ask_outlook(asker, [one for one in looks if _wants_outlook(one, now)], until)
    return looks


def _begun(asker: Asker, catalogue: Catalogue, budgets: Iterable[Budget]) -> list[Look]:
    looks = []
    for budget in budgets:
        prior = getattr(budget, "standing", None)
        members = catalogue.members(budget, asker.value(budget))
        known = prior.members if prior and prior.revision == budget.revision else None
        moved = moved_in(known, members, since=prior.evaluated_at if prior else asker.now)
        window = window_of(budget.window, asker.now, zone=asker.project.zone)
        looks.append(Look(budget, prior, window, members, moved))
    return looks


def _ask_before(asker: Asker, looks: Sequence[Look]) -> None:
    """The window before, for those that carry over and those whose last evaluation came before its end."""
    wanted = [one for one in looks if one.budget.carry_over or _is_closing(one)]
    windows = {one.budget.pk: before(one.window) for one in wanted}
    spent = asker.spent({pk: window.period for pk, window in windows.items()})
    for one in wanted:
        budget, window = one.budget, windows[one.budget.pk]
        amount = spent[budget.pk].of(budget.unit)
        if _is_closing(one):
            one.closing = (window, spent[budget.pk])
        if budget.carry_over and amount is not None and budget.created_at < window.end:
            one.carried = max(budget.limit - amount, ZERO)


def _is_closing(one: Look) -> bool:
    prior = one.prior
    if prior is None or prior.revision != one.budget.revision or prior.complete_until >= one.window.start:
        return False
    return prior.window_start in (before(one.window).start, one.window.start)


def _wants_outlook(one: Look, now: datetime) -> bool:
    """A forecast holds for a quarter hour, unless window, definition or flows changed."""
    known = one.known
    if known is None or known.forecast_at is None or one.reshaped:
        return True
    return quarter_floor(known.forecast_at) != quarter_floor(now)


def _ask_outlook(asker: Asker, looks: Sequence[Look], until: datetime) -> None:
    if not looks:
        return
    zone = asker.project.zone
    today = asker.now.astimezone(ZoneInfo(zone)).date()
    history = asker.by_day([one.budget for one in looks], until=today)
    left = asker.day_left(until) if until >= day_start(today, zone) else 1.0
    for one in looks:
        amounts = history[one.budget.pk]
        coming = coming_days(one.window, today=today, left=left)
        one.outlook = forecast(amounts, first_day=today - HISTORY_DAYS * DAY, coming=coming)
        one.days, one.renewed = days_known(amounts), True


def coming_days(window: Window, *, today: date, left: float) -> list[float]:
    """How much of each day of the window is still to come, from today on."""
    return [left, *(1.0 for day in window.days if day > today)]
