"""The addresses of `finance`."""

from django.urls import URLPattern, URLResolver, path

from finance import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/statements/<str:month>", api.StatementView.as_view(), name="statement"),
]
