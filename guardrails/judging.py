"""What one figure says of a rule's condition, and how sure it is. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

from analytics.measures import Measure
from guardrails.rules import Condition
from guardrails.states import Verdict

Z95 = 1.959963984540054
# Rates that are a share of the things counted: they have a binomial interval.
BINOMIAL = ("error_rate", "priced_share", "attributed_share", "outcome_rate", "pass_rate:")
LEAST_WEEKS = 2  # of four: fewer are no usual


@dataclass(frozen=True, slots=True)
class Seen:
    """One group's figure in one window. `n`: how many calls or runs it is made from, None where none are counted;
    `base`: the median of the same hours of earlier weeks, None when too few are known."""

    value: Decimal | None
    n: int | None
    base: Decimal | None = None


def number(value: Any) -> Decimal | None:
    """A measure's value as Decimal."""
    if value is None or isinstance(value, Decimal):
        return value
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def usual(values: Sequence[Decimal | None]) -> Decimal | None:
    """The median of what is known of earlier weeks."""
    known = [value for value in values if value is not None]
    return median(known) if len(known) >= LEAST_WEEKS else None


def is_binomial(measure: Measure) -> bool:
    """Whether the measure is a share of what it counts."""
    return measure.name.startswith(BINOMIAL)


def interval(measure: Measure, seen: Seen) -> tuple[float, float] | None:
    """The 95 % Wilson interval of a share; None for other measures.

    Wilson, Journal of the American Statistical Association 22 (1927): centre (p + z²/2n) / (1 + z²/n)."""
    if seen.value is None or not seen.n or not is_binomial(measure):
        return None
    p, n, z2 = float(seen.value), seen.n, Z95 * Z95
    centre, spread = p + z2 / (2 * n), Z95 * math.sqrt(max(0.0, p * (1 - p)) / n + z2 / (4 * n * n))
    return max(0.0, (centre - spread) / (1 + z2 / n)), min(1.0, (centre + spread) / (1 + z2 / n))


def change(seen: Seen) -> Decimal | None:
    """Percent by which the value differs from its base."""
    if seen.value is None or not seen.base:
        return None
    return (seen.value - seen.base) / abs(seen.base) * 100


def verdict(condition: Condition, measure: Measure, seen: Seen, *, min_count: int) -> Verdict:
    """What a whole window says."""
    if condition.kind == "no_data":
        return Verdict.FINE if seen.n else Verdict.BREACH
    if seen.value is None or (seen.n is not None and seen.n < min_count):
        return Verdict.UNKNOWN
    found = _HOLDS[condition.kind](condition.limit or Decimal(0), measure, seen)
    return Verdict.UNKNOWN if found is None else Verdict.BREACH if found else Verdict.FINE


def surely(condition: Condition, measure: Measure, seen: Seen, *, min_count: int) -> bool:
    """Whether a window that still fills is above the limit whatever comes: a sum only grows, and a share's whole
    interval lies beyond."""
    if condition.kind != "above" or seen.value is None or (seen.n or 0) < min_count:
        return False
    limit = condition.limit or Decimal(0)
    if measure.additive:
        return seen.value > limit
    found = interval(measure, seen)
    return found is not None and found[0] > limit


def can_be_sure(condition: Condition, measure: Measure) -> bool:
    """Whether a window that still fills is worth a look."""
    return condition.kind == "above" and (measure.additive or is_binomial(measure))


def _above(limit: Decimal, measure: Measure, seen: Seen) -> bool | None:
    return seen.value is not None and seen.value > limit


def _below(limit: Decimal, measure: Measure, seen: Seen) -> bool | None:
    return seen.value is not None and seen.value < limit


def _changed(limit: Decimal, measure: Measure, seen: Seen) -> bool | None:
    """In the bad direction; of a measure without one in either."""
    found = change(seen)
    if found is None:
        return None
    signed = {"down": found, "up": -found, None: abs(found)}[measure.good]
    return signed > limit


_HOLDS = {"above": _above, "below": _below, "change_over": _changed}


def bound_of(condition: Condition, measure: Measure, seen: Seen) -> Decimal | None:
    """The value that was gone past: the limit, or the base and so many percent."""
    if condition.kind != "change_over":
        return condition.limit
    if seen.base is None or seen.value is None:
        return None
    share = (condition.limit or Decimal(0)) / 100 * abs(seen.base)
    return seen.base + share if seen.value >= seen.base else seen.base - share
