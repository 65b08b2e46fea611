"""Why a month differs from the export: exactly, and without a guess."""

from datetime import date
from decimal import Decimal

from accounts.models import AuditLine
from analytics.models import Feature, Flow
from analytics.pricebook import row_of
from analytics.reprice import reprice
from finance.difference import Cell, difference, grouped
from finance.exports import changed_since, last_taken, take
from finance.statement import Ask, statement
from pricing.own import own_price
from tests.analytics.ledger import call, load, send
from tests.finance.conftest import NOW, at

OCTOBER = date(2026, 10, 1)
D = Decimal


def cells(**given):
    return {(name,): Cell(calls, tokens, D(cost)) for name, (calls, tokens, cost) in given.items()}


def told(found):
    total = found.total
    return [str(one) for one in (total.late, total.repriced, found.moved_amount, total.other)]


def test_each_cause_is_told_apart():
    then = cells(a=(10, 100, "1.5"), b=(5, 50, "0.7"))
    late = difference(then, cells(a=(11, 110, "1.7"), b=(5, 50, "0.7")), cells(a=(1, 10, "0.2")))
    assert told(late) == ["0.2", "0.0", "0", "0"] or [D(x) for x in told(late)] == [D("0.2"), 0, 0, 0]
    assert late.total.late_calls == 1
    repriced = difference(then, cells(a=(10, 100, "1.4"), b=(5, 50, "0.7")), {})
    assert [D(x) for x in told(repriced)] == [0, D("-0.1"), 0, 0]
    moved = difference(then, cells(a=(8, 80, "1.2"), b=(7, 70, "1.0")), {})
    assert [D(x) for x in told(moved)] == [0, 0, D("0.3"), 0]
    assert moved.total.total == 0


def test_what_could_be_several_things_is_not_guessed():
    then = cells(a=(10, 100, "1.5"), b=(5, 50, "0.7"))
    mixed = difference(then, cells(a=(8, 80, "1.2"), b=(7, 70, "1.1")), {})
    assert [D(x) for x in told(mixed)] == [0, 0, 0, D("0.1")]
    unknown = difference(then, cells(a=(11, 110, "1.7"), b=(5, 50, "0.7")), None)
    assert [D(x) for x in told(unknown)] == [0, 0, 0, D("0.2")]


def test_causes_add_up_to_the_difference_in_every_group():
    then = cells(a=(10, 100, "1.50000000000000000001"), b=(5, 50, "0.7"), gone=(1, 1, "3"))
    now = cells(a=(12, 130, "2.1"), b=(5, 50, "0.9"), new=(1, 1, "4"))
    found = difference(then, now, cells(a=(1, 10, "0.123")))
    for group in {*then, *now}:
        have = found.groups[group].total if group in found.groups else D(0)
        assert have == now.get(group, Cell()).cost - then.get(group, Cell()).cost
    assert grouped(found, 0).total.total == sum(c.cost for c in now.values()) - sum(
        c.cost for c in then.values()
    )


def taken(project):
    take(Ask(project=project, month=OCTOBER), "csv", now=NOW, by="x")
    return last_taken(project.pk, OCTOBER)


def changed(export, now):
    """The difference, which is known."""
    found = changed_since(export, now=now)
    assert found is not None
    return found


def total(project):
    return statement(Ask(project=project, month=OCTOBER), now=NOW.replace(day=26)).total.usd


def test_late_calls_re_prices_and_moves_are_found_in_the_ledger(filled):
    before = total(filled)
    export = taken(filled)
    assert changed(export, NOW).groups == {}

    send(filled, [call(80, started_us=at(20), flow="triage")], now=NOW.replace(day=25))
    load(filled, now=NOW.replace(day=25))
    late = changed(export, NOW.replace(day=26))
    assert (late.total.late_calls, late.total.late) == (1, total(filled) - before)
    assert (late.total.repriced, late.total.other, late.moved_amount) == (0, 0, 0)

    other = Feature.objects.create(project=filled, name="Elsewhere")
    Flow.objects.filter(project=filled, name="answer").update(feature=other)
    moved = changed(export, NOW.replace(day=26))
    assert moved.moved_amount > 0
    assert moved.total.total == moved.total.late == total(filled) - before
    assert moved.total.moved == 0

    Flow.objects.filter(project=filled, name="answer").update(feature=Feature.objects.get(name="support"))
    late_cost = late.total.late
    entry = own_price("acme", "house-1", {"input": D(10), "output": D(20)}, valid_from=NOW.replace(month=1),
                      recorded_at=NOW, note="")  # fmt: skip
    row_of(entry, project_id=filled.pk).save()
    reprice(filled, first=OCTOBER, last=date(2026, 11, 1), now=NOW)
    found = changed(export, NOW.replace(day=26))
    assert found.total.repriced == total(filled) - before - late_cost > 0
    assert found.total.late == late_cost
    assert AuditLine.objects.filter(action="prices.applied").exists()


def test_an_export_taken_while_calls_waited_claims_no_late_calls(filled):
    send(filled, [call(81, started_us=at(20), flow="triage")], now=NOW)
    export = taken(filled)
    assert export.waited
    load(filled, now=NOW)
    found = changed(export, NOW)
    assert found.total.late == 0
    assert found.total.other == found.total.total > 0
