"""The sentence a page opens with: for each template the facts that make it win, and its words."""

from dataclasses import replace
from decimal import Decimal

import pytest

from dashboard import answers
from dashboard.answers import RunFacts, Spend
from dashboard.spans_of_time import Words

WORDS = Words("this month so far", "by this day in October", "in October")
SPEND = Spend(words=WORDS, cost=Decimal("41702.12"), calls=4_875_742, base=Decimal("35501.44"))
RUN = RunFacts(
    outcome="success", rescued=False, error="", failed_calls=0, calls=3, failed_model="", answered_by="gpt-4.1",
    cost=Decimal("0.0479"), duration_ms=2000.0,
)  # fmt: skip


def text(answer: answers.Answer) -> str:
    return "".join(phrase.text for phrase in answer)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mover": ("Support assistant", Decimal("5482.25"))},
         "$41,702 spent this month so far, $6,201 more than by this day in October. Support assistant accounts for "
         "$5,482 of it."),
        ({}, "$41,702 spent this month so far, $6,201 more than by this day in October."),
        ({"mover": ("Translation", Decimal(-200))},
         "$41,702 spent this month so far, $6,201 more than by this day in October."),
        ({"cost": Decimal(30000)}, "$30,000 spent this month so far, $5,501 less than by this day in October."),
        ({"weekdays": Decimal("41000")},
         "$41,702 spent this month so far, $6,201 more than by this day in October; against the same weekdays it is "
         "no move."),
        ({"weekdays": Decimal("45000")},
         "$41,702 spent this month so far, $6,201 more than by this day in October; against the same weekdays it is "
         "no move."),
        ({"base": Decimal("41000")}, "$41,702 spent this month so far, as in October."),
        ({"base": None}, "$41,702 spent this month so far on 4,875,742 calls."),
        ({"base": Decimal(0), "cost": Decimal("0.000616"), "calls": 1}, "$0.0006 spent this month so far on 1 call."),
        ({"cost": None, "calls": 12}, "12 calls this month so far, none with a price."),
    ],
)  # fmt: skip
def test_overview(changes, said):
    assert text(answers.overview(replace(SPEND, **changes))) == said


def test_a_move_is_coloured_by_its_direction():
    more, less = (answers.overview(replace(SPEND, cost=cost)) for cost in (Decimal(50000), Decimal(20000)))
    assert [phrase.tone for phrase in more if phrase.tone] == ["worse"]
    assert [phrase.tone for phrase in less if phrase.tone] == ["better"]


@pytest.mark.parametrize(
    ("current", "base", "weekdays", "moved"),
    [
        ("105", "100", None, True), ("104.99", "100", None, False), ("95", "100", None, True),
        ("110", "100", "104", True), ("110", "100", "105", False), ("110", "100", "120", False),
        ("5", "0", None, False),
    ],
)  # fmt: skip
def test_a_move_has_to_hold_against_the_same_weekdays(current, base, weekdays, moved):
    values = [None if text is None else Decimal(text) for text in (current, base, weekdays)]
    assert answers.is_move(*values) is moved


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcome": "failure", "error": "overloaded", "failed_model": "gpt-4.1", "failed_calls": 1},
         "Failed. gpt-4.1: overloaded. It took 2.00 s, and cost $0.0479."),
        ({"outcome": "failure"}, "Failed. Its sender said so; no call failed. It took 2.00 s, and cost $0.0479."),
        ({"rescued": True, "error": "overloaded", "failed_calls": 2, "failed_model": "claude-sonnet-4-5"},
         "Rescued. claude-sonnet-4-5 failed twice (overloaded), so gpt-4.1 answered. "
         "It took 2.00 s, and cost $0.0479."),
        ({"rescued": True, "error": "timeout", "failed_calls": 1, "failed_model": "gpt-4.1"},
         "Rescued. gpt-4.1 failed once (timeout), then answered. It took 2.00 s, and cost $0.0479."),
        ({"p95_ms": 1000.0, "median_ms": 500.0},
         "Slow. It took 2.00 s, 4.0 times the flow’s median, and cost $0.0479."),
        ({"p95_cost": 0.01, "median_cost": Decimal("0.01")},
         "Dear. It took 2.00 s, and cost $0.0479, 4.8 times the mean."),
        ({}, "Success. It took 2.00 s, and cost $0.0479."),
        ({"outcome": "unknown", "cost": None}, "Ordinary. It took 2.00 s; its cost is unknown."),
        ({"outcome": "unknown", "duration_ms": None, "median_ms": 900.0},
         "Ordinary. It has no duration, and cost $0.0479."),
    ],
)  # fmt: skip
def test_run(changes, said):
    assert text(answers.run(replace(RUN, **changes))) == said
