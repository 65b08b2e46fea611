"""The read API's lists: calls and runs, a page at a time, and one of them by its id."""

from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from analytics import lists
from analytics.api import ReadView
from analytics.asks import asked_for
from analytics.entries import call_body, run_body
from analytics.openapi import CALLS, ONE_CALL, ONE_RUN, PAGE, RUN_PAGE, RUNS
from analytics.output import json_response


class CallList(ReadView):
    """Calls."""

    @extend_schema(operation_id="calls", parameters=PAGE, responses=CALLS, tags=["read"])
    def get(self, request: Request) -> HttpResponse:
        """Calls by filters, newest first; without period or from: of all time."""
        now = timezone.now()
        page = lists.calls(asked_for(request.query_params, project=self.project, now=now), now=now)
        return json_response({"calls": [call_body(call) for call in page.calls], "next": page.next})


class CallDetail(ReadView):
    """One call."""

    @extend_schema(operation_id="call", responses=ONE_CALL, tags=["read"])
    def get(self, request: Request, call: str) -> HttpResponse:
        """The call with that opaque id, as lists give it."""
        found = lists.one_call(call, project=self.project)
        if found is None:
            raise Http404
        return json_response(call_body(found))


class RunList(ReadView):
    """Runs."""

    @extend_schema(operation_id="runs", parameters=RUN_PAGE, responses=RUNS, tags=["read"])
    def get(self, request: Request) -> HttpResponse:
        """Runs by filters, newest first, or the slowest, costliest, last failed ones of a period."""
        now = timezone.now()
        page = lists.runs(asked_for(request.query_params, project=self.project, now=now), now=now)
        return json_response({"runs": [run_body(run) for run in page.runs], "next": page.next})


class RunDetail(ReadView):
    """One run."""

    @extend_schema(operation_id="run", responses=ONE_RUN, tags=["read"])
    def get(self, request: Request, run: str) -> HttpResponse:
        """The newest run of that trace id, or the call without a trace of that opaque id, with its calls."""
        found = lists.one_run(run, project=self.project)
        if found is None:
            raise Http404
        return json_response({"run": run_body(found.run), "calls": [call_body(call) for call in found.calls]})
