"""An alert's chart: its measure by quarter hour, with the limit, where it fired, and the changes nearby."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from analytics.answer import answer
from analytics.asked import kept_from
from analytics.measures import MEASURES
from dashboard import buckets, charts, formats
from dashboard.charts import Figure, Plot, Series
from dashboard.explore_chart import AXES, PLAIN
from dashboard.scope import Scope
from guardrails import spans, wording
from guardrails.alert_models import Alert
from guardrails.facts import is_about_errors
from guardrails.outages import scope_of
from guardrails.rules import measure_of

MOST_QUARTERS_DAYS = 2


@dataclass(frozen=True, slots=True)
class Note:
    """What `_chart.html` shows above: nothing."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """A figure with its summary."""

    figure: Figure
    summary: str
    note: Note


def title(alert: Alert) -> str:
    """What the chart is of."""
    return measure_of(alert.rule.measure).label if alert.rule else "Spend"


def note(alert: Alert, scope: Scope, facts: Mapping[str, Any]) -> str:
    """How to read it."""
    every = buckets.EACH[_grain(scope)]
    cause = facts.get("cause")
    if cause and is_about_errors(alert):
        return f"{every}; filled: {cause['error_class'].replace('_', ' ')}, pale: all other errors"
    return every


def _grain(scope: Scope) -> str:
    """Quarter hours of a day or two, as far as they are kept."""
    period = scope.period
    if period.days <= MOST_QUARTERS_DAYS and period.start >= kept_from(scope.now):
        return "15min"
    return buckets.grain_for(period, kept_from=kept_from(scope.now))


def body(alert: Alert, *, scope: Scope, facts: Mapping[str, Any]) -> Body:
    """The figure. Raises ApiError 422, 503."""
    grain = _grain(scope)
    measure = MEASURES[alert.rule.measure] if alert.rule else MEASURES["cost"]
    unit = "unit" if measure.unit.startswith("USD/") else measure.unit
    factor, prefix, suffix, hover = AXES.get(unit, PLAIN)
    starts = buckets.buckets(scope.period, grain)
    series = _series(alert, scope, facts, grain, factor)
    plot = Plot(buckets=starts, series=series, grain=grain, prefix=prefix, suffix=suffix, hover=hover)
    stacks = measure.additive or is_about_errors(alert)
    figure = (charts.stacked if stacks else charts.lines)(plot)
    _annotate(figure, alert, scope, facts, factor)
    return Body(figure, summary(alert, plot), Note())


def _series(
    alert: Alert, scope: Scope, facts: Mapping[str, Any], grain: str, factor: float
) -> tuple[Series, ...]:
    if is_about_errors(alert) and facts.get("cause"):
        return _errors(alert, scope, facts["cause"]["error_class"], grain)
    name = alert.rule.measure if alert.rule else "cost"
    found = answer(_query(alert, scope, (name,), grain), now=scope.now, trust=False)
    values = buckets.by_group(found, measure=name, grain=grain).get((), ())
    shown = tuple(None if value is None else round(float(value) * factor, 9) for value in values)
    return (Series(name="", token="c1", values=shown, links=_links(scope, grain)),)  # noqa: S106 - a colour


def _errors(alert: Alert, scope: Scope, top: str, grain: str) -> tuple[Series, ...]:
    """The class that most errors have, and all others; as shares of the calls where the rule watches the rate."""
    query = _query(alert, scope, ("errors",), grain, group_by=("error_class",))
    by_class = buckets.by_group(answer(query, now=scope.now, trust=False), measure="errors", grain=grain)
    calls = answer(_query(alert, scope, ("calls",), grain), now=scope.now, trust=False)
    totals = buckets.by_group(calls, measure="calls", grain=grain).get((), ())
    is_rate = alert.rule is not None and alert.rule.measure == "error_rate"
    others = {group: values for group, values in by_class.items() if group != (top,)}
    length = len(buckets.buckets(scope.period, grain))
    parts = (by_class.get((top,), (0,) * length), buckets.summed(others) if others else (0,) * length)
    names = (top.replace("_", " "), "other errors")
    return tuple(
        Series(
            name=name,
            token=token,
            values=_shares(values, totals) if is_rate else values,
            links=_links(scope, grain),
        )
        for name, token, values in zip(names, ("worse", "rest"), parts, strict=True)
    )


def _shares(values: tuple[Any, ...], totals: tuple[Any, ...]) -> tuple[float | None, ...]:
    return tuple(
        round(100 * (value or 0) / total, 6) if total else None
        for value, total in zip(values, totals or (0,) * len(values), strict=True)
    )


def _query(
    alert: Alert, scope: Scope, measures: tuple[str, ...], grain: str, group_by: tuple[str, ...] = ()
) -> Any:
    return scope.query(measures=measures, group_by=group_by, grain=grain, filters=scope_of(alert), base=None,
                       compare="", limit=100)  # fmt: skip


def _links(scope: Scope, grain: str) -> tuple[str, ...]:
    """From a point to the runs of that moment."""
    starts = buckets.buckets(scope.period, grain)
    ends = [*starts[1:], scope.period.end.astimezone(scope.period.tz)]
    path = reverse("runs", args=[scope.project.slug])
    return tuple(
        scope.url(path, **{"from": start.isoformat(), "to": end.isoformat(), "period": None, "compare": None})
        for start, end in zip(starts, ends, strict=True)
    )


def _annotate(figure: Figure, alert: Alert, scope: Scope, facts: Mapping[str, Any], factor: float) -> None:
    """The limit as a dashed line, a line where it fired, a letter where something changed."""
    layout = figure["layout"]
    shapes: list[Figure] = layout.setdefault("shapes", [])
    notes: list[Figure] = layout.setdefault("annotations", [])
    tz = scope.period.tz
    if alert.bound is not None and not (alert.rule and alert.rule.window in spans.CALENDAR):
        _limit_line(figure, float(alert.bound) * factor, f"limit {_limit_words(alert)}")
    if alert.fired_at and scope.period.start <= alert.fired_at < scope.period.end:
        at = alert.fired_at.astimezone(tz)
        shapes.append(_vertical(at, "--worse"))
        notes.append(_label(at, f"fired {at:%H:%M}", "--worse"))
    change = facts.get("change")
    if change:
        at = datetime.fromisoformat(change["at"]).astimezone(tz)
        if scope.period.start <= at < scope.period.end:
            shapes.append(_vertical(at, "--mark"))
            notes.append(
                _label(at, "A", "--paper")
                | {"bgcolor": "--mark", "borderpad": 3, "xanchor": "center", "xshift": 0}
            )


def _limit_words(alert: Alert) -> str:
    if alert.rule is None:
        return wording.amount(alert, alert.bound)
    return (
        f"{wording.figure(measure_of(alert.rule.measure), alert.bound)} {wording.window(alert.rule.window)}"
    )


def _limit_line(figure: Figure, y: float, words: str) -> None:
    layout = figure["layout"]
    top = layout["yaxis"]["range"][1]
    layout["yaxis"]["range"] = [0, max(top, y * 1.25)]
    layout["shapes"].append({
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "layer": "above",
        "line": {"color": "--worse", "width": 1, "dash": "4px,3px"},
    })  # fmt: skip
    layout["annotations"].append({
        "xref": "paper", "x": 0, "y": y, "xanchor": "left", "yanchor": "bottom", "showarrow": False, "text": words,
        "font": {"size": 11, "color": "--worse"},
    })  # fmt: skip


def _vertical(at: datetime, color: str) -> Figure:
    x = f"{at:%Y-%m-%d %H:%M}"
    return {
        "type": "line",
        "yref": "paper",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "line": {"color": color, "width": 1},
    }


def _label(at: datetime, text: str, color: str) -> Figure:
    return {
        "x": f"{at:%Y-%m-%d %H:%M}", "yref": "paper", "y": 1, "xanchor": "right", "xshift": -4, "yanchor": "top",
        "showarrow": False, "text": text, "font": {"size": 11, "color": color},
    }  # fmt: skip


def summary(alert: Alert, plot: Plot) -> str:
    """One sentence for readers."""
    tops = [
        sum(one.values[i] or 0 for one in plot.series if i < len(one.values))
        for i in range(len(plot.buckets))
    ]
    if not tops:
        return f"{title(alert)}: nothing to draw"
    low, high = (
        f"{plot.prefix}{formats.plain(round(value, 4), 2)}{plot.suffix}" for value in (min(tops), max(tops))
    )
    return f"{title(alert)} {buckets.EACH[plot.grain]}, {len(tops)} points, from {low} to {high}."
