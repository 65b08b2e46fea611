"""What people decide about scores: what a score means, and which one is a flow's quality. Counts follow at once."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import Project
from analytics import scores
from analytics.ledger import kept_from, writing
from analytics.models import Flow
from analytics.scores_models import DIRECTIONS, KINDS, TARGETS, FlowQuality, ScoreDefinition

COUNTED = ("kind", "low", "high", "good", "threshold", "labels", "passing")  # what the rollups depend on
MAX_BOUND = Decimal(10) ** 12


def define(
    definition: ScoreDefinition, given: Mapping[str, Any], *, now: datetime, by: audit.By = None
) -> ScoreDefinition:
    """Confirm a score as a form gives it, and count its scores again where that changes them.

    Raises ValueError with a sentence for what cannot be meant."""
    wanted = read_definition(given)
    with writing(definition.project.lane, wait=True) as cursor:
        before = ScoreDefinition.objects.get(pk=definition.pk)
        _check_kind(before, wanted["kind"])
        for name, value in wanted.items():
            setattr(before, name, value)
        stored = ScoreDefinition.objects.get(pk=definition.pk)
        changed = any(getattr(stored, name) != getattr(before, name) for name in COUNTED)
        before.confirmed_at = now
        before.save()
        if changed:
            scores.recount(cursor, before.project, [before.name], scores.Moments(now, kept_from(now)))
        audit.record(project=before.project, actor=audit.actor_name(by), action="score.defined", target=before.name,
                     says=words(before))  # fmt: skip
    return before


def _check_kind(before: ScoreDefinition, kind: str) -> None:
    """Numbers cannot become categories, nor categories numbers: their scores are stored as what they came as."""
    if (before.kind == "categorical") != (kind == "categorical"):
        raise ValueError(f"{before.name} has come as {before.kind}: its scores cannot be read as {kind}.")


def read_definition(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a definition, checked. Raises ValueError."""
    kind, good, target = (
        _word(given, name, known)
        for name, known in (("kind", KINDS), ("good", DIRECTIONS), ("target", TARGETS))
    )
    low, high, threshold = (_number(given, name) for name in ("low", "high", "threshold"))
    if (low is None) != (high is None):
        raise ValueError("A range has both ends: give the lowest and the highest value, or neither.")
    if low is not None and high is not None and low >= high:
        raise ValueError("The range ends before it begins: the highest value must be above the lowest.")
    passing = [label.strip() for label in str(given.get("passing") or "").split(",") if label.strip()]
    numeric = kind == "numeric"
    return {
        "kind": kind, "good": good, "target": target,
        "low": low if numeric else None, "high": high if numeric else None,
        "threshold": threshold if numeric else None, "passing": passing if kind == "categorical" else [],
        "description": str(given.get("description") or "")[:500],
    }  # fmt: skip


def _word(given: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    value = str(given.get(name) or known[0])
    if value not in known:
        raise ValueError(f"{value[:20]!r} is no {name}: it is one of {', '.join(known)}.")
    return value


def _number(given: Mapping[str, Any], name: str) -> Decimal | None:
    text = str(given.get(name) or "").strip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation as problem:
        raise ValueError(f"{text[:20]!r} is no number. Write it like 0.8.") from problem
    if not number.is_finite() or abs(number) >= MAX_BOUND:
        raise ValueError(f"{text[:20]!r} is too large.")
    return round(number, 15)


def words(definition: ScoreDefinition) -> str:
    """A definition in words: `numeric, 1 to 5, higher is better, passes from 4`."""
    said = [definition.kind]
    if definition.range:
        said.append(f"{_plain(definition.low)} to {_plain(definition.high)}")
    if definition.kind == "boolean":
        said.append("true is good" if definition.good == "up" else "false is good")
    elif definition.kind == "numeric":
        said.append("higher is better" if definition.good == "up" else "lower is better")
    if definition.threshold is not None:
        said.append(f"passes {'from' if definition.good == 'up' else 'up to'} {_plain(definition.threshold)}")
    if definition.passing:
        said.append(f"passes as {' or '.join(definition.passing)}")
    return ", ".join(said)


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"


def choose_primary(project: Project, flow: Flow, name: str, *, by: audit.By = None) -> None:
    """Make a score the quality of a flow; "" takes it away. Raises ValueError for a score that does not exist."""
    score = ScoreDefinition.objects.filter(project=project, name=name).first() if name else None
    if name and score is None:
        raise ValueError(f"There is no score {name[:60]!r}.")
    with transaction.atomic():
        FlowQuality.objects.filter(flow=flow).delete()
        if score is not None:
            FlowQuality.objects.create(flow=flow, score=score)
        audit.record(
            project=project, actor=audit.actor_name(by), action="score.primary", target=flow.name, score=name
        )
