"""Settings > Catalogue: seen by members, changed by editors, each change shown first and undone from the page."""

from typing import Any

import pytest
from django.urls import reverse

from analytics.models import CatalogueChange, Feature, Flow

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script> \"'`{{7*7}} ${x} 'OR 1=1-- é 漢字 \u202e"


def page(project, **given):
    return (
        reverse("settings_catalogue", args=[project.slug])
        + "?"
        + "&".join(f"{k}={v}" for k, v in given.items())
    )


def of(project, name, kind="flow"):
    model: Any = {"flow": Flow, "feature": Feature}[kind]
    return reverse(
        f"settings_catalogue_{kind}", args=[project.slug, model.objects.get(project=project, name=name).pk]
    )


def text(answer):
    return answer.content.decode()


def test_new_names_stand_first_and_are_confirmed(filled, signed_in):
    client = signed_in("editor")
    shown = client.get(page(filled))
    assert {row["flow"].name for row in shown.context["queue"]} == {
        "support-triage", "support-answer", "contract-review", "search-answer"}  # fmt: skip
    assert all(row["count"] for row in shown.context["queue"])
    one = Flow.objects.get(project=filled, name="support-triage")
    client.post(
        reverse("settings_catalogue_confirm", args=[filled.slug]), {"act": "some", "flow": [one.pk, "x"]}
    )
    assert Flow.objects.filter(project=filled, confirmed_at__isnull=False).get() == one
    client.post(reverse("settings_catalogue_confirm", args=[filled.slug]), {"act": "all"})
    after = client.get(page(filled))
    assert after.context["queue"] == []
    assert [group["feature"].name for group in after.context["groups"]] == [
        "Contract review", "Search answers", "Support assistant"]  # fmt: skip


def test_ticked_names_are_given_to_a_feature(filled, signed_in):
    one = Flow.objects.get(project=filled, name="support-triage")
    signed_in("editor").post(
        reverse("settings_catalogue_confirm", args=[filled.slug]),
        {"act": "move", "flow": one.pk, "feature": "Mail"},
    )
    one.refresh_from_db()
    assert one.feature.name == "Mail"
    assert one.confirmed_at


def test_a_change_is_shown_before_it_is_made_and_can_be_undone(filled, signed_in):
    client = signed_in("editor")
    address = of(filled, "support-triage")
    given = {"act": "merge", "into": "support-answer"}
    shown = client.post(address, given)
    preview = shown.context["preview"]
    assert preview["says"] == "support-triage is merged into support-answer"
    assert " calls, $" in preview["ever"]
    assert not CatalogueChange.objects.exists()
    done = client.post(address, given | {"really": "1"}, follow=True)
    assert "support-triage is merged into support-answer." in text(done)
    assert Flow.objects.get(project=filled, name="support-triage").alias_of.name == "support-answer"
    change = CatalogueChange.objects.get()
    client.post(reverse("settings_catalogue_undo", args=[filled.slug, change.pk]))
    assert Flow.objects.get(project=filled, name="support-triage").alias_of is None
    again = client.post(reverse("settings_catalogue_undo", args=[filled.slug, change.pk]), follow=True)
    assert "undone already" in text(again)


@pytest.mark.parametrize(
    "given",
    [
        {"act": "rename", "name": "answer"},
        {"act": "rename", "name": HOSTILE},
        {"act": "move", "feature": "Mail"},
        {"act": "archive"},
        {"act": "describe", "owner": HOSTILE, "cost_centre": "CC-1", "description": HOSTILE},
    ],
)
def test_every_change_can_be_looked_at_made_and_seen(filled, signed_in, given):
    client = signed_in("editor")
    address = of(filled, "support-triage")
    shown = client.post(address, given)
    assert shown.context["preview"]["lines"]
    assert "<script>alert" not in text(shown)
    client.post(address, given | {"really": "1"})
    assert CatalogueChange.objects.count() == 1
    assert "<script>alert" not in text(client.get(page(filled)))


def test_owner_and_cost_centre_reach_explore(filled, signed_in):
    client = signed_in("editor")
    given = {"act": "describe", "really": "1", "owner": "Ana Ruiz", "cost_centre": "CC-410"}
    client.post(of(filled, "Support assistant", "feature"), given)
    seen = client.get(reverse("explore", args=[filled.slug]) + "?group_by=cost_centre&period=28d")
    assert "CC-410" in text(seen)
    seen = client.get(reverse("explore", args=[filled.slug]) + "?group_by=flow&owner=Ana+Ruiz&period=28d")
    assert "support-triage" in text(seen)
    assert "contract-review" not in text(seen).split("<table")[-1]


def test_what_cannot_be_is_said_and_changes_nothing(filled, signed_in):
    client = signed_in("editor")
    address = of(filled, "support-triage")
    for given in ({"act": "merge", "into": "nowhere"}, {"act": "rename", "name": "(none)"},
                  {"act": "rename", "name": ""}, {"act": "describe", "owner": ""}):  # fmt: skip
        shown = client.post(address, given | {"really": "1"})
        assert shown.status_code == 200
        assert shown.context["problem"]
    assert client.post(address, {"act": "explode"}).status_code == 404
    assert not CatalogueChange.objects.exists()


def test_search_finds_other_names_owners_and_hostile_text(filled, signed_in):
    client = signed_in("editor")
    client.post(of(filled, "support-triage"), {"act": "rename", "name": "answer", "really": "1"})
    names = [
        row["flow"].name
        for group in client.get(page(filled, q="triage")).context["groups"]
        for row in group["rows"]
    ]
    assert names == ["answer"]
    for query in ("%", "%27%3B--", "\\", "%00", "%F0%9F%98%80", "a" * 500):
        assert client.get(page(filled, q=query, feature=query)).status_code == 200
    assert client.get(page(filled, page="-1")).status_code == 200
    assert client.get(page(filled, page="999999999999999999999")).status_code == 200


def test_the_short_form_is_a_row(filled, signed_in):
    answer = signed_in("editor").get(of(filled, "support-triage"), headers={"HX-Request": "true"})
    assert text(answer).startswith("<tr")


def test_viewers_look_and_strangers_find_nothing(filled, signed_in):
    change = reverse("settings_catalogue_undo", args=[filled.slug, 1])
    viewer, stranger = signed_in("viewer"), signed_in("stranger")
    address = of(filled, "support-triage")
    assert viewer.get(page(filled)).status_code == viewer.get(address).status_code == 200
    assert "Confirm" not in text(viewer.get(page(filled)))
    assert viewer.post(address, {"act": "archive", "really": "1"}).status_code == 403
    assert viewer.post(change).status_code == 403
    assert [stranger.get(page(filled)).status_code, stranger.get(address).status_code] == [404, 404]
    assert stranger.post(address, {"act": "archive", "really": "1"}).status_code == 404
    assert stranger.post(change).status_code == 404
    foreign = address.replace(filled.slug, "elsewhere")
    assert stranger.get(foreign).status_code == 404
    assert not CatalogueChange.objects.exists()


def test_after_a_change_one_is_led_nowhere_else(filled, signed_in):
    given = {"act": "archive", "really": "1", "next": "https://evil.example/"}
    assert signed_in("editor").post(of(filled, "support-triage"), given)["Location"] == page(filled).rstrip(
        "?"
    )


def test_an_empty_catalogue_says_what_brings_it(project, signed_in):
    assert "The first call that names one brings it here." in text(signed_in("viewer").get(page(project)))
