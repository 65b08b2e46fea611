"""Find: a name or an id leads to its page. As an overlay (`/`) a fragment of results, as a page without scripts."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.errors import ApiError
from accounts.models import Member, Project
from analytics.finding import MOST, Found, find
from dashboard import formats
from dashboard.flow_links import flow_path
from dashboard.frame import frame_for
from dashboard.guard import project_page
from dashboard.models import SavedView
from dashboard.pages.views import visible
from dashboard.scope import address

# Kind -> (heading, page, parameters of the page; {} = the value).
PAGES: dict[str, tuple[str, str, dict[str, str]]] = {
    "flow": ("Flows", "flow", {}),
    "feature": ("Features", "explore", {"feature": "{}", "group_by": "flow"}),
    "prompt": ("Prompts", "explore", {"prompt": "{}", "group_by": "prompt_version"}),
    "customer": ("Customers", "explore", {"customer": "{}", "group_by": "flow"}),
    "user": ("Users", "runs", {"user": "{}", "period": "28d"}),
    "session": ("Sessions", "runs", {"session": "{}"}),
    "run": ("Runs", "run", {}),
    "call": ("Calls", "run", {}),
}
AROUND = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: where it leads, its text taken apart around what was typed, the grey words behind it."""

    href: str
    before: str
    match: str
    after: str
    note: str


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one kind."""

    heading: str
    hits: tuple[Hit, ...]


@project_page()
def find_page(request: HttpRequest, member: Member) -> HttpResponse:
    """Results for `q`; without it the saved views."""
    text, now = request.GET.get("q", "").strip()[:200], timezone.now()
    groups, problem = [_saved(member, text)], ""
    try:
        found = find(text, project=member.project, now=now)
    except ApiError as refused:
        found, problem = [], refused.message
    for kind, (heading, _, _) in PAGES.items():
        hits = tuple(_hit(one, text, member.project) for one in found if one.kind == kind)
        groups.append(Group(heading, hits))
    given: dict[str, Any] = {
        "q": text,
        "groups": [group for group in groups if group.hits],
        "problem": problem,
    }
    if request.headers.get("HX-Request"):
        return render(request, "dashboard/_found.html", given)
    found_page = {**given, "frame": frame_for(member, now=now, place="")}
    return render(request, "dashboard/find.html", found_page)


def _saved(member: Member, text: str) -> Group:
    views = visible(member)
    if text:
        views = views.filter(name__icontains=text.replace("\0", ""))
    own = member.project.slug
    hits = tuple(
        _parts(view.name, text, reverse("view", args=[own, view.pk]), _whose(view)) for view in views[:MOST]
    )
    return Group("Saved views", hits)


def _whose(view: SavedView) -> str:
    return "shared" if view.shared else "yours"


def _hit(one: Found, text: str, project: Project) -> Hit:
    _, page, params = PAGES[one.kind]
    note = one.note
    if page == "run":
        href = reverse("run", args=[project.slug, one.value])
        href += f"#{one.note}" if one.kind == "call" else ""
        note = ""
    elif page == "flow":
        href = flow_path(project.slug, one.value)
    else:
        given = {name: (one.value if value == "{}" else value,) for name, value in params.items()}
        href = address(reverse(page, args=[project.slug]), {**given, **_around(one, project)})
    if one.at is not None:
        note = formats.instant(one.at, zone=project.zone)
    return _parts(one.value, text, href, note)


def _around(one: Found, project: Project) -> dict[str, tuple[str, ...]]:
    """A list by session needs a period: the days around its newest run."""
    if one.kind != "session":
        return {}
    if one.at is None:
        return {"period": ("28d",)}
    day = one.at.astimezone(ZoneInfo(project.zone)).date()
    return {"from": ((day - AROUND).isoformat(),), "to": ((day + 2 * AROUND).isoformat(),)}


def _parts(name: str, text: str, href: str, note: str) -> Hit:
    at = name.lower().find(text.lower()) if text else -1
    if at < 0:
        return Hit(href, name, "", "", note)
    end = at + len(text)
    return Hit(href, name[:at], name[at:end], name[end:], note)
