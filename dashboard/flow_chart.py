"""The Flow page's figure: cost, latency and quality above each other on one time axis."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from analytics.periods import DAY
from dashboard import charts, formats
from dashboard.charts import Figure, escaped, spread
from dashboard.flow_ask import FlowAsked, Point
from dashboard.quality_measure import ENOUGH, few

HEIGHT, TOP, BOTTOM = 470, 26, 24
PLOT_WIDTH = 776  # px of the plots on a wide page
DOMAINS = ((0.70, 0.93), (0.36, 0.59), (0.02, 0.25))
LANE = (HEIGHT - TOP - BOTTOM) * 0.23  # px of one plot
AXES = ("y", "y2", "y3")
NAME_GAP = 15
MOST_LINKS = 400
WEEKEND = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: its measure's values in the axis' unit, how it is drawn, and how its last value is said."""

    name: str
    values: tuple[float | None, ...]
    said: str
    order: str  # of the runs that a point leads to
    hover: str
    width: float = 1.75
    hollow: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One of the three plots. `band`: (low, high) at each bucket; `empty`: what is said where nothing is drawn."""

    title: str
    lines: tuple[Line, ...]
    prefix: str = ""
    suffix: str = ""
    band: tuple[tuple[float, float] | None, ...] = ()
    from_zero: bool = True
    empty: str = ""
    ticks: str = ""  # how the axis writes its values
    top: float | None = None  # where values end: no share is above 100 %


def lanes(asked: FlowAsked) -> tuple[Lane, ...]:
    """Cost per run, run durations, quality."""
    return (_cost(asked.points), _latency(asked.points), _quality(asked))


def _cost(points: Sequence[Point]) -> Lane:
    values = _numbers(points, "cost_per_run")
    said = formats.money_answer(_last(points, "cost_per_run"))
    line = Line(name="cost per run", values=values, said=said, order="costliest", hover="$,.6~f")
    return Lane(
        title="Cost per run, USD",
        lines=(line,),
        prefix="$",
        ticks=_decimals(values),
        empty=_nothing(values, "No run with a price"),
    )


def _decimals(values: Sequence[float | None]) -> str:
    """The same decimals on all of the axis: two digits of its largest value."""
    largest = max((value for value in values if value), default=1.0)
    return f",.{max(2, 1 - math.floor(math.log10(largest)))}f"


def _latency(points: Sequence[Point]) -> Lane:
    def line(percent: int, width: float) -> Line:
        name = f"p{percent}_run_duration"
        last = _last(points, name)
        return Line(
            name=f"p{percent}",
            values=_numbers(points, name, 0.001),
            order="slowest",
            hover=",.2f",
            width=width,
            said=f"p{percent} {formats.duration(last)}",
        )

    lines = (line(95, 1.75), line(50, 1.0))
    return Lane(
        title="Run duration, seconds",
        lines=lines,
        suffix=" s",
        empty=_nothing(lines[0].values, "No duration"),
    )


def _quality(asked: FlowAsked) -> Lane:
    quality, points = asked.quality, asked.points
    factor = 100.0 if quality.share else 1.0
    drawn = [not few(point.sure) and point.value(quality.measure) is not None for point in points]
    values = tuple(
        float(point.value(quality.measure)) * factor if shown else None
        for point, shown in zip(points, drawn, strict=True)
    )
    band = tuple(
        (point.sure.low * factor, point.sure.high * factor) if shown and point.sure.low is not None else None
        for point, shown in zip(points, drawn, strict=True)
    )
    last = next((p.value(quality.measure) for p, shown in zip(reversed(points), reversed(drawn), strict=True) if shown),
                None)  # fmt: skip
    line = Line(
        name=quality.label, values=values, said=quality.show(last), hover=",.1f" if quality.share else ",.3f",
        order=f"worst:{quality.score}" if quality.score else "failed",
        hollow=tuple(shown and point.sure.n < ENOUGH for point, shown in zip(points, drawn, strict=True)),
    )  # fmt: skip
    return Lane(
        title=f"{quality.label}{', %' if quality.share else ''}, band = 95 % interval", lines=(line,), band=band,
        suffix=" %" if quality.share else "", from_zero=False, empty=_no_quality(asked, values),
        top=100.0 if quality.share else None,
    )  # fmt: skip


def _no_quality(asked: FlowAsked, values: Sequence[float | None]) -> str:
    if any(value is not None for value in values):
        return ""
    sure = asked.totals.total_intervals.get(asked.quality.measure)
    if sure is None or not sure.n:
        return "No score and no outcome yet"
    return f"{formats.count(sure.n)} {asked.quality.counted} in all: too few a bucket to draw"


def _numbers(points: Sequence[Point], name: str, factor: float = 1.0) -> tuple[float | None, ...]:
    found = (point.value(name) for point in points)
    return tuple(None if value is None else round(float(value) * factor, 9) for value in found)


def _last(points: Sequence[Point], name: str) -> Any:
    return next((point.value(name) for point in reversed(points) if point.value(name) is not None), None)


def _nothing(values: Sequence[float | None], said: str) -> str:
    return "" if any(value is not None for value in values) else said


def figure(asked: FlowAsked, made: Sequence[Lane]) -> Figure:
    """The figure for Plotly; colours are names of tokens."""
    x = [_middle(point) for point in asked.points]
    data = [trace for lane, axis in zip(made, AXES, strict=True) for trace in _traces(asked, lane, axis, x)]
    return {"data": data, "layout": _layout(asked, made)}


def _middle(point: Point) -> str:
    """A bucket's point sits in its middle, in local wall-clock text."""
    return _text(point.start + (point.end - point.start) / 2)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def _traces(asked: FlowAsked, lane: Lane, axis: str, x: Sequence[str]) -> Iterator[Figure]:
    yield from _band(lane, axis, x)
    for line in lane.lines:
        yield from _line(asked, lane, line, axis, x)


def _band(lane: Lane, axis: str, x: Sequence[str]) -> Iterator[Figure]:
    """The interval as areas, one for each stretch without a gap."""
    for start, end in _stretches(lane.band):
        for side in (0, 1):
            trace: Figure = {
                "type": "scatter",
                "mode": "lines",
                "x": list(x[start:end]),
                "xaxis": "x",
                "yaxis": axis,
                "y": [bounds[side] for bounds in lane.band[start:end] if bounds],
                "line": {"width": 0, "color": "--band-ci"},
                "hoverinfo": "skip",
            }
            yield trace | ({"fill": "tonexty", "fillcolor": "--band-ci"} if side else {})


def _stretches(band: Sequence[Any]) -> Iterator[tuple[int, int]]:
    start: int | None = None
    for place, bounds in enumerate((*band, None)):
        if bounds is not None and start is None:
            start = place
        if bounds is None and start is not None:
            yield start, place
            start = None


def _line(asked: FlowAsked, lane: Lane, line: Line, axis: str, x: Sequence[str]) -> Iterator[Figure]:
    count = len(x)
    dotted = asked.filling and count > 1
    links = [asked.runs_at(point, line.order) for point in asked.points] if count <= MOST_LINKS else []
    common: Figure = {
        "type": "scatter", "name": line.name, "xaxis": "x", "yaxis": axis, "connectgaps": False,
        "hovertemplate": f"%{{y:{line.hover}}}{lane.suffix}",
    }  # fmt: skip
    whole = [*line.values[:-1], None] if dotted else list(line.values)
    solid = common | {
        "mode": "lines+markers", "x": list(x), "y": whole, "line": {"color": "--c1", "width": line.width},
        "marker": _markers(_sizes(line, whole)),
    }  # fmt: skip
    yield solid | ({"customdata": links} if links else {})
    if dotted:
        leg = common | {
            "mode": "lines+markers", "x": list(x[-2:]), "y": list(line.values[-2:]),
            "line": {"color": "--c1", "width": line.width, "dash": "2px,3px"}, "marker": _markers([0, 6]),
        }  # fmt: skip
        yield leg | ({"customdata": links[-2:]} if links else {})


def _sizes(line: Line, values: Sequence[float | None]) -> list[int]:
    """Hollow points: of few scores, and of a value that stands alone between gaps, which no line would show."""
    known = [value is not None for value in values]
    alone = [
        shown and not (place and known[place - 1]) and not (place + 1 < len(known) and known[place + 1])
        for place, shown in enumerate(known)
    ]
    hollow = line.hollow or (False,) * len(known)
    return [6 if one or few_ else 0 for one, few_ in zip(alone, hollow, strict=True)]


def _markers(sizes: Sequence[int]) -> Figure:
    return {"color": "--paper", "size": list(sizes), "line": {"color": "--c1", "width": 1.5}}


def _layout(asked: FlowAsked, made: Sequence[Lane]) -> Figure:
    axis: Figure = {
        "showline": False, "ticks": "", "ticklabelstandoff": 6, "fixedrange": True,
        "tickfont": {"size": 11, "color": "--ink-3"},
    }  # fmt: skip
    points = asked.points
    look = charts.LOOKS[asked.grain]
    xaxis: Figure = {
        **axis, "type": "date", "showgrid": False, "anchor": "y3", "tickformat": look.axis, "hoverformat": look.hover,
        "showspikes": True, "spikemode": "across", "spikesnap": "data", "spikethickness": 1, "spikedash": "solid",
        "spikecolor": "--edge", "nticks": 9, "tickangle": 0,
    }  # fmt: skip
    if points:
        xaxis["range"] = [_text(points[0].start), _text(points[-1].end)]
    found: Figure = {
        "font": {"family": charts.SANS, "size": 11, "color": "--ink-3"}, "height": HEIGHT, "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "separators": ".,", "dragmode": False,
        "margin": {"l": 52, "r": 120, "t": TOP, "b": BOTTOM, "pad": 0}, "transition": {"duration": 0},
        "hovermode": "x unified", "hoversubplots": "axis", "xaxis": xaxis,
        "hoverlabel": {"bgcolor": "--paper", "bordercolor": "--ink-3", "font": {"size": 12, "color": "--ink"},
                       "align": "left", "namelength": -1},
        "shapes": [shape for domain in DOMAINS for shape in _weekends(asked, domain)],
    }  # fmt: skip
    notes: list[Figure] = []
    for place, lane in enumerate(made):
        low, high = _range(lane)
        found[f"yaxis{place + 1 if place else ''}"] = {
            **axis, "domain": list(DOMAINS[place]), "range": [low, high], "nticks": 5, "gridcolor": "--grid",
            "zeroline": True, "zerolinecolor": "--rule-2", "zerolinewidth": 1, "tickformat": lane.ticks,
        }  # fmt: skip
        notes += [*_title(lane, DOMAINS[place]), *_names(lane, DOMAINS[place], (low, high))]
    return found | {"annotations": notes}


def _range(lane: Lane) -> tuple[float, float]:
    """From zero for amounts; of quality around its band, which shows why it is allowed."""
    every = [value for line in lane.lines for value in line.values if value is not None]
    every += [bound for bounds in lane.band if bounds for bound in bounds]
    if not every:
        return 0.0, lane.top or 1.0
    if lane.from_zero:
        return 0.0, max(every) * 1.08 or 1.0
    room = (max(every) - min(every)) * 0.08 or abs(max(every)) * 0.05 or 0.5
    high = max(every) + room
    return min(every) - room, min(high, lane.top + room / 2) if lane.top is not None else high


def _weekends(asked: FlowAsked, domain: tuple[float, float]) -> Iterator[Figure]:
    """Saturday and Sunday as one band, behind lines by hour or day."""
    if asked.grain == "week" or not asked.points:
        return
    start, end = asked.points[0].start, asked.points[-1].end
    day = start.date()
    while day < end.date() + timedelta(days=1):
        if day.weekday() >= WEEKEND:
            left, right = (max(f"{day}", _text(start)), min(f"{day + DAY}", _text(end)))
            if left < right:
                yield {"type": "rect", "xref": "x", "yref": "paper", "x0": left, "x1": right, "y0": domain[0],
                       "y1": domain[1], "fillcolor": "--band", "line": {"width": 0}, "layer": "below"}  # fmt: skip
        day += DAY


def _title(lane: Lane, domain: tuple[float, float]) -> Iterator[Figure]:
    common: Figure = {"xref": "paper", "yref": "paper", "showarrow": False}
    yield common | {
        "x": 0, "y": domain[1], "xanchor": "left", "yanchor": "bottom", "xshift": -46, "yshift": 6,
        "text": escaped(lane.title), "font": {"size": 12, "color": "--ink", "weight": 700},
    }  # fmt: skip
    if lane.empty:
        yield common | {
            "x": 0.5, "y": sum(domain) / 2, "xanchor": "center", "yanchor": "middle", "text": escaped(lane.empty),
            "font": {"size": 12, "color": "--ink-2"},
        }  # fmt: skip


def _names(lane: Lane, domain: tuple[float, float], bounds: tuple[float, float]) -> Iterator[Figure]:
    """The last value of each line at its right, pushed apart."""
    low, high = bounds
    known = []
    for line in lane.lines:
        last = next((value for value in reversed(line.values) if value is not None), None)
        if last is not None:
            known.append(((last - low) / (high - low or 1.0) * LANE, line))
    known.sort(key=lambda pair: pair[0])
    for place, (_, line) in zip(spread([at for at, _ in known], gap=NAME_GAP, top=LANE), known, strict=True):
        yield {
            "xref": "paper", "yref": "paper", "x": 1, "y": domain[0] + place / LANE * (domain[1] - domain[0]),
            "xanchor": "left", "yanchor": "middle", "xshift": 8, "showarrow": False, "text": escaped(line.said),
            "font": {"size": 11, "color": "--ink", "weight": 600},
        }  # fmt: skip


def summary(asked: FlowAsked, made: Sequence[Lane]) -> str:
    """One sentence for readers: each line from how little to how much."""
    said = []
    for lane in made:
        for line in lane.lines:
            known = [value for value in line.values if value is not None]
            if known:
                low, high = (
                    f"{lane.prefix}{formats.plain(value, 4 if lane.prefix else 2)}"
                    for value in (min(known), max(known))
                )
                said.append(f"{line.name} from {low} to {high}{lane.suffix}")
    still = ", the last still filling" if asked.filling else ""
    return f"{len(asked.points)} points by {asked.grain}{still}: {'; '.join(said) or 'nothing to draw'}."
