"""Settings, Scores: guesses are confirmed, what was counted follows, and nobody else's scores can be reached."""

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import AuditLine, Project
from analytics.models import Flow, FlowQuality, ScoreDefinition
from tests.analytics.ledger import MINUTE, T0, call, load, rows, send
from tests.analytics.test_scores import differences, score, told

pytestmark = pytest.mark.django_db
PASSED = "SELECT sum(judged)::int, sum(passed)::int FROM score_day"


@pytest.fixture
def graded(project):
    """Five calls with grades 1 to 5 of a provisional score, and one that waits."""
    send(project, [call(n) for n in range(1, 6)])
    load(project)
    told(
        project,
        *(
            score(name="grade", truth=None, number=Decimal(n), call=f"call-{n}", call_us=T0 + n * MINUTE)
            for n in range(1, 7)
        ),
    )
    return ScoreDefinition.objects.get(name="grade")


def confirm(client, definition, **given):
    form = {"kind": "numeric", "good": "up", "target": "call", "low": "1", "high": "6"} | given
    return client.post(
        reverse("settings_score_confirm", args=[definition.project.slug, definition.pk]), form, follow=True
    )


def test_a_guess_asks_to_be_confirmed_and_orphans_are_listed(graded, signed_in):
    page = signed_in("viewer").get(reverse("settings_scores", args=[graded.project.slug])).content.decode()
    assert "to be confirmed" in page
    assert "numeric, 0 to 10, higher is better" in page
    assert "call-6" in page
    assert "confirm</a>" not in page
    editor = signed_in("editor").get(
        reverse("settings_scores", args=[graded.project.slug]), {"edit": graded.pk}
    )
    assert 'name="threshold"' in editor.content.decode()


def test_confirming_counts_again_by_the_new_meaning(graded, signed_in):
    assert rows(PASSED) == [(0, 0)]
    page = confirm(signed_in("editor"), graded, threshold="4")
    assert "passes from 4" in page.content.decode()
    assert rows(PASSED) == [(5, 2)]
    confirm(signed_in("editor"), graded, threshold="2", good="down")
    assert rows(PASSED) == [(5, 2)]
    assert differences(graded.project) == []
    assert AuditLine.objects.filter(project=graded.project, action="score.defined").count() == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"low": "5", "high": "1"}, "ends before it begins"),
        ({"low": "", "high": "1"}, "both ends"),
        ({"threshold": "many"}, "is no number"),
        ({"kind": "categorical"}, "cannot be read as categorical"),
        ({"good": "sideways"}, "is no good"),
    ],
)
def test_what_cannot_be_meant_is_said_and_changes_nothing(graded, signed_in, given, words):
    assert words in confirm(signed_in("editor"), graded, **given).content.decode()
    graded.refresh_from_db()
    assert graded.confirmed_at is None


def test_a_flow_has_one_primary_score(graded, signed_in):
    flow = Flow.objects.get(project=graded.project, name="support-triage")
    client, path = signed_in("editor"), reverse("settings_score_primary", args=[graded.project.slug, flow.pk])
    client.post(path, {"score": "grade"})
    assert FlowQuality.objects.get(flow=flow).score == graded
    assert "There is no score" in client.post(path, {"score": "other"}, follow=True).content.decode()
    client.post(path, {"score": ""})
    assert not FlowQuality.objects.exists()


def test_roles_and_others_things(graded, signed_in):
    other = ScoreDefinition.objects.create(
        project=Project.objects.create(slug="x", name="X"), name="s", kind="boolean"
    )
    flow = Flow.objects.create(project=other.project, name="theirs")
    slug = graded.project.slug
    for role, status in (("stranger", 404), ("viewer", 403)):
        for name, number in (("settings_score_confirm", graded.pk), ("settings_score_primary", 1)):
            assert signed_in(role).post(reverse(name, args=[slug, number])).status_code == status
    owner = signed_in("owner")
    assert owner.post(reverse("settings_score_confirm", args=[slug, other.pk])).status_code == 404
    assert owner.post(reverse("settings_score_primary", args=[slug, flow.pk])).status_code == 404
    assert owner.get(reverse("settings_score_confirm", args=[slug, graded.pk])).status_code == 405
