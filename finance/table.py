"""A statement as a table: what every export says of itself, its columns and its rows, with values still typed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from analytics.dimensions import dimension_of
from finance.months import month_text
from finance.statement import UNIT, Line, Statement

Value = str | int | Decimal | date | datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `kind`: text, count, money, exact (money as text with every digit)."""

    name: str
    kind: str


def facts(found: Statement) -> dict[str, Value]:
    """What an export states: period, zone, currency, filter, price book, how complete it is, what is missing."""
    tz, shown, trust = found.period.tz, found.shown, found.trust
    return {
        "project": found.ask.project.name,
        "month": month_text(found.ask.month),
        "from": found.period.start.astimezone(tz),
        "to": found.period.end.astimezone(tz),
        "zone": found.period.zone,
        "currency": shown.currency,
        "rate_per_usd": shown.rate if shown.converted else None,
        "rate_day": shown.day,
        "environments": "all",
        "filter": filter_words(found),
        "price_book": trust.price_book or "",
        "state": "running" if found.running else "ended",
        "complete_until": found.complete_until.astimezone(tz),
        "calls_waiting": trust.waiting,
        "calls_without_price": found.incomplete_calls,
        "calls_unattributed": found.unattributed.calls,
        "cost_unattributed": found.unattributed.amount,
        "calls_late": found.late.calls if found.late else None,
        "cost_late": found.late.amount if found.late else None,
    }


def filter_words(found: Statement) -> str:
    """The filters in words; empty = none."""
    return "; ".join(
        f"{one.dimension.replace('_', ' ')} {'is not' if one.negated else 'is'} {', '.join(one.values)}"
        for one in found.ask.filters
    )


def columns(found: Statement) -> tuple[Column, ...]:
    """The columns of the lines: dimensions, counts (not of kinds of unit), cost."""
    groups = [Column(name, "text") for name in found.ask.group_by]
    counts = ("calls", "tokens", "unpriced_calls") if UNIT not in found.ask.group_by else ()
    return (*groups, *(Column(name, "count") for name in counts), Column("cost", "money"),
            Column("cost_usd", "money"))  # fmt: skip


def row(found: Statement, line: Line) -> tuple[Value, ...]:
    """The values of one line, or of the total, whose groups are empty."""
    groups: tuple[Value, ...] = line.group or ("",) * len(found.ask.group_by)
    counts = (line.calls, line.tokens, line.unpriced) if UNIT not in found.ask.group_by else ()
    return (*groups, *counts, line.amount, line.usd)


def rows(found: Statement) -> Iterator[tuple[Value, ...]]:
    """All lines, largest first."""
    return (row(found, line) for line in found.lines)


def label_of(found: Statement, name: str) -> str:
    """How a column is headed where people read it."""
    dimension = dimension_of(name, tracked=found.ask.project.tracked_tags)
    heads = {"cost": f"Cost {found.shown.currency}", "cost_usd": "Cost USD", "tokens": "Tokens"}
    return dimension.label if dimension else heads.get(name, name.replace("_", " ").capitalize())


def body(found: Statement) -> dict[str, Any]:
    """The statement as JSON has it (analytics.output.plain writes money as decimal strings)."""
    late = {"late": found.late, "imported": found.imported}
    return {
        **facts(found),
        "rate_day": found.shown.day.isoformat() if found.shown.day else None,
        "complete": found.complete,
        "group_by": found.ask.group_by,
        "columns": [{"name": one.name, "kind": one.kind} for one in columns(found)],
        "lines": list(rows(found)),
        "totals": dict(zip((c.name for c in columns(found)), row(found, found.total), strict=True)),
        **{name: {"calls": part.calls, "cost": part.amount} if part else None for name, part in late.items()},
        "unattributed": {"calls": found.unattributed.calls, "cost": found.unattributed.amount},
        "cut": found.cut,
        "notes": found.notes,
    }
