"""How allauth treats accounts here: people are invited, nobody signs up by themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Closed sign-up; members come by invitation."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody may sign up without an invitation."""
        return False

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """There are no user names: the e-mail is the name."""
