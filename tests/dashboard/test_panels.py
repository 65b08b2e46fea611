"""One panel's failure is its own: it says what happened, what still works, and has a reference."""

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.test import RequestFactory

from accounts.errors import ApiError
from dashboard.exports import harmless
from dashboard.panels import TOO_LONG, Panel, State, asked_for, filled

PANEL = Panel(id="features", title="Spend by feature", template="dashboard/_ledger.html")
SCOPE = SimpleNamespace(
    path="/p/x/", now=datetime(2026, 11, 24, tzinfo=UTC), url=lambda **changes: f"/p/x/?{changes}"
)


def raising(problem: Exception):
    def make() -> None:
        raise problem

    return make


def test_figures_are_the_panels_body():
    panel = filled(PANEL, lambda: [1], scope=SCOPE)
    assert (panel.body, panel.state, panel.title) == ([1], None, "Spend by feature")


def test_a_state_stands_in_the_place_of_figures():
    panel = filled(PANEL, lambda: State(say="No call."), scope=SCOPE)
    assert panel.body is None
    assert panel.state is not None
    assert panel.state.say == "No call."


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (ApiError(503, "too_slow", "It took too long."), TOO_LONG),
        (OperationalError("gone"), "The database did not answer."),
    ],
)
def test_a_failed_panel_can_be_tried_again(problem, said):
    panel = filled(PANEL, raising(problem), scope=SCOPE)
    assert panel.state is not None
    assert (panel.state.say, panel.state.failed) == (said, True)
    assert panel.state.reference.startswith("q-")
    assert "not affected" in panel.state.note
    assert "panel" in panel.retry


def test_a_question_that_no_table_knows_is_not_tried_again():
    problem = ApiError(422, "bad_query", "users is not known by model.", hint="Group by flow.")
    panel = filled(PANEL, raising(problem), scope=SCOPE)
    assert panel.state is not None
    assert (panel.state.note, panel.retry) == ("Group by flow.", "")


def test_a_bug_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        filled(PANEL, lambda: 1 // 0, scope=SCOPE)


def test_only_a_refresh_asks_for_one_panel():
    request = RequestFactory().get("/p/x/?panel=features")
    assert asked_for(request) == ""
    request = RequestFactory().get("/p/x/?panel=features", headers={"HX-Request": "true"})
    assert asked_for(request) == "features"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_spreadsheet_runs_nothing(text):
    assert harmless(text) == f"'{text}"


def test_figures_keep_every_digit():
    assert harmless(Decimal("-1E-30")) == "-0." + "0" * 29 + "1"
    assert (harmless(None), harmless(0), harmless("plain")) == ("", "0", "plain")
