"""The effect plot: dot and whisker in standard deviations, right is always better, hollow when zero is in it.

Inline SVG whose geometry is attributes and whose colours are classes; one axis for all rows of a table.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from analytics.effects import BETTER, WORSE, Effect
from dashboard import formats

WIDTH, HEIGHT, HEAD = 220, 36, 30
EDGE = 8  # px left free at both sides
STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
CLASSES = {WORSE: "worse", BETTER: "better"}


@dataclass(frozen=True, slots=True)
class Axis:
    """From -reach to +reach, in standard deviations, with a grid line at every half of it."""

    reach: float

    @property
    def ticks(self) -> tuple[float, ...]:
        return (-self.reach, -self.reach / 2, 0.0, self.reach / 2, self.reach)

    def x(self, value: float) -> float:
        """Where a value stands, px; one beyond the axis at its end."""
        held = max(-self.reach, min(self.reach, value))
        return round(WIDTH / 2 + held / self.reach * (WIDTH / 2 - EDGE), 1)


def axis_for(effects: Iterable[Effect]) -> Axis:
    """The shortest axis that holds nearly every interval."""
    bounds = [abs(side) for one in effects if one.better for side in one.better]
    return Axis(next((step for step in STEPS if all(bound <= step for bound in bounds)), STEPS[-1]))


def head(axis: Axis) -> SafeString:
    """← worse, better →, and the figures of the ticks."""
    ticks = format_html_join(
        "", '<text x="{}" y="27" text-anchor="middle">{}</text>',
        ((axis.x(tick), _tick(tick)) for tick in axis.ticks[1:-1]),
    )  # fmt: skip
    return format_html(
        '<svg class="effect-axis" width="{0}" height="{1}" viewBox="0 0 {0} {1}" aria-hidden="true">'
        '<text x="{2}" y="11">← worse</text><text x="{3}" y="11" text-anchor="end">better →</text>{4}</svg>',
        WIDTH, HEAD, EDGE, WIDTH - EDGE, ticks,
    )  # fmt: skip


def plot(axis: Axis, effect: Effect) -> SafeString:
    """One row's dot and whisker; only the grid where there is nothing to draw."""
    grid = format_html_join(
        "", '<line class="{}" x1="{}" x2="{}" y1="0" y2="{}"/>',
        (("zero" if not tick else "grid", axis.x(tick), axis.x(tick), HEIGHT) for tick in axis.ticks),
    )  # fmt: skip
    drawn = _whisker(axis, effect) if effect.better else SafeString("")
    return format_html(
        '<svg class="effect-plot {2}" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" aria-label="{3}">{4}{5}'
        "</svg>",
        WIDTH, HEIGHT, CLASSES.get(effect.verdict, "unclear"), _said(effect), grid, drawn,
    )  # fmt: skip


def _whisker(axis: Axis, effect: Effect) -> SafeString:
    low, middle, high = (axis.x(value) for value in effect.better or (0, 0, 0))
    y = HEIGHT // 2
    ends = format_html_join(
        "", '<line x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>', ((end, y - 4, y + 4) for end in (low, high))
    )
    hollow = effect.better is not None and effect.better[0] <= 0 <= effect.better[2]
    return format_html(
        '<line x1="{}" x2="{}" y1="{}" y2="{}"/>{}<circle class="{}" cx="{}" cy="{}" r="4.5"/>',
        low, high, y, y, ends, "hollow" if hollow else "filled", middle, y,
    )  # fmt: skip


def _said(effect: Effect) -> str:
    if effect.better is None:
        return "not drawn"
    low, middle, high = (_tick(value) for value in effect.better)
    return f"{middle} standard deviations, {low} to {high}, above zero is better"


def _tick(value: float) -> str:
    text = formats.plain(value, 2).rstrip("0").rstrip(".")
    return text if text not in ("", formats.MINUS) else "0"
