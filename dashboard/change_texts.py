"""Changes and their effects in words and figures: one place for page, panel, marker and message."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.changes_kinds import STAND_IN
from analytics.changes_list import Line
from analytics.effects import BETTER, TOO_FEW, UNCLEAR, WORSE, Effect
from dashboard import formats

ARROW = "→"
SHOWN_FLOWS = 2
SHOWN = 14  # characters of a fingerprint
TONES = {WORSE: "worse", BETTER: "better"}
MARKS = {WORSE: "▼", BETTER: "▲"}
KIND_WORDS = {"service_tier": "service tier"}
# How an effect is named where there is no room for a table.
SHORT = {
    "cost_per_run": "a run",
    "p95_run_duration": "p95",
    "error_rate": "errors",
    "tokens_per_call": "tokens",
}


@dataclass(frozen=True, slots=True)
class Did:
    """What a change did in a few words: an arrow, a text, and its tone."""

    text: str
    tone: str = ""
    arrow: str = ""


def kind_text(line: Line) -> str:
    """prompt, service tier, …"""
    return KIND_WORDS.get(line.kind, line.kind)


def change_text(line: Line) -> str:
    """`triage v11 → v12`; `web@4.3.1`; a note where neither side was told."""
    subject = f"{line.subject} " if line.subject and line.kind not in ("snapshot",) else ""
    if line.before and line.after:
        return f"{subject}{short(line.before)} {ARROW} {short(line.after)}"
    if line.after or line.before:
        return (
            f"{subject}{short(line.after or '')}"
            if line.after
            else f"{subject}{short(line.before or '')} ends"
        )
    return line.note or kind_text(line)


def short(value: str) -> str:
    """A fingerprint that stands in for a version is cut; everything else is as it was sent."""
    return value[: len(STAND_IN) + 8] if value.startswith(STAND_IN) else value


def flows_text(line: Line) -> str:
    """support, search; or how many there are."""
    if not line.flows:
        return "all flows"
    if len(line.flows) > SHOWN_FLOWS:
        return f"{len(line.flows)} flows"
    return ", ".join(line.flows)


def value_text(effect: Effect, value: Any) -> str:
    """A value of the effect's measure."""
    if value is None:
        return formats.MISSING
    return VALUES.get(_unit(effect), formats.count)(value)


def difference_text(effect: Effect, value: float | None) -> str:
    """A difference in the measure's own unit: +$0.0054, −0.62 s, −4.1 pp."""
    return formats.MISSING if value is None else DIFFERENCES.get(_unit(effect), _count)(value)


def interval_text(effect: Effect) -> str:
    """−4.9 to −3.3, without the unit."""
    if effect.test is None:
        return ""
    texts = [_bare(difference_text(effect, value)) for value in (effect.test.low, effect.test.high)]
    return f"{texts[0]} to {texts[1]}"


def _bare(text: str) -> str:
    return text.removesuffix(f"{formats.NBSP}pp").replace("$", "")


def _unit(effect: Effect) -> str:
    return "money" if effect.unit.startswith("USD") else effect.unit


def _money(value: Any) -> str:
    return formats.money(value, decimals=min(6, max(2, formats.unit_cost_decimals([value]))))


def _signed_money(value: float) -> str:
    return formats.money(value, decimals=min(6, max(2, formats.unit_cost_decimals([value]))), signed=True)


def _points(value: float) -> str:
    return formats.points(value, 2 if abs(value) < 0.01 else 1)


def _count(value: float) -> str:
    return formats.plain(value, 0 if abs(value) >= 100 else 1, signed=True)


def _score(value: Any) -> str:
    return formats.plain(value, 3)


def _signed_score(value: float) -> str:
    return formats.plain(value, 3, signed=True)


VALUES: dict[str, Callable[[Any], str]] = {
    "money": _money,
    "ratio": formats.rate,
    "share": formats.share,
    "ms": formats.duration,
    "score": _score,
    "tokens": formats.count,
}
DIFFERENCES: dict[str, Callable[[float], str]] = {
    "money": _signed_money,
    "ratio": _points,
    "share": formats.points,
    "ms": formats.duration_delta,
    "score": _signed_score,
}


def did(effects: Sequence[Effect]) -> tuple[Did, ...]:
    """The one or two clearest effects of a change, scores first; else why there is none."""
    clear = [one for one in effects if one.verdict in TONES]
    clear.sort(key=lambda one: (one.counted != "scores", -abs((one.better or (0, 0, 0))[1])))
    if clear:
        return tuple(_did(one) for one in clear[:2])
    if any(one.verdict == UNCLEAR for one in effects):
        return (Did("no clear effect"),)
    counted = max(
        (one.n_after for one in effects if one.verdict == TOO_FEW and one.counted == "runs"), default=0
    )
    return (Did(f"too early: {formats.count(counted)} runs" if counted else "too early to say"),)


def _did(effect: Effect) -> Did:
    moved = difference_text(effect, effect.test.difference if effect.test else None)
    name = SHORT.get(effect.measure, effect.label)
    text = f"{moved} {name}" if effect.measure == "cost_per_run" else f"{name} {moved}"
    rose = effect.test is not None and effect.test.difference > 0
    return Did(text, TONES[effect.verdict], "▲" if rose else "▼")
