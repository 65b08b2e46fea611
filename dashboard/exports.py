"""CSV of exactly what is shown: the same rows, `(rest)` and total, amounts to the last digit."""

import csv
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def csv_response(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """A download. Texts that a spreadsheet would read as a formula get an apostrophe; unknown is empty."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response, lineterminator="\r\n")
    writer.writerow([harmless(text) for text in head])
    writer.writerows([harmless(value) for value in row] for row in rows)
    return response


def harmless(value: Any) -> str:
    """A cell's text. Figures keep every digit; a Decimal never shows an exponent."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return format(value, "f") if hasattr(value, "as_tuple") else str(value)
