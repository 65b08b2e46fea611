"""Signing in and out, passwords, lock-out, invitations: the pages as a browser meets them."""

import re

import pytest
from django.contrib.auth.hashers import identify_hasher
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.invitations import invite
from accounts.models import Member, User
from config import settings as product
from tests.personas import PASSWORD, make_member, make_project, make_user

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()


@pytest.fixture
def ann():
    return make_user("ann@example.com")


def sign_in(client, email="ann@example.com", password=PASSWORD, **more):
    return client.post(LOGIN, {"login": email, "password": password, **more})


def signed_in(client) -> bool:
    return "_auth_user_id" in client.session


class TestIn:
    @pytest.mark.parametrize("email", ["ann@example.com", "Ann@Example.COM", " ann@example.com "])
    def test_by_e_mail_in_any_spelling(self, client, ann, email):
        response = sign_in(client, email)
        assert (response.status_code, response["Location"]) == (302, "/")
        assert signed_in(client)

    @pytest.mark.parametrize(
        ("email", "password"),
        [
            ("ann@example.com", "wrong"),
            ("bob@example.com", PASSWORD),
            ("", ""),
            ("ann@example.com\0", PASSWORD),
            ("ann@example.com", "\0"),
            ("a" * 5000 + "@example.com", "p" * 100_000),
        ],
    )
    def test_not_by_anything_else(self, client, ann, email, password):
        response = sign_in(client, email, password)
        assert response.status_code == 200
        assert not signed_in(client)
        assert "errorlist" in response.content.decode()

    def test_the_form_speaks_plainly(self, client):
        page = client.get(LOGIN).content.decode()
        assert re.findall(r"<label[^>]*>([^<]*)", page) == ["E-mail", "Password"]
        assert "placeholder" not in page

    def test_a_wrong_password_and_an_unknown_address_look_the_same(self, client, ann):
        pages = [
            sign_in(client, email, "wrong").content.decode() for email in ("ann@example.com", "bob@x.org")
        ]
        errors = [re.findall(r"errorlist[^>]*>.*?</ul>", page, re.DOTALL) for page in pages]
        assert errors[0] == errors[1]
        assert "no account with this e-mail and password" in errors[0][0]

    def test_a_closed_account_stays_out(self, client, ann):
        ann.is_active = False
        ann.save()
        sign_in(client)
        assert not signed_in(client)

    def test_passwords_are_kept_as_argon2(self, settings):
        settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS
        assert identify_hasher(make_user().password).algorithm == "argon2"

    def test_only_a_form_from_this_page_counts(self, ann):
        assert sign_in(Client(enforce_csrf_checks=True)).status_code == 403

    @pytest.mark.parametrize(
        ("wanted", "reached"),
        [
            ("/acme/explore?flow=a", "/acme/explore?flow=a"),
            ("http://testserver/acme", "http://testserver/acme"),
            ("https://evil.example/", "/"),
            ("//evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("\\\\evil.example", "/"),
            ("http:///evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("http://localhost/", "/"),
            ("/\0", "/%00"),
            ("", "/"),
        ],
    )
    def test_next_never_leaves_this_host(self, client, ann, wanted, reached):
        response = sign_in(client, next=wanted)
        assert (response.status_code, response["Location"]) == (302, reached)

    def test_who_is_signed_in_goes_on(self, client, ann):
        client.force_login(ann)
        assert client.get(LOGIN + "?next=/acme")["Location"] == "/acme"


class TestOut:
    def test_by_post_only(self, client, ann):
        client.force_login(ann)
        assert client.get("/accounts/logout/").status_code == 200
        assert signed_in(client)
        assert client.post("/accounts/logout/").status_code == 302
        assert not signed_in(client)


class TestTooManyTries:
    def test_the_tenth_wrong_password_is_429_with_words(self, client, ann):
        pages = [sign_in(client, password="wrong") for _ in range(10)]
        assert [page.status_code for page in pages] == [200] * 9 + [429]
        assert "15 minutes" in pages[-1].content.decode()
        assert pages[-1]["Retry-After"] == "900"

    def test_then_even_the_right_one_waits_and_capitals_do_not_help(self, client, ann):
        for number in range(10):
            sign_in(client, email=("ann@example.com", "ANN@example.com")[number % 2], password="wrong")
        assert sign_in(client).status_code == 429
        assert not signed_in(client)

    def test_others_may_still_sign_in(self, client, ann):
        make_user("bob@example.com")
        for _ in range(10):
            sign_in(client, password="wrong")
        assert sign_in(client, "bob@example.com").status_code == 302

    def test_the_right_password_forgives_what_went_before(self, client, ann):
        for _ in range(9):
            sign_in(client, password="wrong")
        assert sign_in(client).status_code == 302
        client.logout()
        assert sign_in(client, password="wrong").status_code == 200

    def test_very_many_tries_from_one_place_are_429_too(self, client):
        pages = [sign_in(client, f"a{number}@example.com", "wrong") for number in range(31)]
        assert pages[-1].status_code == 429
        assert "1 minute" in pages[-1].content.decode()


class TestPassword:
    def test_it_is_changed_with_the_old_one_and_other_sessions_end(self, client, ann):
        other = Client()
        for each in (client, other):
            each.force_login(ann)
        new = "another long password"
        fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}
        response = client.post("/accounts/password/change/", fields, follow=True)
        assert "The password is changed." in response.content.decode()
        assert sign_in(Client(), password=new).status_code == 302
        assert other.get("/accounts/password/change/").status_code == 302
        assert client.get("/accounts/password/change/").status_code == 200

    def test_not_without_the_old_one_nor_to_a_weak_one(self, client, ann):
        client.force_login(ann)
        for old, new in (("wrong", "another long password"), (PASSWORD, "short")):
            fields = {"oldpassword": old, "password1": new, "password2": new}
            assert client.post("/accounts/password/change/", fields).status_code == 200
        ann.refresh_from_db()
        assert ann.check_password(PASSWORD)

    def test_changing_needs_signing_in(self, client):
        response = client.get("/accounts/password/change/")
        assert (response.status_code, response["Location"]) == (
            302,
            LOGIN + "?next=/accounts/password/change/",
        )

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_without_e_mail_a_reset_says_so(self, client, ann, settings, method):
        settings.EMAIL_URL = ""
        response = getattr(client, method)("/accounts/password/reset/", {"email": ann.email})
        assert response.status_code == 200
        assert "sends no e-mail" in response.content.decode()
        assert "manage.py changepassword" in response.content.decode()
        assert mail.outbox == []

    def test_with_e_mail_a_link_sets_a_new_one(self, client, ann, settings):
        settings.EMAIL_URL = "smtp://localhost"
        client.post("/accounts/password/reset/", {"email": "ANN@example.com"})
        message = mail.outbox[0]
        assert (message.to, message.subject) == (["ann@example.com"], "A new password for Flowledger")
        (link,) = re.findall(r"http://testserver(\S+)", str(message.body))
        page = client.get(link, follow=True)
        new = "another long password"
        done = client.post(page.request["PATH_INFO"], {"password1": new, "password2": new}, follow=True)
        assert "The password is set" in done.content.decode()
        assert sign_in(client, password=new).status_code == 302
        assert "does not work" in client.get(link, follow=True).content.decode()

    def test_an_unknown_address_gets_no_mail_and_the_same_answer(self, client, ann, settings):
        settings.EMAIL_URL = "smtp://localhost"
        answers = [
            client.post("/accounts/password/reset/", {"email": email}) for email in (ann.email, "b@x.org")
        ]
        assert answers[0]["Location"] == answers[1]["Location"]
        assert [message.to for message in mail.outbox] == [[ann.email]]


class TestInvitation:
    @pytest.fixture
    def link(self):
        owner = make_member(make_project("Acme"), "owner", email="own@example.com")
        _, secret = invite(
            project=owner.project, email="new@example.com", role="editor", by=owner.user, now=timezone.now()
        )
        return reverse("invitation", args=[secret])

    def members(self):
        return {member.user.email: member.role for member in Member.objects.all()}

    def test_looking_at_it_changes_nothing(self, client, link):
        for _ in range(2):
            page = client.get(link)
            assert page.status_code == 200
            assert "own@example.com" in page.content.decode()
        assert self.members() == {"own@example.com": "owner"}

    def test_a_new_person_chooses_a_password_and_is_in(self, client, link):
        response = client.post(link, {"name": "New", "password1": PASSWORD})
        assert response["Location"] == "/"
        assert signed_in(client)
        assert self.members()["new@example.com"] == "editor"
        assert User.objects.get(email="new@example.com").last_project
        client.logout()
        assert sign_in(client, "new@example.com").status_code == 302

    def test_a_weak_password_is_told_and_the_link_still_works(self, client, link):
        page = client.post(link, {"password1": "short"})
        assert page.status_code == 200
        assert "too short" in page.content.decode()
        assert client.get(link).status_code == 200

    def test_who_is_signed_in_joins_with_one_click(self, client, link, ann):
        client.force_login(ann)
        assert "Join as ann@example.com" in client.get(link).content.decode()
        client.post(link)
        assert self.members()["ann@example.com"] == "editor"

    def test_who_has_an_account_signs_in_first_and_comes_back(self, client, link):
        make_user("new@example.com")
        page = client.get(link).content.decode()
        assert f"{LOGIN}?next={link}" in page
        assert 'type="password"' not in page
        assert client.post(link, {"password1": "another long password"}).status_code == 410
        assert sign_in(client, "new@example.com", next=link)["Location"] == link

    def test_a_used_or_wrong_link_is_gone(self, client, link, ann):
        client.force_login(ann)
        client.post(link)
        for gone in (link, reverse("invitation", args=["x" * 43]), "/accounts/invitations/%00/"):
            page = client.get(gone)
            assert page.status_code == 410
            assert "does not work" in page.content.decode()


@pytest.mark.parametrize("name", ["account_signup", "account_email", "account_confirm_email"])
def test_pages_of_open_installations_do_not_exist(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


@pytest.mark.parametrize("path", ["signup/", "email/", "login/code/", "reauthenticate/", ""])
def test_nor_their_addresses(client, ann, path):
    client.force_login(ann)
    assert client.get(f"/accounts/{path}").status_code == 404


def test_no_page_has_an_inline_style_or_script(client, ann):
    for path in ("login/", "password/reset/", "inactive/"):
        page = client.get(f"/accounts/{path}").content.decode()
        assert "style=" not in page
        assert not re.search(r"<script(?![^>]*src=)", page)
