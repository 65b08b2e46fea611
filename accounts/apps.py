"""Django's registration of this app."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """See docs: the house."""

    name = "accounts"

    def ready(self) -> None:
        """Extensions of the OpenAPI document register themselves when they are imported."""
        import_module("accounts.openapi")
