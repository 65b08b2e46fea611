"""The Flow page: what it says, whether it says what /v1/query says, who may see it, hostile names, nothing there."""

import json
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.keys import create_key
from analytics.models import Flow
from dashboard.flow_links import flow_path
from ingest import inbox
from ingest.records import CallRecord, Tokens
from tests.dashboard import story
from tests.guardrails.budgeting import make_budget
from tests.personas import bearer

pytestmark = pytest.mark.django_db
HOSTILE = (
    "a/b/c", "/leading", "trailing/", "..", "a/../b", "a//b", 'quotes "and" \'these\'', "<img src=x onerror=alert(1)>",
    "per cent %2F ? # & = +", "Überprüfung 審査 🧾", "line\nbreak", "{{ braces }}",
)  # fmt: skip


@pytest.fixture
def told(project):
    story.tell(project, timezone.now())
    return project


@pytest.fixture
def look(signed_in):
    """Makes an answer of the page of a flow since some days ago."""

    def make(project, name=story.FLOW, role="viewer", **query):
        path, _, own = flow_path(project.slug, name).partition("?")
        query |= {key: values[0] for key, values in parse_qs(own).items()}
        given = {"from": str(timezone.now().date() - timedelta(days=11))} if "period" not in query else {}
        return signed_in(role).get(path, {**given, **query})

    return make


def figure(answer):
    """The figure as the browser gets it."""
    found = re.search(
        r'<script id="figure" type="application/json">(.*?)</script>', answer.content.decode(), re.S
    )
    return json.loads(found[1])


def asked(client, project, **query):
    """The answer of /v1/query."""
    _, secret = create_key(project=project, scopes=["read"])
    answer = client.get("/v1/query", query, headers=bearer(secret))
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_it_opens_with_the_change_that_mattered_and_its_markers_go_through_all_charts(told, look):
    answer = look(told)
    said = "".join(phrase.text for phrase in answer.context["answer"])
    assert said.startswith("Since prompt triage v2 on ")
    assert "resolved is " in said
    drawn = figure(answer)
    lines = [shape for shape in drawn["layout"]["shapes"] if shape["type"] == "line"]
    assert len(lines) == len(answer.context["panels"]["changes"].body["rows"])
    assert {(line["yref"], line["y0"], line["y1"]) for line in lines} == {("paper", 0, 1)}
    assert {trace["yaxis"] for trace in drawn["data"]} == {"y", "y2", "y3"}
    assert {trace["xaxis"] for trace in drawn["data"]} == {"x"}
    assert "−" in "".join(
        one.text for row in answer.context["panels"]["changes"].body["rows"] for one in row.did
    )


def test_variants_strip_and_chart_are_what_the_query_api_says(told, look, client):
    answer = look(told, environment="*")
    since = str(timezone.now().date() - timedelta(days=11))
    common = {"flow": story.FLOW, "from": since}
    by = asked(
        client, told, measures="calls,cost,cost_per_run,score:resolved", group_by="prompt_version", **common
    )
    names = [column["name"] for column in by["columns"]]
    rows = {row.name: row for row in answer.context["panels"]["variants"].body["rows"]}
    assert len(rows) == len(by["rows"]) == 2
    for place, values in enumerate(by["rows"]):
        found = dict(zip(names, values, strict=True))
        row = rows[found["prompt_version"]]
        assert row.cells[0] == f"{found['calls']:,}"
        assert row.quality == f"{100 * found['score:resolved']:.1f}\u00a0%"
        assert row.n == f"{by['intervals']['score:resolved'][place]['n']:,}"
    cells = {cell.label: cell.figure.text for cell in answer.context["panels"]["strip"].body}
    assert cells["Spend"] == f"${float(by['totals']['cost']):.2f}"
    assert cells["resolved"] == f"{100 * by['totals']['score:resolved']:.1f}"
    daily = asked(client, told, measures="score:resolved", grain="day", zone=told.zone, **common)
    drawn = [trace for trace in figure(answer)["data"] if trace.get("name") == "resolved"]
    values = [*drawn[0]["y"][:-1], drawn[-1]["y"][-1]]
    assert values == pytest.approx([100 * row[1] for row in daily["rows"]])


def test_a_point_leads_to_the_runs_of_its_bucket_and_from_there_to_one(told, look, signed_in):
    drawn = figure(look(told))
    traces = {trace["name"]: trace for trace in reversed(drawn["data"]) if trace.get("customdata")}
    orders = {
        name: parse_qs(urlsplit(trace["customdata"][0]).query)["order"][0] for name, trace in traces.items()
    }
    assert orders == {
        "cost per run": "costliest",
        "p95": "slowest",
        "p50": "slowest",
        "resolved": "worst:resolved",
    }
    for trace in traces.values():
        link = trace["customdata"][3]
        page = signed_in("viewer").get(link)
        assert page.status_code == 200
        rows = page.context["panel"].body["rows"]
        assert rows
        assert {row.flow for row in rows} == {story.FLOW}
        assert signed_in("viewer").get(rows[0].href).status_code == 200
        assert ("worst resolved first" in page.content.decode()) is (trace["name"] == "resolved")


def test_as_a_table_every_bucket_has_its_figures_and_its_runs(told, look):
    answer = look(told, view="table")
    body = answer.context["panels"]["charts"].body
    assert len(body["rows"]) == story.DAYS
    assert all(row.links for row in body["rows"][1:])
    assert 'data-key="o"' in answer.content.decode()


def test_buckets_of_few_scores_are_hollow_or_gaps(project, look):
    now = timezone.now()
    made = story.calls(now)
    story.put(project, made, kind=inbox.Kind.CALLS, now=now)
    per_day: dict[int, int] = {}
    some = []
    for one in story.scores(made):
        day = one.call_us // 86_400_000_000
        per_day[day] = per_day.get(day, 0) + 1
        if per_day[day] <= (5 if day % 2 else 20):
            some.append(one)
    story.put(project, some, kind=inbox.Kind.SCORES, now=now)
    drawn = next(trace for trace in figure(look(project))["data"] if trace.get("name") == "resolved")
    known = list(zip(drawn["y"], drawn["marker"]["size"], strict=True))
    assert any(value is None for value, _ in known[:-1])
    assert all(size == 6 for value, size in known if value is not None)


def test_without_a_score_the_outcomes_of_runs_are_its_quality_and_it_says_when_there_are_none(project, look):
    now = timezone.now()
    story.put(project, [one for one in story.calls(now) if not one.failed], kind=inbox.Kind.CALLS, now=now)
    answer = look(project)
    assert "No score and no outcome yet" in answer.content.decode()
    strip = {cell.label: cell for cell in answer.context["panels"]["strip"].body}
    assert strip["Success rate"].note == "no score yet"


def test_worst_runs_say_why_they_are_here(told, look):
    rows = look(told).context["panels"]["worst"].body["rows"]
    why = ", ".join(row.why for row in rows)
    assert all(word in why for word in ("slowest", "costliest", "failed", "worst resolved"))
    assert len({row.row.href for row in rows}) == len(rows)
    slowest = look(told, worst="slowest").context["panels"]["worst"].body["rows"]
    times = [float(row.row.duration) for row in slowest]
    assert times == sorted(times, reverse=True)


def test_owner_cost_centre_description_and_budget(told, look):
    flow = Flow.objects.get(project=told, name=story.FLOW)
    flow.owner, flow.cost_centre, flow.description = "Ana Ruiz", "CC-410", "Sorts tickets"
    flow.save()
    text = look(told).content.decode()
    for wanted in ("Ana Ruiz", "CC-410", "Sorts tickets", "Support assistant", "set a budget"):
        assert wanted in text


def test_budgets_of_the_flow_and_of_its_feature_with_what_is_used(filled, look):
    now = timezone.now()
    make_budget(filled, "Triage", scope={"flow": "support-triage"}, limit="0.01", now=now)
    make_budget(filled, "Support", scope={"feature": "Support assistant"}, limit="1000", now=now)
    make_budget(filled, "Other", scope={"flow": "search-answer"}, limit="1000", now=now)
    facts = [one for one in look(filled, period="mtd").context["facts"] if one.label.startswith("Budget")]
    assert [one.label for one in facts] == ["Budget, flow, month", "Budget, feature, month"]
    assert [one.tone for one in facts] == ["worse", ""]
    assert facts[1].text.endswith("of $1,000")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_have_a_page_and_stay_text(project, look, name):
    now = timezone.now()
    made = [
        CallRecord(id=f"h-{number}", started_us=int((now - timedelta(minutes=20 + number)).timestamp() * 1e6),
                   flow=name, feature=name, provider="openai", model="gpt-4.1", customer=name, prompt_version=name,
                   tokens=Tokens(input=10, output=1), duration_us=500_000)
        for number in range(3)
    ]  # fmt: skip
    story.put(project, made, kind=inbox.Kind.CALLS, now=now)
    stored = Flow.objects.get(project=project).name
    answer = look(project, stored, period="28d", compare="none")
    assert answer.status_code == 200
    today = look(project, stored, period="today")
    assert today.status_code == 200
    assert today.context["name"] == stored
    assert "<img src=x" not in today.content.decode()
    assert look(project, stored, period="today", view="table").status_code == 200


def test_calls_without_a_flow_have_a_page_and_unknown_names_have_none(filled, look):
    answer = look(filled, "(unattributed)", period="28d")
    assert answer.status_code == 200
    assert "Calls that named no flow have no owner" in answer.content.decode()
    assert look(filled, "no-such-flow", period="28d").status_code == 404
    assert look(filled, "nul\0byte", period="28d").status_code == 404


def test_nothing_in_the_period_says_when_the_last_call_was(filled, look):
    answer = look(filled, "support-triage", **{"from": "2020-01-01", "to": "2020-02-01", "period": ""})
    assert answer.status_code == 200
    assert answer.context["panels"]["charts"].state is not None
    assert answer.context["answer"] == ()


def test_another_name_of_a_flow_leads_to_its_page(filled, look):
    flow = Flow.objects.get(project=filled, name="support-triage")
    Flow.objects.create(project=filled, name="old-triage", alias_of=flow)
    answer = look(filled, "old-triage", period="28d")
    assert answer.status_code == 302
    assert answer["Location"] == flow_path(filled.slug, "support-triage")


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("viewer", 200), ("stranger", 404)])
def test_who_may_see_it(filled, look, role, status):
    assert look(filled, "support-triage", role, period="28d").status_code == status


def test_markup_has_one_heading_and_tables_with_captions_and_scopes(told, look):
    for query in ({}, {"view": "table"}):
        text = look(told, **query).content.decode()
        assert len(re.findall(r"<h1[ >]", text)) == 1
        assert text.count("<table") == text.count("<caption>")
        assert not re.search(r"<th(?![^>]*scope=)[ >]", text)
        assert "style=" not in text


def test_find_explore_runs_and_changes_lead_here(told, signed_in):
    client, path = signed_in("viewer"), reverse("flow", args=[told.slug, story.FLOW])
    since = str(timezone.now().date() - timedelta(days=11))
    for page, query in (
        ("find", {"q": "triage"}),
        ("explore", {"flow": story.FLOW, "from": since, "group_by": "model"}),
    ):
        assert path in client.get(reverse(page, args=[told.slug]), query).content.decode(), page
    runs = client.get(reverse("runs", args=[told.slug]), {"from": since, "flow": story.FLOW})
    run = client.get(runs.context["panel"].body["rows"][0].href)
    assert path in run.content.decode()
