"""Explore's chart: the largest seven members and `(rest)`, from the same answer as the sparklines."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.urls import reverse

from analytics.dimensions import REST
from analytics.measures import MEASURES
from dashboard import buckets, charts, formats, spans_of_time
from dashboard.charts import Figure, Plot, Series
from dashboard.explore_question import CHART_MEMBERS, Question
from dashboard.tables import LAST

MOST_LINKS = 600  # links of single points; beyond that they would outweigh the page
# How values of a unit stand on an axis: their factor, prefix, suffix and how exact they are on hover.
AXES = {
    "USD": (1.0, "$", "", ",.2f"), "ms": (0.001, "", " s", ",.2f"), "ratio": (100.0, "", " %", ",.2f"),
    "unit": (1.0, "$", "", ",.6f"),
}  # fmt: skip
PLAIN = (1.0, "", "", ",.3~f")


def members(question: Question) -> list[str]:
    """The groups that the chart names, in the table's order."""
    groups = [group[0] for group in question.result.by_group()]
    ordered = sorted(groups, key=lambda name: LAST.get(name, 0))
    return [name for name in ordered if name != REST][:CHART_MEMBERS]


def plot(question: Question, tokens: Mapping[str, str]) -> Plot:
    """What the chart is drawn from."""
    unit = MEASURES[question.measure].unit
    factor, prefix, suffix, hover = AXES.get("unit" if unit.startswith("USD/") else unit, PLAIN)
    found = buckets.by_group(question.over_time, measure=question.measure, grain=question.grain)
    named = members(question)
    starts = buckets.buckets(question.scope.period, question.grain)
    series = [
        Series(name=name, token=tokens.get(name, "rest"), values=_scaled(found.get((name,), ()), len(starts), factor),
               links=_links(question, name, starts))
        for name in named
    ]  # fmt: skip
    others = {group: values for group, values in found.items() if group[0] not in named}
    if others and question.additive:
        rest = _scaled(buckets.summed(others), len(starts), factor)
        series.append(Series(name=REST, token="rest", values=rest))  # noqa: S106 - a colour's name
    return Plot(
        buckets=starts,
        series=tuple(series),
        grain=question.grain,
        prefix=prefix,
        suffix=suffix,
        hover=hover,
        base=_base(question, len(starts), factor),
        filling=question.scope.period.until is not None,
        base_name=spans_of_time.dates(question.scope.base, year=False) if question.scope.base else "",
    )


def figure(question: Question, made: Plot) -> Figure:
    """The figure of the view that is asked for."""
    return DRAWN[question.view](made)


DRAWN: dict[str, Callable[[Plot], Figure]] = {
    "stacked": charts.stacked,
    "lines": charts.lines,
    "share": lambda made: charts.stacked(charts.as_shares(made)),
    "cumulative": lambda made: charts.stacked(charts.cumulated(made)),
}


def _scaled(values: tuple[Any, ...], length: int, factor: float) -> tuple[float | None, ...]:
    known = tuple(None if value is None else round(float(value) * factor, 12) for value in values)
    return known or (None,) * length


def _base(question: Question, length: int, factor: float) -> tuple[float | None, ...]:
    """The previous period's totals under this period's buckets, by position; only for what adds up."""
    if not question.additive:
        return ()
    found = buckets.base_by_group(question.over_time, measure=question.measure, grain=question.grain)
    return _scaled(buckets.summed(found), length, factor)[:length] if found else ()


def _links(question: Question, name: str, starts: tuple[Any, ...]) -> tuple[str, ...]:
    """From a point to its runs."""
    scope, grain = question.scope, question.grain
    if not starts or len(starts) * CHART_MEMBERS > MOST_LINKS or grain not in ("day", "hour", "15min"):
        return ()
    path = reverse("runs", args=[scope.project.slug])
    ends = [*starts[1:], scope.period.end.astimezone(scope.period.tz)]
    gone: dict[str, str | None] = dict.fromkeys(
        ("measures", "group_by", "columns", "grain", "view", "order", "limit", "compare", "period", "after")
    )
    return tuple(
        scope.url(path, **{**gone, "from": _edge(start), "to": _edge(end), question.dimension: name})
        for start, end in zip(starts, ends, strict=True)
    )


def _edge(moment: Any) -> str:
    return str(moment.date()) if (moment.hour, moment.minute) == (0, 0) else str(moment.isoformat())


def summary(question: Question, made: Plot) -> str:
    """One sentence for readers: what is drawn, over how many buckets, from how little to how much."""
    measure, grain = MEASURES[question.measure], question.grain
    tops = [sum(series.values[i] or 0 for series in made.series) for i in range(len(made.buckets))]
    if not tops:
        return f"{measure.label} by {grain}: nothing to draw"
    low, high = (_shown(made, value) for value in (min(tops), max(tops)))
    still = ", the last still filling" if made.filling else ""
    names = ", ".join(series.name for series in made.series)
    return f"{measure.label} per {grain}, {len(tops)} points, from {low} to {high}{still}. Members: {names}."


def _shown(made: Plot, value: float) -> str:
    return f"{made.prefix}{formats.plain(Decimal(repr(round(value, 6))), 2)}{made.suffix}"
