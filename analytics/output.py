"""How answers leave the house: JSON with money as decimal strings, CSV (RFC 4180) with formulas defused."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.http import HttpResponse

from analytics.intervals import Interval
from analytics.result import Compared, Result
from analytics.trust import Trust

# What a spreadsheet would take for a formula at the start of a cell.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ENCODER = msgspec.json.Encoder()


def json_response(content: Any, *, status: int = 200) -> HttpResponse:
    """A JSON answer: Decimals as plain decimal strings, times as RFC 3339."""
    return HttpResponse(_ENCODER.encode(plain(content)), status=status, content_type="application/json")


def plain(value: Any) -> Any:
    """The value as JSON has it. No exponent in money: 0.00000012, not 1.2E-7."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def result_body(result: Result) -> dict[str, Any]:
    """A Result as the contract has it."""
    return {
        "columns": [
            {"name": one.name, "kind": one.kind, "unit": one.unit, "additive": one.additive}
            for one in result.columns
        ],
        "rows": result.rows,
        "totals": result.totals,
        "compare": compared_body(result.compare),
        "complete_until": result.complete_until,
        "trust": trust_body(result.trust),
        "period": period_body(result),
        "groups": result.groups,
        "notes": result.notes,
        **intervals_body(result),
    }


def compared_body(compared: Compared | None) -> dict[str, Any] | None:
    """The base's rows and totals, or None."""
    if compared is None:
        return None
    return {
        "rows": compared.rows,
        "totals": compared.totals,
        "period": period_body(compared),
        **intervals_body(compared),
    }


def intervals_body(of: Result | Compared) -> dict[str, Any]:
    """How sure score measures and rates are: 95 % bounds and samples by measure, of each row and of the totals.

    Empty unless such a measure was asked for."""
    if not of.total_intervals:
        return {}
    return {
        "intervals": {name: [_interval(one) for one in found] for name, found in of.intervals.items()},
        "total_intervals": {name: _interval(one) for name, one in of.total_intervals.items()},
    }


def _interval(one: Interval | None) -> dict[str, Any] | None:
    return None if one is None else {"low": one.low, "high": one.high, "n": one.n}


def period_body(of: Result | Compared) -> dict[str, Any]:
    """Bounds in the period's zone; `to` is exclusive."""
    tz = of.period.tz
    return {
        "from": of.period.start.astimezone(tz),
        "to": of.period.end.astimezone(tz),
        "zone": of.period.zone,
    }


def trust_body(trust: Trust) -> dict[str, Any]:
    """The trust figures by name."""
    names = (
        "priced_share", "unpriced_calls", "attributed_share", "attributed_spend_share", "duplicates", "rejected",
        "lag_seconds", "waiting", "set_aside", "price_book",
    )  # fmt: skip
    return {name: getattr(trust, name) for name in names}


def result_csv(result: Result) -> str:
    """Column names, then the rows; with a comparison both sides, told apart by a first column."""
    header = [column.name for column in result.columns]
    rows: Iterable[Iterable[Any]] = result.rows
    if result.compare:
        header = ["period", *header]
        rows = [
            *(("current", *row) for row in result.rows),
            *(("base", *row) for row in result.compare.rows),
        ]
    return csv_text([header, *rows])


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """CSV of these rows: CRLF, quoted where needed, None empty, texts that look like a formula defused."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return plain(value)
