"""A statement as CSV: RFC 4180, or with semicolons and decimal commas for a spreadsheet of another country.

Every row says what the statement says of itself, so that rows of several files can be put together; the first
column tells lines from the total. Texts that a spreadsheet would run as a formula begin with an apostrophe.
"""

import csv
import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from analytics.output import FORMULA
from finance.statement import Statement
from finance.table import Value, columns, facts, row


@dataclass(frozen=True, slots=True)
class Dialect:
    """`mark`: the byte order mark by which Excel knows UTF-8."""

    separator: str
    decimal: str
    mark: str = ""


PLAIN = Dialect(",", ".")
SEMICOLON = Dialect(";", ",", "\ufeff")


def csv_bytes(found: Statement, dialect: Dialect) -> bytes:
    """The file: a head, the lines, the total."""
    out = io.StringIO()
    out.write(dialect.mark)
    writer = csv.writer(out, delimiter=dialect.separator, lineterminator="\r\n")
    said = facts(found)
    stamp = [cell(value, dialect) for value in said.values()]
    writer.writerow(["row", *(one.name for one in columns(found)), *said])
    for kind, line in (*(("line", line) for line in found.lines), ("total", found.total)):
        writer.writerow([kind, *(cell(value, dialect) for value in row(found, line)), *stamp])
    return out.getvalue().encode()


def cell(value: Value, dialect: Dialect) -> str:
    """A cell's text: every digit, no exponent, unknown is empty, nothing that a spreadsheet would run."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", dialect.decimal)
    return value.isoformat() if isinstance(value, date) else str(value)
