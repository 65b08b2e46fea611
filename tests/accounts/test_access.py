"""The guard: each persona against each role; strangers cannot tell a project from none."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import RequestFactory

from accounts.access import last_project, member_for, project_for, projects_of, remember
from accounts.members import remove_member
from tests.personas import make_everyone, make_member, make_project, make_user

pytestmark = pytest.mark.django_db

MAY: dict[tuple[str, str], type[Exception] | None] = {
    ("owner", "owner"): None,
    ("owner", "editor"): None,
    ("owner", "viewer"): None,
    ("editor", "owner"): PermissionDenied,
    ("editor", "editor"): None,
    ("editor", "viewer"): None,
    ("viewer", "owner"): PermissionDenied,
    ("viewer", "editor"): PermissionDenied,
    ("viewer", "viewer"): None,
    ("other project's owner", "viewer"): Http404,
    ("other project's owner", "owner"): Http404,
    ("stranger", "viewer"): Http404,
    ("stranger", "owner"): Http404,
    ("nobody", "viewer"): Http404,
    ("nobody", "owner"): Http404,
}


def asks(user):
    request = RequestFactory().get("/")
    request.user = user or AnonymousUser()
    return request


@pytest.mark.parametrize(("persona", "role"), MAY)
def test_each_persona_gets_what_its_role_may(persona, role):
    project = make_project()
    user = make_everyone(project)[persona]
    expected = MAY[persona, role]
    if expected is None:
        assert project_for(asks(user), slug=project.slug, role=role) == project
        return
    with pytest.raises(expected):
        project_for(asks(user), slug=project.slug, role=role)


def test_anothers_project_and_no_project_look_the_same():
    project, stranger = make_project(), make_user()
    told = []
    for slug in (project.slug, "no-such-project", "", "\0", "a" * 5000):
        with pytest.raises(Http404) as refused:
            project_for(asks(stranger), slug=slug)
        told.append(str(refused.value))
    assert len(set(told)) == 1


def test_an_administrator_of_the_installation_sees_only_the_own_projects():
    with pytest.raises(Http404):
        project_for(asks(make_user(is_admin=True)), slug=make_project().slug)


def test_a_removed_member_is_a_stranger_with_the_next_request():
    member = make_member(make_project(), "viewer")
    assert project_for(asks(member.user), slug=member.project.slug)
    make_member(member.project, "owner")
    remove_member(member=member)
    with pytest.raises(Http404):
        project_for(asks(member.user), slug=member.project.slug)


def test_a_role_that_is_too_small_is_told_in_words():
    member = make_member(make_project("Acme"), "viewer")
    with pytest.raises(PermissionDenied, match=r"As viewer of Acme you cannot manage it. Ask an owner."):
        project_for(asks(member.user), slug=member.project.slug, role="owner")


def test_the_guard_asks_one_question(django_assert_num_queries):
    member = make_member(make_project(), "editor")
    with django_assert_num_queries(1):
        found = member_for(asks(member.user), slug=member.project.slug)
        assert (found.role, found.project.name, found.user.email) == ("editor", "Acme", member.user.email)


def test_the_list_of_projects_holds_the_own_ones_the_demo_last():
    user = make_member(make_project("Zeta"), "viewer").user
    demo, alpha = make_project("A demo", is_demo=True), make_project("Alpha")
    make_project("Foreign")
    for project in (demo, alpha):
        make_member(project, "owner")
        project.members.create(user=user, role="viewer")
    assert [project.name for project in projects_of(user)] == ["Alpha", "Zeta", "A demo"]
    assert not projects_of(AnonymousUser()).exists()


def test_the_project_used_last_opens_while_one_is_a_member():
    user = make_user()
    assert last_project(user) is None
    alpha, demo = make_project("Alpha"), make_project("Demo", is_demo=True)
    members = {project.name: project.members.create(user=user, role="viewer") for project in (alpha, demo)}
    assert last_project(user) == demo
    remember(user=user, project=alpha)
    user.refresh_from_db()
    assert last_project(user) == alpha
    members["Alpha"].delete()
    assert last_project(user) == demo


def test_remembering_the_same_project_writes_nothing(django_assert_num_queries):
    member = make_member(make_project(), "viewer")
    remember(user=member.user, project=member.project)
    with django_assert_num_queries(0):
        remember(user=member.user, project=member.project)
