"""Saved views: a page with its question under a name, one's own or the project's; and the paper that shares a page."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.access import allows
from accounts.errors import ApiError
from accounts.models import Member
from dashboard import formats, scope, spans_of_time
from dashboard.frame import frame_for
from dashboard.guard import project_page
from dashboard.models import SavedView
from dashboard.scope import Scope, address

LONGEST_NAME = 100
LONGEST_QUERY = 4000
NOT_SAVED = ("settings", "find", "views", "view", "share", "values", "start", "demo", "remove")
PERIODS = ("period", "from", "to", "compare", "compare_from", "compare_to")


class BadViewError(ValueError):
    """Why a view cannot be saved, as a sentence."""


def visible(member: Member) -> QuerySet[SavedView]:
    """The views of a project that someone sees: their own, and those shared."""
    found = SavedView.objects.filter(Q(shared=True) | Q(owner=member.user), project=member.project)
    return found.select_related("owner").order_by("name", "pk")


@project_page()
def views(request: HttpRequest, member: Member) -> HttpResponse:
    """All of them."""
    now, zone = timezone.now(), member.project.zone
    rows = [
        {"view": view, "when": formats.moment(view.created_at, zone=zone, now=now), "page": view.page or "overview",
         "may": _may(member, view)}
        for view in visible(member)
    ]  # fmt: skip
    found = {"rows": rows, "frame": frame_for(member, now=now, place="")}
    return render(request, "dashboard/views.html", found)


@project_page()
def view(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """`/p/<slug>/views/<id>`: opens it."""
    one = _one(member, number)
    address_of = reverse("overview", args=[member.project.slug]) + one.page
    return redirect(f"{address_of}?{one.query}" if one.query else address_of)


def _one(member: Member, number: int) -> SavedView:
    found = visible(member).filter(pk=number).first()
    if found is None:
        raise Http404("There is no such view.")
    return found


def _may(member: Member, one: SavedView) -> bool:
    """One's own, or as an owner of the project those that are shared."""
    return one.owner_id == member.user_id or (one.shared and allows(member.role, needed="owner"))


@require_POST
@project_page()
def save(request: HttpRequest, member: Member) -> HttpResponse:
    """Keep the page `of` under a name. Everybody may keep views of their own; editors share them."""
    try:
        page, query = parts_of(request.POST.get("of", ""), member)
        one = SavedView(project=member.project, owner=member.user, page=page, query=query)
        _named(one, request.POST, member)
    except BadViewError as problem:
        messages.info(request, str(problem))
        return redirect("views", member.project.slug)
    one.save()
    messages.info(request, f"{one.name} is saved{' and shared with the project' if one.shared else ''}.")
    return redirect("view", member.project.slug, one.pk)


@require_POST
@project_page()
def change(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Rename it, share it or not; or delete it."""
    one = _one(member, number)
    if not _may(member, one):
        raise Http404("There is no such view of yours.")
    if request.POST.get("act") == "delete":
        one.delete()
        messages.info(request, f"{one.name} is deleted.")
        return redirect("views", member.project.slug)
    try:
        _named(one, request.POST, member)
        one.save()
        messages.info(request, f"{one.name} is saved.")
    except BadViewError as problem:
        messages.info(request, str(problem))
    return redirect("views", member.project.slug)


def _named(one: SavedView, given: QueryDict, member: Member) -> None:
    name = " ".join("".join(c if c.isprintable() else " " for c in given.get("name", "")).split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise BadViewError(f"A view needs a name of 1 to {LONGEST_NAME} characters.")
    shared = "shared" in given
    if shared and not one.shared and not allows(member.role, needed="editor"):
        raise BadViewError("Viewers keep views of their own. An editor shares one with the project.")
    one.name, one.shared = name, shared


def parts_of(of: str, member: Member) -> tuple[str, str]:
    """(page behind /p/<slug>/, query) of an address of this project. Raises BadViewError for any other."""
    home = reverse("overview", args=[member.project.slug])
    try:
        parts = urlsplit(of)
        match = resolve(parts.path)
    except (ValueError, Resolver404) as problem:
        raise BadViewError("Only pages of this project can be saved or shared.") from problem
    first = parts.path.removeprefix(home).split("/")[0]
    own = not parts.netloc and not parts.scheme and parts.path.startswith(home) and match.kwargs.get("slug")
    if not own or first in NOT_SAVED or len(parts.query) > LONGEST_QUERY or len(parts.path) > 300:
        raise BadViewError("Only pages of this project that show figures can be saved or shared.")
    return parts.path.removeprefix(home), parts.query


@project_page()
def share(request: HttpRequest, member: Member) -> HttpResponse:
    """The paper of *Share* (key `s`): the page with its exact period, or with one that keeps moving; a saved view."""
    of = request.GET.get("of", "")
    now = timezone.now()
    try:
        page, query = parts_of(of, member)
    except BadViewError as problem:
        raise ApiError(422, "bad_query", str(problem), field="of") from problem
    path = reverse("overview", args=[member.project.slug]) + page
    found: dict[str, Any] = {
        "of": of,
        "csv": "",
        "project": member.project,
        "edits": allows(member.role, needed="editor"),
    }
    found |= _links(request, member, path, query, now)
    if page == "explore":
        found["csv"] = reverse("explore_csv", args=[member.project.slug]) + (f"?{query}" if query else "")
    if request.headers.get("HX-Request"):
        return render(request, "dashboard/_share.html", found)
    return render(request, "dashboard/share.html", {**found, "frame": frame_for(member, now=now, place="")})


def _links(request: HttpRequest, member: Member, path: str, query: str, now: datetime) -> dict[str, str]:
    """Both addresses, and how each names its period."""
    moving = f"{path}?{query}" if query else path
    try:
        asked = scope.read(QueryDict(query), project=member.project, now=now, path=path)
    except ApiError:  # a page with parameters of its own: as it is
        return {"exact": request.build_absolute_uri(moving), "exact_words": "this page", "moving": ""}
    words = spans_of_time.words(asked.period, None).now
    return {
        "exact": request.build_absolute_uri(exact(asked)),
        "exact_words": spans_of_time.dates_reached(asked.period),
        "moving": request.build_absolute_uri(moving) if asked.period.name else "",
        "moving_words": words,
    }


def exact(asked: Scope) -> str:
    """The page with its period, and what it is compared with, as instants."""
    kept = {name: values for name, values in asked.params.items() if name not in PERIODS}
    period, base = asked.period, asked.base
    kept |= {"from": (_moment(period.start, asked),), "to": (_moment(period.until or period.end, asked),)}
    if base is not None:
        kept |= {"compare_from": (_moment(base.start, asked),), "compare_to": (_moment(base.end, asked),)}
    else:
        kept["compare"] = ("none",)
    return address(asked.path, kept)


def _moment(moment: datetime, asked: Scope) -> str:
    local = moment.astimezone(asked.period.tz)
    midnight = not (local.hour or local.minute or local.second)
    return local.date().isoformat() if midnight else local.isoformat()
