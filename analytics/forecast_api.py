"""The API of the forecast: a month to date, its end, and how sure that is. Scope `read`."""

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from analytics.api import ReadView
from analytics.openapi import FILTERS, TEXT, TIME, WHOLE, answers, listed, optional, thing
from analytics.outlook import outlook
from analytics.output import json_response
from analytics.query import TIME_PARAMETERS, parse

FORECAST = {
    "from": TIME, "to": TIME, "zone": TEXT, "currency": TEXT, "month_to_date": optional(TEXT), "unpriced_calls": WHOLE,
    "estimate": optional(TEXT), "interval": optional(listed(TEXT)), "days_known": WHOLE, "note": optional(TEXT),
    "complete_until": TIME,
}  # fmt: skip
TOO_FEW = "Too few days: a forecast needs 14 complete days since the first spend, {} are known."


class ForecastView(ReadView):
    """The running month."""

    @extend_schema(
        operation_id="forecast", parameters=FILTERS, responses=answers(thing(**FORECAST)), tags=["read"]
    )
    def get(self, request: Request) -> HttpResponse:
        """Spend of the running month in the project's zone, the estimate of its end and the 80 % interval."""
        now = timezone.now()
        given = {name: values for name, values in request.query_params.lists() if name not in TIME_PARAMETERS}
        asked = parse(
            {**given, "measures": ["cost"], "group_by": [], "grain": []}, project=self.project, now=now
        )
        found = outlook(self.project, filters=asked.filters, now=now)
        tz = found.month.tz
        return json_response({
            "from": found.month.start.astimezone(tz),
            "to": found.month.end.astimezone(tz),
            "zone": found.month.zone,
            "currency": "USD",
            "month_to_date": found.to_date,
            "unpriced_calls": found.unpriced_calls,
            "estimate": found.estimate,
            "interval": found.interval,
            "days_known": found.days,
            "note": None if found.estimate is not None else TOO_FEW.format(found.days),
            "complete_until": found.complete_until,
        })  # fmt: skip
