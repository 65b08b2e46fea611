"""Where each app's addresses hang."""

from django.urls import include, path

handler404 = "accounts.errors.no_such_address"
handler429 = "accounts.signin.too_many"  # allauth asks for it
urlpatterns = [
    path("accounts/", include("accounts.urls")),
    path("", include("ingest.urls")),
    path("", include("analytics.urls")),
    path("", include("guardrails.urls")),
    path("", include("finance.urls")),
    path("", include("dashboard.urls")),
]
