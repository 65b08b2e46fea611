"""The addresses of `analytics`."""

from django.urls import URLPattern, URLResolver, path

from analytics import api, changes_api, docs_page, forecast_api, health, list_api, score_api, suspects_api

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/query", api.QueryView.as_view(), name="query"),
    path("v1/dimensions/score", score_api.ScoreNames.as_view(), name="score_names"),
    path("v1/dimensions/<path:name>", api.DimensionView.as_view(), name="dimension"),
    path("v1/forecast", forecast_api.ForecastView.as_view(), name="forecast"),
    path("v1/trust", api.TrustView.as_view(), name="trust"),
    path("v1/calls", list_api.CallList.as_view(), name="calls"),
    path("v1/calls/<str:call>", list_api.CallDetail.as_view(), name="call"),
    path("v1/runs", list_api.RunList.as_view(), name="runs"),
    path("v1/runs/<path:run>", list_api.RunDetail.as_view(), name="run"),
    path("v1/changes", changes_api.ChangeList.as_view(), name="changes_api"),
    path("v1/changes/<int:number>", changes_api.ChangeDetail.as_view(), name="change_api"),
    path("v1/quality/suspects", suspects_api.Suspects.as_view(), name="suspects"),
    path("v1/schema", docs_page.SchemaView.as_view(), name="schema"),
    path("v1/docs", docs_page.DocsView.as_view(), name="docs"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]
