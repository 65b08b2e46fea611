"""What the OpenAPI document says about statements."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from analytics.openapi import ERROR, FILTERS, PROBLEMS, TEXT, TIME, WHOLE, listed, optional, parameter, thing
from finance.exports import FORMS
from finance.statement import DEFAULT_GROUPS, UNIT

_PART = thing(calls=WHOLE, cost=optional(TEXT))
PARAMETERS = [
    OpenApiParameter("month", str, OpenApiParameter.PATH, description="The month, as 2026-11."),
    parameter("format", "Form of the answer; files are kept, byte for byte.", enum=["json", *FORMS]),
    parameter("group_by", f"Comma-separated dimensions of the lines; default {','.join(DEFAULT_GROUPS)}."),
    *(one for one in FILTERS if one.name != UNIT),
]
STATEMENT: dict[Any, Any] = {
    (200, "application/json"): {
        **thing(
            project=TEXT, month=TEXT, zone=TEXT, currency=TEXT, rate_per_usd=optional(TEXT), rate_day=optional(TEXT),
            environments=TEXT, filter=TEXT, price_book=TEXT, state={"type": "string", "enum": ["running", "ended"]},
            complete_until=TIME, complete={"type": "boolean"}, calls_waiting=WHOLE, calls_without_price=WHOLE,
            group_by=listed(TEXT), columns=listed(thing(name=TEXT, kind=TEXT)), lines=listed(listed({})),
            totals={"type": "object"}, unattributed=_PART, late=optional(_PART), imported=optional(_PART),
            cut=WHOLE, notes=listed(TEXT),
        ),
    },
    **{(200, form.content_type.split(";")[0]): TEXT for form in FORMS.values()},
    **PROBLEMS,
    400: OpenApiResponse(ERROR, description="What was given is no month"),
    404: OpenApiResponse(ERROR, description="A month that has not begun"),
}  # fmt: skip
