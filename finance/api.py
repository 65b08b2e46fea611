"""Statements over HTTP. Scope `read`; a key sees its own project only."""

from datetime import date, datetime

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.errors import ApiError
from accounts.keys import asker
from analytics.api import ReadView
from analytics.asked import refuse
from analytics.output import json_response
from analytics.query import RESERVED
from finance import months
from finance.exports import FORMS, file_name, file_of, take
from finance.models import Export
from finance.openapi import PARAMETERS, STATEMENT
from finance.statement import read_ask, statement
from finance.table import body

OWN = frozenset(("format", "group_by"))
FORMATS = ("json", *FORMS)


class StatementView(ReadView):
    """The statement of one month."""

    @extend_schema(operation_id="statement", parameters=PARAMETERS, responses=STATEMENT, tags=["finance"])
    def get(self, request: Request, month: str) -> HttpResponse:
        """The lines of a month in the project's zone and currency, as JSON or as a file, which is kept."""
        now = timezone.now()
        first = month_asked(month, zone=self.project.zone, now=now)
        form = request.query_params.get("format") or "json"
        if form not in FORMATS:
            raise refuse("format", f"There is no format {form[:40]!r}.", f"Use one of {', '.join(FORMATS)}.")
        given = dict(request.query_params.lists())
        if foreign := sorted(given.keys() & (RESERVED - OWN)):
            raise refuse(foreign[0], f"A statement takes no {foreign[0]}.",
                         "The month says the period; every line has the same measures.")  # fmt: skip
        ask = read_ask(given, project=self.project, month=first, now=now)
        if form == "json":
            return json_response(body(statement(ask, now=now)))
        return as_file(take(ask, form, now=now, by=f"key {asker(request).prefix}"))


def month_asked(text: str, *, zone: str, now: datetime) -> date:
    """The month of an address. Raises ApiError: 400 for no month, 404 for one that has not begun."""
    month = months.read_month(text)
    if month is None:
        raise ApiError(400, "bad_month", f"{text[:40]!r} is no month.", field="month",
                       hint="Write it as 2026-11.")  # fmt: skip
    current = months.current_month(zone, now)
    if month > current:
        raise ApiError(404, "not_begun", f"{month:%B %Y} has not begun.", field="month",
                       hint=f"The month that runs is {months.month_text(current)}.")  # fmt: skip
    return month


def as_file(export: Export) -> HttpResponse:
    """A kept export as a download."""
    return HttpResponse(
        file_of(export),
        content_type=FORMS[export.form].content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file_name(export)}"',
            "ETag": f'"{export.sha256}"',
            "X-Flowledger-Export": str(export.pk),
        },
    )
