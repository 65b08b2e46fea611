"""Figures for Plotly as plain dicts (building them with plotly itself costs 0.4 s). Colours are names of tokens,
`--c1`, which charts.js resolves for the theme that is shown; `resolve` does the same for tests and exports.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dashboard.tokens import CATEGORIES, REST, THEMES

Figure = dict[str, Any]
SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
HEIGHT, TOP, BOTTOM = 300, 12, 40  # px; the panel's height is fixed in tables.css
NAME_GAP = 15  # px between two names at the right
TICKS_BY_NAME = 31  # so many buckets are each named on the axis
HEADROOM = 1.06
NAME_LENGTH = 24
FILLING = 0.45  # opacity of the bucket that still fills


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One member of a set over the buckets: its name, token and values (None = gap), and where a click leads."""

    name: str
    token: str
    values: tuple[float | None, ...]
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What a chart is made from. `series` from the bottom of the stack up; `base`: the previous period's totals,
    put under this period's buckets by position; `filling`: whether the last bucket still fills."""

    buckets: tuple[datetime, ...]
    series: tuple[Series, ...]
    grain: str
    prefix: str = ""  # of the axis: "$"
    suffix: str = ""  # " s"
    base: tuple[float | None, ...] = ()
    filling: bool = False
    hover: str = ",.2f"
    base_name: str = "before"


@dataclass(frozen=True, slots=True)
class _Look:
    """How buckets of a grain are named: on the axis when all are, else, and on hover."""

    axis: str
    hover: str
    each: Any = field(default=None)


def _day_tick(bucket: datetime, first: bool) -> str:
    top = f"{bucket.day} {bucket:%b}" if first or bucket.day == 1 else str(bucket.day)
    return f"{top}<br>{bucket:%a}"[:-1]


def _hour_tick(bucket: datetime, first: bool) -> str:
    return f"{bucket:%H:%M}<br>{bucket.day} {bucket:%b}" if first or bucket.hour == 0 else f"{bucket:%H:%M}"


def _month_tick(bucket: datetime, first: bool) -> str:
    return f"{bucket:%b}<br>{bucket.year}" if first or bucket.month == 1 else f"{bucket:%b}"


LOOKS = {
    "15min": _Look("%H:%M", "%a %-d %b %H:%M", _hour_tick),
    "hour": _Look("%H:%M<br>%-d %b", "%a %-d %b %H:%M", _hour_tick),
    "day": _Look("%-d %b", "%a %-d %b", _day_tick),
    "week": _Look("%-d %b", "week of %-d %b", _day_tick),
    "month": _Look("%b %Y", "%B %Y", _month_tick),
}


def stacked(plot: Plot) -> Figure:
    """Bars of each bucket, one on the other, the previous period as a dashed step line over them."""
    x = _x(plot)
    data = [_bar(series, x, plot) for series in plot.series]
    tops = [sum(series.values[i] or 0 for series in plot.series) for i in range(len(x))]
    if plot.base:
        data.append(_base_line(plot, x, shape="hvh"))
    top = max([*tops, *(value or 0 for value in plot.base)], default=0) * HEADROOM or 1
    layout = _layout(plot, x, top)
    layout["annotations"] = _names(plot, _stack_middles(plot), top)
    return {"data": data, "layout": layout}


def lines(plot: Plot) -> Figure:
    """One line for each member, gaps left open, the last leg dotted where the bucket still fills."""
    x = _x(plot)
    data = [trace for series in plot.series for trace in _line(series, x, plot)]
    if plot.base:
        data.append(_base_line(plot, x, shape="linear"))
    every = [value for series in plot.series for value in series.values if value is not None]
    top = max([*every, *(value or 0 for value in plot.base)], default=0) * HEADROOM or 1
    layout = _layout(plot, x, top)
    lasts = [next((v for v in reversed(series.values) if v is not None), None) for series in plot.series]
    layout["annotations"] = _names(plot, lasts, top)
    return {"data": data, "layout": layout}


def as_shares(plot: Plot) -> Plot:
    """The same with each bucket's parts in percent of the bucket."""
    totals = [sum(series.values[i] or 0 for series in plot.series) for i in range(len(plot.buckets))]
    changed = tuple(
        _with_values(
            series,
            tuple(100 * (v or 0) / t if t else None for v, t in zip(series.values, totals, strict=True)),
        )
        for series in plot.series
    )
    return _changed(plot, changed, base=(), prefix="", suffix=" %", hover=",.1f")


def cumulated(plot: Plot) -> Plot:
    """The same, each bucket with everything before it."""
    changed = tuple(_with_values(series, _running(series.values)) for series in plot.series)
    return _changed(
        plot, changed, base=_running(plot.base), prefix=plot.prefix, suffix=plot.suffix, hover=plot.hover
    )


def resolve(figure: Any, theme: str) -> Any:
    """The figure with the colours of a theme, as charts.js does it in the browser."""
    if isinstance(figure, str):
        return THEMES[theme].get(figure[2:], figure) if figure.startswith("--") else figure
    if isinstance(figure, list):
        return [resolve(item, theme) for item in figure]
    if isinstance(figure, dict):
        return {name: resolve(item, theme) for name, item in figure.items()}
    return figure


def _changed(plot: Plot, series: tuple[Series, ...], **changes: Any) -> Plot:
    return Plot(buckets=plot.buckets, series=series, grain=plot.grain, filling=plot.filling,
                base_name=plot.base_name, **changes)  # fmt: skip


def _with_values(series: Series, values: tuple[float | None, ...]) -> Series:
    return Series(name=series.name, token=series.token, values=values, links=series.links)


def _running(values: Sequence[float | None]) -> tuple[float, ...]:
    total, found = 0.0, []
    for value in values:
        total += value or 0
        found.append(total)
    return tuple(found)


def _x(plot: Plot) -> list[str]:
    """Local wall-clock texts: Plotly knows no zones."""
    return [bucket.strftime("%Y-%m-%d %H:%M") for bucket in plot.buckets]


def _hover(plot: Plot) -> str:
    return f"%{{y:{plot.prefix}{plot.hover}}}{plot.suffix}"


def _bar(series: Series, x: list[str], plot: Plot) -> Figure:
    color = f"--{series.token}"
    count = len(x)
    opacity = [1.0] * count
    outline = ["--paper"] * count
    if plot.filling and count:
        opacity[-1], outline[-1] = FILLING, color
    trace: Figure = {
        "type": "bar", "name": series.name, "x": x, "y": list(series.values),
        "marker": {"color": color, "opacity": opacity, "line": {"color": outline, "width": 1}},
        "hovertemplate": _hover(plot),
    }  # fmt: skip
    return trace | ({"customdata": list(series.links)} if series.links else {})


def _line(series: Series, x: list[str], plot: Plot) -> list[Figure]:
    color, count = f"--{series.token}", len(x)
    solid: Figure = {
        "type": "scatter", "mode": "lines", "name": series.name, "x": x, "y": list(series.values),
        "line": {"color": color, "width": 1.75}, "connectgaps": False, "hovertemplate": _hover(plot),
    }  # fmt: skip
    if series.links:
        solid["customdata"] = list(series.links)
    if not plot.filling or count < 2:
        return [solid]
    solid["y"] = [*series.values[:-1], None]
    leg: Figure = {
        "type": "scatter", "mode": "lines+markers", "name": series.name, "x": x[-2:], "y": list(series.values[-2:]),
        "line": {"color": color, "width": 1.75, "dash": "2px,3px"}, "hovertemplate": _hover(plot),
        "marker": {"color": "--paper", "size": [0, 6], "line": {"color": color, "width": 1.5}},
    }  # fmt: skip
    return [solid, leg]


def _base_line(plot: Plot, x: list[str], *, shape: str) -> Figure:
    values = [*plot.base[: len(x)], *[None] * (len(x) - len(plot.base))]
    return {
        "type": "scatter", "mode": "lines", "name": plot.base_name, "x": x, "y": values, "hovertemplate": _hover(plot),
        "line": {"color": "--ink", "width": 1.25, "dash": "4px,2px", "shape": shape}, "connectgaps": False,
    }  # fmt: skip


def _layout(plot: Plot, x: list[str], top: float) -> Figure:
    look = LOOKS[plot.grain]
    axis = {
        "showline": False, "ticks": "", "ticklabelstandoff": 6, "fixedrange": True,
        "tickfont": {"size": 11, "color": "--ink-3"},
    }  # fmt: skip
    xaxis: Figure = {
        **axis, "type": "date", "showgrid": False, "tickformat": look.axis, "hoverformat": look.hover,
        "showspikes": False, "tickangle": 0,
    }  # fmt: skip
    if len(x) <= TICKS_BY_NAME:
        texts = [look.each(bucket, index == 0) for index, bucket in enumerate(plot.buckets)]
        xaxis |= {"tickmode": "array", "tickvals": x, "ticktext": texts}
    return {
        "font": {"family": SANS, "size": 11, "color": "--ink-3"},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "height": HEIGHT,
        "margin": {"l": 56, "r": 170, "t": TOP, "b": BOTTOM, "pad": 0},
        "showlegend": False, "separators": ".,", "colorway": [*(f"--{token}" for token in CATEGORIES), f"--{REST}"],
        "hovermode": "x unified", "dragmode": False, "transition": {"duration": 0}, "bargap": 0.24, "barmode": "stack",
        "hoverlabel": {
            "bgcolor": "--paper", "bordercolor": "--ink-3", "font": {"size": 12, "color": "--ink"}, "align": "left",
            "namelength": -1,
        },
        "xaxis": xaxis,
        "yaxis": {
            **axis, "rangemode": "tozero", "range": [0, top], "nticks": 5, "gridcolor": "--grid", "zeroline": True,
            "zerolinecolor": "--rule-2", "zerolinewidth": 1, "tickprefix": plot.prefix, "ticksuffix": plot.suffix,
        },
    }  # fmt: skip


def _stack_middles(plot: Plot) -> list[float | None]:
    """Where each member's part of the last whole bucket has its middle; at the top when it has none."""
    if not plot.buckets:
        return [None] * len(plot.series)
    at = len(plot.buckets) - (2 if plot.filling and len(plot.buckets) > 1 else 1)
    middles: list[float | None] = []
    floor = 0.0
    for series in plot.series:
        tall = series.values[at] or 0
        middles.append(floor + tall / 2)
        floor += tall
    return middles


def _names(plot: Plot, heights: Sequence[float | None], top: float) -> list[Figure]:
    """Names right of the last point in ink, with a swatch each, pushed apart so that none covers another."""
    inner = HEIGHT - TOP - BOTTOM
    known = [
        (series, height) for series, height in zip(plot.series, heights, strict=True) if height is not None
    ]
    if len(known) == 1 and not known[0][0].name:
        return []
    known.sort(key=lambda pair: pair[1])
    places = spread([height / top * inner for _, height in known], gap=NAME_GAP, top=inner)
    named = zip(known, places, strict=True)
    return [note for (series, _), place in named for note in _name(series, place / inner)]


def _name(series: Series, y: float) -> list[Figure]:
    """A swatch and the name in ink: two notes, since a coloured span inside one needs an inline style."""
    shown = series.name if len(series.name) <= NAME_LENGTH else series.name[: NAME_LENGTH - 1] + "…"
    common: Figure = {
        "xref": "paper", "yref": "paper", "x": 1, "y": y, "xanchor": "left", "yanchor": "middle",
        "showarrow": False, "align": "left",
    }  # fmt: skip
    return [
        common | {"xshift": 8, "text": "■", "font": {"size": 13, "color": f"--{series.token}"}},
        common | {"xshift": 22, "text": escaped(shown), "font": {"size": 11, "color": "--ink-2"}},
    ]


def escaped(text: str) -> str:
    """Plotly reads a small HTML in texts: what a sender named must not become markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def spread(places: Sequence[float], *, gap: float, top: float) -> list[float]:
    """Ascending places moved apart to at least `gap`, kept below `top` where that is possible."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + gap) if found else max(place, 0.0))
    limit = top
    for index in range(len(found) - 1, -1, -1):
        found[index] = min(found[index], limit)
        limit = found[index] - gap
    return found
