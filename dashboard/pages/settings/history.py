"""What came in and what was done: imports with their undo, what could not be loaded, the audit log."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.models import AuditLine, Member
from analytics.models import ImportBatch
from analytics.set_aside import download, try_again
from analytics.undo import undo
from dashboard import formats
from dashboard.guard import project_page
from dashboard.pages.settings.page import changed, shown
from ingest.models import SetAside

ROWS = 100


@project_page()
def imports(request: HttpRequest, member: Member) -> HttpResponse:
    """Imports, newest first."""
    zone, now = member.project.zone, timezone.now()
    rows = [
        {
            "batch": batch,
            "when": formats.moment(batch.started_at, zone=zone, now=now),
            "state": _state(batch, zone, now),
            "figures": [
                formats.count(n) for n in (batch.read, batch.accepted, batch.duplicates, batch.rejected)
            ],
        }
        for batch in ImportBatch.objects.filter(project=member.project).order_by("-id")[:ROWS]
    ]
    return shown(request, member, "settings_imports", rows=rows)


def _state(batch: ImportBatch, zone: str, now: Any) -> str:
    if batch.undone_at:
        return f"undone {formats.moment(batch.undone_at, zone=zone, now=now)}"
    return "loaded" if batch.finished_at else "not finished"


@require_POST
@project_page("editor")
def undo_import(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Take an import's calls out of the ledger again."""
    if not ImportBatch.objects.filter(project=member.project, pk=number).exists():
        raise Http404("There is no such import.")

    def act() -> str:
        undone = undo(member.project, number, now=timezone.now(), actor=member.user.email)
        return f"{formats.count(undone.calls)} calls were taken out."

    return changed(request, member, "settings_imports", act)


@project_page()
def set_aside(request: HttpRequest, member: Member) -> HttpResponse:
    """What could not be loaded, newest first."""
    zone, now = member.project.zone, timezone.now()
    found = SetAside.objects.filter(project_id=member.project.pk).order_by("-id").defer("body")[:ROWS]
    rows = [
        (row, formats.moment(row.failed_at, zone=zone, now=now), formats.count(row.items)) for row in found
    ]
    return shown(request, member, "settings_set_aside", rows=rows)


@project_page("editor")
def set_aside_file(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """The records of one row, as JSON."""
    row = SetAside.objects.filter(project_id=member.project.pk, pk=number).first()
    if row is None:
        raise Http404("There is nothing set aside with that number.")
    response = HttpResponse(download(row), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="could-not-be-loaded-{number}.json"'
    return response


@require_POST
@project_page("editor")
def set_aside_again(request: HttpRequest, member: Member) -> HttpResponse:
    """Try one row, or all, again."""
    text = request.POST.get("row", "")
    ids = [int(text)] if text.isascii() and text.isdigit() and len(text) < 18 else None

    def act() -> str:
        count = try_again(member.project, ids, actor=member.user.email)
        return f"{formats.count(count)} records wait to be loaded again."

    return changed(request, member, "settings_set_aside", act)


@project_page()
def audit(request: HttpRequest, member: Member) -> HttpResponse:
    """Who changed access, prices or history, newest first."""
    lines = AuditLine.objects.filter(project=member.project).order_by("-id")
    after = request.GET.get("after", "")
    if after.isascii() and after.isdigit() and len(after) < 18:
        lines = lines.filter(pk__lt=int(after))
    page = list(lines[: ROWS + 1])
    zone, now = member.project.zone, timezone.now()
    rows = [(line, formats.moment(line.at, zone=zone, now=now), _details(line)) for line in page[:ROWS]]
    return shown(
        request, member, "settings_audit", rows=rows, next=page[ROWS - 1].pk if len(page) > ROWS else None
    )


def _details(line: AuditLine) -> str:
    return "; ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in line.details.items() if value is not None
    )
