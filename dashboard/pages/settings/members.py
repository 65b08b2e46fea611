"""Members and invitations by link."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.invitations import invite, waiting_invitations, withdraw
from accounts.members import change_role, remove_member
from accounts.models import ROLES, Invitation, Member
from dashboard import formats
from dashboard.guard import project_page
from dashboard.pages.settings.page import changed, shown

PAGE = "settings_members"


@project_page()
def members(request: HttpRequest, member: Member) -> HttpResponse:
    """Who belongs to the project, and who is invited."""
    return _shown(request, member)


def _shown(request: HttpRequest, member: Member, *, link: str = "", problem: str = "") -> HttpResponse:
    now, project = timezone.now(), member.project
    found = Member.objects.filter(project=project).select_related("user").order_by("created_at", "id")
    waiting = waiting_invitations(project=project, now=now)
    return shown(
        request, member, PAGE, members=found, roles=ROLES, you=member.pk, link=link, problem=problem,
        waiting=[(one, formats.moment(one.expires_at, zone=project.zone, now=now)) for one in waiting],
    )  # fmt: skip


@never_cache
@require_POST
@project_page("owner")
def add(request: HttpRequest, member: Member) -> HttpResponse:
    """Invite someone; the link is shown once, in this answer."""
    email, role = request.POST.get("email", ""), request.POST.get("role", "")
    try:
        _, secret = invite(project=member.project, email=email, role=role, by=member.user, now=timezone.now())
    except ValueError as problem:
        return _shown(request, member, problem=str(problem))
    return _shown(request, member, link=request.build_absolute_uri(reverse("invitation", args=[secret])))


@require_POST
@project_page("owner")
def role(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Another role, or out."""
    other = Member.objects.filter(project=member.project, pk=number).select_related("user", "project").first()
    if other is None:
        raise Http404("There is no such member.")
    wanted = request.POST.get("role", "")

    def act() -> str:
        if wanted == "remove":
            remove_member(member=other, by=member.user)
            return f"{other.user.email} is no member any more."
        change_role(member=other, role=wanted, by=member.user)
        return f"{other.user.email} is {wanted} now."

    return changed(request, member, PAGE, act)


@require_POST
@project_page("owner")
def take_back(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Withdraw an invitation."""
    found = Invitation.objects.filter(project=member.project, pk=number).select_related("project").first()
    if found is None:
        raise Http404("There is no such invitation.")

    def act() -> str:
        withdraw(invitation=found, by=member.user)
        return f"The link of {found.email} opens nothing any more."

    return changed(request, member, PAGE, act)
