"""Evaluating budgets: where each stands, and which thresholds its window went past, each recorded exactly once.

All questions are asked first; then one short transaction writes, unless another evaluator has written meanwhile. What
is not loaded yet can only add to a sum, so a threshold that is passed stays passed: late data cannot fire falsely.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from accounts.models import Project
from analytics.models import ImportBatch
from analytics.outlook import in_money
from guardrails.budget_models import Budget, BudgetCrossing, BudgetStanding
from guardrails.budgets_crossings import Found, newly_crossed, undone
from guardrails.budgets_look import Look, look
from guardrails.budgets_state import BudgetState, judged, state_from
from guardrails.engine import watermark
from guardrails.windows import Window

STALE = timedelta(minutes=3)  # a standing older than this is asked for again before it is told
SETTLED = timedelta(minutes=2)  # what an import brought is in the rollups by then
ABANDONED = timedelta(days=1)  # an import that never ended is not waited for
EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Evaluated:
    """What one evaluation did."""

    states: dict[int, BudgetState] = field(default_factory=dict)
    crossings: list[BudgetCrossing] = field(default_factory=list)


def evaluate(project: Project, *, now: datetime, budgets: Sequence[Budget] | None = None) -> Evaluated:
    """Evaluate a project's budgets, or these of them. May run twice, at once, and be killed anywhere.

    Raises ApiError 503 when a question takes too long."""
    chosen = budgets_of(project) if budgets is None else budgets
    if not chosen:
        return Evaluated()
    until = watermark(project, now=now)
    looks = look(project, chosen, now=now, until=until)
    with transaction.atomic():
        return _Writing(project, now, until).write(looks)


def budgets_of(project: Project) -> list[Budget]:
    """A project's budgets by name, with where they stand."""
    found = Budget.objects.filter(project=project).select_related("standing", "project")
    return list(found.order_by("name"))


def states_of(
    project: Project, *, now: datetime, budgets: Sequence[Budget] | None = None
) -> list[BudgetState]:
    """Where budgets stand, by name. What was evaluated lately is taken as it is, the rest asked for now.

    Raises ApiError 503."""
    chosen = budgets_of(project) if budgets is None else budgets
    stale = [budget for budget in chosen if is_stale(budget, now=now)]
    fresh = evaluate(project, now=now, budgets=stale).states if stale else {}
    return [fresh.get(budget.pk) or state_from(budget, budget.standing) for budget in chosen]


def state_of(budget: Budget, *, now: datetime) -> BudgetState:
    """Where one budget stands. Raises ApiError 503."""
    return states_of(budget.project, now=now, budgets=[budget])[0]


def is_stale(budget: Budget, *, now: datetime) -> bool:
    """Whether its stored standing cannot be told: none, of another window or definition, or too old."""
    standing = getattr(budget, "standing", None)
    if standing is None or standing.revision != budget.revision or standing.window_end <= now:
        return True
    return bool(now - standing.evaluated_at > STALE)


class _Writing:
    """Standings and crossings of one evaluation, in the transaction that holds the budgets' rows."""

    def __init__(self, project: Project, now: datetime, until: datetime) -> None:
        self.project, self.now, self.until = project, now, until
        self.imports = list(
            ImportBatch.objects.filter(project=project, first_at__isnull=False, undone_at=None).filter(
                Q(finished_at__isnull=False) | Q(started_at__gt=now - ABANDONED)
            )
        )

    def write(self, looks: Sequence[Look]) -> Evaluated:
        """Write what was seen; what another evaluator wrote meanwhile stays."""
        ids = [one.budget.pk for one in looks]
        revisions = dict(
            Budget.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", "revision")
        )
        stored = {one.budget_id: one for one in BudgetStanding.objects.filter(budget__in=ids)}
        known = self._known(looks)
        done, standings = Evaluated(), []
        for one in looks:
            if revisions.get(one.budget.pk) != one.budget.revision:
                done.states[one.budget.pk] = state_from(one.budget, self._standing(one))
                continue
            if not _same(stored.get(one.budget.pk), one.prior):
                done.states[one.budget.pk] = state_from(one.budget, stored[one.budget.pk])
                continue
            standings.append(self._standing(one))
            done.states[one.budget.pk] = state_from(one.budget, standings[-1])
            self._cross(one, known[one.budget.pk], done)
        _keep(standings)
        BudgetCrossing.objects.bulk_create(done.crossings, ignore_conflicts=True, batch_size=1000)
        return done

    def _known(self, looks: Sequence[Look]) -> Mapping[int, list[BudgetCrossing]]:
        first = min(one.closing[0].start if one.closing else one.window.start for one in looks)
        rows = BudgetCrossing.objects.filter(
            budget__in=[one.budget.pk for one in looks], window_start__gte=first
        )
        known: dict[int, list[BudgetCrossing]] = defaultdict(list)
        for row in rows:
            known[row.budget_id].append(row)
        return known

    def _standing(self, one: Look) -> BudgetStanding:
        budget, known = one.budget, one.known
        rest, low, high, at, days = (
            (known.rest, known.rest_low, known.rest_high, known.forecast_at, known.days)
            if known and not one.renewed
            else (*_rest(one), self.now, one.days)
        )
        spent = one.spent.of(budget.unit)
        ahead = None if spent is None or rest is None else spent + rest
        return BudgetStanding(
            budget=budget,
            revision=budget.revision,
            window_start=one.window.start,
            window_end=one.window.end,
            spent=spent,
            carried=one.carried,
            unpriced_calls=one.spent.unpriced_calls,
            rest=rest,
            rest_low=low,
            rest_high=high,
            forecast_at=at,
            days=days,
            state=judged(budget, spent=spent, forecast=ahead, limit=budget.limit + one.carried),
            members=one.ids,
            complete_until=self.until,
            evaluated_at=self.now,
        )

    def _cross(self, one: Look, known: Sequence[BudgetCrossing], done: Evaluated) -> None:
        state = done.states[one.budget.pk]
        found = self._found(one, state)
        here = [row for row in known if row.window_start == one.window.start]
        if gone := undone(found, here):
            BudgetCrossing.objects.filter(pk__in=gone).delete()
            here = [row for row in here if row.pk not in gone]
        done.crossings += newly_crossed(found, here, at=self.until)
        if one.closing:
            window, spent = one.closing
            closed = self._closed(one, window, spent.of(one.budget.unit))
            there = [row for row in known if row.window_start == window.start]
            done.crossings += newly_crossed(closed, there, at=window.end)

    def _found(self, one: Look, state: BudgetState) -> Found:
        spent, unit = state.spent, one.budget.unit
        brought = one.moved_spent.of(unit) if one.moved_spent else None
        grown = spent if brought is None or spent is None else spent - brought
        return Found(
            budget=one.budget,
            window=one.window,
            spent=spent,
            forecast=state.forecast,
            limit=state.limit,
            grown=grown,
            moved=bool(one.moved),
            imported=self._imported(one, one.window),
            mapping=_mapping(one),
        )

    def _closed(self, one: Look, window: Window, spent: Decimal | None) -> Found:
        """The window that has ended since: with what came in its last minute, and nothing of what moved since."""
        return Found(
            budget=one.budget,
            window=window,
            spent=spent,
            forecast=None,
            limit=one.budget.limit + (one.prior.carried if one.prior else 0),
            moved=one.reshaped or bool(one.moved),
            imported=self._imported(one, window),
            mapping=_mapping(one),
        )

    def _imported(self, one: Look, window: Window) -> bool:
        """Whether imported history came into the window since it was last looked at."""
        since = one.prior.evaluated_at - SETTLED if one.prior else EVER
        return any(_reaches_into(batch, window, since) for batch in self.imports)


def _reaches_into(batch: ImportBatch, window: Window, since: datetime) -> bool:
    if batch.first_at is None or batch.last_at is None:
        return False
    lately = batch.finished_at is None or batch.finished_at > since
    return lately and batch.first_at < window.end and batch.last_at >= window.start


def _mapping(one: Look) -> tuple[str, ...] | None:
    return None if one.members is None else tuple(sorted({place.flow for place in one.members}))


def _rest(one: Look) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    outlook = one.outlook
    if outlook is None:
        return None, None, None
    return in_money(outlook.rest), in_money(outlook.low), in_money(outlook.high)


def _same(stored: BudgetStanding | None, prior: BudgetStanding | None) -> bool:
    """Whether nobody wrote since the questions were asked."""
    if stored is None or prior is None:
        return stored is None and prior is None
    return stored.evaluated_at == prior.evaluated_at


def _keep(standings: Sequence[BudgetStanding]) -> None:
    names = [one.attname for one in BudgetStanding._meta.concrete_fields if not one.primary_key]
    BudgetStanding.objects.bulk_create(
        standings, update_conflicts=True, unique_fields=["budget"], update_fields=names, batch_size=500
    )
