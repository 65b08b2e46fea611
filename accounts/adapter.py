"""How allauth treats accounts here: people are invited, nobody signs up by themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Closed sign-up; members come by invitation."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "There is no account with this e-mail and password.",
        "incorrect_password": "This is not your current password.",
        "too_many_login_attempts": "Too many tries from here. Wait a minute, then sign in again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody may sign up without an invitation."""
        return False

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """There are no user names: the e-mail is the name."""

    def is_safe_url(self, url: str | None) -> bool:
        """`next` leads to this very host, not to all of ALLOWED_HOSTS as allauth has it."""
        request: HttpRequest = context.request
        hosts = {request.get_host()}
        return url_has_allowed_host_and_scheme(url, allowed_hosts=hosts, require_https=request.is_secure())
