"""What is taken away: the same digits in every form, kept byte for byte, harmless in a spreadsheet."""

import csv
import hashlib
import io
from datetime import date
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from analytics.output import FORMULA
from finance.exports import FORMS, file_name, file_of, take
from finance.models import Export
from finance.statement import Ask, statement
from tests.analytics.ledger import call, load, send
from tests.finance.conftest import NOW, at

OCTOBER = date(2026, 10, 1)


def ask(project, *group_by):
    return Ask(project=project, month=OCTOBER, group_by=group_by or ("feature", "provider", "model"))


def rows_of(export, *, separator=","):
    text = file_of(export).decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text), delimiter=separator))


def test_csv_has_every_digit_and_says_what_it_is_about(filled):
    rows = rows_of(take(ask(filled), "csv", now=NOW, by="x"))
    found = statement(ask(filled), now=NOW)
    assert [row["row"] for row in rows] == ["line"] * len(found.lines) + ["total"]
    lines = [Decimal(row["cost"]) for row in rows[:-1] if row["cost"]]
    assert sum(lines) == Decimal(rows[-1]["cost"]) == found.total.usd
    assert {name: rows[-1][name] for name in ("month", "zone", "currency", "environments", "filter", "state")} == {
        "month": "2026-10", "zone": "Europe/Berlin", "currency": "USD", "environments": "all", "filter": "",
        "state": "ended"}  # fmt: skip
    assert rows[-1]["from"] == "2026-10-01T00:00:00+02:00"
    assert rows[-1]["to"] == rows[-1]["complete_until"] == "2026-11-01T00:00:00+01:00"
    assert rows[-1]["price_book"].startswith("genai-prices")
    assert rows[-1]["calls_without_price"] == "1"


def test_a_call_without_a_price_has_an_empty_cost_not_zero(filled):
    rows = rows_of(take(ask(filled, "provider"), "csv", now=NOW, by="x"))
    assert {row["provider"]: row["cost"] for row in rows}["acme"] == ""


def test_semicolons_and_decimal_commas_are_the_same_figures(filled):
    plain = rows_of(take(ask(filled), "csv", now=NOW, by="x"))
    other = take(ask(filled), "csv-semicolon", now=NOW, by="x")
    assert file_of(other).startswith(b"\xef\xbb\xbf")
    assert [row["cost"].replace(",", ".") for row in rows_of(other, separator=";")] == [
        r["cost"] for r in plain
    ]


def test_no_cell_starts_a_formula(filled):
    names = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        '=HYPERLINK("http://x","y")',
        'a "quoted", name\nx',
    ]
    send(filled, [call(60 + n, started_us=at(20), flow=name) for n, name in enumerate(names)], now=NOW)
    load(filled, now=NOW)
    export = take(ask(filled, "flow"), "csv", now=NOW, by="x")
    texts = {row["flow"] for row in rows_of(export)}
    assert not [text for text in texts if text.startswith(FORMULA)]
    assert {"'=1+1", "'@SUM(A1)", "'=cmd|' /C calc'!A0"} <= texts
    assert file_of(export).endswith(b"\r\n")
    sheet = sheet_of(take(ask(filled, "flow"), "xlsx", now=NOW, by="x"))
    formulas = [cell.value for line in sheet for cell in line if cell.data_type == "f"]
    assert formulas
    assert all(formula.startswith("=SUM(") for formula in formulas)
    assert "=1+1" in {cell.value for line in sheet for cell in line if cell.data_type == "s"}


def sheet_of(export, **options):
    return load_workbook(io.BytesIO(file_of(export)), **options).active


def test_xlsx_has_typed_cells_and_the_exact_amount_beside(filled):
    sheet = sheet_of(take(ask(filled), "xlsx", now=NOW, by="x"), data_only=True)
    rows = [[cell.value for cell in line] for line in sheet]
    head = next(place for place, line in enumerate(rows) if line[0] == "Feature")
    found = statement(ask(filled), now=NOW)
    lines = rows[head + 1 : -1]
    assert rows[head][:7] == ["Feature", "Provider", "Model", "Calls", "Tokens", "Unpriced calls", "Cost USD"]
    assert [Decimal(line[8]) if line[8] else None for line in lines] == [line.amount for line in found.lines]
    assert [line[6] for line in lines] == [line.amount and float(line.amount) for line in found.lines]
    assert rows[-1][0] == "Total"
    assert rows[-1][3] == found.total.calls
    assert rows[-1][6] == pytest.approx(float(found.total.amount or 0), rel=1e-15)
    assert Decimal(rows[-1][8]) == found.total.amount


@pytest.mark.parametrize("form", FORMS)
def test_an_export_is_kept_byte_for_byte_and_once_until_figures_change(filled, form):
    first = take(ask(filled), form, now=NOW, by="m.lang@example.com")
    body = file_of(first)
    assert hashlib.sha256(body).hexdigest() == first.sha256
    again = take(ask(filled), form, now=NOW.replace(hour=13), by="key flk_x")
    assert (again.pk, file_of(again), again.taken_by) == (first.pk, body, "m.lang@example.com")
    send(filled, [call(70, started_us=at(20))], now=NOW)
    load(filled, now=NOW)
    assert take(ask(filled), form, now=NOW, by="x").pk != first.pk
    assert file_of(Export.objects.get(pk=first.pk)) == body
    assert filled.audit.filter(action="statement.exported").count() == 3


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_month_can_be_taken_away_too(project, form):
    export = take(ask(project), form, now=NOW, by="x")
    assert (export.lines, export.total) == (0, "0")
    assert file_of(export)


def test_many_groups_and_odd_keys_of_tags_make_a_workbook_and_a_plain_file_name(project):
    project.tracked_tags = [f'"k{number}' for number in range(8)]
    project.save()
    send(project, [call(1, started_us=at(5))], now=NOW)
    load(project, now=NOW)
    names = ("feature", "flow", "step", "operation", "provider", "model", "response_model", "service_tier", "prompt",
             "prompt_version", "retrieval", "release", "environment", "error_class")  # fmt: skip
    export = take(
        ask(project, *(f"tag:{key}" for key in project.tracked_tags), *names), "xlsx", now=NOW, by="x"
    )
    total = [cell.value for cell in list(sheet_of(export))[-1]]
    assert [value for value in total if str(value).startswith("=SUM(")][-1].startswith("=SUM(AA")
    assert set(file_name(export)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
