"""API keys: made, recognised, revoked. A key is shown once; only its SHA-256 is stored."""

import base64
import binascii
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import audit
from accounts.errors import ApiError
from accounts.key_cache import announce, answers
from accounts.models import SCOPES, ApiKey, Project, User

PREFIX = "flk_live_"
SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}", re.ASCII)
HEARING_S = 0.05  # other processes hear of a revocation within 8 ms; whoever revoked may rely on it
SHOWN = 14  # characters of a key that are kept and shown


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who asks: the key and its project, as an API view sees it (`request.user`). Shared: read it only."""

    key_id: int
    project: Project
    scopes: frozenset[str]
    prefix: str
    expires_at: datetime | None = None
    is_authenticated: bool = True


_noted: dict[int, datetime] = {}  # key id -> the minute of its use that this process last wrote


def create_key(
    *,
    project: Project,
    scopes: list[str],
    name: str = "",
    expires_at: datetime | None = None,
    by: audit.By = None,
) -> tuple[ApiKey, str]:
    """Make a key; returns (row, secret). The secret is not kept anywhere.

    Raises ValueError for no scope, a scope that does not exist, an expiry without zone or in the past."""
    _check(scopes=scopes, name=name, expires_at=expires_at)
    secret = PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    with transaction.atomic():
        row = ApiKey.objects.create(
            project=project,
            name=name,
            prefix=secret[:SHOWN],
            digest=digest(secret),
            scopes=sorted(set(scopes)),
            expires_at=expires_at,
            created_by=by if isinstance(by, User) else None,
        )
        audit.record(
            project=project,
            actor=audit.actor_name(by),
            action="key.created",
            target=row.prefix,
            name=name,
            scopes=row.scopes,
            expires_at=expires_at and expires_at.isoformat(),
        )
    return row, secret


def _check(*, scopes: list[str], name: str, expires_at: datetime | None) -> None:
    if not scopes:
        raise ValueError(f"a key needs at least one scope; scopes are {', '.join(SCOPES)}")
    if unknown := set(scopes) - set(SCOPES):
        raise ValueError(f"no such scope: {', '.join(sorted(unknown))}; scopes are {', '.join(SCOPES)}")
    if len(name) > 100 or "\0" in name:
        raise ValueError("a key's name has at most 100 characters")
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= timezone.now()):
        raise ValueError("a key expires in the future, at a time with a zone")


def revoke_key(*, key: ApiKey, by: audit.By = None, now: datetime) -> bool:
    """Revoke a key at once, in every process (see key_cache); False if it was revoked before."""
    with transaction.atomic():
        if not ApiKey.objects.filter(id=key.id, revoked_at=None).update(revoked_at=now):
            return False
        audit.record(
            project=key.project,
            actor=audit.actor_name(by),
            action="key.revoked",
            target=key.prefix,
            name=key.name,
        )
        announce()
    time.sleep(HEARING_S)
    return True


def digest(secret: str) -> bytes:
    """SHA-256 of a secret with 256 random bits: no salt is needed."""
    return hashlib.sha256(secret.encode()).digest()


def holder_of(secret: str, *, now: datetime) -> KeyHolder | None:
    """Whose key this is, or None when it is unknown, revoked or expired. Notes the minute of its use."""
    if SHAPE.fullmatch(secret) is None:
        return None
    holder = _kept_or_read(digest(secret))
    if holder is None or (holder.expires_at is not None and holder.expires_at <= now):
        return None
    _note_use(holder.key_id, now=now)
    return holder


def _kept_or_read(key: bytes) -> KeyHolder | None:
    kept = answers.get(key)
    if kept is not None:
        known: KeyHolder | None = kept.value
        return known
    generation = answers.generation
    row = ApiKey.objects.select_related("project").filter(digest=key, revoked_at=None).first()
    holder = (
        KeyHolder(row.id, row.project, frozenset(row.scopes), row.prefix, row.expires_at) if row else None
    )
    answers.keep(key, holder, generation=generation)
    return holder


def _note_use(key_id: int, *, now: datetime) -> None:
    """Write the minute of use, once a minute at most: of many processes only the first changes the row."""
    minute = now.replace(second=0, microsecond=0)
    if (noted := _noted.get(key_id)) is not None and noted >= minute:
        return
    _noted[key_id] = minute
    earlier = Q(last_used_at=None) | Q(last_used_at__lt=minute)
    ApiKey.objects.filter(earlier, id=key_id).update(last_used_at=minute)


def secret_in(headers: Mapping[str, str]) -> str | None:
    """The key that a request carries: Bearer, the password of Basic (Langfuse SDKs), bare (Opik's), else x-api-key."""
    kind, _, value = headers.get("Authorization", "").strip().partition(" ")
    if kind and not value and kind.lower() not in _SCHEMES:
        return kind
    read = _SCHEMES.get(kind.lower())
    return (read(value.strip()) if read else None) or headers.get("x-api-key")


def _password(basic: str) -> str | None:
    try:
        return base64.b64decode(basic, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):  # not base64, not ASCII, not UTF-8
        return None


_SCHEMES: dict[str, Callable[[str], str | None]] = {"bearer": str, "basic": _password}


def authenticate(request: HttpRequest | Request, *, scope: str | None = None) -> KeyHolder:
    """The holder of the request's key, for views outside DRF too.

    Raises ApiError 401 without a valid key and 403 without the scope."""
    secret = secret_in(request.headers)
    if not secret:
        raise ApiError(401, "key_missing", "There is no API key.", hint="Send Authorization: Bearer <key>.")
    holder = holder_of(secret, now=timezone.now())
    if holder is None:
        raise ApiError(
            401,
            "key_invalid",
            "This key is unknown, revoked or expired.",
            hint="Create a key in Settings, Keys.",
        )
    if scope is not None:
        require(holder, scope=scope)
    return holder


def require(holder: KeyHolder, *, scope: str) -> None:
    """Raises ApiError 403 unless the key has the scope."""
    if scope not in holder.scopes:
        raise ApiError(
            403,
            "scope_missing",
            f"This key lacks the scope {scope}.",
            hint=f"Use a key with the scope {scope}.",
        )


class KeyAuthentication(BaseAuthentication):
    """DRF authentication by API key; `request.user` becomes a KeyHolder."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """Raises ApiError 401 without a valid key."""
        return authenticate(request), None

    def authenticate_header(self, request: Request) -> str:
        """What a 401 says is wanted."""
        return "Bearer"


def asker(request: Request) -> KeyHolder:
    """Who asks, in a DRF view behind KeyAuthentication: `request.user`, typed."""
    holder: Any = request.user
    assert isinstance(holder, KeyHolder)  # noqa: S101 - another authentication is a bug of the view
    return holder


def requires(*scopes: str) -> type[BasePermission]:
    """A permission class: the key must have one of these scopes."""

    class Scoped(BasePermission):
        def has_permission(self, request: Request, view: Any) -> bool:
            holder = asker(request)
            if holder.scopes.isdisjoint(scopes):
                require(holder, scope=scopes[0])
            return True

    return Scoped
