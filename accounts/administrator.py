"""The administrator of the installation, whom the first start makes: may create projects, sees only the own ones."""

import secrets

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts import audit
from accounts.models import User


class BadAddressError(ValueError):
    """FLOWLEDGER_ADMIN_EMAIL is no e-mail address."""


@transaction.atomic
def ensure_administrator(*, email: str, password: str = "") -> tuple[User, str | None]:
    """The installation's administrator, made if there is none; returns (user, password if it was made now).

    Without a given password a random one of 96 bits is made; it is in the answer only, so print it once. An
    account that exists already is given the right and keeps its password. Raises BadAddressError."""
    if (known := User.objects.filter(is_admin=True).order_by("id").first()) is not None:
        return known, None
    address = _valid(email)
    chosen = password or secrets.token_urlsafe(12)
    user = User.objects.filter(email=address).first()
    made = user is None
    user = user or User.objects.create_user(address, chosen)
    user.is_admin = True
    user.save(update_fields=["is_admin"])
    audit.record(project=None, actor="system", action="administrator.made", target=user.email)
    return user, chosen if made else None


def _valid(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as problem:
        raise BadAddressError(f"{email!r} is no e-mail address. Write it like name@example.com.") from problem
    return address
