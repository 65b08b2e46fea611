"""Budgets as people and repositories write them: read from a body, made, changed, removed, with an audit line each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.errors import ApiError
from accounts.models import Project
from guardrails import bodies
from guardrails.alert_models import Channel
from guardrails.bodies import wrong
from guardrails.budget_models import Budget
from guardrails.windows import WINDOWS

SCOPES = ("feature", "flow", "customer", "cost_centre", "provider", "model")
UNITS = ("USD", "tokens")
KINDS = ("actual", "forecast")
THRESHOLDS = (50, 80, 100)
ALL = "*"
FIELDS = (
    "name", "scope", "environment", "window", "limit", "unit", "thresholds", "on", "carry_over", "channels", "owner",
)  # fmt: skip
READ_ONLY = (
    "id", "spent", "carried", "share", "unpriced_calls", "forecast", "forecast_interval", "days_known", "state",
    "starts_at", "resets_at", "complete_until", "changed_at", "changed_by",
)  # fmt: skip
MOST_BUDGETS = 5_000
MOST_THRESHOLDS = 10
HIGHEST_THRESHOLD = 1_000
# Another value of one of these and thresholds are measured anew.
MEASURED = ("dimension", "value", "environment", "window", "limit", "unit", "thresholds", "on", "carry_over")


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A budget's fields, checked; the names are those of the model."""

    name: str
    dimension: str
    value: str
    environment: str
    window: str
    limit: Decimal
    unit: str
    thresholds: tuple[int, ...]
    on: tuple[str, ...]
    carry_over: bool
    channels: tuple[str, ...]
    owner: str

    def fields(self) -> dict[str, Any]:
        """As the model stores them."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name in self.__dataclass_fields__
            for value in (getattr(self, name),)
        }


def read(given: Mapping[str, Any], *, project: Project) -> Definition:
    """Read a body. What an answer holds besides is taken and ignored, so that an answer can be sent back.

    Raises ApiError 400 that names field and remedy."""
    own = {name: value for name, value in given.items() if name not in READ_ONLY}
    bodies.only(own, FIELDS)
    name = bodies.text(own, "name", most=100)
    if not name:
        raise wrong("name", "name is empty.", "Give the budget a name, unique in the project.")
    dimension, value = _scope(own)
    unit = _one_of(own, "unit", UNITS, default=UNITS[0])
    return Definition(
        name=name,
        dimension=dimension,
        value=value,
        environment=_environment(own, project),
        window=_one_of(own, "window", WINDOWS),
        limit=_limit(own, unit),
        unit=unit,
        thresholds=_thresholds(own),
        on=_on(own),
        carry_over=bodies.flag(own, "carry_over"),
        channels=_channels(own, project),
        owner=bodies.text(own, "owner", most=100, default=""),
    )


def _one_of(given: Mapping[str, Any], field: str, known: tuple[str, ...], *, default: str = "") -> str:
    value = given.get(field)
    if value is None and default:
        return default
    if value is None:
        raise wrong(field, f"{field} is missing.", f"Use one of {', '.join(known)}.")
    if not isinstance(value, str) or value not in known:
        raise wrong(field, f"There is no {field} {str(value)[:60]!r}.", f"Use one of {', '.join(known)}.")
    return value


def _scope(given: Mapping[str, Any]) -> tuple[str, str]:
    """(dimension, value); ("", "") is the whole project."""
    scope = given.get("scope")
    hint = f'Give one of {", ".join(SCOPES)}, as {{"flow": "support-triage"}}, or {{}} for the whole project.'
    if scope is None:
        raise wrong("scope", "scope is missing.", hint)
    if not isinstance(scope, dict) or len(scope) > 1:
        raise wrong("scope", "A scope has one dimension and its value.", hint)
    if not scope:
        return "", ""
    dimension = next(iter(scope))
    if dimension not in SCOPES:
        raise wrong("scope", f"A budget cannot be on {dimension[:60]!r}.", hint)
    value = scope[dimension]
    if not isinstance(value, str) or not value or len(value) > 200 or not bodies.is_text(value):
        raise wrong(f"scope.{dimension}", f"The {dimension} is no text of 1 to 200 characters.", hint)
    return dimension, value


def _environment(given: Mapping[str, Any], project: Project) -> str:
    """ "" where it is the main one: a budget that names none follows the project."""
    value = bodies.text(given, "environment", most=100, default="")
    return "" if value == project.main_environment else value


def _limit(given: Mapping[str, Any], unit: str) -> Decimal:
    if given.get("limit") is None:
        raise wrong("limit", "limit is missing.", 'A budget needs a limit, for instance "1000.00".')
    limit = bodies.number(given, "limit")
    if limit <= 0:
        raise wrong("limit", "limit is not above 0.", 'Give what may be spent, for instance "1000.00".')
    if unit == "tokens" and limit != limit.to_integral_value():
        raise wrong("limit", "A limit in tokens is a whole number.", "Leave out the decimals.")
    if limit != limit.quantize(Decimal("0.000001")):
        raise wrong("limit", "limit has more than six decimals.", "Round it.")
    return limit


def _thresholds(given: Mapping[str, Any]) -> tuple[int, ...]:
    values = given.get("thresholds")
    if values is None:
        return THRESHOLDS
    hint = f"Give up to {MOST_THRESHOLDS} whole percents from 1 to {HIGHEST_THRESHOLD}: [50, 80, 100]."
    if not isinstance(values, list) or not 0 < len(values) <= MOST_THRESHOLDS:
        raise wrong("thresholds", "thresholds is no list of percents.", hint)
    for value in values:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 1 <= value <= HIGHEST_THRESHOLD or value != int(value):
            raise wrong("thresholds", f"{str(value)[:40]} is out of range.", hint)
    return tuple(sorted({int(value) for value in values}))


def _on(given: Mapping[str, Any]) -> tuple[str, ...]:
    values = bodies.texts(given, "on", most=len(KINDS)) if given.get("on") is not None else list(KINDS)
    for value in values:
        if value not in KINDS:
            raise wrong("on", f"There is no {value[:40]!r} to measure.", f"Use {' and '.join(KINDS)}.")
    if not values:
        raise wrong("on", "on is empty.", f"Use {' and '.join(KINDS)}, or leave it out for both.")
    return tuple(kind for kind in KINDS if kind in values)


def _channels(given: Mapping[str, Any], project: Project) -> tuple[str, ...]:
    names = bodies.texts(given, "channels", most=20)
    known = set(Channel.objects.filter(project=project, name__in=names).values_list("name", flat=True))
    for name in names:
        if name not in known:
            raise wrong(
                "channels", f"There is no channel {name[:60]!r}.", "Make it first: POST /v1/channels."
            )
    return tuple(names)


@transaction.atomic
def create(project: Project, definition: Definition, *, by: audit.By, now: datetime) -> Budget:
    """Make a budget. Raises ApiError 409 when the name is taken, 400 beyond MOST_BUDGETS."""
    if Budget.objects.filter(project=project).count() >= MOST_BUDGETS:
        raise wrong(None, f"A project has at most {MOST_BUDGETS:,} budgets.", "Remove one.")
    actor = audit.actor_name(by)
    budget = Budget(project=project, created_at=now, created_by=actor, **definition.fields())
    _save(budget, actor, now)
    audit.record(project=project, actor=actor, action="budget.created", target=budget.name, **_told(budget))
    return budget


@transaction.atomic
def change(budget: Budget, definition: Definition, *, by: audit.By, now: datetime) -> Budget:
    """Replace a budget's definition. Raises ApiError 409 when the name is another's, 404 when it is gone."""
    fresh = Budget.objects.select_for_update().filter(pk=budget.pk).select_related("project").first()
    if fresh is None:
        raise gone()
    before, actor = _told(fresh), audit.actor_name(by)
    measured = [getattr(fresh, name) for name in MEASURED]
    for name, value in definition.fields().items():
        setattr(fresh, name, value)
    if measured != [getattr(fresh, name) for name in MEASURED]:
        fresh.revision += 1
    if before == _told(fresh):
        return fresh
    _save(fresh, actor, now)
    audit.record(project=fresh.project, actor=actor, action="budget.changed", target=fresh.name,
                 before=before, after=_told(fresh))  # fmt: skip
    return fresh


@transaction.atomic
def remove(budget: Budget, *, by: audit.By) -> None:
    """Take a budget away, with its crossings."""
    audit.record(project=budget.project, actor=audit.actor_name(by), action="budget.removed", target=budget.name,
                 **_told(budget))  # fmt: skip
    budget.delete()


def gone() -> ApiError:
    """A 404."""
    return ApiError(404, "not_found", "There is no such budget.", hint="GET /v1/budgets lists them.")


def _save(budget: Budget, actor: str, now: datetime) -> None:
    budget.changed_at, budget.changed_by = now, actor
    try:
        with transaction.atomic():
            budget.save()
    except IntegrityError as problem:
        hint = "Choose another name, or PUT the budget that has it."
        raise ApiError(409, "exists", f"There is a budget {budget.name!r} already.", field="name",
                       hint=hint) from problem  # fmt: skip


def scope_of(budget: Budget) -> dict[str, str]:
    """The scope as the contract writes it."""
    return {budget.dimension: budget.value} if budget.dimension else {}


def environment_of(budget: Budget) -> str:
    """Its environment's name, `*` for all."""
    return budget.environment or budget.project.main_environment


def amount(value: Decimal, unit: str) -> str:
    """An amount in an answer: money with at least two decimals and none lost, tokens whole."""
    if unit == "tokens":
        return f"{value:.0f}"
    text = f"{value.normalize():f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def _told(budget: Budget) -> dict[str, Any]:
    """What the audit log keeps."""
    return {
        "scope": scope_of(budget), "environment": environment_of(budget), "window": budget.window,
        "limit": amount(budget.limit, budget.unit), "unit": budget.unit, "thresholds": list(budget.thresholds),
        "on": list(budget.on), "carry_over": budget.carry_over, "channels": list(budget.channels),
        "owner": budget.owner, "name": budget.name,
    }  # fmt: skip
