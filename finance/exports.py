"""Taking a statement away as a file, and keeping what was taken: the same figures are the same file."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import zstandard
from django.db import transaction

from accounts import audit
from analytics.answer import answer
from analytics.arrivals import arrivals
from analytics.dimensions import DIMENSIONS
from analytics.output import plain
from analytics.periods import quarter_floor
from analytics.query import MAX_LIMIT, Filter, Query
from analytics.reading import reading
from finance.csv_file import PLAIN, SEMICOLON, csv_bytes
from finance.difference import Cell, Cells, Difference, difference
from finance.models import Export
from finance.months import month_of, month_text
from finance.statement import COUNTED, Ask, Statement, statement
from finance.table import facts, rows
from finance.xlsx_file import xlsx_bytes

# By what an export's figures are kept, to tell later what changed them.
CELLS = tuple(
    name for name in ("environment", "cost_centre", "feature", "flow", "provider", "model") if name in DIMENSIONS
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form in which a statement is taken away."""

    name: str
    label: str
    note: str
    extension: str
    content_type: str
    write: Callable[[Statement, datetime], bytes]


FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form(name="csv", label="CSV", note="RFC 4180, every digit", extension="csv",
             content_type="text/csv; charset=utf-8; header=present",
             write=lambda found, made: csv_bytes(found, PLAIN)),
        Form(name="csv-semicolon", label="CSV, semicolons", note="decimal comma, for Excel in other locales",
             extension="csv", content_type="text/csv; charset=utf-8; header=present",
             write=lambda found, made: csv_bytes(found, SEMICOLON)),
        Form(name="xlsx", label="XLSX", note="typed cells, totals as formulas", extension="xlsx",
             content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
             write=lambda found, made: xlsx_bytes(found, made=made)),
    )
}  # fmt: skip


def take(ask: Ask, form: str, *, now: datetime, by: str) -> Export:
    """Take a statement away. Raises ApiError as `statement` does.

    Figures that were taken before in this form are not made again: the kept file comes back."""
    with reading():
        found = statement(ask, now=now)
        cells = _cells_of(ask, now=now)
    key = _figures(found, form)
    kept = Export.objects.filter(project=ask.project, figures=key).first()
    export = kept or _keep(found, FORMS[form], cells, key=key, now=now, by=by)
    audit.record(project=ask.project, actor=by, action="statement.exported", target=month_text(ask.month),
                 form=form, sha256=export.sha256, total_usd=export.total_usd)  # fmt: skip
    return export


def _keep(found: Statement, form: Form, cells: Cells | None, *, key: str, now: datetime, by: str) -> Export:
    body = form.write(found, now)
    ask = found.ask
    with transaction.atomic():
        export, _ = Export.objects.get_or_create(
            project=ask.project, figures=key,
            defaults={
                "month": ask.month, "form": form.name, "group_by": list(ask.group_by),
                "filters": [[one.dimension, list(one.values), one.negated] for one in ask.filters],
                "taken_at": now, "taken_by": by[:200], "complete_until": found.trust.complete_until,
                "waited": bool(found.trust.waiting or found.trust.set_aside),
                "currency": found.shown.currency, "rate": f"{found.shown.rate:f}",
                "total": _text(found.total.amount), "total_usd": _text(found.total.usd),
                "lines": len(found.lines), "calls": found.trust.calls,
                "price_book": (found.trust.price_book or "")[:100],
                "sha256": hashlib.sha256(body).hexdigest(), "size": len(body),
                "body": zstandard.compress(body), "cells": _packed(cells),
            },
        )  # fmt: skip
    return export


def _text(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"


def _figures(found: Statement, form: str) -> str:
    """What an export says, as a hash. A running month is another one every quarter of an hour."""
    said = facts(found) | {"complete_until": quarter_floor(found.complete_until)}
    content = [
        form,
        found.ask.group_by,
        {name: str(value) for name, value in said.items()},
        list(rows(found)),
    ]
    return hashlib.sha256(msgspec.json.encode(plain(content))).hexdigest()


def file_of(export: Export) -> bytes:
    """The file as it was taken, byte for byte."""
    return zstandard.decompress(bytes(export.body))


def file_name(export: Export) -> str:
    """What the file is called; keys of tags may hold anything, a file's name may not."""
    by = "-".join(re.sub(r"[^A-Za-z0-9_]+", "-", name) for name in export.group_by)
    return f"{export.project.slug}-{month_text(export.month)}-{by}.{FORMS[export.form].extension}"


def ask_of(export: Export) -> Ask:
    """The statement that an export was of."""
    filters = tuple(Filter(name, tuple(values), negated) for name, values, negated in export.filters)
    return Ask(project=export.project, month=export.month, group_by=tuple(export.group_by), filters=filters)


def last_taken(project_id: int, month: date) -> Export | None:
    """The newest export of a month without filters: what was booked last."""
    taken = Export.objects.filter(project=project_id, month=month, filters=[])
    return taken.select_related("project").defer("body").order_by("-taken_at", "-id").first()


def changed_since(export: Export, *, now: datetime) -> Difference | None:
    """Why the month differs from the export today, in USD; None where its figures were too many to keep."""
    then = _unpacked(bytes(export.cells))
    if then is None:
        return None
    ask = ask_of(export)
    query = _cells_query(ask, now)
    with reading():
        today = _cells_of(ask, now=now)
        since = None if export.waited else arrivals(query, after=export.complete_until)
    if today is None:
        return None
    came = {
        group: Cell(one.calls, one.tokens, one.cost or Decimal(0)) for group, one in (since or {}).items()
    }
    return difference(then, today, None if since is None else came)


def _cells_query(ask: Ask, now: datetime) -> Query:
    period = month_of(ask.month, zone=ask.project.zone, now=now)
    return replace(ask.query(period), group_by=CELLS, measures=COUNTED, limit=MAX_LIMIT)


def _cells_of(ask: Ask, *, now: datetime) -> Cells | None:
    """The month's figures by CELLS; None when they are more than 10,000."""
    result = answer(_cells_query(ask, now), now=now, trust=False)
    return None if result.cut else {group: _cell(figures) for group, figures in result.by_group().items()}


def _cell(figures: Mapping[str, Any]) -> Cell:
    return Cell(figures["calls"], figures["total_tokens"] or 0, figures["cost"] or Decimal(0))


def _packed(cells: Cells | None) -> bytes:
    found = None if cells is None else [[*group, cell.calls, cell.tokens, f"{cell.cost:f}"]
                                        for group, cell in cells.items()]  # fmt: skip
    return zstandard.compress(msgspec.json.encode({"by": CELLS, "cells": found}))


def _unpacked(packed: bytes) -> Cells | None:
    kept = msgspec.json.decode(zstandard.decompress(packed))
    if kept["by"] != list(CELLS) or kept["cells"] is None:
        return None
    return {tuple(row[:-3]): Cell(row[-3], row[-2], Decimal(row[-1])) for row in kept["cells"]}
