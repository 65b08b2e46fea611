"""Dot and whisker of a score's value and interval, all rows of a table on one axis. Inline SVG, colours by class."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.intervals import Interval

WIDTH, HEIGHT, EDGE = 150, 20, 6


@dataclass(frozen=True, slots=True)
class Axis:
    """From low to high; `line`: what all rows are held against, a dashed line."""

    low: float
    high: float
    line: float | None = None

    def x(self, value: float) -> float:
        """Where a value stands, px."""
        spread = (self.high - self.low) or 1.0
        return round(EDGE + (value - self.low) / spread * (WIDTH - 2 * EDGE), 1)


def axis_for(found: Iterable[Interval | None], *, line: float | None = None) -> Axis:
    """An axis that holds every interval (and the dashed line)."""
    bounds = [side for one in found if one for side in (one.low, one.high) if side is not None]
    bounds += [] if line is None else [line]
    return Axis(min(bounds), max(bounds), line) if bounds else Axis(0.0, 1.0, line)


def plot(axis: Axis, value: float | None, sure: Interval | None) -> SafeString:
    """One row; only the dashed line where there is nothing to draw. The figures stand beside it."""
    dashed = (
        format_html('<line class="held" x1="{0}" x2="{0}" y1="0" y2="{1}"/>', axis.x(axis.line), HEIGHT)
        if axis.line is not None
        else SafeString("")
    )
    drawn = SafeString("")
    if value is not None and sure is not None and sure.low is not None and sure.high is not None:
        drawn = format_html(
            '<line x1="{0}" x2="{1}" y1="{2}" y2="{2}"/><circle cx="{3}" cy="{2}" r="3.5"/>',
            axis.x(sure.low), axis.x(sure.high), HEIGHT // 2, axis.x(value),
        )  # fmt: skip
    return format_html(
        '<svg class="sure-plot" width="{0}" height="{1}" viewBox="0 0 {0} {1}" aria-hidden="true">{2}{3}</svg>',
        WIDTH, HEIGHT, dashed, drawn,
    )  # fmt: skip
