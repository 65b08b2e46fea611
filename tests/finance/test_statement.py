"""The statement of a month: what is in it, what is named beside it, and that it adds up by every grouping."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import combinations

import pytest

from accounts.errors import ApiError
from analytics.answer import answer
from analytics.models import ExchangeRate
from analytics.query import parse
from finance.statement import GROUPS, Ask, read_ask, statement
from tests.analytics.ledger import call, load, send
from tests.finance.conftest import NOW, at

OCTOBER = date(2026, 10, 1)


def read(project, **ask):
    return statement(Ask(project=project, month=OCTOBER, **ask), now=NOW)


def test_lines_add_up_to_the_total_by_every_grouping(filled):
    whole = read(filled).total
    assert whole.usd > 0
    for group_by in (*combinations(GROUPS, 1), *combinations(GROUPS, 2), GROUPS[:5]):
        found = read(filled, group_by=group_by)
        assert found.lines
        assert sum(line.usd or 0 for line in found.lines) == found.total.usd == whole.usd
        if "unit" not in group_by:
            assert sum(line.calls for line in found.lines) == found.total.calls == 12


def test_the_total_is_what_a_query_of_the_same_days_says(filled):
    asked = {"measures": ["cost,calls"], "from": ["2026-10-01"], "to": ["2026-11-01"]}
    result = answer(parse(asked, project=filled, now=NOW), now=NOW)
    found = read(filled)
    assert (found.total.usd, found.total.calls) == (result.totals["cost"], result.totals["calls"])


def test_what_is_missing_from_the_lines_is_named(filled):
    found = read(filled)
    assert (found.incomplete_calls, found.total.unpriced) == (1, 1)
    assert found.unattributed.calls == 1
    assert found.unattributed.amount > 0
    assert (found.late.calls, found.late.amount) == (0, 0)
    assert found.previous_total.calls == 2
    assert not found.running
    assert found.complete


def test_a_call_that_comes_over_a_day_after_the_months_end_is_late(filled):
    before = read(filled).total.usd
    for number, received in ((50, datetime(2026, 11, 1, 22, 59, tzinfo=UTC)),
                             (51, datetime(2026, 11, 1, 23, 1, tzinfo=UTC))):  # fmt: skip
        send(filled, [call(number, started_us=at(31), flow="triage")], now=received)
        load(filled, now=NOW)
    found = read(filled)
    assert found.late.calls == 1
    assert found.late.amount * 2 == found.total.usd - before


def test_a_running_month_is_held_against_the_same_stretch_of_the_one_before(filled):
    found = statement(Ask(project=filled, month=date(2026, 11, 1)), now=NOW)
    assert found.running
    assert not found.complete
    assert found.base.end == datetime(2026, 10, 24, 11, tzinfo=UTC)
    assert (found.total.calls, found.previous_total.calls) == (0, 12)


def test_an_empty_month_is_zero_and_complete(project):
    found = read(project)
    assert (found.lines, found.total.usd, found.total.calls) == ((), 0, 0)


def test_another_currency_takes_the_newest_rate_of_the_month(filled):
    filled.currency = "EUR"
    assert read(filled).shown.words() == "USD: no rate for EUR in this month"
    for day, rate in (("2026-10-02", "0.91"), ("2026-10-30", "0.9213"), ("2026-11-03", "0.5")):
        ExchangeRate.objects.create(
            project=filled, currency="EUR", day=day, per_usd=Decimal(rate), entered_by="x"
        )
    found = read(filled)
    assert found.shown.words() == "EUR at 0.9213 of 30 Oct 2026"
    assert found.total.amount == found.total.usd * Decimal("0.9213")
    assert sum(line.amount or 0 for line in found.lines) == found.total.amount


def test_unknown_dimensions_and_kinds_of_unit_as_filter_are_refused(project):
    for given in ({"group_by": ["flwo"]}, {"unit": ["input"]}, {"colour": ["red"]}):
        with pytest.raises(ApiError) as problem:
            read_ask(given, project=project, month=OCTOBER, now=NOW)
        assert problem.value.status == 422
