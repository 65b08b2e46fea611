"""Invoices beside what was metered: differences, what agrees, other currencies."""

from datetime import date
from decimal import Decimal

import pytest

from analytics.models import ExchangeRate
from finance.invoices import Entry, enter, read_entry, reconciliation
from finance.statement import Ask, statement
from tests.finance.conftest import NOW

OCTOBER = date(2026, 10, 1)


def bill(project, provider, amount, currency="USD"):
    entry = Entry(provider=provider, amount=Decimal(amount), currency=currency, dated=date(2026, 11, 2))
    return enter(project, OCTOBER, entry, by="x", now=NOW)


def rows(project):
    return {row.provider: row for row in reconciliation(project, OCTOBER, now=NOW).rows}


def test_metered_is_the_statements_and_without_an_invoice_nothing_is_claimed(filled):
    found = reconciliation(filled, OCTOBER, now=NOW)
    lines = statement(Ask(project=filled, month=OCTOBER, group_by=("provider",)), now=NOW).lines
    assert {row.provider: row.metered for row in found.rows} == {line.group[0]: line.amount for line in lines}
    assert {row.state for row in found.rows} == {"no invoice"}
    assert (found.total, found.agrees) == (None, False)


def test_a_difference_of_at_most_half_a_percent_agrees(filled):
    metered = rows(filled)["openai"].metered
    one = bill(filled, "openai", round(metered * Decimal("1.004"), 6))
    assert rows(filled)["openai"].state == "agrees"
    one.amount = round(metered * Decimal("1.01"), 6)
    one.save()
    row = rows(filled)["openai"]
    assert row.state == "differs"
    assert row.difference == one.amount - metered
    assert row.share == pytest.approx(Decimal("0.0099"), rel=Decimal("0.05"))


def test_several_invoices_of_a_provider_add_up_and_unknown_providers_are_listed(filled):
    bill(filled, "openai", "1")
    bill(filled, "openai", "2")
    bill(filled, "cohere", "5")
    found = rows(filled)
    assert found["openai"].invoiced == 3
    assert (found["cohere"].metered, found["cohere"].difference) == (0, 5)
    total = reconciliation(filled, OCTOBER, now=NOW).total
    assert total is not None
    assert total.invoiced == 8
    assert total.metered == found["openai"].metered


def test_the_share_of_the_bill_with_a_flow(filled):
    row = rows(filled)["openai"]
    bill(filled, "openai", round(row.metered * 2, 6))
    now = rows(filled)["openai"]
    assert 0 < row.with_flow < row.metered
    assert now.flow_share == pytest.approx(row.with_flow / (row.metered * 2), rel=Decimal("0.01"))


def test_an_invoice_in_another_currency_takes_the_months_rate_or_says_that_there_is_none(filled):
    bill(filled, "openai", "92", "EUR")
    assert (rows(filled)["openai"].state, rows(filled)["openai"].invoiced) == ("no rate", None)
    ExchangeRate.objects.create(
        project=filled, currency="EUR", day=OCTOBER, per_usd=Decimal("0.92"), entered_by="x"
    )
    assert rows(filled)["openai"].invoiced == 100


@pytest.mark.parametrize(
    "wrong",
    [{"amount": "x"}, {"amount": "NaN"}, {"amount": "1e400"}, {"amount": "0.0000001"}, {"currency": "XXX"},
     {"dated": "2.11.2026"}, {"dated": "0001-01-01"}, {"provider": " "}, {"provider": "x" * 101}, {"note": "n" * 501}],
)  # fmt: skip
def test_what_cannot_be_an_invoice_is_refused_in_words(wrong):
    good = {"provider": "openai", "amount": "12.50", "currency": "USD", "dated": "2026-11-02", "note": "-x"}
    assert read_entry(good).amount == Decimal("12.50")
    with pytest.raises(ValueError, match=r"\."):
        read_entry(good | wrong)
