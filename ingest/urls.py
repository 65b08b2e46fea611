"""The addresses of `ingest`."""

from django.urls import URLPattern, URLResolver, path

from ingest import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/events", api.Events.as_view(), name="events"),
    path("v1/fingerprint-key", api.FingerprintKey.as_view(), name="fingerprint_key"),
]
