"""What stands before every page of a project: signed in, a member with the role, the project remembered."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.access import member_for, remember
from accounts.errors import ApiError
from accounts.models import Member
from dashboard.frame import frame_for

View = Callable[..., HttpResponse]


def project_page(role: str = "viewer") -> Callable[[View], View]:
    """Makes `view(request, member, …)` an address of a project: strangers get 404, too small a role 403, a question
    that cannot be read a page that says how to ask it."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponse:
            member = member_for(request, slug=slug, role=role)
            remember(user=member.user, project=member.project)
            try:
                return view(request, member, *args, **kwargs)
            except ApiError as problem:
                return refused(request, member, problem)

        return guarded

    return decorate


def refused(request: HttpRequest, member: Member, problem: ApiError) -> HttpResponse:
    """The whole page could not be asked: what was wrong, and what to do."""
    frame = frame_for(member, now=timezone.now(), place="")
    found = {"frame": frame, "problem": problem, "plain": request.path}
    return render(request, "dashboard/refused.html", found, status=problem.status)
