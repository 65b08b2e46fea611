"""Pages on natural data: sums close, the same question has the same digits on two pages, states say what they are."""

import csv
import io
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditLine, Project
from analytics.models import Price
from dashboard.formats import MISSING
from ingest import inbox
from ingest.records import CallRecord, Tokens
from tests.dashboard import desk

pytestmark = pytest.mark.django_db


def amount(text: str) -> Decimal:
    return Decimal(text.replace("$", "").replace(",", "").replace("−", "-").replace("+", ""))


@pytest.fixture
def look(filled, signed_in):
    """Gets a page of the project as its owner."""
    client = signed_in("owner")

    def get(name: str, query: str = "", **headers):
        return client.get(f"{reverse(name, args=[filled.slug])}?{query}", headers=headers)

    return get


def test_the_rows_of_overview_are_its_total(look):
    table = look("overview", "period=28d").context["panels"]["features"].body
    shown = sum(amount(row.value) for row in table.rows if row.value != MISSING)
    assert abs(shown - amount(table.total.value)) <= Decimal("0.005") * len(table.rows)
    percents = [Decimal(row.share.split("\xa0")[0]) for row in table.rows if row.share != MISSING]
    assert sum(percents) == 100
    assert table.total.share == "100.0\xa0%"


def test_the_same_money_on_overview_and_explore(look):
    overview = look("overview", "period=28d").context["panels"]["features"].body
    explore = look("explore", "period=28d&group_by=model").context["panels"]["table"].body
    assert overview.total.value == explore.total.value


def test_a_drill_keeps_the_money(look):
    table = look("explore", "period=28d&group_by=feature").context["panels"]["table"].body
    first = table.rows[0]
    inside = look("explore", first.href.partition("?")[2]).context["panels"]["table"].body
    assert inside.total.value == first.value
    assert inside.dimension_label == "Flow"


def test_a_drill_ends_with_runs(look):
    query = "period=28d&feature=Support+assistant&flow=support-triage&model=gpt-4.1&group_by=prompt_version"
    table = look("explore", query).context["panels"]["table"].body
    assert "/runs?" in table.rows[0].href
    runs = look("runs", table.rows[0].href.partition("?")[2])
    assert runs.context["panel"].body["rows"]


def test_rest_opens(look):
    table = look("explore", "period=28d&group_by=model&limit=2").context["panels"]["table"].body
    assert table.rows[-1].name == "(rest)"
    assert "limit=1000" in table.rows[-1].href
    whole = look("explore", "period=28d&group_by=model").context["panels"]["table"].body
    assert whole.total.value == table.total.value


def test_the_csv_is_what_is_shown(look):
    query = "period=28d&group_by=model&limit=2"
    table = look("explore", query).context["panels"]["table"].body
    rows = list(csv.reader(io.StringIO(look("explore_csv", query).content.decode())))
    assert [row[0] for row in rows[1:]] == [*(row.name for row in table.rows), "Total"]
    costs = [Decimal(row[1] or 0) for row in rows[1:]]
    assert sum(costs[:-1]) == costs[-1]
    assert round(costs[-1], 2) == amount(table.total.value)
    assert rows[1][-2:] == ["Europe/Berlin", "production"]


def test_a_price_that_is_unknown_is_never_zero(look):
    table = look("explore", "period=28d&group_by=model").context["panels"]["table"].body
    unknown = next(row for row in table.rows if row.name == "house-1")
    assert (unknown.value, unknown.share) == (MISSING, MISSING)
    assert "without a price" in " ".join(note.text for note in table.notes)


def test_every_column_has_a_head(look):
    text = look("explore", "period=28d&group_by=flow").content.decode()
    head = text.split("<thead")[-1].split("</thead>")[0]
    row = text.split("<tbody")[-1].split("</tr>")[0]
    spanned = head.count('colspan="2"')
    assert head.count("<th ") + spanned == row.count("<td ") + row.count("<th ")


@pytest.mark.parametrize("measure", ["cost", "calls", "p95_latency", "error_rate", "cost_per_run", "users"])
def test_measures_answer_in_every_view(look, measure):
    for view in ("stacked", "lines", "share", "cumulative", "table"):
        answer = look("explore", f"period=7d&measures={measure}&group_by=flow&view={view}")
        assert answer.status_code == 200
        assert answer.context["panels"]["table"].body is not None, view


def test_every_dimension_answers(look):
    names = (
        "environment",
        "step",
        "provider",
        "prompt_version",
        "release",
        "error_class",
        "customer",
        "unit",
    )
    panels = {
        name: look("explore", f"period=7d&group_by={name}").context["panels"]["table"] for name in names
    }
    assert [name for name, panel in panels.items() if panel.body is None] == []


def test_a_question_that_no_table_knows_says_so_in_its_panel(look):
    answer = look("explore", "period=28d&measures=p95_latency&group_by=customer")
    state = answer.context["panels"]["table"].state
    assert answer.status_code == 200
    assert state.failed
    assert "24 hours" in state.say


@pytest.mark.parametrize("query", ["period=never", "from=yesterday", "from=2026-02-01&to=2026-01-01", "nothing=1",
                                   "measures=spend", "group_by=colour", "until=2026-99-01", "flow=%00"])  # fmt: skip
def test_what_cannot_be_read_is_said_and_is_no_fault(look, query):
    answer = look("explore", query)
    assert answer.status_code == 422
    assert "Show this page from the start" in answer.content.decode()


def test_filters_that_leave_nothing_say_which_to_drop(look):
    state = look("explore", "period=28d&model=gpt-4.1&customer=nobody").context["panels"]["table"].state
    assert state.say.startswith("These filters leave nothing of")
    assert [way.label for way in state.ways] == ["Drop customer", "Drop model", "Clear all"]


def test_a_period_without_calls_leads_to_the_last(look):
    state = look("overview", "from=2020-01-01&until=2020-01-07").context["panels"]["features"].state
    assert state.say == "No call in 1–7 Jan 2020."
    assert state.ways[0].label.startswith("Go to ")


def test_an_empty_project_opens_getting_started(project, signed_in):
    client = signed_in("owner")
    assert client.get(reverse("overview", args=[project.slug]))["Location"].endswith("/start")
    state = (
        client.get(reverse("overview", args=[project.slug]) + "?period=7d")
        .context["panels"]["features"]
        .state
    )
    assert state.say == "No call has reached this project yet."


def test_a_panel_can_be_asked_for_alone(look):
    answer = look("overview", "period=28d&panel=features", **{"HX-Request": "true"})
    text = answer.content.decode()
    assert text.strip().startswith("<section")
    assert "Support assistant" in text


def test_unpriced_calls_are_the_ones_that_the_trust_line_counts(look):
    trust = look("overview", "period=28d").context["panels"]["features"].body
    listed = look("trust_unpriced", "period=28d").context["panel"].body["rows"]
    counted = next(note.text for note in trust.notes if "without a price" in note.text)
    assert counted.split()[0] == str(len(listed)) or len(listed) == 50
    assert {row.model for row in listed} == {"house-1"}


def test_getting_started_has_both_tongues(look):
    assert "/v1/events" in look("start").content.decode()
    assert "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" in look("start", "with=otel").content.decode()


def test_rejects_are_listed_by_key_and_hour(look):
    rows = look("trust_rejected", "period=today").context["rows"]
    assert [(row["count"], row["key"].split()[0]) for row in rows] == [("3", "web")]


def test_a_run_adds_up(look):
    for order in ("newest", "slowest", "costliest", "failed"):
        rows = look("runs", f"period=28d&order={order}").context["panel"].body["rows"]
        assert rows
    run = look("runs", "period=28d&order=costliest").context["panel"].body["rows"][0]
    assert run.cost != MISSING


def test_opening_content_leaves_a_line(filled, look, signed_in):
    run = look("runs", "period=28d").context["panel"].body["rows"][0].href
    client = signed_in("viewer")
    assert "Content is not kept" in client.get(run).content.decode()
    assert client.get(f"{run}/content").status_code == 405
    assert not AuditLine.objects.filter(action="content.opened").exists()
    client.post(f"{run}/content")
    line = AuditLine.objects.get(action="content.opened")
    assert (line.project, line.actor) == (filled, "viewer@example.com")


def test_content_reads_in_order_and_is_never_markup(project, people, signed_in):
    Project.objects.filter(pk=project.pk).update(keep_content=True)
    now = timezone.now()
    asked = (
        '[{"role": "system", "content": "'
        + "Sort. " * 300
        + '"}, {"role": "user", "content": "<b>Fire</b>"}]'
    )
    call = CallRecord(
        id=str(uuid.uuid4()), started_us=int((now - timedelta(minutes=1)).timestamp() * 1e6), flow="triage",
        environment="production", trace="ab" * 16, model="gpt-4.1", tokens=Tokens(input=3, output=2),
        input=asked, output="Room 4",
    )  # fmt: skip
    inbox.put([call], kind=inbox.Kind.CALLS, sender=inbox.Sender(project.pk), now=now)
    desk.load()
    client = signed_in("viewer")
    path = reverse("run", args=[project.slug, "ab" * 16])
    assert "Room 4" not in client.get(path).content.decode()
    text = client.post(f"{path}/content").content.decode()
    assert text.index("system") < text.index("&lt;b&gt;Fire&lt;/b&gt;") < text.index("Room 4")
    assert "<b>Fire</b>" not in text
    assert "1800 characters" in text


def test_a_price_takes_one_click_and_re_pricing_shows_first(filled, signed_in):
    client = signed_in("editor")
    settings = reverse("settings_prices", args=[filled.slug])
    queue = client.get(settings).context["queue"]
    assert [(row["model"], row["known"]) for row in queue] == [("house-1", False)]
    today = timezone.now().date()
    first = (today - timedelta(days=70)).isoformat()
    client.post(reverse("settings_add_price", args=[filled.slug]),
                {"provider": "acme", "model": "house-1", "input": "1", "output": "2", "valid_from": first})  # fmt: skip
    assert Price.objects.filter(project=filled, model="house-1").count() == 1
    asked = {"from": first, "until": today.isoformat()}
    preview = client.post(reverse("settings_reprice", args=[filled.slug]), asked).context["preview"]
    assert preview["lines"]
    assert client.get(settings).context["queue"][0]["known"]  # nothing was changed by looking
    client.post(reverse("settings_reprice", args=[filled.slug]), {**asked, "really": "1"})
    assert client.get(settings).context["queue"] == []


@pytest.mark.parametrize("posted", [{"model": "", "input": "1"}, {"model": "m", "input": "dear"}, {"model": "m"},
                                    {"model": "m", "input": "-1"}, {"model": "m", "discount": "101"}])  # fmt: skip
def test_a_price_that_cannot_be_is_refused_in_words(project, signed_in, posted):
    client = signed_in("owner")
    path = reverse("settings_add_price", args=[project.slug])
    answer = client.post(path, {"valid_from": "2026-01-01", **posted}, follow=True)
    assert 'class="told"' in answer.content.decode()
    assert not Price.objects.filter(project=project).exists()


def test_pages_need_few_queries(filled, signed_in):
    """What Overview asks: session, person, member, projects (3), demo; extent; environments; four questions over
    time or by group with trust (3 each at most), kinds, the weekday-matched total."""
    client = signed_in("owner")
    counted = {}
    for name in ("overview", "explore", "runs"):
        path = reverse(name, args=[filled.slug]) + "?period=28d"
        client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(path)
        counted[name] = len(queries)
    assert counted["overview"] <= 22
    assert counted["explore"] <= 22
    assert counted["runs"] <= 16
