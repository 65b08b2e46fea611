"""The addresses of `dashboard`."""

from django.urls import URLPattern, URLResolver, path

from dashboard.pages import demo, explore, overview, theme

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.home, name="home"),
    path("theme", theme.choose, name="theme"),
    path("p/<slug:slug>/", overview.overview, name="overview"),
    path("p/<slug:slug>/explore", explore.explore, name="explore"),
    path("p/<slug:slug>/explore.csv", explore.as_csv, name="explore_csv"),
    path("p/<slug:slug>/values", explore.values, name="values"),
    path("p/<slug:slug>/demo/remove", demo.remove, name="remove_demo"),
]
