"""The read API: queries, values of dimensions, trust. Scope `read`; a key sees its own project only."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.errors import ApiError
from accounts.keys import KeyHolder, requires
from accounts.models import Project
from analytics.answer import answer
from analytics.asked import refuse
from analytics.dimensions import RAW, dimension_of
from analytics.openapi import DIMENSION, QUERY, QUERY_ANSWERS, TRUST, TRUST_PARAMETERS, VALUES
from analytics.output import json_response, result_body, result_csv, trust_body
from analytics.query import parse
from analytics.result import Result

VALUES_LIMIT = 100
MANY_VALUES = 10_000
FORMATS = ("json", "csv")


class AsAsked(BaseContentNegotiation):
    """The answer's form is a parameter, whatever the Accept header says."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Nothing is read."""
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Errors are JSON."""
        return renderers[0], renderers[0].media_type


class ReadView(APIView):
    """What all views of the read API share: a key with the scope `read`."""

    permission_classes = (requires("read"),)
    content_negotiation_class = AsAsked

    @property
    def project(self) -> Project:
        """The project of the key."""
        holder: Any = self.request.user
        assert isinstance(holder, KeyHolder)  # noqa: S101 - for the type checker
        return holder.project


class QueryView(ReadView):
    """Any measures by any dimensions over a period."""

    @extend_schema(operation_id="query", parameters=QUERY, responses=QUERY_ANSWERS, tags=["read"])
    def get(self, request: Request) -> HttpResponse:
        """Answer a query, as JSON or CSV."""
        form = request.query_params.get("format") or "json"
        if form not in FORMATS:
            raise refuse("format", f"There is no format {form[:40]!r}.", f"Use one of {', '.join(FORMATS)}.")
        now = timezone.now()
        result = answer(parse(request.query_params, project=self.project, now=now), now=now)
        if form == "json":
            return json_response(result_body(result))
        return HttpResponse(
            result_csv(result),
            content_type="text/csv; charset=utf-8; header=present",
            headers={"Content-Disposition": 'attachment; filename="flowledger.csv"'},
        )


class DimensionView(ReadView):
    """The known values of a dimension."""

    @extend_schema(operation_id="dimension_values", parameters=DIMENSION, responses=VALUES, tags=["read"])
    def get(self, request: Request, name: str) -> HttpResponse:
        """Values with their calls of 28 days (24 hours where only calls know them), most used first."""
        dimension = dimension_of(name, tracked=self.project.tracked_tags)
        if dimension is None:
            raise ApiError(404, "not_found", f"There is no dimension {name[:60]!r}.",
                           hint="GET /v1/schema lists the dimensions.")  # fmt: skip
        now = timezone.now()
        wanted = request.query_params.get("q", "").casefold()
        result = _values(self.project, name, raw=dimension.sources == frozenset({RAW}), now=now)
        measure = result.columns[-1].name
        values = [
            {"value": value, measure: count} for value, count in result.rows if wanted in value.casefold()
        ]
        return json_response(
            {"dimension": name, "values": values[:VALUES_LIMIT], "complete_until": result.complete_until}
        )


def _values(project: Project, name: str, *, raw: bool, now: datetime) -> Result:
    period = {"period": ["today"]} if raw else {"from": [_days_ago(now, 27)]}
    measure = "cost" if name == "unit" else "calls"
    params = {"measures": [measure], "group_by": [name], "limit": [str(MANY_VALUES)], **period}
    return answer(parse(params, project=project, now=now), now=now, trust=False)


def _days_ago(now: datetime, days: int) -> str:
    return (now.date() - timedelta(days=days)).isoformat()


class TrustView(ReadView):
    """How far the figures can be trusted."""

    @extend_schema(operation_id="trust", parameters=TRUST_PARAMETERS, responses=TRUST, tags=["read"])
    def get(self, request: Request) -> HttpResponse:
        """The trust figures of a period and filters; by default of the month to date."""
        now = timezone.now()
        params = {**dict(request.query_params.lists()), "measures": ["calls"]}
        result = answer(parse(params, project=self.project, now=now), now=now)
        return json_response(
            {"complete_until": result.complete_until, "calls": result.trust.calls, **trust_body(result.trust)}
        )
