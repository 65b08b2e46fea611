"""A month of real traffic, imported, taken away: every form and the query give the same digits."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from analytics.fold import fold_lane
from finance.exports import file_of, take
from finance.statement import Ask
from tests.analytics.importing import brought
from tests.finance.recomputed import recomputed
from tests.personas import bearer, make_key, make_member, make_project
from tests.shared import shared

DECEMBER = date(2024, 12, 1)
MAPS = {"timestamp": "ts", "usage.input_tokens": "input_tokens", "usage.output_tokens": "output_tokens",
        "cost": "cost_usd", "duration_s": "latency_s", "error_type": "error"}  # fmt: skip
GROUPS = "flow,model"
QUERY = "/v1/query?measures=cost,calls&group_by=flow,model&from=2024-12-01&to=2025-01-01&limit=10000"


@pytest.fixture
def imported(db):
    """2,712 calls of a command-line assistant of seven months; December 2024 has most of them."""
    project = make_project("Aider")
    brought(project, shared("data/traffic/aider_calls.csv.gz"), maps=MAPS, sets={"flow": "aider"})
    fold_lane(project.lane, now=timezone.now(), wait=True)
    return project


def significant(value, digits=15):
    """A figure to the digits that a spreadsheet's number holds."""
    return f"{Decimal(value):.{digits - 1}E}"


def test_page_json_csv_xlsx_and_query_agree_to_the_last_digit(client, imported, tmp_path):
    headers = bearer(make_key(imported, "read"))
    query = client.get(QUERY, headers=headers).json()
    total = Decimal(query["totals"]["cost"])
    lines = {tuple(row[:2]): row[2] for row in query["rows"]}
    assert len(lines) > 10
    assert total > 0

    said = client.get(f"/v1/statements/2024-12?group_by={GROUPS}", headers=headers).json()
    names = [one["name"] for one in said["columns"]]
    assert {tuple(line[:2]): line[names.index("cost")] for line in said["lines"]} == lines
    assert said["totals"]["cost"] == query["totals"]["cost"]
    assert said["totals"]["calls"] == query["totals"]["calls"]

    text = client.get(
        f"/v1/statements/2024-12?group_by={GROUPS}&format=csv", headers=headers
    ).content.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {(row["flow"], row["model"]): row["cost"] or None for row in rows[:-1]} == lines
    assert rows[-1]["cost"] == query["totals"]["cost"]

    client.force_login(
        make_member(imported).user, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    page = client.get(
        reverse("month", args=[imported.slug, "2024-12"]), {"by": "model", "across": "environment"}
    )
    assert f'<data value="{total:f}"' in page.content.decode()
    assert Decimal(page.context["table"].total.amount.exact) == total

    body = file_of(take(Ask(project=imported, month=DECEMBER, group_by=("flow", "model")), "xlsx",
                        now=timezone.now(), by="x"))  # fmt: skip
    cells = recomputed(body, tmp_path)
    head = next(place for place, line in enumerate(cells) if line[0] == "Flow")
    cost, exact = cells[head].index("Cost USD"), cells[head].index("Cost USD, exact")
    assert {(line[0], line[1]): line[exact] or None for line in cells[head + 1 : -1]} == lines
    assert Decimal(str(cells[-1][exact])) == total
    assert significant(repr(cells[-1][cost])) == significant(total)
    assert cells[-1][cells[head].index("Calls")] == query["totals"]["calls"]
