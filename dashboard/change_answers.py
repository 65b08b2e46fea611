"""The sentences of the change ledger and of one change, and the facts of a change."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.changes_kinds import KINDS
from analytics.changes_list import Line
from analytics.effects import BETTER, UNCLEAR, WORSE, Effect
from dashboard import formats
from dashboard.answers import Answer, Phrase
from dashboard.change_rows import Row
from dashboard.change_texts import change_text, flows_text, kind_text, short, value_text
from dashboard.scope import Scope

WORDS = {
    "cost_per_run": "a run costs", "p95_run_duration": "the p95 of runs is", "error_rate": "calls fail at",
    "tokens_per_call": "a call uses, in tokens,",
}  # fmt: skip


def ledger(scope: Scope, lines: Sequence[Line], rows: Sequence[Row], *, more: bool) -> Answer:
    """How many changes, and the first that made something worse; else what moved, else that none did."""
    if not lines:
        return (Phrase("No change in this period."),)
    count = f"{len(lines)}{'+' if more else ''} change{'s' if len(lines) > 1 else ''} in this period"
    worse = [row for row in rows if any(one.tone == "worse" for one in row.did)]
    better = [row for row in rows if any(one.tone == "better" for one in row.did)]
    if worse:
        said = next(one for one in worse[0].did if one.tone == "worse")
        return (Phrase(f"{count}. "), Phrase(f"{worse[0].kind} {worse[0].text}", "bold"),
                Phrase(f" in {worse[0].flows}: "), Phrase(said.text, "worse"), Phrase("."))  # fmt: skip
    if better:
        said = next(one for one in better[0].did if one.tone == "better")
        return (Phrase(f"{count}, none made anything worse. "), Phrase(f"{better[0].kind} {better[0].text}", "bold"),
                Phrase(f" in {better[0].flows}: "), Phrase(said.text, "better"), Phrase("."))  # fmt: skip
    return (Phrase(f"{count}, none of them moved a measure so far."),)


def one(scope: Scope, line: Line, effects: Sequence[Effect]) -> Answer:
    """Since it, what is worse, else what is better, else that nothing is."""
    since = (Phrase("Since "), Phrase(f"{kind_text(line)} {_after(line)}", "bold"),
             Phrase(f" on {day(line.at, scope)} "))  # fmt: skip
    clear = [effect for effect in effects if effect.verdict in (WORSE, BETTER)]
    clear.sort(key=lambda effect: (effect.verdict != WORSE, -abs((effect.better or (0, 0, 0))[1])))
    if clear:
        return (
            *since,
            *_said(clear[0]),
            *((Phrase(" and "), *_said(clear[1])) if clear[1:] else ()),
            Phrase("."),
        )
    if any(effect.verdict == UNCLEAR for effect in effects):
        return (*since, Phrase("nothing that was tested has moved clearly."))
    return (*since, Phrase("there are too few runs to say what it did."))


def _said(effect: Effect) -> Answer:
    words = WORDS.get(effect.measure, f"{effect.label} is")
    figures = f"{value_text(effect, effect.after)} instead of {value_text(effect, effect.before)}"
    where = f" in {effect.flow}" if effect.flow else ""
    return (
        Phrase(f"{words} "),
        Phrase(figures, "worse" if effect.verdict == WORSE else "better"),
        Phrase(where),
    )


def _after(line: Line) -> str:
    subject = f"{line.subject} " if line.subject and line.kind in ("prompt", "fingerprint", "price") else ""
    return f"{subject}{short(line.after)}" if line.after else change_text(line)


def day(at: datetime, scope: Scope) -> str:
    """10 November, with the year when it is not this one."""
    local, now = (moment.astimezone(ZoneInfo(scope.project.zone)) for moment in (at, scope.now))
    return f"{local.day} {local:%B}" if local.year == now.year else f"{local.day} {local:%B %Y}"


def facts(scope: Scope, line: Line) -> tuple[tuple[str, str, str], ...]:
    """(label, text, link) of everything that is known of a change."""
    zone, now = scope.project.zone, scope.now

    def at(moment: datetime | None) -> str:
        return formats.moment(moment, zone=zone, now=now)

    seen = "; ".join(f"{name} {at(moment)}" for name, moment in line.seen.items())
    carried = bool(KINDS[line.kind].column)
    rows = (
        ("Kind", kind_text(line), ""),
        ("Before", line.before or formats.MISSING, ""),
        ("After", line.after or formats.MISSING, ""),
        ("When", at(line.at), ""),
        ("Who", line.by, ""),
        ("Flows", ", ".join(line.flows) or flows_text(line), ""),
        ("Environment", line.environment or "all", ""),
        ("First call", seen or ("not seen yet" if carried else formats.MISSING), ""),
        ("Evaluated before", _evaluated(line), ""),
        ("Link", line.link, line.link),
        ("Note", line.note, ""),
        ("Recorded", at(line.recorded_at), ""),
    )
    return tuple(row for row in rows if row[1])


def _evaluated(line: Line) -> str:
    if not KINDS[line.kind].variant or line.first_call_at is None:
        return ""
    return "no scored call in eval carried it" if line.not_evaluated else "yes, in eval"
