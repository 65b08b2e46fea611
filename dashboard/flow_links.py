"""The address of a flow's page. Names are the sender's: slashes, quotes, dots and line breaks are all possible."""

import re
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.scope import Scope

_PLAIN = re.compile(r"[^\x00-\x1f\x7f]+").fullmatch
_DOTS = re.compile(r"(^|/)\.{1,2}(/|$)").search
_SLASHES = re.compile(r"^/|/$|//").search


def flow_path(slug: str, name: str) -> str:
    """The path of the page; a name that a browser or proxy would rewrite as a path goes into `?name=`."""
    if _PLAIN(name) and not _DOTS(name) and not _SLASHES(name):
        return reverse("flow", args=[slug, name])
    return f"{reverse('flow_named', args=[slug])}?{urlencode({'name': name})}"


def flow_url(scope: Scope, name: str) -> str:
    """The page of a flow in the environment and period that are shown."""
    path, _, query = flow_path(scope.project.slug, name).partition("?")
    found = scope.elsewhere(path)
    return f"{found}{'&' if '?' in found else '?'}{query}" if query else found
