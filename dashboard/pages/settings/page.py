"""What the settings pages share: the frame, their own navigation, and a change that may be refused in words."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.access import allows
from accounts.models import Member
from dashboard.frame import Choice, frame_for

PAGES = (
    ("Project", "settings"),
    ("Members", "settings_members"),
    ("Keys", "settings_keys"),
    ("Catalogue", "settings_catalogue"),
    ("Prices", "settings_prices"),
    ("Scores", "settings_scores"),
    ("Channels", "settings_channels"),
    ("Imports", "settings_imports"),
    ("Could not be loaded", "settings_set_aside"),
    ("Audit", "settings_audit"),
)


def shown(
    request: HttpRequest, member: Member, page: str, *, status: int = 200, template: str = "", **found: Any
) -> HttpResponse:
    """A settings page; its template is named like its address unless it is given."""
    slug = member.project.slug
    pages = tuple(Choice(label, reverse(name, args=[slug]), name == page) for label, name in PAGES)
    title = next(label for label, name in PAGES if name == page)
    context = {
        "title": title,
        "pages": pages,
        "owns": allows(member.role, needed="owner"),
        "edits": allows(member.role, needed="editor"),
        "frame": frame_for(member, now=timezone.now(), place="Settings"),
        **found,
    }
    named = "dashboard/settings/" + page.removeprefix("settings_").replace("settings", "project") + ".html"
    return render(request, template or named, context, status=status)


def changed(request: HttpRequest, member: Member, page: str, act: Callable[[], str | None]) -> HttpResponse:
    """Do it, say what was done (or why it could not be), and go back to the page."""
    try:
        said = act()
    except ValueError as problem:  # every refusal of accounts and pricing is one, with its sentence
        said = str(problem)
    if said:
        messages.info(request, said)
    return redirect(page, member.project.slug)
