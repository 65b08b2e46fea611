"""Small graphics as SVG from the server: amounts as bars from zero, rates as a line over their own range.

Heights and widths are attributes and colours are classes: the content security policy forbids inline styles.
"""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

Value = Decimal | int | float | None


def bars(
    values: Sequence[Value], *, width: int = 96, height: int = 22, filling: bool = False, label: str = ""
) -> SafeString:
    """Amounts as bars from zero. One call is 1 px at least, nothing is a faint line; the last bar is hollow while
    its bucket still fills. `label`: one sentence for readers; without it the row already says it."""
    if not values:
        return nothing(width=width, height=height, label=label)
    known = [float(value or 0) for value in values]
    top = max(*known, 1e-30)
    step = width / len(known)
    drawn = [
        _bar(index, value, top=top, step=step, height=height, hollow=filling and index == len(known) - 1)
        for index, value in enumerate(known)
    ]
    return _svg(format_html_join("", "{}", ((one,) for one in drawn)), width, height, label)


def line(values: Sequence[Value], *, width: int = 96, height: int = 22, label: str = "") -> SafeString:
    """A rate over its own range, gaps left open, a dot at the end."""
    known = [float(value) for value in values if value is not None]
    if not known:
        return nothing(width=width, height=height, label=label)
    low, high = min(known), max(known)
    spread = (high - low) or 1.0
    step = (width - 4) / max(1, len(values) - 1)
    points = [
        None
        if value is None
        else (2 + index * step, height - 3 - (float(value) - low) / spread * (height - 6))
        for index, value in enumerate(values)
    ]
    last = next(point for point in reversed(points) if point is not None)
    path = format_html('<path class="line" d="{}"/>', _path(points))
    dot = format_html('<circle class="last" cx="{}" cy="{}" r="2"/>', f"{last[0]:.1f}", f"{last[1]:.1f}")
    return _svg(path + dot, width, height, label)


def nothing(*, width: int = 96, height: int = 22, label: str = "") -> SafeString:
    """A faint line where nothing is known."""
    drawn = format_html(
        '<line class="nothing" x1="0" x2="{}" y1="{}" y2="{}"/>', width, height - 1, height - 1
    )
    return _svg(drawn, width, height, label)


def share_bar(value: Decimal | None, *, scale: Decimal, width: int = 80) -> SafeString:
    """A share: 10 px high, the full width is `scale`. The percent stands beside it, so it is hidden from readers."""
    length = 0.0 if value is None else max(1.0 if value else 0.0, float(value / scale) * width)
    return format_html(
        '<svg class="share" width="{}" height="10" aria-hidden="true"><rect class="bar" width="{}" height="10"/></svg>',
        width,
        f"{length:.1f}",
    )


def _bar(index: int, value: float, *, top: float, step: float, height: int, hollow: bool) -> SafeString:
    x, wide = index * step, max(1.0, step - 1)
    if value <= 0:
        y = height - 0.5
        return format_html(
            '<line class="nothing" x1="{}" x2="{}" y1="{}" y2="{}"/>', f"{x:.1f}", f"{x + wide:.1f}", y, y
        )
    tall = max(1.0, value / top * (height - 1))
    inset = 0.5 if hollow else 0.0
    return format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>',
        "filling" if hollow else "bar",
        f"{x + inset:.1f}",
        f"{height - tall + inset:.1f}",
        f"{max(0.5, wide - 2 * inset):.1f}",
        f"{max(0.5, tall - 2 * inset):.1f}",
    )


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    drawn, pen_up = [], True
    for point in points:
        if point is not None:
            drawn.append(f"{'M' if pen_up else 'L'}{point[0]:.1f} {point[1]:.1f}")
        pen_up = point is None
    return "".join(drawn)


def _svg(inner: SafeString, width: int, height: int, label: str) -> SafeString:
    told = (
        format_html('role="img" aria-label="{}"', label) if label else format_html('aria-hidden="{}"', "true")
    )
    return format_html(
        '<svg class="spark" width="{}" height="{}" viewBox="0 0 {} {}" {}>{}</svg>',
        width,
        height,
        width,
        height,
        told,
        inner,
    )
