"""Where each app's addresses hang."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.account.urls")),
    path("", include("ingest.urls")),
    path("", include("analytics.urls")),
    path("", include("dashboard.urls")),
]
