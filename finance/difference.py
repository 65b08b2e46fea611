"""Why a month differs from an export taken of it: late, re-priced, moved. Pure, exact, and silent where it would
have to guess.

Two sets of cells are held against each other: those of the export (environment, catalogue, provider, model; with
calls, tokens and cost), and today's without the calls that came since. Where a cell has the same calls and tokens
and another cost, its calls were re-priced. Where calls changed cells, and neither their number nor their cost
changed in sum, they were moved. Everything else has changed since, by an amount that is said without a cause.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from analytics.measures import EXACT

Group = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """Calls, tokens and cost (USD; unknown counts as nothing) of one group."""

    calls: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)

    def minus(self, other: "Cell") -> "Cell":
        """What is left without the other."""
        return Cell(
            self.calls - other.calls, self.tokens - other.tokens, EXACT.subtract(self.cost, other.cost)
        )


Cells = Mapping[Group, Cell]
NOTHING = Cell()


@dataclass(slots=True)
class Causes:
    """By how much a group changed, by cause, in USD. `moved` adds up to nothing over all groups."""

    late: Decimal = Decimal(0)
    late_calls: int = 0
    repriced: Decimal = Decimal(0)
    moved: Decimal = Decimal(0)
    other: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """All of it."""
        return _sum((self.late, self.repriced, self.moved, self.other))


@dataclass(slots=True)
class Difference:
    """The causes over everything, and by group (groups that did not change are left out)."""

    total: Causes = field(default_factory=Causes)
    groups: dict[Group, Causes] = field(default_factory=dict)

    @property
    def moved_amount(self) -> Decimal:
        """How much changed its line: what came out of groups, which is what went into others."""
        return _sum(causes.moved for causes in self.groups.values() if causes.moved > 0)


def difference(then: Cells, now: Cells, since: Cells | None) -> Difference:
    """Then: the export's cells; now: today's; since: those of calls that came after it, None = not known.

    The causes of every group add up to its difference, and those of all groups to the whole, exactly."""
    groups = {*then, *now, *(since or {})}
    kept = {group: now.get(group, NOTHING).minus((since or {}).get(group, NOTHING)) for group in groups}
    changed = {group: kept[group].minus(then.get(group, NOTHING)) for group in groups}
    shifted = {group: cell for group, cell in changed.items() if cell.calls or cell.tokens}
    only_moved = since is not None and _cancels(shifted.values())
    found = Difference()
    for group in sorted(groups):
        causes, cell = Causes(), changed[group]
        late = (since or {}).get(group, NOTHING)
        causes.late, causes.late_calls = late.cost, late.calls
        if group in shifted:
            setattr(causes, "moved" if only_moved else "other", cell.cost)
        else:
            causes.repriced = cell.cost
        if causes.late_calls or causes.total or cell != NOTHING:
            found.groups[group] = causes
    _add_up(found)
    return found


def _cancels(cells: Iterable[Cell]) -> bool:
    """Whether what left some groups came into others, whole: calls, tokens and cost."""
    listed = list(cells)
    return (
        not sum(cell.calls for cell in listed)
        and not sum(cell.tokens for cell in listed)
        and not _sum(cell.cost for cell in listed)
    )


def _add_up(found: Difference) -> None:
    for causes in found.groups.values():
        total = found.total
        total.late_calls += causes.late_calls
        total.late = EXACT.add(total.late, causes.late)
        total.repriced = EXACT.add(total.repriced, causes.repriced)
        total.moved = EXACT.add(total.moved, causes.moved)
        total.other = EXACT.add(total.other, causes.other)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def grouped(found: Difference, place: int) -> Difference:
    """The same by one of the groups' names."""
    by: dict[Group, Causes] = {}
    for group, causes in found.groups.items():
        into = by.setdefault((group[place],), Causes())
        into.late_calls += causes.late_calls
        for name in ("late", "repriced", "moved", "other"):
            setattr(into, name, EXACT.add(getattr(into, name), getattr(causes, name)))
    left = {group: causes for group, causes in by.items() if causes.late_calls or causes.total}
    return Difference(found.total, left)
