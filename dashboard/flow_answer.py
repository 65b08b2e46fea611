"""The Flow page's sentence and strip."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.urls import reverse

from analytics.effects import BETTER, WORSE, Effect
from dashboard import answers, change_answers, formats, spans_of_time
from dashboard.answers import Answer, Phrase, Spend
from dashboard.flow_ask import FlowAsked
from dashboard.markers import Marker
from dashboard.moves import weekday_matched
from dashboard.quality_measure import delta_of, few, moved
from dashboard.strip import StripCell, strip

STRIP = (
    ("Spend", "cost"), ("Runs", "runs"), ("Cost per run", "cost_per_run"), ("Cost per success", "cost_per_success"),
    ("Run p95", "p95_run_duration"),
)  # fmt: skip


def sentence(asked: FlowAsked, marks: Sequence[Marker], kept: Mapping[int, Sequence[Effect]]) -> Answer:
    """The last change that made something worse, else the last that made something better; else how spend moved."""
    for wanted in (WORSE, BETTER):
        for mark in reversed(marks):
            effects = [one for one in kept.get(mark.line.id, ()) if one.flow in ("", asked.name)]
            if any(one.verdict == wanted for one in effects):
                return change_answers.one(asked.page, mark.line, [replace(one, flow="") for one in effects])
    return _spend(asked)


def mattered(
    asked: FlowAsked, marks: Sequence[Marker], kept: Mapping[int, Sequence[Effect]]
) -> Marker | None:
    """The change that the sentence is about; without one the last one that was measured."""
    for wanted in (WORSE, BETTER):
        for mark in reversed(marks):
            if any(
                one.verdict == wanted for one in kept.get(mark.line.id, ()) if one.flow in ("", asked.name)
            ):
                return mark
    return marks[-1] if marks else None


def _spend(asked: FlowAsked) -> Answer:
    scope, result = asked.inside, asked.totals
    matched = weekday_matched(scope)
    said = answers.overview(
        Spend(
            words=spans_of_time.words(scope.period, scope.base),
            cost=result.totals["cost"],
            calls=result.totals["calls"],
            base=result.compare.totals.get("cost") if result.compare else None,
            weekdays=matched.compare.totals.get("cost") if matched and matched.compare else None,
        )
    )
    quality, sure = asked.quality, result.total_intervals.get(asked.quality.measure)
    each = result.totals["cost_per_run"]
    more = []
    if each is not None:
        more.append(f"a run costs {formats.money_answer(each)}")
    if not few(sure):
        more.append(
            f"{quality.label[:1].lower() + quality.label[1:]} is {quality.show(result.totals[quality.measure])}"
        )
    tail = f" {' and '.join(more)}." if more else ""
    return (*said, Phrase(tail[:1] + tail[1:2].upper() + tail[2:])) if tail else said


def cells(asked: FlowAsked) -> tuple[StripCell, ...]:
    """Spend, runs, cost per run and success, p95, quality."""
    result = asked.totals
    plain = strip(asked.inside, result, STRIP)
    known = tuple(
        cell for cell in plain if cell.label != "Cost per success" or cell.figure.text != formats.MISSING
    )
    return (*known, _quality(asked))


def _quality(asked: FlowAsked) -> StripCell:
    result, quality = asked.totals, asked.quality
    sure = result.total_intervals.get(quality.measure)
    value = result.totals[quality.measure]
    href = asked.inside.url(reverse("explore", args=[asked.page.project.slug]), measures=quality.measure, by=None,
                            worst=None, grain=None, view=None, name=None)  # fmt: skip
    if few(sure):
        n = sure.n if sure else 0
        note = f"{formats.count(n)} {quality.counted}: too few" if n else "no score yet"
        return StripCell(label=quality.label, figure=formats.Figure(formats.MISSING), href=href, note=note)
    text, _, unit = quality.show(value).partition(formats.NBSP)
    compare = result.compare
    base = compare.totals.get(quality.measure) if compare else None
    found = moved(value, sure, base, compare.total_intervals.get(quality.measure) if compare else None)
    return StripCell(
        label=quality.label,
        figure=formats.Figure(text, unit),
        href=href,
        delta=delta_of(quality, found, known=True) if base is not None else None,
        amount=f"{quality.show_half(sure)} n {formats.count(sure.n if sure else 0)}",
    )
