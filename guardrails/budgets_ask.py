"""What many budgets have spent, with few questions: those of one window, environment and kind of scope are one query.

The value of the scope becomes the dimension that the query is grouped by, so a thousand customers' budgets ask once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from accounts.models import Project
from analytics.answer import answer
from analytics.dimensions import REST
from analytics.models import Feature, Flow
from analytics.outlook import HISTORY_DAYS, day_left
from analytics.periods import DAY, Period, day_start
from analytics.query import Filter, Query
from analytics.result import Result
from guardrails.budget_models import Budget
from guardrails.budgets import ALL, environment_of

MEASURES = ("cost", "total_tokens", "unpriced_calls")
MEASURE_OF = {"USD": "cost", "tokens": "total_tokens"}
MOST_VALUES = 50_000
Amount = Decimal | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a scope used in a period: None = calls, and nothing known of what they cost."""

    cost: Amount
    total_tokens: Amount
    unpriced_calls: int

    def of(self, unit: str) -> Amount:
        """The amount in a budget's unit."""
        return self.cost if unit == "USD" else self.total_tokens


NOTHING = Spent(Decimal(0), Decimal(0), 0)


@dataclass(frozen=True, slots=True)
class Group:
    """Budgets that one query answers."""

    environment: str
    dimension: str


class Asker:
    """Asks for one project, each question once. `questions` counts them."""

    def __init__(self, project: Project, budgets: Sequence[Budget], *, now: datetime) -> None:
        self.project, self.now = project, now
        self.questions = 0
        self.groups: dict[Group, list[Budget]] = defaultdict(list)
        self.names = {"flow": _todays(Flow, project), "feature": _todays(Feature, project)}
        for budget in budgets:
            self.groups[Group(environment_of(budget), budget.dimension)].append(budget)

    def value(self, budget: Budget) -> str:
        """The scope's value by its name of today: a renamed flow goes on being watched."""
        return self.names.get(budget.dimension, {}).get(budget.value, budget.value)

    def spent(self, periods: Mapping[int, Period]) -> dict[int, Spent]:
        """What each budget used in its period, by its id."""
        found: dict[int, Spent] = {}
        for group, budgets in self.groups.items():
            by_period: dict[Period, list[Budget]] = defaultdict(list)
            for budget in budgets:
                if budget.pk in periods:
                    by_period[periods[budget.pk]].append(budget)
            for period, same in by_period.items():
                found |= self._spent(group, period, same)
        return found

    def _spent(self, group: Group, period: Period, budgets: Sequence[Budget]) -> dict[int, Spent]:
        result = self._ask(group, period, budgets)
        if not group.dimension:
            whole = _spent_of([result.totals[name] for name in MEASURES])
            return {budget.pk: whole for budget in budgets}
        rows = {row[0]: _spent_of(row[1:]) for row in result.rows if row[0] != REST}
        return {budget.pk: rows.get(self.value(budget), NOTHING) for budget in budgets}

    def of_flows(self, budget: Budget, flows: Sequence[str], period: Period) -> Spent:
        """What these flows used, in a budget's scope."""
        self.questions += 1
        values = (self.value(budget),) if budget.dimension else ()
        filters = scope_filters(environment_of(budget), budget.dimension, values)
        query = Query(project=self.project, period=period, measures=MEASURES,
                      filters=(*filters, Filter("flow", tuple(sorted(set(flows))))))  # fmt: skip
        totals = answer(query, now=self.now, trust=False).totals
        return _spent_of([totals[name] for name in MEASURES])

    def by_day(self, budgets: Iterable[Budget], *, until: date) -> dict[int, list[float]]:
        """Amounts of the HISTORY_DAYS whole days before `until`, oldest first, in each budget's unit; what is unknown
        counts as nothing."""
        wanted = {budget.pk for budget in budgets}
        first = until - HISTORY_DAYS * DAY
        zone = self.project.zone
        period = Period(start=day_start(first, zone), end=day_start(until, zone), zone=zone)
        found: dict[int, list[float]] = {}
        for group, members in self.groups.items():
            asked = [budget for budget in members if budget.pk in wanted]
            if asked:
                found |= self._by_day(self._ask(group, period, asked, grain="day"), group, asked)
        return found

    def _by_day(self, result: Result, group: Group, budgets: Sequence[Budget]) -> dict[int, list[float]]:
        first = result.period.first_day
        places: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
        for row in result.rows:
            value = row[1] if group.dimension else ""
            day = (row[0].date() - first).days
            for unit, measure in MEASURE_OF.items():
                places[value, unit][day] = float(row[result.index(measure)] or 0)
        return {
            budget.pk: [places[self.value(budget) if group.dimension else "", budget.unit].get(day, 0.0)
                        for day in range(HISTORY_DAYS)]
            for budget in budgets
        }  # fmt: skip

    def _ask(self, group: Group, period: Period, budgets: Sequence[Budget], *, grain: str = "all") -> Result:
        self.questions += 1
        values = tuple(sorted({self.value(budget) for budget in budgets})) if group.dimension else ()
        query = Query(
            project=self.project,
            period=period,
            measures=MEASURES,
            group_by=(group.dimension,) if group.dimension else (),
            grain=grain,
            filters=scope_filters(group.environment, group.dimension, values),
            limit=MOST_VALUES,
        )
        return answer(query, now=self.now, trust=False)

    def day_left(self, at: datetime) -> float:
        """How much of a day's spend usually comes after this time of day, in the whole project."""
        self.questions += 1
        return day_left(self.project, at=at, now=self.now)


def scope_filters(environment: str, dimension: str, values: Sequence[str]) -> tuple[Filter, ...]:
    """A scope as filters of a question."""
    found = [] if environment == ALL else [Filter("environment", (environment,))]
    return (*found, *([Filter(dimension, tuple(values))] if dimension else []))


def _spent_of(values: Sequence[object]) -> Spent:
    cost, tokens, unpriced = values
    return Spent(_decimal(cost), _decimal(tokens), int(unpriced or 0))  # type: ignore[call-overload]


def _decimal(value: object) -> Amount:
    return None if value is None else value if isinstance(value, Decimal) else Decimal(str(value))


def _todays(model: type[Flow] | type[Feature], project: Project) -> dict[str, str]:
    """Other names of flows or features, and what they are called today."""
    rows = model._default_manager.filter(project=project, alias_of__isnull=False)
    return dict(rows.values_list("name", "alias_of__name"))
