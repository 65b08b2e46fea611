"""What many rules see, with few questions: rules of one measure, window, shape of filters and `each` are one query.

A filter to a single value becomes a dimension that the query is grouped by, filtered to the values of all its rules;
any other filter has to be the same. So a thousand rules of a thousand flows ask once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import Project
from analytics.answer import answer
from analytics.dimensions import REST
from analytics.measures import Measure
from analytics.models import Feature, Flow
from analytics.periods import Period
from analytics.query import Filter, Query
from guardrails import spans
from guardrails.alert_models import Rule
from guardrails.judging import Seen, can_be_sure, number, usual
from guardrails.rules import NO_DATA, Condition, condition_of, counted_by, filters_of, measure_of

MOST_GROUPS = 50_000
EXPECTED_DAYS = 7  # a group that was there so lately is missed when it is gone
FIXED = ("environment", "unit")  # filters that stay filters: nearly all rules have the same
Seens = dict[str, Seen]  # by group; "" without `each`
Rename = Callable[[str, str], str]  # (dimension, name) -> the name it has today


@dataclass(frozen=True, slots=True)
class Watched:
    """A rule, read once: what the engine needs of it."""

    rule: Rule
    condition: Condition
    filters: tuple[Filter, ...]
    hold: timedelta

    @property
    def name(self) -> str:
        return self.rule.measure


@dataclass(frozen=True, slots=True)
class Observed:
    """What a rule's whole window says by group, what the one that fills says, and which groups are missed."""

    whole: Seens
    filling: Seens = field(default_factory=dict)
    expected: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Ask:
    """One grouped question: rules whose asks are equal share its answer."""

    measure: str
    period: Period
    fixed: tuple[Filter, ...]
    shape: tuple[str, ...]
    each: str


def watched(rule: Rule, rename: Rename) -> Watched:
    """A stored rule with its names as they are today: a flow that was renamed goes on being watched."""
    filters = tuple(
        Filter(one.dimension, tuple(rename(one.dimension, value) for value in one.values), one.negated)
        for one in filters_of(rule)
    )
    hold = spans.span(rule.hold) if rule.hold else timedelta(0)
    return Watched(rule, condition_of(rule), filters, hold)


def renames(project: Project) -> Rename:
    """Today's names of flows and features that were renamed or merged."""
    found: dict[str, dict[str, str]] = {
        "flow": dict(_aliases(Flow, project)), "feature": dict(_aliases(Feature, project)),
    }  # fmt: skip
    return lambda dimension, name: found.get(dimension, {}).get(name, name)


def _aliases(model: Any, project: Project) -> Iterable[tuple[str, str]]:
    rows = model.objects.filter(project=project, alias_of__isnull=False)
    found: Iterable[tuple[str, str]] = rows.values_list("name", "alias_of__name")
    return found


class Observer:
    """Answers what rules ask, each question once."""

    def __init__(self, project: Project, *, until: datetime, now: datetime) -> None:
        self.project, self.until, self.now = project, until, now
        self.values: dict[_Ask, set[tuple[str, ...]]] = defaultdict(set)
        self.answers: dict[_Ask, dict[tuple[str, ...], Seens]] = {}
        self.questions = 0

    def observe(self, rules: Sequence[Watched]) -> dict[int, Observed]:
        """What every rule sees, by its id."""
        for one in rules:
            for ask in self._asks(one):
                self.values[ask].add(_place(one, ask))
        return {one.rule.pk: self._observed(one) for one in rules}

    def _asks(self, one: Watched) -> list[_Ask]:
        whole = spans.closed(one.rule.window, until=self.until, zone=self.project.zone)
        asks = [self._ask(one, period) for period in (whole, *self._bases(one, whole))]
        filling = self._filling(one)
        expected = self._expected(one, whole)
        return [*asks, *(self._ask(one, period) for period in (filling, expected) if period)]

    def _bases(self, one: Watched, whole: Period) -> list[Period]:
        if one.condition.kind != "change_over":
            return []
        return [spans.same_hours(whole, weeks=weeks) for weeks in spans.BASE_WEEKS]

    def _filling(self, one: Watched) -> Period | None:
        if one.rule.window in spans.CALENDAR or not can_be_sure(one.condition, measure_of(one.name)):
            return None
        return spans.running(one.rule.window, until=self.until, zone=self.project.zone)

    def _expected(self, one: Watched, whole: Period) -> Period | None:
        if one.condition.kind != NO_DATA or not one.rule.each:
            return None
        start = whole.start - timedelta(days=EXPECTED_DAYS)
        return Period(start=start, end=whole.start, zone=whole.zone)

    def _ask(self, one: Watched, period: Period) -> _Ask:
        single = tuple(sorted(f.dimension for f in one.filters if _is_single(f, one)))
        fixed = tuple(sorted((f for f in one.filters if not _is_single(f, one)), key=repr))
        return _Ask(one.name, period, fixed, single, one.rule.each)

    def _observed(self, one: Watched) -> Observed:
        whole = spans.closed(one.rule.window, until=self.until, zone=self.project.zone)
        seens = self._seens(one, whole)
        bases = [self._seens(one, period) for period in self._bases(one, whole)]
        if bases:
            groups = dict.fromkeys(group for found in (seens, *bases) for group in found)
            absent = nothing(measure_of(one.name))
            seens = {group: _with_base(seens.get(group, absent), group, bases) for group in groups}
        filling, expected = self._filling(one), self._expected(one, whole)
        return Observed(
            whole=seens,
            filling=self._seens(one, filling) if filling else {},
            expected=frozenset(self._seens(one, expected)) if expected else frozenset(),
        )

    def _seens(self, one: Watched, period: Period) -> Seens:
        ask = self._ask(one, period)
        if ask not in self.answers:
            self.answers[ask] = self._answered(ask)
        return self.answers[ask].get(_place(one, ask), {})

    def _answered(self, ask: _Ask) -> dict[tuple[str, ...], Seens]:
        """By the values of the shape, then by group."""
        self.questions += 1
        counted = counted_by(measure_of(ask.measure))
        query = Query(
            project=self.project,
            period=ask.period,
            measures=tuple(dict.fromkeys((ask.measure, *([counted] if counted else [])))),
            group_by=(*ask.shape, *([ask.each] if ask.each else [])),
            filters=(*ask.fixed, *self._narrowed(ask)),
            limit=MOST_GROUPS,
        )
        found: dict[tuple[str, ...], Seens] = defaultdict(dict)
        for group, figures in answer(query, now=self.now, trust=False).by_group().items():
            if REST in group:
                continue
            n = int(figures[counted] or 0) if counted else None
            place, name = (group[: len(ask.shape)], group[-1] if ask.each else "")
            found[place][name] = Seen(number(figures[ask.measure]), n)
        return found

    def _narrowed(self, ask: _Ask) -> list[Filter]:
        """Each dimension of the shape filtered to what its rules watch."""
        columns = zip(*self.values[ask], strict=True) if ask.shape else ()
        return [
            Filter(name, tuple(sorted(set(values)))) for name, values in zip(ask.shape, columns, strict=True)
        ]


def nothing(measure: Measure) -> Seen:
    """What a group without any calls is: a sum is 0, a rate unknown."""
    return Seen(Decimal(0) if measure.additive else None, 0)


def _is_single(one: Filter, of: Watched) -> bool:
    """Whether a filter can become a dimension of a shared question."""
    alone = sum(other.dimension == one.dimension for other in of.filters) == 1
    plain = not one.negated and len(one.values) == 1 and alone
    return plain and one.dimension not in FIXED and one.dimension != of.rule.each


def _place(one: Watched, ask: _Ask) -> tuple[str, ...]:
    known = {f.dimension: f.values[0] for f in one.filters if f.values}
    return tuple(known[name] for name in ask.shape)


def _with_base(seen: Seen, group: str, bases: Sequence[Mapping[str, Seen]]) -> Seen:
    return Seen(seen.value, seen.n, usual([base[group].value if group in base else None for base in bases]))
