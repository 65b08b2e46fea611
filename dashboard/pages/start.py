"""First start: how do I get my first call in? The key is shown once; a live box says what came and what was refused."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.keys import create_key
from accounts.models import ApiKey, Invitation, Member
from accounts.projects import change_project
from analytics import lists
from analytics.answer import answer
from analytics.asks import Ask
from analytics.models import Flow, ImportBatch
from analytics.periods import named
from analytics.query import Query
from dashboard import entries, formats
from dashboard import scope as scopes
from dashboard.empties import extent_of
from dashboard.frame import demo_beside, frame_for
from dashboard.guard import project_page
from dashboard.trust_line import trust_line
from ingest.models import InboxRow, Intake

PLACEHOLDER = "$FLOWLEDGER_KEY"
LATEST = 5
LOOKS_BACK = timedelta(hours=24)


@never_cache
@project_page()
def start(request: HttpRequest, member: Member) -> HttpResponse:
    """The page; POST makes a key that is shown in this one answer."""
    secret = ""
    if request.method == "POST" and member.role == "owner":
        _, secret = create_key(project=member.project, scopes=["ingest"], name="first key", by=member.user)
    return render(request, "dashboard/start.html", _found(request, member, secret))


@project_page()
def live(request: HttpRequest, member: Member) -> HttpResponse:
    """The box alone, asked for every two seconds, more slowly once something came."""
    return render(request, "dashboard/_live.html", _live(member))


@require_POST
@project_page("owner")
def hide(request: HttpRequest, member: Member) -> HttpResponse:
    """Getting started goes away."""
    change_project(
        project=member.project, changes={"hidden_getting_started": True}, by=member.user, now=timezone.now()
    )
    return redirect("overview", member.project.slug)


def _found(request: HttpRequest, member: Member, secret: str) -> dict[str, Any]:
    now, project = timezone.now(), member.project
    path = reverse("overview", args=[project.slug])
    scope = scopes.read(request.GET, project=project, now=now, path=path)
    trust = answer(scope.query(measures=("calls",), base=None, compare=""), now=now).trust
    frame = frame_for(member, now=now, place="Overview", scope=scope, trust=trust, compares=False)
    base = request.build_absolute_uri("/").rstrip("/")
    steps = _steps(member)
    return {
        "secret": secret,
        "key": secret or PLACEHOLDER,
        "has_key": ApiKey.objects.filter(project=project, revoked_at=None).exists(),
        "base": base,
        "now_iso": now.replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        "try_id": f"try-{int(now.timestamp())}",
        "tongue": "otel" if request.GET.get("with") == "otel" else "curl",
        "steps": steps,
        "done": sum(done for *_, done in steps),
        "trust_line": trust_line(scope, trust),
        "frame": replace(frame, banner=demo_beside(member) or frame.banner),
        **_live(member),
    }


def _steps(member: Member) -> list[tuple[str, str, str, str, bool]]:
    """(what, link, note, how long, whether it is done): they tick themselves."""
    project = member.project
    slug = project.slug
    invited = (
        Invitation.objects.filter(project=project).exists()
        or Member.objects.filter(project=project).count() > 1
    )
    return [
        ("Send calls from your application", reverse("settings_keys", args=[slug]), "a key for each application",
         "10 min", Flow.objects.filter(project=project).exists()),
        ("Import history", reverse("settings_imports", args=[slug]), "JSONL or CSV; can be undone", "2 min",
         ImportBatch.objects.filter(project=project).exists()),
        ("Invite someone", reverse("settings_members", args=[slug]), "by link", "1 min", invited),
    ]  # fmt: skip


def _live(member: Member) -> dict[str, Any]:
    project, now = member.project, timezone.now()
    counted = Intake.objects.filter(project_id=project.pk, bucket__gte=now - LOOKS_BACK).aggregate(
        accepted=Sum("accepted"), rejected=Sum("rejected"), duplicates=Sum("duplicates")
    )
    waiting = InboxRow.objects.filter(project_id=project.pk).aggregate(items=Sum("items"))["items"] or 0
    came = extent_of(project) is not None
    return {
        "project": project,
        "came": came,
        "accepted": formats.count(counted["accepted"] or 0),
        "rejected": counted["rejected"] or 0,  # shown when there is any
        "duplicates": formats.count(counted["duplicates"] or 0),
        "waiting": waiting,
        "latest": _latest(member, now) if came else [],
        "live_url": reverse("start_live", args=[project.slug]),
        "overview_url": f"{reverse('overview', args=[project.slug])}?environment=*",
    }


def _latest(member: Member, now: Any) -> list[dict[str, Any]]:
    project = member.project
    query = Query(project=project, period=named("today", zone=project.zone, now=now), measures=("calls",))
    page = lists.calls(Ask(query=query, bounded=False, limit=LATEST), now=now)
    return [
        {
            "at": formats.instant(call.received_at, zone=project.zone)[-12:-4],
            "said": f"{call.dimensions['model'] or 'no model'}, {formats.count(entries.input_tokens(call))} in, "
            f"{formats.count(entries.output_tokens(call))} out",
            "flow": call.dimensions["flow"],
            "cost": entries.cost_of(call),
            "href": reverse("run", args=[project.slug, call.run_id]),
        }
        for call in page.calls
    ]
