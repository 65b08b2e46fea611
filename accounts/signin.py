"""What happens around signing in when it fails too often. django-axes and allauth call these by name."""

from collections.abc import Mapping
from typing import Any

from axes.helpers import get_cool_off
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def name_tried(request: HttpRequest | None, credentials: Mapping[str, Any] | None) -> str | None:
    """The address that someone tries to sign in by, in one spelling, so that capitals give no new tries."""
    name = (credentials or {}).get("email") or (request.POST.get("login") if request else None)
    return name.strip().lower()[:254] if name else None


def locked_out(request: HttpRequest, *_: object) -> HttpResponse:
    """After too many wrong passwords for one address from one place: wait."""
    wait_s = int(get_cool_off(request).total_seconds())
    return _wait(request, wait_s=wait_s)


def too_many(request: HttpRequest) -> HttpResponse:
    """After too many requests of one kind from one place: wait a minute."""
    return _wait(request, wait_s=60)


def _wait(request: HttpRequest, *, wait_s: int) -> HttpResponse:
    minutes = -(-wait_s // 60)
    page = render(request, "account/locked_out.html", {"minutes": minutes}, status=429)
    page["Retry-After"] = str(wait_s)
    return page
