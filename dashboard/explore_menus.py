"""Explore's sentence, chips, drill and views: every word of the query opens the list of what it could be."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from analytics.dimensions import DIMENSIONS, RAW
from analytics.measures import MEASURES
from analytics.models import Feature
from dashboard import spans_of_time
from dashboard.explore_question import DEFAULT_EXTRAS, DRILL, Question
from dashboard.frame import Choice
from dashboard.scope import Scope, comparison_of

GRAIN_WORDS = {"15min": "quarter hour", "hour": "hour", "day": "day", "week": "week", "month": "month"}
VIEW_WORDS = (("stacked", "Stacked"), ("lines", "Lines"), ("share", "Share"), ("cumulative", "Cumulative"))
AGAINST_WORDS = {
    "previous": "the previous period", "weekdays": "the same weekdays", "year": "a year ago", "none": "nothing",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Menu:
    """One word of the sentence: what stands before it, the word, and its list."""

    before: str
    word: str
    title: str
    choices: tuple[Choice, ...]
    after: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter: `dimension is value`, and the link that drops it."""

    dimension: str
    value: str
    drop: str


def sentence(question: Question) -> tuple[Menu, ...]:
    """*Cost* by *model* in *Support assistant*, per *day*, against *the previous period*."""
    scope = question.scope
    measure = MEASURES[question.measure].label
    return (
        Menu("", measure, "Measure", _measures(question)),
        Menu("by", label_of(question.dimension).lower(), "By", _dimensions(question)),
        Menu("in", _feature_word(scope), "In", _features(scope), ","),
        Menu("per", GRAIN_WORDS[question.grain], "Per", _grains(question), ","),
        Menu("against", AGAINST_WORDS[comparison_of(scope)] if scope.asked.compare or not scope.base else
             spans_of_time.dates(scope.base), "Against", _against(scope)),
    )  # fmt: skip


def label_of(dimension: str) -> str:
    """A dimension's label, also of a tag."""
    known = DIMENSIONS.get(dimension)
    return known.label if known else f"Tag {dimension.removeprefix('tag:')}"


def _measures(question: Question) -> tuple[Choice, ...]:
    url, current = question.scope.url, question.measure
    return tuple(
        Choice(m.label, url(measures=m.name, order=None), m.name == current, m.unit)
        for m in MEASURES.values()
    )


def _dimensions(question: Question) -> tuple[Choice, ...]:
    names = [name for name, one in DIMENSIONS.items() if one.sources != frozenset({RAW})]
    names += [f"tag:{key}" for key in question.scope.project.tracked_tags]
    return tuple(
        Choice(
            label_of(name),
            question.scope.url(group_by=name, order=None, limit=None),
            name == question.dimension,
        )
        for name in names
    )


def _feature_word(scope: Scope) -> str:
    return ", ".join(scope.asked.values_of("feature")) or "all features"


def _features(scope: Scope) -> tuple[Choice, ...]:
    chosen = scope.asked.values_of("feature")
    names = (
        Feature.objects.filter(project=scope.project, alias_of=None, archived_at=None)
        .order_by("name")
        .values_list("name", flat=True)[:200]
    )
    named = tuple(Choice(name, scope.url(feature=name), chosen == (name,)) for name in names)
    return (Choice("all features", scope.url(feature=None), not chosen), *named)


def _grains(question: Question) -> tuple[Choice, ...]:
    return tuple(
        Choice(word, question.scope.url(grain=grain), grain == question.grain)
        for grain, word in GRAIN_WORDS.items()
        if grain not in ("15min", "hour") or question.scope.period.days <= 7
    )


def _against(scope: Scope) -> tuple[Choice, ...]:
    current = comparison_of(scope)
    return tuple(
        Choice(word, scope.url(compare=name), name == current) for name, word in AGAINST_WORDS.items()
    )


def chips(scope: Scope) -> tuple[Chip, ...]:
    """The URL's filters in its order, the environment among them when one is chosen."""
    found = []
    for one in scope.asked.filters:
        for value in one.values:
            name = label_of(one.dimension).lower() + (" is not" if one.negated else "")
            found.append(
                Chip(name, value, _without(scope, one.dimension, ("!" if one.negated else "") + value))
            )
    return tuple(found)


def _without(scope: Scope, dimension: str, value: str) -> str:
    if dimension == "environment" and "environment" not in scope.params:
        return scope.url(environment="*")
    kept = tuple(one for one in scope.params.get(dimension, ()) if one != value)
    return scope.url(**{dimension: kept or ("*" if dimension == "environment" else None)})


def clear(scope: Scope) -> str:
    """All filters dropped, the environment kept as it is."""
    return scope.url(**_nothing(one.dimension for one in scope.filters))


def _nothing(names: Iterable[str]) -> dict[str, str | None]:
    return dict.fromkeys(names)


def drill(question: Question) -> tuple[Choice, ...]:
    """feature › flow › model › prompt version › runs"""
    scope = question.scope
    steps = [Choice(label_of(name).lower(), scope.url(group_by=name, order=None), name == question.dimension)
             for name in DRILL]  # fmt: skip
    return (*steps, Choice("runs", runs_url(scope)))


def runs_url(scope: Scope) -> str:
    """The list of runs with the same filters and period."""
    gone = _nothing(
        ("measures", "group_by", "columns", "grain", "view", "order", "limit", "after", "panel", "compare")
    )
    return scope.url(reverse("runs", args=[scope.project.slug]), **gone)


def views(question: Question) -> tuple[Choice, ...]:
    """Stacked, Lines, Share, Cumulative; only Lines for what does not add up."""
    return tuple(
        Choice(word, question.scope.url(view=None if view == "stacked" else view), view == question.view)
        for view, word in VIEW_WORDS
        if question.additive or view == "lines"
    )


def filterable(question: Question) -> tuple[Choice, ...]:
    """The dimensions of *+ Filter*: each loads its values with their counts."""
    values = reverse("values", args=[question.scope.project.slug])
    names = [name for name, one in DIMENSIONS.items() if one.sources != frozenset({RAW}) and name != "unit"]
    return tuple(Choice(label_of(name), question.scope.url(values, of=name), value=name) for name in names)


def more_columns(question: Question) -> tuple[Choice, ...]:
    """Measures that the table could have as well."""
    shown = (question.measure, *question.extras)
    asked = question.extras or DEFAULT_EXTRAS
    return tuple(
        Choice(m.label, question.scope.url(columns=",".join((*asked, m.name))), note=m.unit)
        for m in MEASURES.values()
        if m.name not in shown and question.can_answer(m.name)
    )


def fewer_columns(question: Question) -> tuple[Choice, ...]:
    """Columns that can be taken away."""
    return tuple(
        Choice(
            f"{MEASURES[name].label}, remove",
            question.scope.url(
                columns=",".join(other for other in question.extras if other != name) or question.measure
            ),
        )
        for name in question.extras
    )
