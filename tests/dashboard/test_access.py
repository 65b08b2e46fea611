"""Every address as owner, editor, viewer and stranger: strangers get 404, too small a role 403."""

import pytest
from django.urls import get_resolver, reverse

from accounts.models import ApiKey, AuditLine, Invitation, Member, User

pytestmark = pytest.mark.django_db

READ = (
    "overview", "explore", "explore_csv", "compare", "quality", "changes", "runs", "calls", "trust_unpriced",
    "trust_rejected",
    "trust_duplicates",
    "start", "start_live", "settings", "settings_members", "settings_keys", "settings_prices", "settings_imports",
    "settings_set_aside", "settings_audit", "settings_scores", "settings_catalogue", "find", "views",
)  # fmt: skip
# Address -> (the smallest role that may, what is posted).
WRITE = {
    "settings": ("owner", {"name": "New", "zone": "UTC", "main_environment": "production"}),
    "settings_invite": ("owner", {"email": "new@example.com", "role": "viewer"}),
    "settings_create_key": ("owner", {"name": "x", "scopes": "ingest"}),
    "settings_add_price": ("editor", {"model": "house-1", "input": "1", "valid_from": "2026-01-01"}),
    "settings_catalogue_confirm": ("editor", {"act": "all"}),
    "save_view": ("viewer", {"name": "Mine", "of": ""}),
    "change_declare": ("editor", {"kind": "deploy", "after": "web@1"}),
    "settings_reprice": ("editor", {"from": "2026-01-01", "until": "2026-01-02"}),
    "settings_set_aside_again": ("editor", {}),
    "month_rate": ("editor", {"currency": "EUR", "day": "2026-01-02", "per_usd": "0.9"}),
    "month_currency": ("owner", {"currency": "EUR"}),
    "month_schedule": ("editor", {"day": "2", "form": "csv", "recipients": "a@example.com"}),
    "start_hide": ("owner", {}),
}
RANK = {"stranger": -1, "viewer": 0, "editor": 1, "owner": 2}


@pytest.mark.parametrize("role", ["owner", "editor", "viewer"])
def test_members_see_every_page(filled, signed_in, role):
    client = signed_in(role)
    seen = {name: client.get(reverse(name, args=[filled.slug])).status_code for name in READ}
    assert seen == dict.fromkeys(READ, 200)


def test_a_stranger_finds_nothing(filled, signed_in):
    client = signed_in("stranger")
    seen = {name: client.get(reverse(name, args=[filled.slug])).status_code for name in READ}
    assert seen == dict.fromkeys(READ, 404)
    assert client.get(reverse("overview", args=["no-such-project"])).status_code == 404


def test_without_signing_in_every_page_leads_there(filled, client):
    for name in READ:
        answer = client.get(reverse(name, args=[filled.slug]))
        assert answer.status_code == 302
        assert "/accounts/login/" in answer["Location"]


@pytest.mark.parametrize("role", sorted(RANK))
@pytest.mark.parametrize("name", sorted(WRITE))
def test_changes_need_their_role(project, signed_in, name, role):
    needed, posted = WRITE[name]
    answer = signed_in(role).post(reverse(name, args=[project.slug]), posted)
    wanted = 404 if role == "stranger" else 403 if RANK[role] < RANK[needed] else None
    assert answer.status_code == wanted or (wanted is None and answer.status_code in (200, 302))


def test_changes_are_never_made_by_get(project, signed_in):
    client = signed_in("owner")
    for name in (*WRITE, "remove_demo"):
        if name != "settings":
            assert client.get(reverse(name, args=[project.slug])).status_code == 405


def test_others_things_are_404_by_number(project, people, signed_in):
    """The number of something in another project opens nothing."""
    other = Member.objects.get(user=people["stranger"])
    key = ApiKey.objects.create(project=other.project, prefix="flk_x", digest=b"x" * 32, scopes=["read"])
    client = signed_in("owner")
    paths = [
        reverse("settings_role", args=[project.slug, other.pk]),
        reverse("settings_revoke_key", args=[project.slug, key.pk]),
        reverse("settings_withdraw_invitation", args=[project.slug, 1]),
        reverse("settings_undo_import", args=[project.slug, 1]),
        reverse("remove_demo", args=[project.slug]),
    ]
    assert [client.post(path).status_code for path in paths] == [404] * len(paths)
    key.refresh_from_db()
    assert key.revoked_at is None


def test_another_projects_run_is_404(filled, people, signed_in):
    client = signed_in("owner")
    page = client.get(reverse("runs", args=[filled.slug]))
    run = page.context["panel"].body["rows"][0].href
    assert client.get(run).status_code == 200
    elsewhere = run.replace(f"/p/{filled.slug}/", "/p/elsewhere/")
    assert signed_in("stranger").get(elsewhere).status_code == 404
    assert signed_in("stranger").get(run).status_code == 404
    assert signed_in("stranger").get(reverse("go_trace", args=[run.rsplit("/", 1)[1]])).status_code == 404


def test_every_address_of_a_project_is_in_this_table():
    """A new page has to say here who may see it."""
    named = {
        name for name in get_resolver().reverse_dict if isinstance(name, str)
        and any("slug" in params for _, params in get_resolver().reverse_dict.getlist(name)[0][0])
    }  # fmt: skip
    others = {
        # alerts, rules and channels: test_alerts.py
        "alerts", "alert", "alert_ack", "alert_mute", "rules", "rule", "rule_new", "rule_delete", "settings_channels",
        "settings_channel_save", "settings_channel_test", "settings_channel_delete", "settings_digest",
        "settings_delivery_again",
        "budgets", "budget", "budget_new", "budget_delete",  # test_budgets.py
        "finance", "month", "month_export", "month_file", "month_invoice", "month_invoice_change", "month_rate_remove",
        "month_schedule_stop",
        "flow", "flow_named",  # test_flow.py
        "settings_score_confirm", "settings_score_primary",  # test_settings_scores.py
        "run", "run_content", "values", "change", "change_edit", "change_delete", "share", "view", "change_view",
        "settings_catalogue_flow", "settings_catalogue_feature", "settings_catalogue_undo", "remove_demo",
        "settings_role", "settings_withdraw_invitation",
        "settings_revoke_key", "settings_withdraw_price", "settings_undo_import", "settings_set_aside_file",
    }  # fmt: skip
    assert named - set(READ) - set(WRITE) - others == set()


def test_a_key_is_shown_once_and_leaves_a_line(project, signed_in):
    client = signed_in("owner")
    page = client.post(
        reverse("settings_create_key", args=[project.slug]), {"name": "web", "scopes": ["read"]}
    )
    secret = page.context["secret"]
    assert secret in page.content.decode()
    assert page["Cache-Control"].startswith("max-age=0")
    assert secret not in client.get(reverse("settings_keys", args=[project.slug])).content.decode()
    assert AuditLine.objects.filter(project=project, action="key.created").exists()


def test_an_invitation_is_a_link_shown_once(project, signed_in):
    client = signed_in("owner")
    page = client.post(
        reverse("settings_invite", args=[project.slug]), {"email": "new@example.com", "role": "viewer"}
    )
    assert "/accounts/invitations/" in page.context["link"]
    assert Invitation.objects.filter(project=project, email="new@example.com").exists()


def test_a_projects_last_owner_stays(project, people, signed_in):
    member = Member.objects.get(project=project, user=people["owner"])
    client = signed_in("owner")
    answer = client.post(
        reverse("settings_role", args=[project.slug, member.pk]), {"role": "remove"}, follow=True
    )
    assert "needs an owner" in answer.content.decode()


def test_the_theme_is_kept_and_leads_nowhere_else(people, signed_in):
    client = signed_in("viewer")
    assert (
        client.post(reverse("theme"), {"theme": "dark", "next": "https://evil.example/"})["Location"] == "/"
    )
    client.post(reverse("theme"), {"theme": "pink", "next": "/"})
    assert User.objects.get(pk=people["viewer"].pk).theme == "dark"
