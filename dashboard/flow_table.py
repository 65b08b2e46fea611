"""The Flow page's charts as a table: a row for each bucket, which leads to its runs."""

from dataclasses import dataclass
from typing import Any

from dashboard import formats
from dashboard.flow_ask import FlowAsked
from dashboard.quality_measure import few

LOOKS = {"hour": "%a %-d %b %H:%M", "day": "%a %-d %b %Y", "week": "week of %-d %b %Y", "month": "%B %Y"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketRow:
    """One bucket: when, its figures, where its slowest, costliest and worst runs are."""

    when: str
    iso: str
    cells: tuple[str, ...]
    n: str
    links: tuple[tuple[str, str], ...]


def over_time(asked: FlowAsked) -> dict[str, Any]:
    """Heads and rows."""
    quality = asked.quality
    measures = (("Runs", "runs", "runs"), ("Cost per run", "USD/run", "cost_per_run"),
                ("p50", "ms", "p50_run_duration"), ("p95", "ms", "p95_run_duration"))  # fmt: skip
    columns = [
        (label, name, formats.column_for(unit, name, [point.value(name) for point in asked.points]))
        for label, unit, name in measures
    ]
    worst = f"worst:{quality.score}" if quality.score else "failed"
    orders = (
        ("slowest", "slowest"),
        ("costliest", "costliest"),
        ("worst" if quality.score else "failed", worst),
    )
    rows = [
        BucketRow(
            when=point.start.strftime(LOOKS[asked.grain]),
            iso=point.start.isoformat(),
            cells=(
                *(column.show(point.value(name)) for _, name, column in columns),
                formats.MISSING if few(point.sure) else quality.show(point.value(quality.measure)),
                quality.show_half(point.sure) if not few(point.sure) else "",
            ),
            n=formats.count(point.sure.n if point.sure else 0),
            links=tuple((label, asked.runs_at(point, order)) for label, order in orders) if point.value("runs") else (),
        )
        for point in asked.points
    ]  # fmt: skip
    return {
        "heads": [(label, column.unit) for label, _, column in columns],
        "quality": quality.label,
        "counted": quality.counted,
        "rows": rows,
        "caption": f"Cost, latency and quality by {asked.grain}",
    }
