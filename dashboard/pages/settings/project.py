"""The project's own settings."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.access import project_for
from accounts.models import Member
from accounts.projects import change_project
from accounts.redaction import DEFAULT_REPLACEMENT
from accounts.zones import known_zones
from dashboard.guard import project_page
from dashboard.pages.settings.page import changed, shown

PAGE = "settings"


@project_page()
def project(request: HttpRequest, member: Member) -> HttpResponse:
    """See them, or as an owner change them."""
    if request.method != "POST":
        rules = "\n".join(
            f"{rule['pattern']} => {rule.get('replacement', DEFAULT_REPLACEMENT)}"
            for rule in member.project.redactions
        )
        tags = ", ".join(member.project.tracked_tags)
        return shown(request, member, PAGE, zones=sorted(known_zones()), rules=rules, tags=tags)
    project_for(request, slug=member.project.slug, role="owner")
    return changed(request, member, PAGE, lambda: _save(request, member))


def _save(request: HttpRequest, member: Member) -> str:
    given = request.POST
    changes: dict[str, object] = {
        "name": given.get("name"),
        "zone": given.get("zone"),
        "main_environment": given.get("main_environment"),
        "keep_content": "keep_content" in given,
        "tracked_tags": [tag.strip() for tag in given.get("tracked_tags", "").split(",") if tag.strip()],
        "redactions": _rules(given.get("redactions", "")),
    }
    changes |= {name: given[name] for name in ("tracer_link", "repository_link") if name in given}
    names = change_project(project=member.project, changes=changes, by=member.user, now=timezone.now())
    return (
        f"Changed: {', '.join(name.replace('_', ' ') for name in names)}."
        if names
        else "Nothing was different."
    )


def _rules(text: str) -> list[dict[str, str]]:
    """One rule a line: pattern, then `=>` and its replacement."""
    found = []
    for line in text.splitlines():
        pattern, arrow, replacement = line.rpartition("=>")
        if line.strip():
            found.append({
                "pattern": (pattern if arrow else line).strip(),
                "replacement": replacement.strip() if arrow else DEFAULT_REPLACEMENT,
            })  # fmt: skip
    return found
