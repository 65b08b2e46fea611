"""A statement as XLSX: what it says of itself, typed lines, totals as formulas.

A number cell holds 15 significant digits and no more; beside it the exact amount stands as text, digit by digit.
The workbook is written row by row: 10,000 lines take no more memory than ten.
"""

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from finance.months import month_text
from finance.statement import Statement
from finance.table import Column, Value, columns, facts, label_of, row

FORMATS: dict[str, dict[str, object]] = {
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"},
    "title": {"bold": True, "font_size": 14},
    "name": {"font_color": "#62686e"},
    "text": {},
    "count": {"num_format": "#,##0"},
    "money": {"num_format": "#,##0.00"},
    "exact": {"font_color": "#62686e", "align": "right"},
    "day": {"num_format": "yyyy-mm-dd"},
    "time": {"num_format": "yyyy-mm-dd hh:mm:ss"},
}
TOTAL: dict[str, object] = {"bold": True, "top": 1, "bottom": 6}
WIDTHS = {"text": 28, "count": 14, "money": 16, "exact": 24}


def xlsx_bytes(found: Statement, *, made: datetime) -> bytes:
    """The workbook, one sheet. `made`: its date of creation."""
    import xlsxwriter  # noqa: PLC0415 - heavy, and only exports need it

    out = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": f"Statement {month_text(found.ask.month)}", "created": made})
        _Sheet(book, found).write()
    return out.getvalue()


class _Sheet:
    """The one sheet, written from top to bottom."""

    def __init__(self, book: Any, found: Statement) -> None:
        self.found, self.at = found, 0
        self.columns = [*columns(found), Column("exact", "exact")]
        self.sheet = book.add_worksheet(f"Statement {month_text(found.ask.month)}")
        self.formats = {name: book.add_format(values) for name, values in FORMATS.items()}
        self.totals = {name: book.add_format(values | TOTAL) for name, values in FORMATS.items()}

    def write(self) -> None:
        for place, column in enumerate(self.columns):
            self.sheet.set_column(place, place, WIDTHS[column.kind])
        self._row(("Statement of AI usage",), ("title",))
        for name, value in facts(self.found).items():
            kind = "money" if isinstance(value, Decimal) else "count" if isinstance(value, int) else "text"
            self._row((name.replace("_", " "), _naive(value)), ("name", kind))
        self.at += 1
        heads = [label_of(self.found, one.name) for one in self.columns[:-1]]
        self._row((*heads, f"Cost {self.found.shown.currency}, exact"), ["head"] * len(self.columns))
        self.sheet.freeze_panes(self.at, 0)
        first = self.at
        kinds = [one.kind for one in self.columns]
        for line in self.found.lines:
            self._row((*row(self.found, line), _exact(line.amount)), kinds)
        self._total(first)

    def _row(self, values: tuple[Value, ...], kinds: Any) -> None:
        for place, (value, kind) in enumerate(zip(values, kinds, strict=True)):
            self._cell(place, value, kind)
        self.at += 1

    def _cell(self, place: int, value: Value, kind: str) -> None:
        """Unknown stays empty. Texts are written as texts, whatever they begin with."""
        look = self.formats[kind]
        if isinstance(value, str):
            self.sheet.write_string(self.at, place, value, look)
        elif isinstance(value, datetime):
            self.sheet.write_datetime(self.at, place, value, self.formats["time"])
        elif isinstance(value, date):
            self.sheet.write_datetime(self.at, place, value, self.formats["day"])
        elif value is not None:
            self.sheet.write_number(self.at, place, float(value), look)

    def _total(self, first: int) -> None:
        """Sums of the lines above as formulas, with what they come to for readers that do not calculate."""
        total = (*row(self.found, self.found.total), _exact(self.found.total.amount))
        for place, (column, value) in enumerate(zip(self.columns, total, strict=True)):
            look = self.totals[column.kind]
            if column.kind in ("count", "money") and self.at > first:
                letter = _letter(place)
                formula = f"=SUM({letter}{first + 1}:{letter}{self.at})"
                self.sheet.write_formula(self.at, place, formula, look, float(value or 0))  # type: ignore[arg-type]
            else:
                text = "Total" if place == 0 else "" if value is None else str(value)
                self.sheet.write_string(self.at, place, text, look)
        self.at += 1


def _letter(place: int) -> str:
    """A, …, Z, AA, …"""
    return (chr(ord("A") + place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _exact(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"


def _naive(value: Value) -> Value:
    """Spreadsheets know no zones: the clock of the statement's zone, which is named beside it."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value
