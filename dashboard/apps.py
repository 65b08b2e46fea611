"""Django's registration of this app."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """See docs: the house."""

    name = "dashboard"
