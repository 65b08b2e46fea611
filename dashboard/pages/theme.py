"""Light, dark, or as the system: kept with the person."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.models import User
from dashboard.frame import THEMES


@require_POST
@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """Keep the theme and go back to the page."""
    theme = request.POST.get("theme", "")
    if theme in dict(THEMES):
        User.objects.filter(email=request.user.get_username()).update(theme=theme)
    back = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if safe else "/")
