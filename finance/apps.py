"""Django's registration of this app."""

from django.apps import AppConfig


class FinanceConfig(AppConfig):
    """See docs: the house."""

    name = "finance"
