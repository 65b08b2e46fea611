"""Invitations: one link, one member, seven days."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from accounts.invitations import (
    BadInvitationError,
    accept,
    find,
    invite,
    join,
    waiting_invitations,
    withdraw,
)
from accounts.members import NoSuchRoleError
from accounts.models import AuditLine, Invitation, User
from tests.personas import PASSWORD, make_member, make_project, make_user

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project("Acme")


def test_a_signed_in_person_becomes_a_member_once(project):
    row, secret = invite(project=project, email="Ann@Example.com ", role="editor", now=NOW)
    assert row.email == "ann@example.com"
    ann = make_user("someone.else@example.com")
    assert accept(secret=secret, user=ann, now=NOW).role == "editor"
    with pytest.raises(BadInvitationError, match="used"):
        accept(secret=secret, user=make_user(), now=NOW)
    assert [member.user for member in project.members.all()] == [ann]


def test_only_the_hash_of_the_link_is_stored(project):
    row, secret = invite(project=project, email="ann@example.com", role="viewer", now=NOW)
    assert secret not in str(Invitation.objects.filter(id=row.id).values())
    assert len(secret) == 43


def test_a_link_works_for_seven_days(project):
    _, secret = invite(project=project, email="ann@example.com", role="viewer", now=NOW)
    last = NOW + timedelta(days=7)
    assert find(secret=secret, now=last - timedelta(microseconds=1)).project == project
    with pytest.raises(BadInvitationError):
        find(secret=secret, now=last)
    assert not waiting_invitations(project=project, now=last).exists()


@pytest.mark.parametrize("secret", ["", "x" * 43, "\0", "\ud800", "../.."])
def test_a_wrong_link_is_refused(secret):
    with pytest.raises(BadInvitationError):
        find(secret=secret, now=NOW)


def test_a_new_person_joins_by_setting_a_password(project):
    _, secret = invite(project=project, email="ann@example.com", role="viewer", now=NOW)
    user = join(secret=secret, name=" Ann ", password=PASSWORD, now=NOW)
    assert (user.email, user.name) == ("ann@example.com", "Ann")
    assert user.check_password(PASSWORD)
    assert not user.is_admin
    assert project.members.get().user == user


def test_a_weak_password_joins_nobody(project):
    _, secret = invite(project=project, email="ann@example.com", role="viewer", now=NOW)
    for weak in ("short", "password123", "ann@example.com"):
        with pytest.raises(ValidationError):
            join(secret=secret, name="", password=weak, now=NOW)
    assert not User.objects.exists()
    assert find(secret=secret, now=NOW)


def test_a_link_cannot_take_over_an_account(project):
    victim = make_user("ann@example.com")
    _, secret = invite(project=project, email="ANN@example.com", role="owner", now=NOW)
    with pytest.raises(BadInvitationError, match="Sign in"):
        join(secret=secret, name="", password="another long password", now=NOW)
    victim.refresh_from_db()
    assert victim.check_password(PASSWORD)


def test_joining_twice_at_the_same_moment_is_no_error_of_the_server(project, monkeypatch):
    _, secret = invite(project=project, email="ann@example.com", role="viewer", now=NOW)
    make_user("ann@example.com")
    monkeypatch.setattr("accounts.invitations.has_account", lambda email: False)
    with pytest.raises(BadInvitationError, match="Sign in"):
        join(secret=secret, name="", password="another long password", now=NOW)


def test_accepting_does_not_lower_an_owner(project):
    owner = make_member(project, "owner")
    _, secret = invite(project=project, email="other@example.com", role="viewer", now=NOW)
    assert accept(secret=secret, user=owner.user, now=NOW).role == "owner"


def test_a_second_invitation_replaces_the_first(project):
    _, first = invite(project=project, email="ann@example.com", role="viewer", now=NOW)
    _, second = invite(project=project, email="ann@example.com", role="editor", now=NOW)
    with pytest.raises(BadInvitationError):
        find(secret=first, now=NOW)
    assert find(secret=second, now=NOW).role == "editor"
    assert waiting_invitations(project=project, now=NOW).count() == 1


def test_a_withdrawn_link_is_refused_and_cannot_be_withdrawn_twice(project):
    row, secret = invite(project=project, email="ann@example.com", role="viewer", now=NOW)
    withdraw(invitation=row)
    with pytest.raises(BadInvitationError):
        find(secret=secret, now=NOW)
    row.id = 0
    with pytest.raises(BadInvitationError, match="meanwhile"):
        withdraw(invitation=row)


def test_who_is_a_member_is_not_invited(project):
    member = make_member(project, "viewer", email="ann@example.com")
    with pytest.raises(BadInvitationError, match="member already"):
        invite(project=member.project, email="Ann@example.com", role="owner", now=NOW)


@pytest.mark.parametrize(
    "email", ["", "ann", "ann@", "a b@example.com", "ann@example.com\0", "ann@example.com\nx"]
)
def test_only_an_address_is_invited(project, email):
    with pytest.raises(BadInvitationError, match=r"name@example.com"):
        invite(project=project, email=email, role="viewer", now=NOW)


def test_only_a_role_is_given(project):
    with pytest.raises(NoSuchRoleError):
        invite(project=project, email="ann@example.com", role="king", now=NOW)


def test_the_audit_log_tells_who_invited_who_joined_and_who_withdrew(project):
    owner = make_member(project, "owner", email="own@example.com").user
    _, secret = invite(project=project, email="ann@example.com", role="viewer", by=owner, now=NOW)
    join(secret=secret, name="", password=PASSWORD, now=NOW)
    row, _ = invite(project=project, email="bob@example.com", role="viewer", by=owner, now=NOW)
    withdraw(invitation=row, by=owner)
    told = AuditLine.objects.filter(action__regex="invitation|user").order_by("id")
    assert [(line.action, line.actor, line.target) for line in told] == [
        ("invitation.created", "own@example.com", "ann@example.com"),
        ("user.created", "ann@example.com", "ann@example.com"),
        ("invitation.accepted", "ann@example.com", "ann@example.com"),
        ("invitation.created", "own@example.com", "bob@example.com"),
        ("invitation.withdrawn", "own@example.com", "bob@example.com"),
    ]
