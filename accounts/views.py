"""The pages beside signing in: an invitation, and password reset where there is no e-mail."""

from datetime import datetime

from allauth.account import views as allauth_views
from django.conf import settings
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from accounts import access, invitations
from accounts.forms import JoinForm
from accounts.models import Invitation, Project, User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def password_reset(request: HttpRequest) -> HttpResponseBase:
    """Ask for a link by e-mail; without EMAIL_URL the page says what to do instead."""
    if not settings.EMAIL_URL:
        return render(request, "account/no_email.html")
    page: HttpResponseBase = allauth_views.password_reset(request)
    return page


@never_cache
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Accept an invitation: signed in with one click, else by signing in or by choosing a password."""
    now = timezone.now()
    try:
        found = invitations.find(secret=secret, now=now)
        return _answered(request, found, secret=secret, now=now)
    except invitations.BadInvitationError as problem:
        return render(request, "account/invitation_gone.html", {"problem": problem}, status=410)


def _answered(request: HttpRequest, found: Invitation, *, secret: str, now: datetime) -> HttpResponse:
    form = JoinForm(request.POST or None)
    if request.method == "POST":
        user = _accepted(request, form, secret=secret, now=now)
        if user is not None:
            return _opened(user, found.project)
    has_account = invitations.has_account(found.email)
    return render(
        request, "account/invitation.html", {"invitation": found, "form": form, "has_account": has_account}
    )


def _accepted(request: HttpRequest, form: JoinForm, *, secret: str, now: datetime) -> User | None:
    """Who is a member now; None if the form has to be filled in again."""
    if isinstance(request.user, User):
        invitations.accept(secret=secret, user=request.user, now=now)
        return request.user
    if not form.is_valid():
        return None
    try:
        name, password = form.cleaned_data["name"], form.cleaned_data["password1"]
        user = invitations.join(secret=secret, name=name, password=password, now=now)
    except ValidationError as problem:
        form.add_error("password1", problem)
        return None
    login(request, user, backend=BACKEND)
    return user


def _opened(user: User, project: Project) -> HttpResponse:
    access.remember(user=user, project=project)
    return redirect("/")
