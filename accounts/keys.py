"""API keys: made, recognised, revoked. A key is shown once; only its SHA-256 is stored."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.errors import ApiError
from accounts.models import SCOPES, ApiKey, Project, User

PREFIX = "flk_live_"


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who asks: the key and its project, as an API view sees it (`request.user`)."""

    key_id: int
    project: Project
    scopes: frozenset[str]
    prefix: str
    is_authenticated: bool = True


def create_key(
    *, project: Project, scopes: list[str], name: str = "", expires_at: datetime | None = None, by: User | None = None
) -> tuple[ApiKey, str]:
    """Make a key; returns (row, secret). The secret is not kept anywhere.

    Raises ValueError for a scope that does not exist."""
    if unknown := set(scopes) - set(SCOPES):
        raise ValueError(f"no such scope: {', '.join(sorted(unknown))}; scopes are {', '.join(SCOPES)}")
    secret = PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    row = ApiKey.objects.create(
        project=project, name=name, prefix=secret[:14], digest=digest(secret), scopes=sorted(scopes),
        expires_at=expires_at, created_by=by,
    )  # fmt: skip
    return row, secret


def digest(secret: str) -> bytes:
    """SHA-256 of a secret with 256 random bits: no salt is needed."""
    return hashlib.sha256(secret.encode()).digest()


def holder_of(secret: str, *, now: datetime) -> KeyHolder | None:
    """Whose key this is, or None when it is unknown, revoked or expired."""
    row = ApiKey.objects.select_related("project").filter(digest=digest(secret), revoked_at=None).first()
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    return KeyHolder(row.id, row.project, frozenset(row.scopes), row.prefix)


def secret_in(request: Request) -> str | None:
    """The key that a request carries: Bearer, x-api-key, or the password of Basic (Langfuse SDKs)."""
    kind, _, value = get_authorization_header(request).decode("latin-1").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[2]
        except ValueError:
            return None
    return request.headers.get("x-api-key")


class KeyAuthentication(BaseAuthentication):
    """DRF authentication by API key; `request.user` becomes a KeyHolder."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """Raises ApiError 401 without a valid key."""
        secret = secret_in(request)
        if not secret:
            raise ApiError(401, "key_missing", "There is no API key.", hint="Send Authorization: Bearer <key>.")
        holder = holder_of(secret, now=timezone.now())
        if holder is None:
            raise ApiError(401, "key_invalid", "This key is unknown, revoked or expired.",
                           hint="Create a key in Settings, Keys.")  # fmt: skip
        return holder, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def requires(scope: str) -> type[BasePermission]:
    """A permission class: the key must have this scope."""

    class Scoped(BasePermission):
        def has_permission(self, request: Request, view: Any) -> bool:
            if scope not in request.user.scopes:
                raise ApiError(403, "scope_missing", f"This key lacks the scope {scope}.",
                               hint=f"Use a key with the scope {scope}.")  # fmt: skip
            return True

    return Scoped
