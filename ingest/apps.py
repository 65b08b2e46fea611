"""Django's registration of this app."""

from django.apps import AppConfig


class IngestConfig(AppConfig):
    """See docs: the house."""

    name = "ingest"
