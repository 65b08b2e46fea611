"""Django's registration of this app."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """See docs: the house."""

    name = "analytics"
