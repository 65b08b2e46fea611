"""API keys: made and shown once, revoked at once."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.keys import create_key, revoke_key
from accounts.models import ApiKey, Member
from dashboard import formats
from dashboard.guard import project_page
from dashboard.pages.settings.page import changed, shown

PAGE = "settings_keys"
# The scopes that something answers to by now; the others come with what they open.
SCOPES = (("ingest", "may only send"), ("read", "may read figures, runs and calls"))


@project_page()
def keys(request: HttpRequest, member: Member) -> HttpResponse:
    """The keys, living ones first."""
    return _shown(request, member)


def _shown(request: HttpRequest, member: Member, *, secret: str = "", problem: str = "") -> HttpResponse:
    now, zone = timezone.now(), member.project.zone
    rows = [
        {
            "key": key,
            "made": formats.moment(key.created_at, zone=zone, now=now),
            "used": formats.moment(key.last_used_at, zone=zone, now=now) if key.last_used_at else "never",
            "expires": formats.moment(key.expires_at, zone=zone, now=now) if key.expires_at else "",
            "revoked": formats.moment(key.revoked_at, zone=zone, now=now) if key.revoked_at else "",
        }
        for key in ApiKey.objects.filter(project=member.project).order_by("revoked_at", "-id")
    ]
    rows.sort(key=lambda row: bool(row["revoked"]))
    return shown(request, member, PAGE, keys=rows, scopes=SCOPES, secret=secret, problem=problem)


@never_cache
@require_POST
@project_page("owner")
def create(request: HttpRequest, member: Member) -> HttpResponse:
    """Make a key; its secret is in this answer and nowhere else."""
    scopes = [scope for scope in request.POST.getlist("scopes") if scope in dict(SCOPES)]
    name = request.POST.get("name", "").strip()
    try:
        _, secret = create_key(project=member.project, scopes=scopes, name=name, by=member.user)
    except ValueError as problem:
        return _shown(request, member, problem=f"{str(problem)[:1].upper()}{str(problem)[1:]}.")
    return _shown(request, member, secret=secret)


@require_POST
@project_page("owner")
def revoke(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Revoke a key: from now on it is refused."""
    key = ApiKey.objects.filter(project=member.project, pk=number).first()
    if key is None:
        raise Http404("There is no such key.")

    def act() -> str:
        revoke_key(key=key, by=member.user, now=timezone.now())
        return f"The key {key.name or key.prefix} is refused from now on."

    return changed(request, member, PAGE, act)
