"""Pass rates by variant, and what runs themselves tell: cut off, filtered, empty, failed tools, rescued."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from analytics.answer import answer
from analytics.dimensions import LABELS, REST
from analytics.intervals import Interval, wilson
from analytics.measures import MEASURES
from analytics.score_measures import SIGNS
from dashboard import formats
from dashboard.change_texts import short
from dashboard.deltas import Delta
from dashboard.flow_links import flow_url
from dashboard.frame import Choice
from dashboard.quality_measure import Quality, delta_of, few, moved
from dashboard.quality_plot import axis_for, plot
from dashboard.scope import Scope

BY = (("prompt_version", "Prompt version"), ("model", "Model"), ("release", "Release"))
ROWS = 30
FLOWS = 500
SHOWN_FLOWS = 10
WORDS = {
    "cut_off": "Cut off", "filtered": "Filtered", "empty_answer": "Empty answer", "failed_tool": "Failed tool",
    "rescued": "Rescued",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRow:
    """The pass rate of one score with one variant of a flow."""

    flow: str
    flow_href: str
    variant: str
    title: str
    value: str
    half: str
    plot: SafeString
    n: str


def score_of(scope: Scope, known: Sequence[Quality], first: str = "") -> Quality | None:
    """The score that is asked for; else the one of that name (what fell most), else any."""
    wanted = scope.value("score") or first
    return next((one for one in known if one.score == wanted), known[0] if known else None)


def by_of(scope: Scope) -> str:
    """The dimension that is asked for."""
    asked = scope.value("by")
    return asked if asked in dict(BY) else BY[0][0]


def tabs(scope: Scope) -> tuple[Choice, ...]:
    """The dimensions as links."""
    chosen = by_of(scope)
    return tuple(Choice(label, scope.url(by=name), name == chosen) for name, label in BY)


def pass_rates(scope: Scope, quality: Quality) -> dict[str, Any]:
    """Rows of flow and variant; too few samples are said, not drawn."""
    by, measure = by_of(scope), f"pass_rate:{quality.score}"
    query = scope.query(
        measures=(measure, f"score_count:{quality.score}"),
        group_by=("flow", by),
        limit=FLOWS,
        base=None,
        compare="",
        order=f"-score_count:{quality.score}",
    )
    result = answer(query, now=scope.now, trust=False)
    found = []
    for place, (group, figures) in enumerate(result.by_group().items()):
        sure = result.intervals[measure][place]
        if sure is not None and sure.n and REST not in group:
            found.append((group, figures[measure], sure))
    axis = axis_for(sure for _, _, sure in found if not few(sure))
    rate = Quality(measure=measure, label=quality.score, share=True)
    found = sorted(found[:ROWS], key=lambda one: (one[0][0], -one[2].n))
    rows = [_variant(scope, rate, group, value, sure, axis) for group, value, sure in found]
    return {
        "rows": rows,
        "label": dict(BY)[by],
        "score": quality.score,
        "few": any(few(sure) for _, _, sure in found),
        "judged": bool(rows),
    }


def _variant(
    scope: Scope, rate: Quality, group: tuple[str, ...], value: float | None, sure: Interval, axis: Any
) -> VariantRow:
    said = None if few(sure) else value
    flow, variant = group
    return VariantRow(
        flow=flow,
        flow_href=flow_url(scope, flow) if flow not in LABELS or flow == "(unattributed)" else "",
        variant=short(variant),
        title=variant,
        value=rate.show(said),
        half=rate.show_half(sure) if said is not None else "",
        plot=plot(axis, said, sure if said is not None else None),
        n=formats.count(sure.n),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRow:
    """What the runs of one flow tell, a cell for each sign."""

    flow: str
    href: str
    runs: str
    cells: tuple[tuple[str, Delta], ...]


def signs(scope: Scope) -> dict[str, Any]:
    """Flows by their runs, with the rate of each sign against the period before; no row where no run has any."""
    measures = ("runs", *(f"score:{name}" for name in SIGNS))
    query = scope.query(measures=measures, group_by=("flow",), order="-runs", limit=FLOWS)
    result = answer(query, now=scope.now, trust=False)
    current, base = result.by_group(), result.base_by_group()
    rows = [
        _sign_row(scope, group[0], figures, base.get(group, {}))
        for group, figures in current.items()
        if group[0] not in LABELS and any(figures[name] for name in measures[1:])
    ]
    return {
        "heads": [(WORDS[name], MEASURES[f"score:{name}"].sentence) for name in SIGNS],
        "rows": rows[:SHOWN_FLOWS],
        "more": max(0, len(rows) - SHOWN_FLOWS),
        "total": _sign_row(
            scope, "All flows", result.totals, result.compare.totals if result.compare else {}
        ),
    }


def _sign_row(scope: Scope, flow: str, figures: Mapping[str, Any], base: Mapping[str, Any]) -> SignRow:
    cells = []
    for name in SIGNS:
        rate = Quality(measure=f"score:{name}", label=name, share=True, good="down", counted="runs")
        now, before = figures.get(rate.measure), base.get(rate.measure)
        found = moved(now, _sure(now, figures), before, _sure(before, base))
        delta = delta_of(rate, found, known=before is not None)
        cells.append((formats.rate(now), delta if delta.tone else Delta("", quiet=True)))
    href = flow_url(scope, flow) if flow != "All flows" else ""
    return SignRow(flow=flow, href=href, runs=formats.count(figures.get("runs")), cells=tuple(cells))


def _sure(value: float | None, figures: Mapping[str, Any]) -> Interval | None:
    """Wilson's interval of a rate of all runs."""
    runs = figures.get("runs") or 0
    return wilson(round((value or 0) * runs), runs)
