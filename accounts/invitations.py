"""Invitations: a link that makes its bearer a member, once, for seven days. Only its hash is kept."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.members import add_member, valid_role
from accounts.models import Invitation, Member, Project, User

VALID_FOR = timedelta(days=7)


class BadInvitationError(ValueError):
    """An invitation that cannot be made or used; its text says why and what to do."""


def invite(
    *, project: Project, email: str, role: str, by: audit.By = None, now: datetime
) -> tuple[Invitation, str]:
    """Invite someone; returns (row, secret of the link), the secret kept nowhere.

    A second invitation of the same address takes the place of the first.
    Raises NoSuchRoleError, BadInvitationError."""
    address, secret = _address(email), secrets.token_urlsafe(32)
    valid_role(role)
    if Member.objects.filter(project=project, user__email=address).exists():
        raise BadInvitationError(f"{address} is a member already. Change the role in the list of members.")
    with transaction.atomic():
        Invitation.objects.filter(project=project, email=address, accepted_at=None).delete()
        row = Invitation.objects.create(
            project=project,
            email=address,
            role=role,
            digest=_digest(secret),
            expires_at=now + VALID_FOR,
            created_at=now,
            invited_by=by if isinstance(by, User) else None,
        )
        audit.record(
            project=project,
            actor=audit.actor_name(by),
            action="invitation.created",
            target=address,
            role=role,
            expires_at=row.expires_at.isoformat(),
        )
    return row, secret


def _address(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as problem:
        raise BadInvitationError("This is no e-mail address. Write it like name@example.com.") from problem
    return address


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def waiting_invitations(*, project: Project, now: datetime) -> QuerySet[Invitation]:
    """Invitations that can still be accepted, newest first."""
    return Invitation.objects.filter(project=project, accepted_at=None, expires_at__gt=now).order_by("-id")


@transaction.atomic
def withdraw(*, invitation: Invitation, by: audit.By = None) -> None:
    """Take an invitation back. Raises BadInvitationError if it was accepted or withdrawn meanwhile."""
    gone, _ = Invitation.objects.filter(id=invitation.id, accepted_at=None).delete()
    if not gone:
        raise BadInvitationError("This invitation was accepted or withdrawn meanwhile.")
    audit.record(
        project=invitation.project,
        actor=audit.actor_name(by),
        action="invitation.withdrawn",
        target=invitation.email,
    )


def find(*, secret: str, now: datetime) -> Invitation:
    """The invitation behind a link. Raises BadInvitationError if it is unknown, used or expired."""
    found = Invitation.objects.select_related("project", "invited_by").filter(digest=_digest(secret)).first()
    if found is None or found.accepted_at is not None or found.expires_at <= now:
        raise BadInvitationError("This invitation was used, withdrawn or has expired. Ask for a new link.")
    return found


@transaction.atomic
def accept(*, secret: str, user: User, now: datetime) -> Member:
    """Make a signed-in person a member, whatever address was invited: the link is the right.

    Raises BadInvitationError, also for the second of two who use the link at the same moment."""
    found = find(secret=secret, now=now)
    if not Invitation.objects.filter(id=found.id, accepted_at=None).update(accepted_at=now):
        raise BadInvitationError("This invitation was used meanwhile. Ask for a new link.")
    audit.record(
        project=found.project,
        actor=user.email,
        action="invitation.accepted",
        target=found.email,
        role=found.role,
    )
    return add_member(project=found.project, user=user, role=found.role, by=user)


@transaction.atomic
def join(*, secret: str, name: str, password: str, now: datetime) -> User:
    """Make an account for the invited address, with this password, and accept.

    Raises BadInvitationError (also when the address has an account: its owner has to sign in) and Django's
    ValidationError for a weak password."""
    found = find(secret=secret, now=now)
    if has_account(found.email):
        raise BadInvitationError(f"{found.email} has an account. Sign in with it to accept.")
    validate_password(password, User(email=found.email, name=name))
    user = _created(found.email, password, name=name.strip()[:100])
    audit.record(project=found.project, actor=user.email, action="user.created", target=user.email)
    accept(secret=secret, user=user, now=now)
    return user


def _created(email: str, password: str, *, name: str) -> User:
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, name=name)
    except IntegrityError as problem:  # the same link, used twice at the same moment
        raise BadInvitationError(f"{email} has an account. Sign in with it to accept.") from problem


def has_account(email: str) -> bool:
    """Whether someone signs in by this address."""
    return User.objects.filter(email=email.lower()).exists()
