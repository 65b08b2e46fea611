"""How an alert's state follows from what was seen. Pure.

ok -> pending -> firing -> resolved; a rule on no_data fires into `no_data`. A firing alert whose window has nothing
to judge becomes `no_data` too, quietly, until there is. What imported history made true is `held`: told nobody.
Time is the watermark's, so that a loader that is behind neither fires nor clears.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class Verdict(Enum):
    """What a window says of a condition."""

    BREACH = "breach"
    FINE = "fine"
    UNKNOWN = "unknown"  # nothing, or too little, to judge by


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an open alert stands."""

    state: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of it: the next state ("" = none, the row goes away), and the event that tells of it, or ""."""

    state: str
    event: str = ""
    loud: bool = False  # whether channels hear of it


GONE = Step("")


def step(
    standing: Standing | None, verdict: Verdict, *, until: datetime, hold: timedelta, fired: str = "firing",
    imported: bool = False,
) -> Step:  # fmt: skip
    """The next state. `fired`: what firing is called (`no_data` for a rule on no data); `imported`: the window has
    just got imported history, which fires nothing."""
    if standing is None:
        return _begun(verdict, hold, fired, imported)
    return _STEPS[standing.state](standing, verdict, until - standing.since >= hold, fired, imported)


def _begun(verdict: Verdict, hold: timedelta, fired: str, imported: bool) -> Step:
    if verdict is not Verdict.BREACH:
        return GONE
    if imported:
        return Step("held")
    return Step("pending", "pending") if hold else Step(fired, fired, loud=True)


def _pending(standing: Standing, verdict: Verdict, held_long: bool, fired: str, imported: bool) -> Step:
    if verdict is Verdict.FINE:
        return GONE
    if verdict is Verdict.BREACH and held_long:
        return Step("held") if imported else Step(fired, fired, loud=True)
    return Step("pending")


def _firing(standing: Standing, verdict: Verdict, held_long: bool, fired: str, imported: bool) -> Step:
    if verdict is Verdict.FINE:
        return Step("resolved", "resolved", loud=True)
    return Step("no_data", "no_data") if verdict is Verdict.UNKNOWN else Step("firing")


def _no_data(standing: Standing, verdict: Verdict, held_long: bool, fired: str, imported: bool) -> Step:
    if verdict is Verdict.FINE:
        return Step("resolved", "resolved", loud=True)
    back = verdict is Verdict.BREACH and fired != "no_data"
    return Step("firing", "firing") if back else Step("no_data")


def _held(standing: Standing, verdict: Verdict, held_long: bool, fired: str, imported: bool) -> Step:
    return GONE if verdict is Verdict.FINE else Step("held")


_STEPS = {"pending": _pending, "firing": _firing, "no_data": _no_data, "held": _held}
