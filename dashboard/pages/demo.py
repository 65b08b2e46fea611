"""The demo project goes in one click."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.models import Member
from analytics import demo
from dashboard.guard import project_page


@require_POST
@project_page("owner")
def remove(request: HttpRequest, member: Member) -> HttpResponse:
    """Remove the demo project with everything in it; only a demo project can go this way."""
    if not member.project.is_demo:
        raise Http404("This is no demo project.")
    demo.remove(project=member.project, by=member.user)
    messages.info(request, "The demo project is gone.")
    return redirect("home")
