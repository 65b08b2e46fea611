"""Budgets as rows, sorted by risk, and the sentence that says which run out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from dashboard import formats
from dashboard.answers import Answer, Phrase
from guardrails.budgets import ALL
from guardrails.budgets_ahead import Point, runs_out
from guardrails.budgets_state import BudgetState

WIDTH, HEIGHT, FULL = 104, 18, 1.25  # px; the full width is 125 % of the limit
NAMED = 3  # so many budgets an answer names
SMALL = ("no", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One budget."""

    state: BudgetState
    href: str
    scope: str
    limit: str
    spent: str
    bar: SafeString
    share: str
    left: str
    forecast: str
    of_limit: str
    says: str
    tone: str
    mark: str = ""
    selected: bool = False
    out: datetime | None = None


def money(value: Decimal | None, unit: str) -> str:
    """An amount in a budget's unit, as a table's cell."""
    return formats.money(value) if unit == "USD" else formats.short(value)


def answer_money(value: Decimal | None, unit: str) -> str:
    """An amount as answers and forecasts say it."""
    return formats.money_answer(value) if unit == "USD" else f"{formats.short(value)} tokens"


def rows(
    states: Sequence[BudgetState],
    paths: Mapping[int, Sequence[Point]],
    *,
    now: datetime,
    hrefs: Mapping[int, str],
) -> list[Row]:
    """Rows by risk: over, soonest to run out, warned, nearest to the limit."""
    made = [_row(state, paths.get(state.budget.pk, ()), now, hrefs[state.budget.pk]) for state in states]
    return sorted(made, key=_risk)


def _risk(row: Row) -> tuple[int, float, float, str]:
    state = row.state
    share = float(state.forecast_share or state.share or 0)
    if state.state == "over":
        return 0, 0.0, -share, state.budget.name
    if row.out:
        return 1, row.out.timestamp(), -share, state.budget.name
    return (2 if state.state == "warned" else 3), 0.0, -share, state.budget.name


def _row(state: BudgetState, path: Sequence[Point], now: datetime, href: str) -> Row:
    budget = state.budget
    out = runs_out(state, path)
    says, tone = _says(state, out, now)
    return Row(
        state=state,
        href=href,
        scope=scope_words(state),
        limit=money(state.limit, budget.unit),
        spent=money(state.spent, budget.unit),
        bar=bar(state, now=now),
        share=formats.share(state.share),
        left=money(state.left, budget.unit),
        forecast=answer_money(state.forecast, budget.unit) if state.forecast is not None else formats.MISSING,
        of_limit=formats.share(state.forecast_share),
        says=says,
        tone=tone,
        mark="¹" if state.unpriced_calls else "",
        out=out,
    )


def _says(state: BudgetState, out: datetime | None, now: datetime) -> tuple[str, str]:
    if state.state == "over":
        return "▲ over", "worse"
    if out:
        return f"▼ runs out {moment(state, out, now)}", "worse"
    if state.spent is None:
        return "spend unknown", "warn"
    if state.forecast is None:
        return f"{state.days} of 14 days known", ""
    return (
        ("warned", "warn")
        if state.state == "warned" and (state.share or 0) >= Decimal("0.8")
        else ("holds", "")
    )


def moment(state: BudgetState, at: datetime, now: datetime) -> str:
    """A date; within a day's window the hour."""
    local = at.astimezone(ZoneInfo(state.window.zone))
    return f"about {local:%H:%M}" if state.budget.window == "day" else formats.day(local.date())


def scope_words(state: BudgetState) -> str:
    """feature, month; with the environment where it is not the main one."""
    budget = state.budget
    kind = budget.dimension.replace("_", " ") or "project"
    named = f"{kind} {budget.value}" if budget.value and budget.value != budget.name else kind
    environment = {"": "", ALL: ", all environments"}.get(budget.environment, f", {budget.environment}")
    return f"{named}, {budget.window}{environment}"


def bar(state: BudgetState, *, now: datetime) -> SafeString:
    """Box = limit, fill = used, dashes = forecast (worse beyond the limit), tick = today."""
    unit = WIDTH / FULL
    used = min(float(state.share or 0), FULL) * unit
    ahead = min(float(state.forecast_share or 0), FULL) * unit
    today = state.window.elapsed(now) * unit
    dashes = ""
    if ahead > used:
        tone = "ahead worse" if (state.forecast_share or 0) > 1 else "ahead"
        dashes = format_html(
            '<path class="{}" d="M{} 9H{}"/><path class="{} end" d="M{} 5V13"/>',
            tone, f"{used:.1f}", f"{ahead:.1f}", tone, f"{ahead:.1f}",
        )  # fmt: skip
    return format_html(
        '<svg class="budget" width="{w}" height="{h}" viewBox="0 0 {w} {h}" aria-hidden="true">'
        '<rect class="box" x="0.5" y="4.5" width="{box}" height="9"/>'
        '<rect class="{fill}" y="4" width="{used}" height="10"/>{dashes}'
        '<path class="today" d="M{today} 1V17"/></svg>',
        w=WIDTH, h=HEIGHT, box=f"{unit - 0.5:.1f}", used=f"{used:.1f}", today=f"{today:.1f}",
        fill="bar over" if (state.share or 0) >= 1 else "bar", dashes=mark_safe(dashes),  # noqa: S308 - made above
    )  # fmt: skip


def answer(found: Sequence[Row], *, now: datetime) -> Answer:
    """Over > soonest to run out > warned > all hold."""
    over = [row for row in found if row.state.state == "over"]
    out = [row for row in found if row.out and row not in over]
    warned = [row for row in found if row.tone == "warn"]
    holds = len(found) - len(over) - len(out)
    tail = "" if not holds else f" {_count(holds)} {'hold' if holds != 1 else 'holds'}."
    if over or out:
        said = _over(over) if over else ()
        early = _early(out, now, begins=not over) if out else ()
        return (
            *said,
            *((Phrase(" "),) if said and early else ()),
            *early,
            *((Phrase(tail),) if tail else ()),
        )
    if warned:
        row = warned[0]
        return (
            Phrase(f"{row.state.budget.name} has used ", ""), Phrase(row.share, "warn"),
            Phrase(f" of its {answer_money(row.state.limit, row.state.budget.unit)}; none runs out early."),
        )  # fmt: skip
    if len(found) == 1:
        return (Phrase(f"{found[0].state.budget.name} holds."),)
    return (Phrase(f"All {_count(len(found)).lower()} budgets hold."),)


def _over(over: Sequence[Row]) -> Answer:
    verb = "is over its limit" if len(over) == 1 else "are over their limits"
    return Phrase(_named(over), "worse"), Phrase(f" {verb}.")


def _named(over: Sequence[Row]) -> str:
    names = [row.state.budget.name for row in over[:NAMED]]
    more = len(over) - len(names)
    return _joined([*names, *([f"{more} more"] if more else [])])


def _early(out: Sequence[Row], now: datetime, *, begins: bool) -> Answer:
    lead = f"{_count(len(out))} {'budgets run' if len(out) != 1 else 'budget runs'} out early: "
    phrases = [Phrase(lead)]
    for n, row in enumerate(out[:NAMED]):
        if n:
            phrases.append(Phrase(" and " if n == min(len(out), NAMED) - 1 and len(out) <= NAMED else ", "))
        text = f"{row.state.budget.name} {when(row, now)}"
        phrases.append(Phrase(text, "worse" if n < 2 - (not begins) else ""))
    if len(out) > NAMED:
        phrases.append(Phrase(f" and {len(out) - NAMED} more"))
    return (*phrases, Phrase("."))


def when(row: Row, now: datetime) -> str:
    """today, tomorrow, on 26 November."""
    if row.out is None:
        return ""
    tz = ZoneInfo(row.state.window.zone)
    local, today = row.out.astimezone(tz).date(), now.astimezone(tz).date()
    if local == today:
        return f"today at about {row.out.astimezone(tz):%H:%M}"
    return "tomorrow" if local == today + timedelta(days=1) else f"on {local.day} {local:%B}"


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _count(number: int) -> str:
    return SMALL[number] if 0 < number < len(SMALL) else formats.count(number)
