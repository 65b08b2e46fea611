"""What a score means: guessed when its name is first seen, fitted to what comes until somebody confirms it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from accounts.models import Project
from analytics.scores_models import ScoreDefinition
from ingest.records import ScoreRecord

MOST_LABELS = 100
# A guess, shown to be confirmed: names of which less is better.
BAD = ("undo", "undone", "hallucination", "toxicity", "bias", "error", "refusal", "escalated", "complaint")
# Ranges that a guess may take: the smallest that holds what was seen.
RANGES = tuple((low, 10**size) for size in range(12) for low in (0, -(10**size)))
_BITS = (Decimal(0), Decimal(1))


class MisfitError(ValueError):
    """A value that its confirmed definition does not allow, as a sentence."""


@dataclass(slots=True)
class Definitions:
    """The definitions of the names in some records. `changed`: those whose scores must be counted again."""

    by_name: dict[str, ScoreDefinition]
    changed: set[str] = field(default_factory=set)


def definitions_for(project: Project, records: Sequence[ScoreRecord], *, now: datetime) -> Definitions:
    """The definitions of these records' names, made or fitted where nobody has confirmed them."""
    by_name: dict[str, list[ScoreRecord]] = defaultdict(list)
    for record in records:
        by_name[record.name].append(record)
    known = {one.name: one for one in ScoreDefinition.objects.filter(project=project, name__in=list(by_name))}
    found = Definitions(known)
    for name, given in by_name.items():
        if name not in known:
            known[name] = _guessed(project, name, given, now=now)
        elif _fitted(known[name], given):
            known[name].save()
            found.changed.add(name)
    return found


def value_of(record: ScoreRecord, definition: ScoreDefinition) -> tuple[Decimal | None, str | None]:
    """(number, label) as the definition has values: true is 1, categories have labels only.

    Raises MisfitError."""
    if definition.kind == "categorical":
        return None, _label(record)
    number = _number(record)
    if number is None:
        raise MisfitError(f"{definition.name} is {definition.kind}; {record.label!r} is not.")
    if definition.kind == "boolean" and number not in _BITS:
        raise MisfitError(f"{definition.name} is boolean; {number} is not.")
    if definition.kind == "numeric" and definition.range and definition.confirmed_at:
        low, high = definition.range
        if not low <= number <= high:
            raise MisfitError(f"{definition.name} goes from {low:f} to {high:f}; {number} lies outside.")
    return number, None


def _label(record: ScoreRecord) -> str:
    if record.label is not None:
        return record.label
    return str(record.number) if record.truth is None else str(record.truth).lower()


def _number(record: ScoreRecord) -> Decimal | None:
    if record.truth is not None:
        return Decimal(record.truth)
    return record.number


def _guessed(project: Project, name: str, given: Sequence[ScoreRecord], *, now: datetime) -> ScoreDefinition:
    kind = _kind(given)
    first = given[0]
    made = ScoreDefinition(
        project=project, name=name, kind=kind, good="down" if name.lower() in BAD else "up", first_seen_at=now,
        source=first.source,
        target="call" if first.call else "run" if first.run else "session",
        labels=_labels([], given) if kind == "categorical" else [],
    )  # fmt: skip
    if kind == "numeric":
        made.low, made.high = _range(_number(one) for one in given)
    return ScoreDefinition.objects.get_or_create(project=project, name=name, defaults=_fields(made))[0]


def _fields(made: ScoreDefinition) -> dict[str, object]:
    names = ("kind", "low", "high", "good", "labels", "target", "source", "first_seen_at")
    return {name: getattr(made, name) for name in names}


def _kind(given: Sequence[ScoreRecord]) -> str:
    """Labels make categories; numbers are booleans when both 0 and 1 come, often, and nothing else does."""
    if any(one.label is not None for one in given):
        return "categorical"
    numbers = {one.number for one in given if one.truth is None}
    looks_boolean = numbers == set(_BITS) and len(given) >= 20
    return "boolean" if not numbers or looks_boolean else "numeric"


def _range(numbers: Iterable[Decimal | None]) -> tuple[Decimal | None, Decimal | None]:
    known = [number for number in numbers if number is not None]
    if not known:
        return None, None
    lowest, highest = min(known), max(known)
    for low, high in RANGES:
        if low <= lowest and highest <= high:
            return Decimal(low), Decimal(high)
    return None, None


def _labels(known: list[str], given: Sequence[ScoreRecord]) -> list[str]:
    more = dict.fromkeys(_label(one) for one in given)
    return [*known, *(label for label in more if label not in known)][:MOST_LABELS]


def _fitted(definition: ScoreDefinition, given: Sequence[ScoreRecord]) -> bool:
    """Fit a definition to new values; True when its scores must be counted again. New labels are always learnt."""
    before = (definition.kind, definition.low, definition.high, list(definition.labels))
    if definition.confirmed_at is None:
        _fit(definition, given)
    if definition.kind == "categorical":
        definition.labels = _labels(definition.labels, given)
    return before != (definition.kind, definition.low, definition.high, list(definition.labels))


def _fit(definition: ScoreDefinition, given: Sequence[ScoreRecord]) -> None:
    """Only ever to a wider meaning: boolean, numeric; a label makes no category of numbers."""
    numbers = [number for one in given if (number := _number(one)) is not None]
    if definition.kind == "boolean" and not set(numbers) <= set(_BITS):
        definition.kind = "numeric"
        definition.low, definition.high = Decimal(0), Decimal(1)
    if definition.kind == "numeric" and definition.range and numbers:
        definition.low, definition.high = _range([*definition.range, *numbers])
