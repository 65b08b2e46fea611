"""Django's registration of this app."""

from django.apps import AppConfig


class GuardrailsConfig(AppConfig):
    """See docs: the house."""

    name = "guardrails"
