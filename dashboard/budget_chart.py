"""The burn-down of one budget: what is left (or spent) so far, the even pace, the forecast and its cone, thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from analytics.answer import answer
from analytics.periods import DAY, day_start
from analytics.query import Query
from dashboard import charts, formats
from dashboard.budget_rows import answer_money, moment
from dashboard.charts import Figure
from guardrails.budgets import environment_of
from guardrails.budgets_ahead import Point, runs_out
from guardrails.budgets_ask import MEASURE_OF, scope_filters
from guardrails.budgets_state import BudgetState

GRAINS = {"day": "hour", "week": "hour", "month": "day", "quarter": "day"}
HEIGHT = 340
TICKS = {"day": "%H:%M", "week": "%a %-d", "month": "%-d %b", "quarter": "%-d %b"}
VIEWS = ("left", "spent")


@dataclass(frozen=True, slots=True)
class Burn:
    """What is drawn: (instant, spent by then) so far, and the path ahead."""

    state: BudgetState
    so_far: tuple[tuple[datetime, float], ...]
    ahead: Sequence[Point]
    view: str

    def y(self, spent: float) -> float:
        """An amount as the view shows it."""
        return round(float(self.state.limit) - spent if self.view == "left" else spent, 9)


def burn(state: BudgetState, ahead: Sequence[Point], *, view: str, now: datetime) -> Burn:
    """Ask what was spent by when. Raises ApiError 503."""
    budget, window = state.budget, state.window
    grain, measure = GRAINS[budget.window], MEASURE_OF[budget.unit]
    values = (budget.value,) if budget.dimension else ()
    filters = scope_filters(environment_of(budget), budget.dimension, values)
    query = Query(project=budget.project, period=window.period, measures=(measure,), filters=filters, grain=grain,
                  limit=1)  # fmt: skip
    found = {row[0]: Decimal(row[1] or 0) for row in answer(query, now=now, trust=False).rows}
    starts = [one for one in sorted(found) if one < now]
    sums = list(accumulate(found[one] for one in starts))
    ends = [min(_after(one, grain, window.zone), now) for one in starts]
    points = [(window.start, 0.0), *zip(ends, map(float, sums), strict=True)]
    return Burn(state, (*points, (now, float(state.spent or 0))), ahead, view)


def _after(start: datetime, grain: str, zone: str) -> datetime:
    if grain == "hour":
        return start + DAY / 24
    return day_start(start.astimezone(ZoneInfo(zone)).date() + DAY, zone)


def figure(made: Burn, *, now: datetime) -> Figure:
    """The figure for Plotly; colours are names of tokens."""
    state = made.state
    end = state.window.end
    data = [
        *_cone(made),
        _trace(made, "even pace", [(state.window.start, 0.0), (end, float(state.limit))], width=1, dash="1px,3px",
               color="--ink-3"),
        _trace(made, "left" if made.view == "left" else "spent", made.so_far, color="--c1"),
        _trace(made, "forecast", [(p.at, p.spent) for p in made.ahead], color="--c1", dash="3px,3px"),
        _today(made, now),
    ]  # fmt: skip
    layout = _layout(made)
    layout["shapes"] = [*_weekends(made), *(shape for shape, _ in _thresholds(made))]
    layout["annotations"] = [*(note for _, note in _thresholds(made)), *_notes(made, now)]
    return {"data": data, "layout": layout}


def _x(made: Burn, at: datetime) -> str:
    return at.astimezone(ZoneInfo(made.state.window.zone)).strftime("%Y-%m-%d %H:%M")


def _hover(made: Burn) -> str:
    return "%{y:$,.2f}" if made.state.budget.unit == "USD" else "%{y:,.3~s}"


def _trace(
    made: Burn,
    name: str,
    points: Sequence[tuple[datetime, float]],
    *,
    color: str,
    width: float = 1.75,
    dash: str = "solid",
) -> Figure:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": [_x(made, at) for at, _ in points],
        "y": [made.y(value) for _, value in points], "line": {"color": color, "width": width, "dash": dash},
        "hovertemplate": _hover(made),
    }  # fmt: skip


def _cone(made: Burn) -> list[Figure]:
    bounds = (("low", [(p.at, p.low) for p in made.ahead]), ("high", [(p.at, p.high) for p in made.ahead]))
    found = [_trace(made, name, points, color="--band-ci", width=0.0) for name, points in bounds]
    if len(found) == 2:
        found[1] |= {"fill": "tonexty", "fillcolor": "--band-ci"}
    return found if made.ahead else []


def _today(made: Burn, now: datetime) -> Figure:
    return {
        "type": "scatter", "mode": "markers", "name": "now", "x": [_x(made, now)],
        "y": [made.y(float(made.state.spent or 0))], "hoverinfo": "skip",
        "marker": {"color": "--paper", "size": 7, "line": {"color": "--c1", "width": 1.75}},
    }  # fmt: skip


def _thresholds(made: Burn) -> list[tuple[Figure, Figure]]:
    found = []
    for threshold in made.state.budget.thresholds:
        y = made.y(float(made.state.limit) * threshold / 100)
        color = "--worse" if threshold >= 100 else "--warn"
        line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y,
                "line": {"color": color, "width": 1, "dash": "5px,3px"}}  # fmt: skip
        note = {"xref": "paper", "x": 0, "y": y, "xanchor": "left", "yanchor": "bottom", "showarrow": False,
                "text": f"{threshold} % spent", "font": {"size": 11, "color": color}}  # fmt: skip
        found.append((line, note))
    return found


def _weekends(made: Burn) -> list[Figure]:
    window = made.state.window
    if window.kind == "day":
        return []
    return [
        {"type": "rect", "xref": "x", "yref": "paper", "x0": f"{day}", "x1": f"{day + DAY}", "y0": 0, "y1": 1,
         "fillcolor": "--band", "line": {"width": 0}, "layer": "below"}
        for day in window.days if day.weekday() >= 5
    ]  # fmt: skip


def _notes(made: Burn, now: datetime) -> list[Figure]:
    state = made.state
    unit = state.budget.unit
    amount = state.left if made.view == "left" else state.spent
    common: Figure = {"showarrow": False, "font": {"size": 12, "color": "--ink"}}
    word = "left" if made.view == "left" else "spent"
    found = [common | {"x": _x(made, now), "y": made.y(float(state.spent or 0)), "xanchor": "right", "xshift": -8,
                       "yshift": -12, "text": f"{answer_money(amount, unit)} {word}"}]  # fmt: skip
    out = runs_out(state, made.ahead)
    if out:
        found.append(common | {"x": _x(made, out), "y": made.y(float(state.limit)), "yshift": 14, "xanchor": "center",
                               "text": f"<b>{moment(state, out, now)}</b>",
                               "font": {"size": 12, "color": "--worse"}})  # fmt: skip
    return found


def _layout(made: Burn) -> Figure:
    state = made.state
    values = [made.y(value) for _, value in made.so_far]
    values += [made.y(value) for point in made.ahead for value in (point.low, point.high)]
    values += [made.y(0.0), made.y(float(state.limit))]
    low, high = min(values), max(values)
    room = (high - low or 1.0) * 0.05
    axis: dict[str, Any] = {"showline": False, "ticks": "", "ticklabelstandoff": 6, "fixedrange": True,
                            "tickfont": {"size": 11, "color": "--ink-3"}}  # fmt: skip
    money = state.budget.unit == "USD"
    return {
        "font": {"family": charts.SANS, "size": 11, "color": "--ink-3"}, "height": HEIGHT, "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "separators": ".,", "dragmode": False,
        "margin": {"l": 56, "r": 16, "t": 16, "b": 28, "pad": 0}, "hovermode": "x unified",
        "transition": {"duration": 0},
        "hoverlabel": {"bgcolor": "--paper", "bordercolor": "--ink-3", "font": {"size": 12, "color": "--ink"},
                       "align": "left", "namelength": -1},
        "xaxis": {**axis, "type": "date", "showgrid": False, "tickformat": TICKS[state.budget.window],
                  "hoverformat": "%a %-d %b %H:%M",
                  "range": [_x(made, state.window.start), _x(made, state.window.end)]},
        "yaxis": {**axis, "nticks": 6, "gridcolor": "--grid", "zeroline": True, "zerolinecolor": "--ink",
                  "zerolinewidth": 1, "tickprefix": "$" if money else "", "range": [low - room, high + room]},
    }  # fmt: skip


def summary(made: Burn, *, now: datetime) -> str:
    """One sentence for readers."""
    state, unit = made.state, made.state.budget.unit
    spent, limit = answer_money(state.spent, unit), answer_money(state.limit, unit)
    said = f"{spent} of {limit} spent ({formats.share(state.share)})"
    if state.forecast is None or state.interval is None:
        return f"{said}; too few days for a forecast, {state.days} of 14."
    low, high = (answer_money(value, unit) for value in state.interval)
    return f"{said}; forecast {answer_money(state.forecast, unit)} at the end, {low} to {high}."
