"""The addresses of `ingest`."""

from django.urls import URLPattern, URLResolver, path

from ingest import api, otlp_api

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/events", api.Events.as_view(), name="events"),
    path("v1/responses", api.Responses.as_view(), name="responses"),
    path("v1/litellm", api.LiteLLM.as_view(), name="litellm"),
    path("v1/fingerprint-key", api.FingerprintKey.as_view(), name="fingerprint_key"),
    path("v1/traces", otlp_api.Traces.as_view(), name="traces"),
    path("v1/logs", otlp_api.Logs.as_view(), name="logs"),
    path("v1/metrics", otlp_api.Metrics.as_view(), name="metrics"),
]
