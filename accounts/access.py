"""The one guard of pages: who may see and change which project."""

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from accounts.models import ROLES, Member, Project, User

RANK = {role: rank for rank, role in enumerate(reversed(ROLES))}  # viewer 0, editor 1, owner 2
MAY = {"viewer": "see this project", "editor": "change what it counts", "owner": "manage it"}


def member_for(request: HttpRequest, *, slug: str, role: str = "viewer") -> Member:
    """The signed-in person's membership of a project, with the project read along; one statement.

    Raises Http404 if there is no such project or the person is no member (a stranger cannot tell which), and
    PermissionDenied, with words, if the role is too small. Put `login_required` before it."""
    found = None
    if request.user.is_authenticated and "\0" not in slug:
        members = Member.objects.select_related("project", "user")
        found = members.filter(project__slug=slug, user=request.user.pk).first()
    if found is None:
        raise Http404("There is no such project.")
    if not allows(found.role, needed=role):
        name = found.project.name
        raise PermissionDenied(f"As {found.role} of {name} you cannot {MAY[role]}. Ask an owner.")
    return found


def project_for(request: HttpRequest, *, slug: str, role: str = "viewer") -> Project:
    """The project, if the signed-in person has at least this role in it; raises as `member_for`."""
    return member_for(request, slug=slug, role=role).project


def allows(role: str, *, needed: str) -> bool:
    """Whether a role includes another: owner > editor > viewer."""
    return RANK[role] >= RANK[needed]


def projects_of(user: User | AnonymousUser) -> QuerySet[Project]:
    """The projects that someone is a member of, by name, the demo last."""
    if not isinstance(user, User):
        return Project.objects.none()
    return Project.objects.filter(members__user=user).order_by("is_demo", "name", "id")


def remember(*, user: User, project: Project) -> None:
    """Note the project used last, which `/` opens; writes only when it is another one."""
    if user.last_project != project.id:
        User.objects.filter(id=user.pk).update(last_project=project.id)
        user.last_project = project.id


def last_project(user: User) -> Project | None:
    """The project used last, if the person still is a member; else the demo, else the first by name."""
    projects = list(projects_of(user))
    used = [project for project in projects if project.id == user.last_project]
    demo = [project for project in projects if project.is_demo]
    return next(iter([*used, *demo, *projects]), None)
