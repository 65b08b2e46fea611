"""People, projects and keys for tests, as plain functions: owner, editor, viewer, stranger.

project = make_project()
client.force_login(make_member(project, "viewer").user)
client.get("/v1/query", headers=bearer(make_key(project, "read")))
"""

from collections.abc import Mapping
from itertools import count

from accounts.keys import create_key
from accounts.members import add_member
from accounts.models import Member, Project, User
from accounts.projects import create_project

PASSWORD = "correct horse battery"
_numbers = count(1)


def make_user(email: str | None = None, *, password: str = PASSWORD, is_admin: bool = False) -> User:
    """Someone who is a member of nothing: a stranger."""
    return User.objects.create_user(
        email or f"person-{next(_numbers)}@example.com", password, is_admin=is_admin
    )


def make_project(
    name: str = "Acme", *, zone: str = "UTC", currency: str = "USD", **fields: object
) -> Project:
    """A project without members; `fields` are set on it as they are."""
    project = create_project(name=name, zone=zone, currency=currency)
    for field, value in fields.items():
        setattr(project, field, value)
    project.save()
    return project


def make_member(project: Project, role: str = "viewer", *, email: str | None = None) -> Member:
    """A new person with this role; `.user` signs in."""
    return add_member(project=project, user=make_user(email), role=role)


def make_key(project: Project, *scopes: str) -> str:
    """The secret of a new key; without scopes it may send and read."""
    _, secret = create_key(project=project, scopes=list(scopes or ("ingest", "read")))
    return secret


def bearer(secret: str) -> Mapping[str, str]:
    """The headers that carry a key."""
    return {"Authorization": f"Bearer {secret}"}


def make_everyone(project: Project) -> dict[str, User | None]:
    """Who every access test asks as: each role, a member of another project, a stranger, nobody."""
    other = make_project("Other")
    return {
        "owner": make_member(project, "owner").user,
        "editor": make_member(project, "editor").user,
        "viewer": make_member(project, "viewer").user,
        "other project's owner": make_member(other, "owner").user,
        "stranger": make_user(),
        "nobody": None,
    }
