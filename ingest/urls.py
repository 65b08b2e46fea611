"""The addresses of `ingest`."""

from django.urls import URLPattern, URLResolver, path

from ingest import api, opik_api, otlp_api, scores_api

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/events", api.Events.as_view(), name="events"),
    path("v1/responses", api.Responses.as_view(), name="responses"),
    path("v1/litellm", api.LiteLLM.as_view(), name="litellm"),
    path("v1/fingerprint-key", api.FingerprintKey.as_view(), name="fingerprint_key"),
    path("opik/api/v1/private/traces/batch", opik_api.TraceBatch.as_view(), name="opik_traces"),
    path("opik/api/v1/private/spans/batch", opik_api.SpanBatch.as_view(), name="opik_spans"),
    path("v1/scores", scores_api.Scores.as_view(), name="scores"),
    path("v1/outcomes", scores_api.Outcomes.as_view(), name="outcomes"),
    path("api/public/scores", scores_api.LangfuseScores.as_view(), name="langfuse_scores"),
    path("api/public/ingestion", scores_api.LangfuseIngestion.as_view(), name="langfuse_ingestion"),
    path("api/public/otel/v1/traces", otlp_api.Traces.as_view(schema=None), name="langfuse_traces"),
    path("api/public/projects", scores_api.LangfuseProjects.as_view(), name="langfuse_projects"),
    path("v1/traces", otlp_api.Traces.as_view(), name="traces"),
    path("v1/logs", otlp_api.Logs.as_view(), name="logs"),
    path("v1/metrics", otlp_api.Metrics.as_view(), name="metrics"),
]
