"""Members: roles, the owner who always remains, and an audit line for each change."""

import threading

import pytest
from django.db import connection

from accounts.members import LastOwnerError, NoSuchRoleError, add_member, change_role, remove_member
from accounts.models import AuditLine, Member
from tests.personas import make_member, make_project, make_user


def lines():
    found = AuditLine.objects.exclude(action="project.created").order_by("id")
    return [(line.action, line.target, line.actor) for line in found]


@pytest.mark.django_db
def test_adding_changing_and_removing_leave_lines():
    project, user, owner = make_project(), make_user("ann@example.com"), make_user("own@example.com")
    add_member(project=project, user=owner, role="owner")
    member = add_member(project=project, user=user, role="viewer", by=owner)
    assert change_role(member=member, role="editor", by=owner).role == "editor"
    remove_member(member=member, by=owner)
    assert not Member.objects.filter(user=user).exists()
    assert lines() == [
        ("member.added", "own@example.com", "command"),
        ("member.added", "ann@example.com", "own@example.com"),
        ("member.role_changed", "ann@example.com", "own@example.com"),
        ("member.removed", "ann@example.com", "own@example.com"),
    ]


@pytest.mark.django_db
def test_who_is_a_member_keeps_the_role_when_added_again():
    member = make_member(make_project(), "owner")
    assert add_member(project=member.project, user=member.user, role="viewer").role == "owner"


@pytest.mark.django_db
def test_the_same_role_again_leaves_no_line():
    member = make_member(make_project(), "viewer")
    before = lines()
    change_role(member=member, role="viewer")
    assert lines() == before


@pytest.mark.django_db
def test_the_last_owner_can_neither_leave_nor_step_down():
    project = make_project()
    owner = make_member(project, "owner")
    make_member(project, "editor")
    with pytest.raises(LastOwnerError):
        remove_member(member=owner)
    with pytest.raises(LastOwnerError):
        change_role(member=owner, role="viewer")
    make_member(project, "owner")
    remove_member(member=owner)
    assert project.members.filter(role="owner").count() == 1


@pytest.mark.django_db
def test_a_closed_account_does_not_count_as_the_owner_who_remains():
    project = make_project()
    owner, closed = make_member(project, "owner"), make_member(project, "owner")
    closed.user.is_active = False
    closed.user.save()
    with pytest.raises(LastOwnerError):
        remove_member(member=owner)


@pytest.mark.django_db
def test_there_are_three_roles():
    member = make_member(make_project(), "viewer")
    with pytest.raises(NoSuchRoleError, match="owner, editor, viewer"):
        change_role(member=member, role="admin")
    with pytest.raises(NoSuchRoleError):
        add_member(project=member.project, user=make_user(), role="")


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_the_same_moment_leave_one():
    project = make_project()
    owners = [make_member(project, "owner") for _ in range(2)]
    ready, refused = threading.Barrier(2), []

    def leave(member):
        ready.wait()
        try:
            remove_member(member=member)
        except LastOwnerError:
            refused.append(member)
        connection.close()

    threads = [threading.Thread(target=leave, args=[owner]) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert list(project.members.all()) == refused
