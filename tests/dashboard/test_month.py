"""The month's page: its figures are the statement's, it says what is missing, and what is typed in is kept."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product

import pytest
from django.urls import reverse
from django.utils import timezone

from analytics.models import ExchangeRate, Feature
from analytics.periods import months_before
from finance.models import Export, Invoice, Schedule
from finance.months import current_month, month_text
from finance.statement import Ask, statement
from guardrails.models import Budget
from tests.analytics.ledger import call, load, send

pytestmark = pytest.mark.django_db


def url(name, project, *args):
    return reverse(name, args=[project.slug, *args])


def months(project, now=None):
    running = current_month(project.zone, now or timezone.now())
    return months_before(running, 1), running


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def test_the_pages_figures_are_the_statements_to_the_last_digit(filled, signed_in):
    last, _ = months(filled)
    total = statement(Ask(project=filled, month=last), now=timezone.now()).total
    client, wanted = signed_in("viewer"), ("feature", "flow", "provider", "model", "unit")
    for by, across in product(wanted, ("provider", "model", "environment", "unit")):
        if by == across:
            continue
        page = client.get(url("month", filled, month_text(last)), {"by": by, "across": across})
        table = page.context["table"]
        rows = [row for row in table.rows if not row.subtotal]
        assert sum(exact(row.amount) for row in rows) == exact(table.total.amount) == total.amount
        for place, whole in enumerate(table.total.cells):
            assert sum(exact(row.cells[place]) for row in rows) == exact(whole)
        assert sum(exact(cell) for cell in table.total.cells) == total.amount
        assert f'<data value="{total.amount:f}"' in page.content.decode()


def exact(cell):
    """The figure behind what is shown; unknown counts as nothing."""
    return Decimal(cell.exact or 0)


def test_a_line_leads_to_its_calls_in_all_environments(filled, signed_in):
    last, _ = months(filled)
    client = signed_in("viewer")
    page = client.get(url("month", filled, month_text(last)))
    row = page.context["table"].rows[0]
    assert client.get(row.href).status_code == 200
    cell = next(cell for cell in row.cells if cell.href)
    calls = client.get(cell.href)
    assert calls.status_code == 200
    assert calls.context["panel"].body["rows"]
    assert "environment=*" in cell.href


def test_cost_centres_have_subtotals_and_lines_without_one_come_last(filled, signed_in):
    Feature.objects.filter(project=filled, name__startswith="S").update(cost_centre="CC-410")
    last, _ = months(filled)
    page = signed_in("viewer").get(url("month", filled, month_text(last)))
    rows = page.context["table"].rows
    subtotal = next(row for row in rows if row.subtotal)
    assert subtotal.name == "CC-410"
    assert subtotal.amount.exact == format(
        sum(Decimal(r.amount.exact) for r in rows[: rows.index(subtotal)]), "f"
    )
    assert [row.centre for row in rows if row.centre] == ["CC-410", "–"]
    assert "without a cost centre" in text_of(page)


def test_it_says_what_is_missing_and_what_is_open(filled, signed_in):
    last, _ = months(filled)
    said = text_of(signed_in("viewer").get(url("month", filled, month_text(last))))
    assert "All environments" in said
    assert "calls without their whole price" in said
    assert "calls that named no flow" in said
    assert "0 of 3 providers have an invoice" in said
    assert "points are open" in said


def test_a_running_month_says_so_and_one_to_come_is_404(filled, signed_in):
    _, running = months(filled)
    client = signed_in("viewer")
    said = text_of(client.get(url("month", filled, month_text(running))))
    assert "so far, complete to" in said
    assert "The month runs: day" in said
    assert client.get(url("month", filled, month_text(months_before(running, -1)))).status_code == 404
    for bad in ("2026-13", "now", "20261", "٢٠٢٦-١١"):
        assert client.get(url("month", filled, bad)).status_code == 400
    assert client.get(url("month", filled, month_text(running)), {"by": "colour"}).status_code == 422


def test_an_empty_month_has_nothing_to_book(project, signed_in):
    page = signed_in("viewer").get(url("month", project, "2026-01"))
    assert "January has no calls: nothing to book." in text_of(page)
    assert page.context["table"].rows == ()
    assert signed_in("viewer").get(url("finance", project)).status_code == 302


def test_finance_opens_the_month_that_ended_last(filled, signed_in):
    last, running = months(filled)
    client = signed_in("viewer")
    assert client.get(url("finance", filled))["Location"].endswith(month_text(last))
    assert client.get(url("finance", filled), {"period": "mtd"})["Location"].endswith(month_text(running))


def test_an_export_is_a_download_that_stays(filled, signed_in):
    last, _ = months(filled)
    client = signed_in("viewer")
    answer = client.post(
        url("month_export", filled, month_text(last)), {"form": "csv", "group_by": "feature,provider,model"}
    )
    first = client.get(answer["Location"])
    assert (
        first["Content-Disposition"]
        == f'attachment; filename="kestrel-desk-{last:%Y-%m}-feature-provider-model.csv"'
    )
    assert client.get(answer["Location"]).content == first.content
    page = client.get(url("month", filled, month_text(last)))
    assert page.context["exports"][0]["row"].taken_by == "viewer@example.com"
    assert "Nothing has changed since." in text_of(page)
    assert client.post(url("month_export", filled, month_text(last)), {"form": "pdf"}).status_code == 422
    assert (
        client.post(
            url("month_export", filled, month_text(last)), {"form": "csv", "group_by": "x"}
        ).status_code
        == 422
    )


def test_what_came_since_the_export_is_told(filled, signed_in):
    last, _ = months(filled)
    client = signed_in("viewer")
    client.post(url("month_export", filled, month_text(last)), {"form": "csv"})
    at = datetime(last.year, last.month, 15, 12, tzinfo=UTC)
    send(filled, [call(1, started_us=int(at.timestamp() * 1e6), feature="Late feature", flow="late-flow")],
         now=timezone.now())  # fmt: skip
    load(filled, now=timezone.now())
    said = text_of(client.get(url("month", filled, month_text(last))))
    assert "1 late call +" in said
    assert "Late feature" in said


def test_invoices_are_typed_in_corrected_and_removed(filled, signed_in):
    last, _ = months(filled)
    client, month = signed_in("editor"), month_text(last)
    form = {
        "provider": "openai",
        "amount": "1,234.56",
        "currency": "usd",
        "dated": "2026-11-02",
        "note": "=1+1",
    }
    client.post(url("month_invoice", filled, month), form)
    invoice = Invoice.objects.get(project=filled)
    assert (invoice.amount, invoice.currency, invoice.entered_by) == (
        Decimal("1234.56"),
        "USD",
        "editor@example.com",
    )
    page = client.get(url("month", filled, month))
    row = page.context["agreed"]["rows"][0]
    assert {one.provider: one.state for one in page.context["agreed"]["rows"]}["openai"] == "differs"
    assert row.metered
    change = url("month_invoice_change", filled, invoice.pk)
    client.post(change, {**form, "amount": "1"})
    invoice.refresh_from_db()
    assert invoice.amount == 1
    client.post(change, {"act": "remove"})
    assert not Invoice.objects.exists()
    actions = list(
        filled.audit.filter(action__startswith="invoice.").order_by("id").values_list("action", flat=True)
    )
    assert actions == ["invoice.entered", "invoice.corrected", "invoice.removed"]
    refused = client.post(url("month_invoice", filled, month), {**form, "amount": "NaN"}, follow=True)
    assert "cannot be kept" in text_of(refused)
    assert not Invoice.objects.exists()


def test_amounts_are_shown_in_a_currency_with_a_rate_beside_it(filled, people, signed_in):
    last, _ = months(filled)
    owner, month = signed_in("owner"), month_text(last)
    owner.post(url("month_currency", filled), {"currency": "EUR", "month": month})
    said = text_of(owner.get(url("month", filled, month)))
    assert f"No rate for EUR in {last:%B}" in said
    day = f"{month}-15"
    owner.post(url("month_rate", filled), {"currency": "EUR", "day": day, "per_usd": "0.5", "month": month})
    page = owner.get(url("month", filled, month))
    assert f"EUR at 0.5 of 15 {last:%b %Y}" in text_of(page)
    usd = statement(Ask(project=filled, month=last), now=timezone.now()).total.usd
    assert Decimal(page.context["table"].total.amount.exact) * 2 == usd
    for wrong in ("0", "-1", "x", "1e400"):
        owner.post(
            url("month_rate", filled), {"currency": "EUR", "day": day, "per_usd": wrong, "month": month}
        )
    rate = ExchangeRate.objects.get(project=filled)
    assert rate.per_usd == Decimal("0.5")
    owner.post(url("month_rate_remove", filled, rate.pk), {"month": month})
    assert not ExchangeRate.objects.exists()


def test_a_months_budget_stands_beside_its_line(filled, signed_in):
    last, _ = months(filled)
    common = {"project": filled, "window": "month", "environment": "*"}
    Budget.objects.create(name="a", dimension="feature", value="Support assistant", limit=20, **common)
    Budget.objects.create(name="b", limit=100, **common)
    Budget.objects.create(
        name="c", dimension="feature", value="Search answers", limit=7, **{**common, "environment": ""}
    )
    page = signed_in("viewer").get(url("month", filled, month_text(last)))
    budgets = {row.name: row.budget for row in page.context["table"].rows if row.budget}
    assert budgets == {"Support assistant": "$20.00"}
    assert page.context["table"].total.budget == "$100.00"


def test_schedules_are_added_and_stopped(filled, signed_in):
    last, _ = months(filled)
    client, month = signed_in("editor"), month_text(last)
    form = {"day": "2", "form": "xlsx", "group_by": "feature,provider,model", "month": month,
            "recipients": "a@example.com, b@example.com"}  # fmt: skip
    client.post(url("month_schedule", filled), form)
    made = Schedule.objects.get(project=filled)
    assert made.recipients == ["a@example.com", "b@example.com"]
    for wrong in ({"day": "31"}, {"form": "pdf"}, {"recipients": "nobody"}, {"group_by": "colour"}):
        client.post(url("month_schedule", filled), form | wrong)
    assert Schedule.objects.count() == 1
    assert "e-mail is not configured" in text_of(client.get(url("month", filled, month)))
    client.post(url("month_schedule_stop", filled, made.pk), {"month": month})
    made.refresh_from_db()
    assert made.stopped_at


def test_hostile_names_stay_text(filled, signed_in):
    last, _ = months(filled)
    at = int(datetime(last.year, last.month, 15, 12, tzinfo=UTC).timestamp() * 1e6)
    send(
        filled,
        [call(2, started_us=at, feature="<script>alert(1)</script>", provider='"><img src=x>')],
        now=timezone.now(),
    )
    load(filled, now=timezone.now())
    html = signed_in("viewer").get(url("month", filled, month_text(last))).content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html


def test_who_may_see_a_month_and_who_may_type_into_it(project, signed_in, client):
    month, export = url("month", project, "2026-01"), url("month_export", project, "2026-01")
    invoice = url("month_invoice", project, "2026-01")
    form = {"provider": "x", "amount": "1", "currency": "USD", "dated": "2026-02-01"}
    for role in ("owner", "editor", "viewer"):
        one = signed_in(role)
        assert (one.get(month).status_code, one.get(url("finance", project)).status_code) == (200, 302)
        assert one.post(export, {"form": "csv"}).status_code == 302
        assert one.post(invoice, form).status_code == (403 if role == "viewer" else 302)
        assert one.get(export).status_code == one.get(invoice).status_code == 405
    stranger = signed_in("stranger")
    seen = [stranger.get(month), stranger.get(url("finance", project))]
    seen += [stranger.post(export, {"form": "csv"}), stranger.post(invoice, form)]
    assert [answer.status_code for answer in seen] == [404] * 4
    assert client.get(month)["Location"].startswith("/accounts/login/")
    viewers = signed_in("viewer").get(month).content.decode()
    assert "Enter an invoice" not in viewers
    assert "Enter a rate" not in viewers


def test_things_of_another_project_are_not_found(filled, people, signed_in):
    last, _ = months(filled)
    client, stranger = signed_in("owner"), signed_in("stranger")
    client.post(url("month_export", filled, month_text(last)), {"form": "csv"})
    export = Export.objects.get()
    other = people["stranger"].memberships.get().project
    invoice = Invoice.objects.create(
        project=filled, month=last, provider="x", amount=1, dated=last, entered_by="x"
    )
    rate = ExchangeRate.objects.create(project=filled, currency="EUR", day=last, per_usd=1, entered_by="x")
    schedule = Schedule.objects.create(
        project=filled, day=1, form="csv", group_by=[], recipients=[], created_by="x"
    )
    assert stranger.get(url("month_file", filled, export.pk)).status_code == 404
    assert stranger.get(url("month_file", other, export.pk)).status_code == 404
    for name, number in (("month_invoice_change", invoice.pk), ("month_rate_remove", rate.pk),
                         ("month_schedule_stop", schedule.pk)):  # fmt: skip
        assert stranger.post(url(name, other, number)).status_code == 404
        assert stranger.post(url(name, filled, number)).status_code == 404
        assert signed_in("viewer").post(url(name, filled, number)).status_code == 403
    assert Invoice.objects.exists()
