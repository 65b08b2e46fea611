"""Which first sights on a flow are changes: pure arithmetic over the first calls of its series.

A change is the first call of a value that its slot (flow, environment, step, operation, …) had not carried before.
So two versions that alternate are one change, a version that comes back is no news, and calls that arrive late or
by import only move a date. What the very first calls of a slot carry is no change.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from analytics.changes_kinds import NOTICEABLE, Kind, is_stand_in
from analytics.dimensions import OTHER

if TYPE_CHECKING:
    from analytics.series import Series

SETTLED = timedelta(minutes=5)  # a flow that uses two models, or tries two prompts, from its first run on
# A prompt with a date in it has a new fingerprint every day: one that comes sooner after the last is no change.
STEADY = timedelta(hours=48)
A_DAY = 20  # changes of one kind a flow and day; a version that is new with every call tells nothing
SUPPRESSED = {"provider": "model"}  # a kind, and the one that says the same better


@dataclass(frozen=True, slots=True)
class Sight:
    """A series of one flow and environment, its id, and when its first call began."""

    series: "Series"
    id: int
    first_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A first sight that is a change. `rivals`: the values that the slot's series carried before, by series id;
    `latest`: the one that came last before it."""

    kind: Kind
    subject: str
    after: str
    first_at: datetime
    rivals: dict[int, str]
    latest: str


def news_of(sights: Iterable[Sight]) -> list[News]:
    """The changes of one flow in one environment, by time."""
    ordered = sorted(sights, key=lambda sight: (sight.first_at, sight.id))
    found = [news for kind in NOTICEABLE for news in _within_bound(_of_kind(kind, ordered))]
    said = {(news.kind.name, news.first_at) for news in found}
    kept = [
        news for news in found
        if news.kind.name not in SUPPRESSED or (SUPPRESSED[news.kind.name], news.first_at) not in said
    ]  # fmt: skip
    return sorted(kept, key=lambda news: (news.first_at, news.kind.name, news.after))


@dataclass(slots=True)
class _Slot:
    """What was seen of a kind in one place: when it began, when it last had something new, and every series."""

    began: datetime
    renewed: datetime
    seen: list[tuple[Sight, str, str]] = field(default_factory=list)  # with its subject and value


def _of_kind(kind: Kind, ordered: Sequence[Sight]) -> list[News]:
    """First sights of values, in the order of time, each held against what its slot carried before."""
    known: set[tuple[str, str]] = set()
    slots: dict[tuple[Any, ...], _Slot] = {}
    found = []
    for sight in ordered:
        value = value_of(kind, sight.series)
        if value is None:
            continue
        subject = subject_of(kind, sight.series)
        place = tuple(getattr(sight.series, name) for name in kind.slot)
        slot = slots.setdefault(place, _Slot(sight.first_at, sight.first_at))
        if (subject, value) not in known:
            if slot.seen and _is_news(kind, sight, slot):
                found.append(_news(kind, sight, (subject, value), slot))
            known.add((subject, value))
            slot.renewed = sight.first_at
        slot.seen.append((sight, subject, value))
    return found


def value_of(kind: Kind, series: "Series") -> str | None:
    """What a series carries of a kind; None = nothing that could be compared."""
    value: str | None = getattr(series, kind.column)
    if value is None or value == OTHER:
        return None
    if kind.column == "prompt_version" and is_stand_in(value) != (kind.name == "fingerprint"):
        return None
    return value


def subject_of(kind: Kind, series: "Series") -> str:
    """What a value belongs to: a version to its prompt."""
    return (getattr(series, kind.subject) or "") if kind.subject else ""


def _is_news(kind: Kind, sight: Sight, slot: _Slot) -> bool:
    if sight.first_at - slot.began < SETTLED:
        return False
    return kind.name != "fingerprint" or sight.first_at - slot.renewed >= STEADY


def _news(kind: Kind, sight: Sight, identity: tuple[str, str], slot: _Slot) -> News:
    subject, value = identity
    same = [(one.id, text) for one, of, text in slot.seen if of == subject]
    rivals = same or [(one.id, f"{of} {text}".strip()) for one, of, text in slot.seen]
    return News(
        kind=kind,
        subject=subject,
        after=value,
        first_at=sight.first_at,
        rivals=dict(rivals),
        latest=rivals[-1][1],
    )


def _within_bound(news: list[News]) -> list[News]:
    counts: dict[Any, int] = defaultdict(int)
    kept = []
    for one in news:
        day = one.first_at.astimezone(UTC).date()
        counts[day] += 1
        if counts[day] <= A_DAY:
            kept.append(one)
    return kept
