"""The sentence a page opens with: an ordered list of templates per page; the first whose condition holds wins,
the last is always true. Made from the same Results as the tables below it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dashboard import formats
from dashboard.spans_of_time import Words

MOVED = Decimal("0.05")  # of the base; a move counts only if it also holds against the same weekdays


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stretch of a sentence. `tone`: "", bold, worse, better or warn."""

    text: str
    tone: str = ""


Answer = tuple[Phrase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What Overview's sentence is made from. `cost` None = no call has a price; `base` None = no comparison;
    `weekdays`: the cost of the same weekdays before, where they differ from the base by date;
    `mover`: the group that moved most, and by how much."""

    words: Words
    cost: Decimal | None
    calls: int
    base: Decimal | None
    weekdays: Decimal | None = None
    mover: tuple[str, Decimal] | None = None

    @property
    def moved(self) -> Decimal:
        """The difference to the base."""
        return (self.cost or Decimal(0)) - (self.base or Decimal(0))


def first_that_holds(templates: Sequence[Callable[[Any], Answer | None]], facts: Any) -> Answer:
    """The answer of the first template that has one. Raises StopIteration if the last is not always true."""
    return next(answer for template in templates if (answer := template(facts)) is not None)


def overview(facts: Spend) -> Answer:
    """Overview's sentence."""
    return first_that_holds(OVERVIEW, facts)


def is_move(current: Decimal | None, base: Decimal | None, weekdays: Decimal | None) -> bool:
    """Whether spend moved: by 5 % against the base by date, and in the same direction by as much against the same
    weekdays, where those differ (another mix of weekdays alone moves a month to date by over 5 %)."""
    by_date = _ratio(current, base)
    if by_date is None or abs(by_date) < MOVED:
        return False
    matched = by_date if weekdays is None else _ratio(current, weekdays)
    return matched is not None and abs(matched) >= MOVED and (matched > 0) == (by_date > 0)


def _ratio(current: Decimal | None, base: Decimal | None) -> Decimal | None:
    return (current or Decimal(0)) / base - 1 if base else None


def _unpriced(facts: Spend) -> Answer | None:
    if facts.cost is not None or not facts.calls:
        return None
    return (
        Phrase(f"{formats.count(facts.calls)} {_calls(facts.calls)} {facts.words.now}, "),
        Phrase("none with a price", "warn"),
        Phrase("."),
    )


def _new(facts: Spend) -> Answer | None:
    if facts.base:
        return None
    return (
        Phrase(formats.money_answer(facts.cost), "bold"),
        Phrase(f" spent {facts.words.now} on {formats.count(facts.calls)} {_calls(facts.calls)}."),
    )


def _moved(facts: Spend) -> Answer | None:
    if not is_move(facts.cost, facts.base, facts.weekdays):
        return None
    more = facts.moved > 0
    said = f"{formats.money_answer(abs(facts.moved))} {'more' if more else 'less'}"
    sentence = (
        Phrase(f"{formats.money_answer(facts.cost)} spent {facts.words.now}, "),
        Phrase(said, "worse" if more else "better"),
        Phrase(f" than {facts.words.than}."),
    )
    if facts.mover is None or facts.mover[1] * facts.moved <= 0:
        return sentence
    name, amount = facts.mover
    return (
        *sentence,
        Phrase(" "),
        Phrase(name, "bold"),
        Phrase(f" accounts for {formats.money_answer(abs(amount))} of it."),
    )


def _by_date_only(facts: Spend) -> Answer | None:
    by_date = _ratio(facts.cost, facts.base)
    if by_date is None or abs(by_date) < MOVED:
        return None
    more = "more" if facts.moved > 0 else "less"
    return (
        Phrase(
            f"{formats.money_answer(facts.cost)} spent {facts.words.now}, "
            f"{formats.money_answer(abs(facts.moved))} {more} than {facts.words.than}; "
            "against the same weekdays it is no move."
        ),
    )


def _steady(facts: Spend) -> Answer | None:
    return (Phrase(f"{formats.money_answer(facts.cost)} spent {facts.words.now}, as {facts.words.as_in}."),)


def _calls(count: int) -> str:
    return "call" if count == 1 else "calls"


OVERVIEW: tuple[Callable[[Spend], Answer | None], ...] = (_unpriced, _new, _moved, _by_date_only, _steady)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the sentence of a run is made from. Medians are of its flow in the last 28 days, None = unknown."""

    outcome: str  # success, failure or unknown
    rescued: bool
    error: str  # words of the last error's class, "" = none
    failed_calls: int
    calls: int
    failed_model: str
    answered_by: str
    cost: Decimal | None
    duration_ms: float | None
    median_ms: float | None = None
    p95_ms: float | None = None
    p95_cost: float | None = None
    median_cost: Decimal | None = None


def run(facts: RunFacts) -> Answer:
    """A run's sentence: failed, rescued, slow or dear, else ordinary."""
    return first_that_holds(RUN, facts)


def _failed(facts: RunFacts) -> Answer | None:
    if facts.outcome != "failure":
        return None
    reported = " Its sender said so; no call failed."
    cause = f" {facts.failed_model or 'The last call'}: {facts.error}." if facts.error else reported
    return (Phrase("Failed.", "worse"), Phrase(f"{cause} {_took(facts)}"))


def _rescued(facts: RunFacts) -> Answer | None:
    if not facts.rescued:
        return None
    times = {1: "once", 2: "twice"}.get(facts.failed_calls, f"{facts.failed_calls} times")
    failed = f"{facts.failed_model or 'A call'} failed {times} ({facts.error})"
    same = facts.answered_by == facts.failed_model
    who = f"{failed}, then answered." if same else f"{failed}, so {facts.answered_by or 'another'} answered."
    return (Phrase("Rescued.", "bold"), Phrase(f" {who} {_took(facts)}"))


def _slow_or_dear(facts: RunFacts) -> Answer | None:
    slow = facts.p95_ms is not None and (facts.duration_ms or 0) > facts.p95_ms
    dear = facts.p95_cost is not None and float(facts.cost or 0) > facts.p95_cost
    if not (slow or dear):
        return None
    word = "Slow and dear." if slow and dear else "Slow." if slow else "Dear."
    return (Phrase(word, "worse"), Phrase(f" {_took(facts)}"))


def _ordinary(facts: RunFacts) -> Answer | None:
    lead = {"success": "Success.", "unknown": "Ordinary."}.get(facts.outcome, "Ordinary.")
    return (Phrase(lead, "bold"), Phrase(f" {_took(facts)}"))


def _took(facts: RunFacts) -> str:
    took = (
        f"It took {formats.duration(facts.duration_ms)}"
        if facts.duration_ms is not None
        else "It has no duration"
    )
    if facts.median_ms and facts.duration_ms is not None:
        took += f", {times_of(float(facts.duration_ms or 0), facts.median_ms)} the flow’s median"
    if facts.cost is None:
        return f"{took}; its cost is unknown."
    if not facts.cost:
        return f"{took}, and cost nothing."
    cost = f"cost {formats.money_answer(facts.cost)}"
    if facts.median_cost:
        cost += f", {times_of(float(facts.cost), float(facts.median_cost))} the mean"
    return f"{took}, and {cost}."


def times_of(value: float, median: float) -> str:
    """ "4.1 times", or "about" when it is within a tenth."""
    ratio = value / median
    if ratio < 0.05:
        return "less than a tenth of"
    return "about" if 0.9 <= ratio <= 1.1 else f"{ratio:.1f} times"


RUN: tuple[Callable[[RunFacts], Answer | None], ...] = (_failed, _rescued, _slow_or_dear, _ordinary)
