"""Django's registration of this app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """See docs: the house."""

    name = "accounts"
