"""Compare's sentence: what moved between the sides, in figures that stand in its table."""

from collections.abc import Sequence

from analytics.effects import BETTER, UNCLEAR, WORSE, Effect
from dashboard import change_answers, formats
from dashboard.answers import Answer, Phrase
from dashboard.change_answers import WORDS
from dashboard.change_texts import value_text
from dashboard.compare_rows import Compared
from dashboard.compare_sides import PERIODS, Pair
from dashboard.deltas import AMOUNT_MATTERS, amount_moved

MOST = 2  # coloured phrases


def sentence(pair: Pair, found: Compared) -> Answer:
    """Of periods how spend moved; then what is clearly worse, else what is clearly better, else that nothing is."""
    if pair.line is not None:
        return change_answers.one(pair.b.scope, pair.line, found.effects)
    for side, result in ((pair.a, found.a), (pair.b, found.b)):
        if not result.totals["calls"]:
            return (Phrase(f"No call in {side.label}, so there is nothing to compare with."),)
    lead = (
        _spend(found)
        if pair.mode == PERIODS
        else (Phrase(pair.b.label, "bold"), Phrase(f" against {pair.a.label}: "))
    )
    clear = _clear(found.effects)
    said: Answer = ()
    for place, effect in enumerate(clear[: MOST - (pair.mode == PERIODS)]):
        said = (*said, *((Phrase(" and "),) if place else ()), *_said(effect))
    if said:
        return (*lead, *said, Phrase("."))
    if any(one.verdict == UNCLEAR for one in found.effects):
        return (*lead, Phrase("nothing that was tested has moved clearly."))
    return (*lead, Phrase("there are too few runs on a side to say what moved."))


def _spend(found: Compared) -> Answer:
    before, after = found.a.totals["cost"], found.b.totals["cost"]
    amount = amount_moved(after, before)
    if before is None or after is None or amount is None:
        return (Phrase("Spend is not known on both sides; "),)
    if not amount:
        return (Phrase(f"Spend is {formats.money(after)} on both sides; "),)
    matters = abs(amount) >= AMOUNT_MATTERS * abs(before)
    tone = ("worse" if amount > 0 else "better") if matters else ""
    return (
        Phrase(f"Spend {'rose' if amount > 0 else 'fell'} by "),
        Phrase(formats.money(abs(amount)), tone),
        Phrase(f" to {formats.money(after)}; "),
    )


def _clear(effects: Sequence[Effect]) -> list[Effect]:
    clear = [one for one in effects if one.verdict in (WORSE, BETTER)]
    return sorted(clear, key=lambda one: (one.verdict != WORSE, -abs((one.better or (0, 0, 0))[1])))


def _said(effect: Effect) -> Answer:
    words = WORDS.get(effect.measure, f"{effect.label} is")
    figures = f"{value_text(effect, effect.after)} instead of {value_text(effect, effect.before)}"
    return (Phrase(f"{words} "), Phrase(figures, "worse" if effect.verdict == WORSE else "better"))
