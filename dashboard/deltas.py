"""How a figure moved: arrow, sign, figure, and a colour only where it matters (pages 4, *Deltas*)."""

from dataclasses import dataclass
from decimal import Decimal

from analytics.measures import Measure
from dashboard import formats
from dashboard.formats import Number

AMOUNT_MATTERS = Decimal("0.01")  # of the page's base total
RATE_MATTERS = 0.05  # where there is no interval
ENOUGH_RUNS = 100  # on either side, for latencies and rates


@dataclass(frozen=True, slots=True)
class Delta:
    """What a cell shows. `arrow`: ▲, ▼ or nothing; `tone`: worse, better or nothing; `words`: for readers."""

    text: str
    arrow: str = ""
    tone: str = ""
    words: str = ""
    quiet: bool = False


NO_CHANGE = Delta("no change", quiet=True)
NEW = Delta("new", quiet=True)
GONE = Delta("gone", quiet=True)
TOO_FEW = Delta("n/a", words="too few to compare", quiet=True)
UNKNOWN = Delta(formats.MISSING, words="unknown", quiet=True)


def delta(
    current: Number | None,
    base: Number | None,
    *,
    measure: Measure,
    base_total: Number | None = None,
    enough: bool = True,
) -> Delta:
    """The delta of one cell. `base_total`: the page's total in the base period, to which an amount's move is
    held; `enough`: whether both sides have 100 runs (or calls) where the measure is a rate or a latency."""
    if (early := _state(current, base, additive=measure.additive, enough=enough)) is not None:
        return early
    assert current is not None  # noqa: S101 - _state has answered for the unknown
    assert base is not None  # noqa: S101
    text = _moved(current, base, measure)
    if not any(digit in text for digit in "123456789"):
        return NO_CHANGE
    rose = current > base
    tone = _tone(rose, measure) if _matters(current, base, measure, base_total) else ""
    words = ", ".join(word for word in ("more" if rose else "less", tone) if word)
    return Delta(text, "▲" if rose else "▼", tone, words)


def amount_moved(current: Number | None, base: Number | None) -> Decimal | None:
    """The difference in the measure's own unit; a side without a row counts as nothing."""
    if current is None and base is None:
        return None
    return Decimal(str(current or 0)) - Decimal(str(base or 0))


def _state(current: Number | None, base: Number | None, *, additive: bool, enough: bool) -> Delta | None:
    """The words instead of a figure, or None when there is a figure."""
    if current is None and base is None:
        return UNKNOWN
    if additive and not base and current:
        return NEW
    if additive and base and not current:
        return GONE
    if current is None or base is None:
        return UNKNOWN if not additive else (GONE if current is None else NEW)
    if not additive and not enough:
        return TOO_FEW
    return NO_CHANGE if current == base else None


def _moved(current: Number, base: Number, measure: Measure) -> str:
    if measure.unit == "ratio":
        return formats.points(_minus(current, base), 2 if measure.name == "error_rate" else 1)
    if measure.unit == "ms":
        return formats.duration_delta(_minus(current, base))
    return formats.percent_change(_minus(current, base) / Decimal(str(base))) if base else "+"


def _minus(current: Number, base: Number) -> Decimal:
    return Decimal(str(current)) - Decimal(str(base))


def _matters(current: Number, base: Number, measure: Measure, base_total: Number | None) -> bool:
    if measure.good is None:
        return False
    moved = abs(_minus(current, base))
    if measure.additive:
        return bool(base_total) and moved >= AMOUNT_MATTERS * abs(Decimal(str(base_total)))
    return bool(base) and float(moved) >= RATE_MATTERS * abs(float(base))


def _tone(rose: bool, measure: Measure) -> str:
    return "better" if rose == (measure.good == "up") else "worse"
