"""The lists behind the trust line: what was refused, and what was set aside as a duplicate, by key and hour."""

from typing import Any

from django.db.models import Sum
from django.db.models.functions import TruncHour
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, Member
from dashboard import formats
from dashboard import scope as scopes
from dashboard.frame import frame_for
from dashboard.guard import project_page
from dashboard.scope import Scope
from ingest.models import Intake

MOST = 500
SAID = {
    "rejected": (
        "Rejected",
        "items were refused at the door",
        "The answer to each request named the item, its field and what to do; refused items are counted, not kept.",
    ),
    "duplicates": (
        "Duplicates set aside",
        "calls came again and were set aside",
        "The same call from a retry, or from a second source; it is counted once.",
    ),
}


@project_page()
def rejected(request: HttpRequest, member: Member) -> HttpResponse:
    """Refusals of the period by key and hour."""
    return _by_hour(request, member, "rejected", "trust_rejected")


@project_page()
def duplicates(request: HttpRequest, member: Member) -> HttpResponse:
    """Duplicates of the period by key and hour of arrival."""
    return _by_hour(request, member, "duplicates", "trust_duplicates")


def _by_hour(request: HttpRequest, member: Member, column: str, page: str) -> HttpResponse:
    project, now = member.project, timezone.now()
    scope = scopes.read(request.GET, project=project, now=now, path=reverse(page, args=[project.slug]))
    rows = _rows(scope, column)
    title, said, note = SAID[column]
    keys = {key.pk: key for key in ApiKey.objects.filter(project=project)}
    total = sum(row["count"] for row in rows)
    found = {
        "title": title,
        "say": f"{formats.count(total)} {said} in {formats.days(scope.period.first_day, scope.period.last_day)}.",
        "note": note,
        "rows": [_line(row, scope, keys) for row in rows],
        "total": formats.count(total),
        "cut": len(rows) == MOST,
        "frame": frame_for(member, now=now, place="Overview", scope=scope, compares=False),
    }
    return render(request, "dashboard/by_hour.html", found)


def _rows(scope: Scope, column: str) -> list[Any]:
    period = scope.period
    given = Intake.objects.filter(
        project_id=scope.project.pk, bucket__gte=period.start, bucket__lt=period.end, **{f"{column}__gt": 0}
    )
    hours = given.annotate(hour=TruncHour("bucket", tzinfo=period.tz)).values("hour", "key_id")
    return list(hours.annotate(count=Sum(column)).order_by("-hour", "key_id")[:MOST])


def _line(row: Any, scope: Scope, keys: dict[int, ApiKey]) -> dict[str, str]:
    key = keys.get(row["key_id"])
    name = f"{key.name or 'key'} {key.prefix}…" if key else "import or demo"
    when = formats.moment(row["hour"], zone=scope.period.zone, now=scope.now)
    return {"when": when, "key": name, "count": formats.count(row["count"])}
