"""The variants of a flow: prompt versions, models or releases side by side, each with its quality and interval."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString

from analytics.dimensions import LABELS, REST, SEVERAL
from dashboard import formats, shares
from dashboard.change_texts import short
from dashboard.flow_ask import FlowAsked
from dashboard.frame import Choice
from dashboard.quality_measure import few
from dashboard.quality_plot import axis_for, plot
from dashboard.tables import LAST

BY = (("prompt_version", "Prompt version"), ("model", "Model"), ("release", "Release"))
MEASURES = (
    "calls",
    "cost",
    "unpriced_calls",
    "cost_per_run",
    "p50_run_duration",
    "p95_run_duration",
    "error_rate",
)
COLUMNS = (
    ("Calls", "calls", "calls"), ("Spend", "USD", "cost"), ("Cost per run", "USD/run", "cost_per_run"),
    ("p50", "ms", "p50_run_duration"), ("p95", "ms", "p95_run_duration"), ("Errors", "ratio", "error_rate"),
)  # fmt: skip
ROWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRow:
    """One variant, or all of them."""

    name: str
    title: str
    href: str
    share: str
    cells: tuple[str, ...]
    quality: str
    half: str
    plot: SafeString
    n: str


def by_of(asked: FlowAsked) -> str:
    """The dimension that is asked for, prompt versions unless told otherwise."""
    asked_by = asked.page.value("by")
    return asked_by if asked_by in dict(BY) else BY[0][0]


def tabs(asked: FlowAsked) -> tuple[Choice, ...]:
    """The dimensions as links."""
    chosen = by_of(asked)
    return tuple(
        Choice(label, asked.page.url(by=None if name == BY[0][0] else name), name == chosen)
        for name, label in BY
    )


def variants(asked: FlowAsked) -> dict[str, Any] | None:
    """Rows, total, heads; None where the flow has no call."""
    if not asked.has_figures:
        return None
    by, quality = by_of(asked), asked.quality
    result = asked.ask(
        asked.inside.query(measures=(*MEASURES, quality.measure), group_by=(by,), order="-calls", limit=ROWS, base=None,
                           compare="")
    )  # fmt: skip
    groups = result.by_group()
    sure = dict(zip(groups, result.intervals.get(quality.measure, ()), strict=False))
    names = sorted(groups, key=lambda group: LAST.get(group[0], 0))
    parts = shares.shares([groups[group]["calls"] for group in names])
    columns = [
        (
            label,
            name,
            formats.column_for(
                unit, name, [*(groups[group].get(name) for group in names), result.totals[name]]
            ),
        )
        for label, unit, name in COLUMNS
    ]
    total_sure = result.total_intervals.get(quality.measure)
    axis = axis_for(one for one in (*sure.values(), total_sure) if not few(one))

    def row(name: str, href: str, figures: Mapping[str, Any], share: str, one: Any) -> VariantRow:
        value = None if few(one) else figures.get(quality.measure)
        return VariantRow(
            name=short(name), title=name, href=href, share=share,
            cells=tuple(_cell(column, measure, figures) for _, measure, column in columns),
            quality=quality.show(value), half=quality.show_half(one) if value is not None else "",
            plot=plot(axis, value, one), n=formats.count(one.n if one else 0),
        )  # fmt: skip

    rows = [
        row(
            group[0],
            _link(asked, by, group[0]),
            groups[group],
            shares.show(part, groups[group]["calls"]),
            sure.get(group),
        )
        for group, part in zip(names, parts, strict=True)
    ]
    return {
        "label": dict(BY)[by],
        "heads": [(label, column.unit) for label, _, column in columns],
        "quality": quality.label,
        "counted": quality.counted,
        "rows": rows,
        "total": row("All variants", "", result.totals, f"100.0{formats.NBSP}%", total_sure),
        "few": any(few(one) and one and one.n for one in sure.values()),
        "several": any(group[0] == SEVERAL for group in names),
        "cut": result.cut,
        "show_all": asked.inside.url(reverse("explore", args=[asked.page.project.slug]), group_by=by, limit="1000",
                                     by=None, worst=None, grain=None, view=None, name=None),
        "compare": _compare_two(asked, by, [group[0] for group in names if group[0] not in LABELS]),
    }  # fmt: skip


def _cell(column: formats.Column, name: str, figures: Mapping[str, Any]) -> str:
    value = figures.get(name)
    unknown = name == "cost" and figures.get("unpriced_calls") and not value
    return formats.MISSING if unknown else column.show(value)


def _link(asked: FlowAsked, by: str, name: str) -> str:
    """A variant leads to its runs; `(rest)` opens the whole list."""
    if name in LABELS and name != "(none)":
        return ""
    gone: dict[str, str | None] = dict.fromkeys(("by", "worst", "grain", "view", "compare", "name"))
    return asked.inside.url(reverse("runs", args=[asked.page.project.slug]), **{**gone, by: name})


def _compare_two(asked: FlowAsked, by: str, names: list[str]) -> str:
    """The two with the most calls, side by side."""
    if len(names) < 2 or REST in names[:2]:
        return ""
    gone: dict[str, str | None] = dict.fromkeys(("by", "worst", "grain", "view", "name"))
    path = reverse("compare", args=[asked.page.project.slug])
    return asked.inside.url(path, **{**gone, f"a.{by}": names[1], f"b.{by}": names[0]})
