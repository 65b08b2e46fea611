"""Compare: periods, variants, before and after a change; the same digits as /v1/query; who may; what cannot be."""

import re
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.keys import create_key
from analytics.changes_models import Change
from analytics.changes_notice import notice_in
from analytics.models import ScoreDefinition
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
    def make(project, role="viewer", **query):
        return signed_in(role).get(reverse("compare", args=[project.slug]), query)

    return make


def days_ago(days):
    return str(timezone.now().date() - timedelta(days=days))


def halves(**more):
    """Five whole days with v2 against five with v1."""
    return {
        "a.from": days_ago(11),
        "a.until": days_ago(7),
        "b.from": days_ago(5),
        "b.until": days_ago(1),
    } | more


def measures(answer):
    body = answer.context["panel"].body
    return {row.label: row for _, rows in body.groups for row in rows}


def asked(client, project, **query):
    _, secret = create_key(project=project, scopes=["read"])
    answer = client.get("/v1/query", query, headers=bearer(secret))
    assert answer.status_code == 200, answer.content
    return answer.json()


def said(answer):
    return "".join(phrase.text for phrase in answer.context["answer"])


def test_two_periods_are_what_the_query_api_says_of_each(told, look, client):
    answer = look(told, **halves(environment="*"))
    rows = measures(answer)
    wanted = "calls,cost,cost_per_run,p95_run_duration,error_rate,score:resolved"
    sides = [
        asked(
            client, told, measures=wanted, group_by="flow", **{"from": days_ago(first), "to": days_ago(last)}
        )
        for first, last in ((11, 6), (5, 0))
    ]
    for side, name in zip(sides, ("a", "b"), strict=True):
        totals = side["totals"]
        assert getattr(rows["Calls"], name) == f"{totals['calls']:,}"
        assert getattr(rows["Cost"], name) == f"${Decimal(totals['cost']):.2f}"
        assert getattr(rows["resolved"], name) == f"{100 * totals['score:resolved']:.1f}\u00a0%"
        assert getattr(rows["Error rate"], name) == f"{100 * totals['error_rate']:.2f}\u00a0%"
        assert getattr(rows["p95 run duration"], name) == f"{totals['p95_run_duration'] / 1000:.2f} s"
    where = {row.name: row for row in answer.context["where"].body["rows"]}
    at = [column["name"] for column in sides[0]["columns"]].index("cost")
    for side, name in zip(sides, ("a", "b"), strict=True):
        for row in side["rows"]:
            assert getattr(where[row[0]], name) == f"${Decimal(row[at]):.2f}"


def test_the_difference_has_its_interval_and_is_coloured_only_when_it_is_clear(told, look):
    rows = measures(look(told, **halves()))
    assert rows["resolved"].delta.tone == "worse"
    assert rows["resolved"].delta.text.endswith("pp")
    low, high = (float(side.replace("−", "-")) for side in rows["resolved"].interval.split(" to "))
    assert low < high < 0
    assert rows["grounded"].delta.tone == ""  # its interval holds zero
    assert rows["Calls"].delta.tone == ""  # no direction is good


def test_rows_of_where_it_changed_add_up_to_the_total(told, look):
    body = look(told, **halves()).context["where"].body

    def cents(text):
        return Decimal(re.sub(r"[$+,]", "", text).replace("−", "-").replace("–", "0"))

    for side in ("a", "b"):
        total = sum(cents(getattr(row, side)) for row in body["rows"])
        assert abs(total - cents(getattr(body["total"], side))) <= Decimal("0.02")
    assert body["rows"][0].name == story.FLOW  # it moved most
    assert f"flow={story.FLOW}" in body["rows"][0].href


def test_variants_of_one_flow_in_one_period(told, look):
    query = {"from": days_ago(11), "flow": story.FLOW, "a.prompt_version": "v1", "b.prompt_version": "v2"}
    answer = look(told, **query)
    assert said(answer).startswith("v2 against v1: ")
    rows = measures(answer)
    assert rows["resolved"].delta.tone == "worse"
    swapped = look(told, **{**query, "a.prompt_version": "v2", "b.prompt_version": "v1"})
    assert measures(swapped)["resolved"].delta.tone == "better"
    assert "a.prompt_version=v2" in answer.context["swap"]
    assert "b.prompt_version=v1" in answer.context["swap"]
    assert [menu.title for menu in answer.context["menus"]] == [
        "Compare by",
        "A: prompt version",
        "B: prompt version",
    ]


def test_before_and_after_a_change_in_the_windows_of_its_effects(told, look, signed_in):
    change = Change.objects.get(project=told, kind="prompt")
    answer = look(told, change=str(change.pk))
    assert said(answer).startswith("Since prompt triage v2 on ")
    page = signed_in("viewer").get(reverse("change", args=[told.slug, change.pk])).context["panel"].body
    effect = next(row for row in page.rows if row.measure == "resolved")
    row = measures(answer)["resolved"]
    assert (row.a, row.b, row.delta.text) == (effect.before, effect.after, effect.difference)
    assert answer.context["pair"].flow == story.FLOW


def test_versions_in_use_beside_each_other_are_compared_by_what_calls_carry(project, look):
    """An A/B test: three of four calls keep the old version."""
    now = timezone.now()
    made = [
        msgspec.structs.replace(one, prompt_version="v1") if one.prompt_version == "v2" and place % 4 else one
        for place, one in enumerate(story.calls(now))
    ]
    story.put(project, made, kind=inbox.Kind.CALLS, now=now)
    notice_in(project, now=now)
    change = Change.objects.get(project=project, kind="prompt")
    answer = look(project, change=str(change.pk))
    assert any("both are in use" in note for note in answer.context["pair"].notes)
    filters = [{one.dimension: one.values for one in side.scope.asked.filters}
               for side in (answer.context["pair"].a, answer.context["pair"].b)]  # fmt: skip
    assert [one["prompt_version"] for one in filters] == [("v1",), ("v2",)]
    assert [one["prompt"] for one in filters] == [("triage",), ("triage",)]


def test_another_period_in_the_bar_takes_the_sides_own_dates_back(told, look):
    links = look(told, **halves(**{"a.prompt_version": "v1"})).context["frame"].context.periods
    assert all("a.from" not in one.href and "b.until" not in one.href for one in links)
    assert all("a.prompt_version=v1" in one.href for one in links)


def test_a_changed_judge_is_said_and_not_compared(project, look):
    now = timezone.now()
    made = story.calls(now)
    story.put(project, made, kind=inbox.Kind.CALLS, now=now)
    cut = int((now - timedelta(days=6)).timestamp() * 1e6)
    old, new = ([one for one in made if (one.started_us >= cut) is later] for later in (False, True))
    given = [*story.numeric(old, judge="j1", mean=4.2), *story.numeric(new, judge="j2", mean=3.9)]
    story.put(project, given, kind=inbox.Kind.SCORES, now=now)
    assert ScoreDefinition.objects.get(project=project).name == "tone"
    answer = look(project, **halves())
    row = measures(answer)["tone"]
    assert row.delta.text == "n/a"
    assert row.interval == "judge changed"
    assert any("the judge changed" in note for note in answer.context["notes"])


def test_too_few_on_a_side_is_said(told, look):
    rows = measures(
        look(told, **halves(**{"a.from": days_ago(11), "a.until": days_ago(11), "flow": story.FLOW}))
    )
    assert rows["Cost per run"].delta.text == "n/a"
    assert rows["Cost per run"].interval == "under 100 runs on a side"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"compare": "none"}, 200),
        ({"view": "variants"}, 200),
        ({"view": "variants", "by": "model"}, 200),
        ({"view": "change"}, 200),
        ({"a.nonsense": "x"}, 422),
        ({"a.from": "not a date"}, 422),
        ({"a.from": "2026-11-20", "a.until": "2026-11-01"}, 422),
        ({"change": "x"}, 422),
        ({"change": "999999"}, 404),
        ({"by": "nonsense"}, 200),
        ({"a.customer": "<img src=x onerror=alert(1)>", "b.customer": "customer-1"}, 200),
        ({"period": "7d", "a.period": "28d"}, 200),
    ],
)
def test_what_can_be_asked_and_what_not(told, look, query, status):
    answer = look(told, **query)
    assert answer.status_code == status
    assert "<img src=x" not in answer.content.decode()


def test_an_empty_project_says_why(project, look):
    answer = look(project)
    assert answer.status_code == 200
    assert "No call has reached this project yet" in answer.content.decode()


def test_a_side_without_calls_is_said(told, look):
    answer = look(told, **halves(**{"a.from": "2020-01-01", "a.until": "2020-01-05"}))
    assert said(answer) == "No call in 1–5 Jan 2020, so there is nothing to compare with."


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("viewer", 200), ("stranger", 404)])
def test_who_may_see_it(filled, look, role, status):
    assert look(filled, role).status_code == status


def test_a_change_of_another_project_is_not_found(told, people, signed_in):
    change = Change.objects.filter(project=told).first()
    other = signed_in("stranger").get(reverse("compare", args=["elsewhere"]), {"change": str(change.pk)})
    assert other.status_code == 404


def test_markup_has_one_heading_and_tables_with_captions_and_scopes(told, look):
    text = look(told, **halves()).content.decode()
    assert len(re.findall(r"<h1[ >]", text)) == 1
    assert text.count("<table") == text.count("<caption>") == 2
    assert not re.search(r"<th(?![^>]*scope=)[ >]", text)
    assert "style=" not in text


def test_what_moved_on_overview_leads_here_narrowed(told, signed_in):
    page = signed_in("viewer").get(reverse("overview", args=[told.slug]), {"from": days_ago(4)})
    moves = page.context["panels"]["moved"].body
    assert moves
    assert all(move.href.startswith(reverse("compare", args=[told.slug])) for move in moves)
    assert signed_in("viewer").get(moves[0].href).status_code == 200
