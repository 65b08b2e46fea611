"""The addresses of `guardrails`."""

from django.urls import URLPattern, URLResolver, path

from guardrails import alert_api, budget_api

alerts: list[URLPattern | URLResolver] = [
    path("v1/rules", alert_api.Rules.as_view(), name="api_rules"),
    path("v1/rules/<int:number>", alert_api.OneRule.as_view(), name="api_rule"),
    path("v1/channels", alert_api.Channels.as_view(), name="api_channels"),
    path("v1/channels/<str:name>", alert_api.OneChannel.as_view(), name="api_channel"),
    path("v1/channels/<str:name>/test", alert_api.TryChannel.as_view(), name="api_test_channel"),
    path("v1/alerts", alert_api.Alerts.as_view(), name="api_alerts"),
    path("v1/alerts/<int:number>", alert_api.OneAlert.as_view(), name="api_alert"),
    path("v1/alerts/<int:number>/ack", alert_api.Acknowledge.as_view(), name="api_ack_alert"),
    path("v1/alerts/<int:number>/mute", alert_api.Mute.as_view(), name="api_mute_alert"),
]

budgets: list[URLPattern | URLResolver] = [
    path("v1/budgets", budget_api.BudgetList.as_view(), name="api_budgets"),
    path("v1/budgets/<int:number>", budget_api.BudgetDetail.as_view(), name="api_budget"),
]

urlpatterns: list[URLPattern | URLResolver] = [*alerts, *budgets]
