"""The effect table of one change, ready to be written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString

from accounts.models import Project
from analytics.changes_list import Line
from analytics.effects import Effect, OnFlow, effects_of
from dashboard import effect_plot, formats, spans_of_time
from dashboard.change_texts import MARKS, TONES, difference_text, interval_text, value_text
from dashboard.panels import State


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """One measure of one flow."""

    verdict: str
    tone: str
    mark: str
    flow: str
    measure: str
    before: str
    after: str
    difference: str
    interval: str
    plot: SafeString
    n_before: str
    n_after: str
    q: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPage:
    """The table: its axis, rows, and how both sides were chosen."""

    head: SafeString
    rows: tuple[EffectRow, ...]
    note: str
    notes: tuple[str, ...]
    several: bool
    tests: int
    effects: tuple[Effect, ...]


def effects_on_page(project: Project, line: Line, *, now: datetime) -> OnPage | State:
    """Every measure of the change's flows before and after, the worst first."""
    found = effects_of(project, line, now=now)
    effects = tuple(effect for one in found for effect in one.effects)
    if not effects:
        return State(say="It is too early to say.", note="The first quarter hour after it is not complete yet, or the "
                     "flow was not called before it.")  # fmt: skip
    axis = effect_plot.axis_for(effects)
    return OnPage(
        head=effect_plot.head(axis),
        rows=tuple(_row(axis, effect) for effect in effects),
        note=_note(found),
        notes=tuple(dict.fromkeys(_remarks(found))),
        several=len(found) > 1,
        tests=sum(effect.q is not None for effect in effects),
        effects=effects,
    )


def _note(found: tuple[OnFlow, ...]) -> str:
    first = next(one.windows for one in found if one.windows is not None)
    before, after = (spans_of_time.dates(side, year=False) for side in (first.before, first.after))
    length = first.after.end - first.after.start
    long = f"{length.days} days" if length.days > 1 else formats.lag(length.total_seconds())
    more = "; each flow by its own" if len({one.windows for one in found}) > 1 else ""
    return f"{before} against {after}, {long} each{more}; 95 % intervals"


def _remarks(found: tuple[OnFlow, ...]) -> Iterator[str]:
    for one in found:
        if one.windows is None:
            yield f"{one.flow or 'All flows'}: too early to say."
            continue
        yield from one.windows.notes
        if one.share is not None and one.share < 0.995:
            of = f" of {one.flow}" if len(found) > 1 else ""
            yield f"It carries {formats.share(one.share)} of the calls{of} since."


def _row(axis: effect_plot.Axis, effect: Effect) -> EffectRow:
    moved = difference_text(effect, effect.test.difference if effect.test else None)
    return EffectRow(
        verdict=effect.verdict,
        tone=TONES.get(effect.verdict, ""),
        mark=MARKS.get(effect.verdict, ""),
        flow=effect.flow or "all flows",
        measure=effect.label,
        before=value_text(effect, effect.before),
        after=value_text(effect, effect.after),
        difference=moved,
        interval=interval_text(effect) or effect.reason,
        plot=effect_plot.plot(axis, effect),
        n_before=formats.count(effect.n_before),
        n_after=formats.count(effect.n_after),
        q=_q(effect.q),
    )


def _q(q: float | None) -> str:
    if q is None:
        return formats.MISSING
    return "< 0.001" if q < 0.001 else formats.plain(q, 3 if q < 0.01 else 2)
