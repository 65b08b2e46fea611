"""Quality: the worst verdict first, drops with and without a change, few and none; the same digits as /v1/query."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.keys import create_key
from analytics.changes_models import Change
from analytics.intervals import Interval
from analytics.models import ScoreDefinition
from dashboard.quality_measure import OUTCOMES, delta_of, moved
from ingest import inbox
from tests.dashboard import story
from tests.personas import bearer

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(project):
    story.tell(project, timezone.now())
    return project


@pytest.fixture
def look(signed_in):
    def make(project, role="viewer", days=5, **query):
        since = {"from": days_ago(days)} if days else {}
        return signed_in(role).get(reverse("quality", args=[project.slug]), {**since, **query})

    return make


def days_ago(days):
    return str(timezone.now().date() - timedelta(days=days))


def said(answer):
    return "".join(phrase.text for phrase in answer.context["answer"])


def suspects(answer):
    return answer.context["panels"]["suspects"].body["rows"]


def now(answer):
    return {(row.flow, row.score): row for row in answer.context["panels"]["now"].body["rows"]}


def test_the_worst_verdict_is_the_sentence_and_the_first_suspect(told, look):
    answer = look(told)
    assert said(answer).startswith("Prompt triage v1 → v2 took ")
    assert f"off resolved in {story.FLOW}" in said(answer)
    first = suspects(answer)[0]
    assert (first.verdict, first.flow, first.score, first.tone) == ("Worse", story.FLOW, "resolved", "worse")
    assert first.q == "< 0.001"


def test_a_change_in_the_base_period_explains_what_the_scores_show(told, look):
    answer = look(told, days=4)  # v2 came a day before
    rows = suspects(answer)
    assert "no change found" not in {row.text for row in rows}
    assert "triage v1 → v2" in {row.text for row in rows}


def test_a_drop_without_a_change_is_said_to_have_no_known_cause(told, look):
    Change.objects.filter(project=told).delete()
    answer = look(told)
    assert "fell by" in said(answer)
    assert "with no known cause" in said(answer)
    row = suspects(answer)[0]
    assert (row.verdict, row.text, row.flow) == ("Worse", "no change found", story.FLOW)


def test_scores_now_are_what_the_query_api_says(told, look, client):
    _, secret = create_key(project=told, scopes=["read"])
    query = {
        "measures": "score:resolved,score:grounded",
        "group_by": "flow",
        "from": days_ago(5),
        "compare": "previous",
    }
    found = client.get("/v1/query", query, headers=bearer(secret)).json()
    names = [column["name"] for column in found["columns"]]
    rows = now(look(told, environment="*"))
    seen = 0
    for place, values in enumerate(found["rows"]):
        one = dict(zip(names, values, strict=True))
        for score in ("resolved", "grounded"):
            sure = found["intervals"][f"score:{score}"][place]
            if not sure or not sure["n"]:
                continue
            row = rows[one["flow"], score]
            assert row.value == f"{100 * one[f'score:{score}']:.1f}\u00a0%"
            assert row.n == f"{sure['n']:,}"
            assert row.half == f"±\u00a0{50 * (sure['high'] - sure['low']):.1f}"
            seen += 1
    assert seen == len(rows) == 2


def test_what_fell_stands_first_and_only_what_is_clear_is_coloured(told, look):
    rows = list(now(look(told)).values())
    assert [row.flow for row in rows] == [story.FLOW, "search-answer"]
    assert (rows[0].delta.tone, rows[0].state, rows[0].primary) == ("worse", "▼ worse", True)
    assert (rows[1].delta.tone, rows[1].state) == ("", "steady")


def test_pass_rates_by_variant(told, look):
    body = look(told, days=11, score="resolved").context["panels"]["rates"].body
    rates = {row.variant: float(row.value.split("\u00a0")[0]) for row in body["rows"]}
    assert set(rates) == {"v1", "v2"}
    assert rates["v1"] - rates["v2"] > 20
    by_model = look(told, days=11, score="resolved", by="model").context["panels"]["rates"].body
    assert {row.variant for row in by_model["rows"]} == {"gpt-4.1-mini", "claude-haiku-4-5"}


def test_too_few_scores_are_said_and_not_drawn(project, look):
    at = timezone.now()
    made = story.calls(at)
    story.put(project, made, kind=inbox.Kind.CALLS, now=at)
    story.put(project, story.scores(made[:7]), kind=inbox.Kind.SCORES, now=at)
    row = now(look(project, days=11))[story.FLOW, "resolved"]
    assert (row.value, row.half) == ("–", "")
    assert "of 10 needed" in row.state


def test_scores_with_a_guessed_meaning_ask_to_be_confirmed(told, look):
    text = look(told).content.decode()
    assert "2 scores with a guessed meaning" in text
    assert reverse("settings_scores", args=[told.slug]) in text
    ScoreDefinition.objects.filter(project=told).update(confirmed_at=timezone.now())
    assert "guessed meaning" not in look(told).content.decode()


def test_without_scores_it_says_how_to_send_one_and_shows_what_runs_tell(filled, look):
    answer = look(filled, days=20)
    text = answer.content.decode()
    assert "No score" in text or "Success rate" in text
    assert answer.context["panels"]["signs"].body["total"].runs != "0"


def test_an_empty_project_says_why(project, look):
    answer = look(project)
    assert answer.status_code == 200
    assert answer.context["answer"] == ()
    assert "No call has reached this project yet" in answer.content.decode()


def test_a_hostile_score_name_stays_text(project, look):
    at = timezone.now()
    made = story.calls(at)
    story.put(project, made, kind=inbox.Kind.CALLS, now=at)
    name = "<img src=x onerror=alert(1)>, a:b"
    story.put(project, story.scores(made, name=name), kind=inbox.Kind.SCORES, now=at)
    answer = look(project, days=11, score=name)
    assert answer.status_code == 200
    assert "<img src=x" not in answer.content.decode()
    flow = answer.client.get(reverse("flow", args=[project.slug, story.FLOW]), {"from": days_ago(11)})
    assert flow.status_code == 200
    assert "<img src=x" not in flow.content.decode()


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("viewer", 200), ("stranger", 404)])
def test_who_may_see_it(filled, look, role, status):
    assert look(filled, role).status_code == status


def test_only_editors_are_asked_to_record_a_change(filled, look):
    assert "Record a change" in look(filled, "editor").content.decode()
    assert "Record a change" not in look(filled, "viewer").content.decode()


def test_markup_has_one_heading_and_tables_with_captions_and_scopes(told, look):
    text = look(told).content.decode()
    assert len(re.findall(r"<h1[ >]", text)) == 1
    assert text.count("<table") == text.count("<caption>")
    assert not re.search(r"<th(?![^>]*scope=)[ >]", text)
    assert "style=" not in text


def test_the_difference_of_two_rates_is_newcombes():
    """R. G. Newcombe, Statistics in Medicine 17 (1998), table II (a): 56/70 against 48/80, method 10."""
    found = moved(56 / 70, Interval(0.6920, 0.8770, 70), 48 / 80, Interval(0.4904, 0.7004, 80))
    assert found is not None
    assert (round(found.low, 3), round(found.high, 3)) == (0.053, 0.334) or found.low == pytest.approx(
        0.0524, abs=2e-3
    )
    assert found.clear
    assert delta_of(OUTCOMES, found).tone == "better"


def test_under_thirty_on_a_side_nothing_is_compared():
    assert moved(0.5, Interval(0.4, 0.6, 29), 0.9, Interval(0.8, 0.95, 100)) is None
    assert delta_of(OUTCOMES, None).text == "n/a"
