"""Quality's sentence: worse > unexplained drop > better > how many changes were tested and moved nothing."""

from analytics.effects import BETTER, WORSE, Effect
from dashboard import formats
from dashboard.answers import Answer, Phrase, first_that_holds
from dashboard.change_answers import day
from dashboard.change_texts import change_text, difference_text, kind_text
from dashboard.quality_now import Now
from dashboard.quality_suspects import Suspect, Suspects
from dashboard.scope import Scope

SMALL = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
Facts = tuple[Scope, Suspects, tuple[Now, ...]]


def sentence(scope: Scope, found: Suspects, now: tuple[Now, ...]) -> Answer:
    """The first of the conditions that holds."""
    return first_that_holds(
        (_worse, _unexplained, _better, _nothing_moved, _no_change, _too_few), (scope, found, now)
    )


def _worse(facts: Facts) -> Answer | None:
    scope, found, _ = facts
    worse = found.of(WORSE)
    if not worse:
        return None
    fell = len({(one.effect.flow, one.effect.label) for one in worse}) + len(found.unexplained)
    lead = (Phrase(f"{_count(fell)} scores got worse. "),) if fell > 1 else ()
    tail = (Phrase("; "), *_without_cause(found.unexplained[0])) if found.unexplained else ()
    return (*lead, *_by_change(scope, worse[0], "worse"), *tail, Phrase("."))


def _by_change(scope: Scope, one: Suspect, tone: str) -> Answer:
    line, effect = one.line, one.effect
    where = f" in {effect.flow}" if effect.flow else ""
    return (
        Phrase(f"{kind_text(line)[:1].upper()}{kind_text(line)[1:]} {change_text(line)}", "bold"),
        Phrase(f" {_verb(effect.test.difference if effect.test else 0)} "),
        Phrase(_size(difference_text(effect, effect.test.difference if effect.test else None)), tone),
        Phrase(f" {_preposition(effect)} {effect.label}{where} on {day(line.at, scope)}"),
    )


def _verb(difference: float) -> str:
    return "added" if difference > 0 else "took"


def _preposition(effect: Effect) -> str:
    return "to" if effect.test is not None and effect.test.difference > 0 else "off"


def _size(moved: str) -> str:
    """33.1 points; 0.12: the size of a move without its sign."""
    return moved.lstrip("+" + formats.MINUS).replace(f"{formats.NBSP}pp", " points")


def _unexplained(facts: Facts) -> Answer | None:
    _, found, _ = facts
    if not found.unexplained:
        return None
    fell = len(found.unexplained)
    lead = (Phrase(f"{_count(fell)} scores got worse with no change that explains it. "),) if fell > 1 else ()
    return (*lead, *_without_cause(found.unexplained[0]), Phrase("."))


def _without_cause(one: Now) -> Answer:
    moved = one.moved
    size = _size(one.quality.show_moved(moved.difference)) if moved else ""
    rose = moved is not None and moved.difference > 0
    return (
        Phrase(one.quality.label, "bold"),
        Phrase(f" in {one.flow} {'rose' if rose else 'fell'} by {size} "),
        Phrase("with no known cause", "worse"),
    )


def _better(facts: Facts) -> Answer | None:
    scope, found, _ = facts
    better = found.of(BETTER)
    if not better:
        return None
    return (Phrase("No score got worse. "), *_by_change(scope, better[0], "better"), Phrase("."))


def _nothing_moved(facts: Facts) -> Answer | None:
    _, found, _ = facts
    if not found.tested:
        return None
    changes = "change" if found.tested == 1 else "changes"
    return (Phrase(f"{formats.count(found.tested)} {changes} tested, none moved a score."),)


def _no_change(facts: Facts) -> Answer | None:
    _, found, now = facts
    if not now:
        return None
    steady = sum(one.moved is not None for one in now)
    many = f"{formats.count(found.changes)} {'change' if found.changes == 1 else 'changes'}"
    changes = f"{many}, none could be tested on a score"
    lead = changes if found.changes else "No change in this period"
    tail = (
        f"; {formats.count(steady)} of {formats.count(len(now))} scores can be compared, none fell"
        if steady
        else ""
    )
    return (Phrase(f"{lead}{tail}."),)


def _too_few(facts: Facts) -> Answer:
    return (Phrase("No score came in this period."),)


def _count(number: int) -> str:
    return SMALL[number] if number < len(SMALL) else formats.count(number)
