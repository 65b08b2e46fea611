"""Addresses under `/accounts/`: of allauth's pages only those that a closed installation needs."""

from allauth.account import views as allauth_views
from django.urls import path, re_path

from accounts import views

RESET_KEY = r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$"

urlpatterns = [
    path("login/", allauth_views.login, name="account_login"),
    path("logout/", allauth_views.logout, name="account_logout"),
    path("inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("password/change/", allauth_views.password_change, name="account_change_password"),
    path("password/set/", allauth_views.password_set, name="account_set_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path("password/reset/done/", allauth_views.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        allauth_views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(RESET_KEY, allauth_views.password_reset_from_key, name="account_reset_password_from_key"),
    path("invitations/<str:secret>/", views.invitation, name="invitation"),
]
