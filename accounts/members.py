"""Who belongs to a project, and as what. A project always keeps an owner."""

from django.db import transaction

from accounts import audit
from accounts.models import ROLES, Member, Project, User


class LastOwnerError(ValueError):
    """The change would leave the project without an owner."""

    def __init__(self) -> None:
        super().__init__("A project needs an owner. Make someone else an owner first.")


class NoSuchRoleError(ValueError):
    """A role that does not exist."""

    def __init__(self, role: str) -> None:
        super().__init__(f"There is no role {role[:20]!r}. Roles are {', '.join(ROLES)}.")


def valid_role(role: str) -> str:
    """The role. Raises NoSuchRoleError."""
    if role not in ROLES:
        raise NoSuchRoleError(role)
    return role


@transaction.atomic
def add_member(*, project: Project, user: User, role: str, by: audit.By = None) -> Member:
    """Make someone a member; who is one already keeps the role.

    Raises NoSuchRoleError."""
    wanted = {"role": valid_role(role)}
    member, added = Member.objects.get_or_create(project=project, user=user, defaults=wanted)
    if added:
        audit.record(
            project=project, actor=audit.actor_name(by), action="member.added", target=user.email, role=role
        )
    return member


@transaction.atomic
def change_role(*, member: Member, role: str, by: audit.By = None) -> Member:
    """Give a member another role.

    Raises NoSuchRoleError, LastOwnerError, Member.DoesNotExist (removed meanwhile)."""
    fresh = _locked(member)
    if fresh.role == valid_role(role):
        return fresh
    _keep_an_owner(fresh)
    before, fresh.role = fresh.role, role
    fresh.save(update_fields=["role"])
    audit.record(
        project=fresh.project,
        actor=audit.actor_name(by),
        action="member.role_changed",
        target=fresh.user.email,
        before=before,
        after=role,
    )
    return fresh


@transaction.atomic
def remove_member(*, member: Member, by: audit.By = None) -> None:
    """Take a member out, from the next request on.

    Raises LastOwnerError, Member.DoesNotExist (removed meanwhile)."""
    fresh = _locked(member)
    _keep_an_owner(fresh)
    audit.record(
        project=fresh.project,
        actor=audit.actor_name(by),
        action="member.removed",
        target=fresh.user.email,
        role=fresh.role,
    )
    fresh.delete()


def _locked(member: Member) -> Member:
    """The member as it is now, the project's row locked: two owners cannot leave at the same moment."""
    Project.objects.select_for_update().get(id=member.project_id)
    return Member.objects.select_related("project", "user").get(id=member.id)


def _keep_an_owner(member: Member) -> None:
    others = Member.objects.filter(project=member.project_id, role="owner", user__is_active=True)
    if member.role == "owner" and not others.exclude(id=member.id).exists():
        raise LastOwnerError
