"""How A and B are chosen on Compare: links and a form, all of which end in the URL."""

from dataclasses import dataclass

from analytics.answer import answer
from analytics.changes_list import Wanted, page
from analytics.dimensions import OTHER, REST
from dashboard import formats
from dashboard.change_texts import change_text, kind_text, short
from dashboard.compare_sides import CHANGE, PERIODS, VARIANTS, Pair, own_filters
from dashboard.explore_menus import label_of
from dashboard.frame import Choice
from dashboard.scope import SIDES, TIMES, Scope

DIMENSIONS = (
    "prompt_version",
    "model",
    "release",
    "retrieval",
    "provider",
    "environment",
    "flow",
    "customer",
)
VALUES = 30
CHANGES = 20


@dataclass(frozen=True, slots=True)
class Menu:
    """One list of links behind a word."""

    title: str
    word: str
    choices: tuple[Choice, ...]


def modes(scope: Scope, mode: str) -> tuple[Choice, ...]:
    """Compare periods, variants, before and after a change."""
    gone = without_sides(scope)
    return (
        Choice("periods", scope.url(**{**gone, "change": None, "by": None}), mode == PERIODS),
        Choice(
            "variants", scope.url(**{**gone, "change": None, "by": None, "view": VARIANTS}), mode == VARIANTS
        ),
        Choice(
            "before and after a change",
            scope.url(**{**gone, "change": None, "by": None, "view": CHANGE}),
            mode == CHANGE,
        ),
    )


def without_sides(scope: Scope) -> dict[str, str | None]:
    """Parameters that take both sides back."""
    return {**{name: None for name in scope.params if name.startswith(SIDES)}, "view": None}


def swapped(scope: Scope, pair: Pair) -> str:
    """A and B the other way round."""
    if pair.mode == CHANGE:
        return ""
    own = {side: own_filters(scope, side) for side in SIDES}
    if pair.mode == PERIODS:
        own = {f"{letter}.": dict(side.scope.params) for letter, side in (("a", pair.a), ("b", pair.b))}
        own = {
            side: {name: values for name, values in given.items() if name in TIMES}
            for side, given in own.items()
        }
    crossed = {f"{other}{name}": values for side, other in zip(SIDES, reversed(SIDES), strict=True)
               for name, values in own[side].items()}  # fmt: skip
    return scope.url(**{**without_sides(scope), **crossed})


def variant_menus(scope: Scope) -> tuple[Menu, ...]:
    """The dimension, and a value of it for each side."""
    own = {side: own_filters(scope, side) for side in SIDES}
    chosen = next((name for given in own.values() for name in given if name not in TIMES), scope.value("by"))
    chosen = chosen if chosen in DIMENSIONS else ""
    gone = without_sides(scope)
    dimensions = tuple(
        Choice(label_of(name), scope.url(**{**gone, "view": VARIANTS, "by": name}), name == chosen)
        for name in DIMENSIONS
    )
    found = [Menu("Compare by", label_of(chosen).lower() if chosen else "choose a dimension", dimensions)]
    if chosen:
        found += [_values(scope, side, chosen, own[side].get(chosen, ("",))[0]) for side in SIDES]
    return tuple(found)


def _values(scope: Scope, side: str, name: str, current: str) -> Menu:
    query = scope.query(measures=("calls",), group_by=(name,), base=None, compare="", limit=VALUES)
    groups = answer(query, now=scope.now, trust=False).by_group()
    choices = tuple(
        Choice(short(group[0]), scope.url(**{f"{side}{name}": group[0], "by": None, "view": None}), group[0] == current,
               formats.short(figures["calls"]))
        for group, figures in groups.items()
        if group[0] not in (REST, OTHER)
    )  # fmt: skip
    return Menu(f"{side[0].upper()}: {label_of(name).lower()}", short(current) or "choose", choices)


def change_menu(scope: Scope, current: str) -> Menu:
    """The newest changes of the flow, or of all."""
    wanted = Wanted(flows=scope.asked.values_of("flow"), environments=scope.environments, limit=CHANGES)
    lines = page(scope.project, wanted).lines
    gone = without_sides(scope)
    choices = tuple(
        Choice(f"{kind_text(line)} {change_text(line)}", scope.url(**{**gone, "change": str(line.id), "by": None}),
               str(line.id) == current, formats.moment(line.at, zone=scope.project.zone, now=scope.now))
        for line in lines
    )  # fmt: skip
    word = next((choice.label for choice in choices if choice.current), "choose a change")
    return Menu("Before and after", word, choices)


def dates(scope: Scope, pair: Pair | None) -> tuple[tuple[str, str, str, str], ...]:
    """(letter, name, first day, last day) of each side, for the form."""
    if pair is None:
        return (("A", "a", "", ""), ("B", "b", str(scope.period.first_day), str(scope.period.last_day)))
    return tuple(
        (side.letter, side.letter.lower(), str(side.period.first_day), str(side.period.last_day))
        for side in (pair.a, pair.b)
    )


def hidden(scope: Scope) -> tuple[tuple[str, str], ...]:
    """What the form of dates keeps: filters of both sides and of each."""
    dropped = {f"{side}{name}" for side in SIDES for name in TIMES} | {"view", "change", "by", *TIMES}
    return tuple(
        (name, value) for name, values in scope.params.items() if name not in dropped for value in values
    )
