"""The Budgets page: what it answers, for whom, and the forms."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from dashboard.budget_moved import Moved, Mover, why
from guardrails.budget_models import Budget
from tests.guardrails.budgeting import make_budget

pytestmark = pytest.mark.django_db
FORM = {"name": "Support", "dimension": "feature", "value": "Support assistant", "window": "month", "limit": "20,000",
        "unit": "USD", "thresholds": "50, 80 %, 100", "on": ["actual", "forecast"], "owner": "Ana Ruiz"}  # fmt: skip


def page(client, project, **query):
    return client.get(reverse("budgets", args=[project.slug]), query)


def text(answer):
    return answer.content.decode()


def test_without_a_budget_it_says_what_one_is(filled, signed_in):
    assert "Set the first budget" in text(page(signed_in("editor"), filled))
    assert "An editor sets the first one" in text(page(signed_in("viewer"), filled))


def test_the_sentence_names_what_is_over_and_the_rest(filled, signed_in):
    make_budget(filled, "Everything", limit="0.01", now=timezone.now())
    make_budget(filled, "Plenty", limit="1000000", now=timezone.now())
    said = text(page(signed_in("viewer"), filled))
    assert '<b class="worse">Everything</b> is over its limit.' in said
    assert "One holds." in said
    assert said.index("Everything</a>") < said.index("Plenty</a>")


def test_all_hold(filled, signed_in):
    make_budget(filled, "Plenty", limit="1000000", now=timezone.now())
    make_budget(filled, "More", limit="2000000", now=timezone.now())
    assert "All two budgets hold." in text(page(signed_in("viewer"), filled))


@pytest.mark.parametrize("window", ["day", "week", "month", "quarter"])
@pytest.mark.parametrize("view", ["left", "spent"])
def test_every_window_and_view_is_drawn(filled, signed_in, window, view):
    budget = make_budget(filled, window, window=window, limit="5", now=timezone.now() - timedelta(days=60))
    answer = page(signed_in("viewer"), filled, budget=str(budget.pk), view=view)
    assert answer.status_code == 200
    figure = answer.context["burn"].body["figure"]
    line = next(trace for trace in figure["data"] if trace["name"] == view)
    assert line["y"][0] == (5.0 if view == "left" else 0.0)
    assert line["y"] == sorted(line["y"], reverse=view == "left")
    state = answer.context["chosen"].state
    expected = float(state.spent if view == "spent" else state.limit - state.spent)
    assert line["y"][-1] == pytest.approx(expected)


def test_the_forecast_of_the_chart_ends_where_the_table_says(filled, signed_in):
    make_budget(filled, "all", limit="5", window="quarter", now=timezone.now() - timedelta(days=60))
    answer = page(signed_in("viewer"), filled, view="spent")
    path = next(
        trace for trace in answer.context["burn"].body["figure"]["data"] if trace["name"] == "forecast"
    )
    assert path["y"][-1] == pytest.approx(float(answer.context["chosen"].state.forecast), rel=1e-6)


def test_an_editor_makes_changes_and_removes_a_budget(project, signed_in):
    client = signed_in("editor")
    made = client.post(reverse("budget_new", args=[project.slug]), FORM)
    budget = Budget.objects.get(project=project)
    assert made["Location"].endswith(f"?budget={budget.pk}")
    assert (budget.limit, budget.thresholds, budget.dimension) == (20000, [50, 80, 100], "feature")
    assert budget.created_by == "editor@example.com"
    address = reverse("budget", args=[project.slug, budget.pk])
    assert 'value="Support assistant"' in text(client.get(address))
    client.post(address, {**FORM, "limit": "30000"})
    budget.refresh_from_db()
    assert (budget.limit, budget.revision) == (30000, 2)
    client.post(reverse("budget_delete", args=[project.slug, budget.pk]))
    assert not Budget.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"limit": "-5"}, "limit is not above 0."),
        ({"limit": ""}, "limit is missing."),
        ({"thresholds": "fifty"}, "out of range"),
        ({"value": ""}, "The feature is no text"),
        ({"window": "year"}, "There is no window"),
        ({"on": []}, "on is empty"),
        ({"name": ""}, "name"),
    ],
)
def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(project, signed_in, change, said):
    answer = signed_in("editor").post(reverse("budget_new", args=[project.slug]), {**FORM, **change})
    assert answer.status_code == 400
    assert said in text(answer)
    assert 'value="Ana Ruiz"' in text(answer)


@pytest.mark.parametrize(("role", "sees", "changes"), [("owner", 200, 302), ("editor", 200, 302), ("viewer", 200, 403),
                                                       ("stranger", 404, 404)])  # fmt: skip
def test_who_may_see_and_change(project, signed_in, role, sees, changes):
    budget = make_budget(project, now=timezone.now())
    client = signed_in(role)
    address = reverse("budget", args=[project.slug, budget.pk])
    assert page(client, project).status_code == sees
    assert client.get(address).status_code == sees
    assert client.post(address, {**FORM, "name": "all"}).status_code == changes
    assert client.post(reverse("budget_new", args=[project.slug]), FORM).status_code == changes
    assert client.post(reverse("budget_delete", args=[project.slug, budget.pk])).status_code == changes


def test_another_projects_budget_is_not_there(project, signed_in, people):
    other = people["stranger"].memberships.get().project
    budget = make_budget(other, now=timezone.now())
    assert signed_in("owner").get(reverse("budget", args=[project.slug, budget.pk])).status_code == 404


def test_names_are_shown_as_text(filled, signed_in):
    make_budget(filled, "<img src=x onerror=alert(1)>", limit="0.01", scope={"customer": "</script><b>x"},
                now=timezone.now())  # fmt: skip
    said = text(page(signed_in("viewer"), filled))
    assert "<img src=x" not in said
    assert "</script><b>" not in said


def test_calls_without_a_price_are_told_beside_the_budget(filled, signed_in):
    make_budget(filled, "all", limit="100", now=timezone.now())
    answer = page(signed_in("viewer"), filled)
    assert answer.context["chosen"].state.unpriced_calls > 0
    assert "Calls without a price are not in it" in text(answer)


def test_the_sentence_says_what_moved_the_only_one_that_is_over():
    found = Moved(
        "flows", (Mover("calmer", "", "▼ −$2.00", "better"), Mover("triage", "", "▲ +$1.00", "worse"))
    )
    assert "".join(phrase.text for phrase in why("Desk", found)) == " triage moved Desk most: +$1.00."
    assert why("Desk", None) == ()
    assert why("Desk", Moved("flows", found.movers[:1])) == ()
