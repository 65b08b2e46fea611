"""Saved views and sharing: one's own are one's own, shared ones the project's; links stay or move."""

import pytest
from django.urls import reverse

from dashboard.models import SavedView

pytestmark = pytest.mark.django_db


def save(client, project, of, name="Costly", **more):
    return client.post(reverse("save_view", args=[project.slug]), {"of": of, "name": name, **more})


def explore(project, query="group_by=model&period=28d"):
    return reverse("explore", args=[project.slug]) + f"?{query}"


def test_a_view_opens_the_page_with_its_question(project, signed_in):
    client = signed_in("viewer")
    save(client, project, explore(project))
    view = SavedView.objects.get()
    opened = client.get(reverse("view", args=[project.slug, view.pk]))
    assert opened["Location"] == explore(project)
    assert "Costly" in client.get(reverse("views", args=[project.slug])).content.decode()
    assert "Costly" in client.get(reverse("find", args=[project.slug])).content.decode()


def test_ones_own_views_are_hidden_from_others_until_shared(project, signed_in):
    editor, viewer, stranger = signed_in("editor"), signed_in("viewer"), signed_in("stranger")
    save(editor, project, explore(project))
    view = SavedView.objects.get()
    address = reverse("view", args=[project.slug, view.pk])
    change = reverse("change_view", args=[project.slug, view.pk])
    assert viewer.get(address).status_code == 404
    assert viewer.post(change, {"act": "delete"}).status_code == 404
    editor.post(change, {"name": "Ours", "shared": "on"})
    assert viewer.get(address).status_code == 302
    assert viewer.post(change, {"act": "delete"}).status_code == 404
    assert stranger.get(address).status_code == 404
    assert stranger.get(address.replace(project.slug, "elsewhere")).status_code == 404
    editor.post(change, {"act": "delete"})
    assert not SavedView.objects.exists()


def test_viewers_do_not_share(project, signed_in):
    save(signed_in("viewer"), project, explore(project), shared="on")
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    "of",
    ["", "https://evil.example/p/kestrel-desk/explore", "//evil.example/", "/p/elsewhere/explore", "/", "/nothing",
     "/p/kestrel-desk/settings/", "/p/kestrel-desk/nothing", "http://[", "/p/kestrel-desk/explore?" + "x" * 5000],
)  # fmt: skip
def test_only_pages_of_the_project_with_figures_are_saved(project, signed_in, of):
    client = signed_in("editor")
    assert save(client, project, of).status_code == 302
    assert not SavedView.objects.exists()
    assert client.get(reverse("share", args=[project.slug]), {"of": of}).status_code == 422


def test_a_link_stays_or_moves_and_both_show_the_same(filled, signed_in):
    client = signed_in("viewer")
    of = explore(filled, "group_by=flow&period=mtd&environment=*")
    shared = client.get(reverse("share", args=[filled.slug]), {"of": of})
    assert shared.status_code == 200
    exact, moving = shared.context["exact"], shared.context["moving"]
    assert moving.endswith("period=mtd&environment=*")
    assert "period=" not in exact
    both = [client.get(link.removeprefix("http://testserver")) for link in (exact, moving)]
    assert [page.status_code for page in both] == [200, 200]
    assert len({page.context["frame"].context.against for page in both}) == 1
    assert shared.context["csv"].startswith(f"/p/{filled.slug}/explore.csv?")


def test_share_is_for_members(filled, signed_in):
    address = reverse("share", args=[filled.slug])
    assert signed_in("stranger").get(address, {"of": explore(filled)}).status_code == 404
