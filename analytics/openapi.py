"""What the OpenAPI document says about the read API. Names come from the registries that answer the questions."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from analytics.dimensions import DIMENSIONS
from analytics.measures import MEASURES
from analytics.periods import COMPARISONS, NAMED
from analytics.query import DEFAULT_LIMIT, GRAINS, MAX_LIMIT

RUN_ORDERS = ("newest", "slowest", "costliest", "failed")
ANY: dict[str, Any] = {}
TEXT = {"type": "string"}
NUMBER = {"type": "number"}
WHOLE = {"type": "integer"}
TIME = {"type": "string", "format": "date-time"}


def optional(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema or null."""
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else schema


def listed(schema: dict[str, Any]) -> dict[str, Any]:
    """A list of these."""
    return {"type": "array", "items": schema}


def thing(**properties: Any) -> dict[str, Any]:
    """An object with these properties, all of them always there."""
    return {"type": "object", "properties": properties, "required": list(properties)}


ERROR = thing(error=thing(code=TEXT, message=TEXT, field=optional(TEXT), hint=optional(TEXT)))
PROBLEMS = {
    status: OpenApiResponse(ERROR, description=words)
    for status, words in {
        401: "No key, or one that is unknown, revoked or expired",
        403: "The key lacks the scope",
        404: "Nothing here, or another project's",
        422: "A question that cannot be answered; the hint names the nearest one that can",
        503: "It took too long, or the database does not answer; Retry-After says when to try again",
    }.items()
}


def parameter(name: str, words: str, schema: Any = str, **more: Any) -> OpenApiParameter:
    """One parameter of a query string."""
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=words, **more)


TIMES = [
    parameter(
        "period",
        f"A period by name: {', '.join(NAMED)}, or since:<id of a change>; otherwise `from` and `to`. Default `mtd`.",
    ),
    parameter("from", "First date (inclusive), or a time with offset, to the quarter hour."),
    parameter("to", "Last date (exclusive), or a time with offset. Default: the end of today."),
    parameter("zone", "IANA time zone of days; default the project's."),
]
FILTERS = [
    parameter(name, f"{one.sentence} Repeatable; `!` before a value negates.", many=True)
    for name, one in DIMENSIONS.items()
]
QUERY = [
    parameter(
        "measures",
        f"Comma-separated: {', '.join(MEASURES)}; score:<name>, score_count:<name>, pass_rate:<name>.",
        required=True,
    ),
    parameter("group_by", f"Comma-separated dimensions: {', '.join(DIMENSIONS)}, tag:<key>."),
    parameter("grain", "Length of the time buckets; default `all`: none.", enum=list(GRAINS)),
    *TIMES,
    parameter("compare", "The base period to compare with.", enum=list(COMPARISONS)),
    parameter("compare_from", "Start of a base period of one's own."),
    parameter("compare_to", "End (exclusive) of a base period of one's own."),
    parameter("order", "A column, `-` before it for descending; default the first measure, largest first."),
    parameter(
        "limit",
        f"How many groups keep rows of their own (1 to {MAX_LIMIT}, default {DEFAULT_LIMIT}); "
        "the others are one row `(rest)`.",
        int,
    ),
    parameter("format", "Form of the answer.", enum=["json", "csv"]),
    *FILTERS,
]
DIMENSION = [parameter("q", "Only values that contain this text, whatever its case.")]
TRUST_PARAMETERS = [*TIMES, *FILTERS]

TRUST_FIGURES = {
    "priced_share": optional(NUMBER),
    "unpriced_calls": WHOLE,
    "attributed_share": optional(NUMBER),
    "attributed_spend_share": optional(TEXT),
    "duplicates": WHOLE,
    "rejected": WHOLE,
    "lag_seconds": NUMBER,
    "waiting": WHOLE,
    "set_aside": WHOLE,
    "price_book": optional(TEXT),
}
PERIOD = {"from": TIME, "to": TIME, "zone": TEXT}
ROWS = listed(listed(ANY))
COMPARE = {"rows": ROWS, "totals": {"type": "object"}, "period": thing(**PERIOD)}
INTERVAL = optional(thing(low=optional(NUMBER), high=optional(NUMBER), n=WHOLE))
# Only where a measure was asked for that has intervals: 95 % bounds and samples, of each row and of the totals.
INTERVALS = {
    "intervals": {"type": "object", "additionalProperties": listed(INTERVAL)},
    "total_intervals": {"type": "object", "additionalProperties": INTERVAL},
}
COLUMN = thing(
    name=TEXT,
    kind={"type": "string", "enum": ["time", "dimension", "measure"]},
    unit=optional(TEXT),
    additive=optional({"type": "boolean"}),
)
ANSWER = thing(
    columns=listed(COLUMN),
    rows=ROWS,
    totals={"type": "object"},
    compare=optional(thing(**COMPARE)),
    complete_until=TIME,
    trust=thing(**TRUST_FIGURES),
    period=thing(**PERIOD),
    groups=WHOLE,
    notes=listed(TEXT),
)
ANSWER["properties"] |= INTERVALS


def answers(schema: dict[str, Any]) -> dict[Any, Any]:
    """200 with this body, and everything that can go wrong."""
    return {(200, "application/json"): schema, **PROBLEMS}


VALUE = {"value": TEXT, "calls": WHOLE, "cost": optional(TEXT)}
QUERY_ANSWERS: dict[Any, Any] = {(200, "application/json"): ANSWER, (200, "text/csv"): TEXT, **PROBLEMS}
VALUES = answers(
    thing(
        dimension=TEXT,
        values=listed({"type": "object", "required": ["value"], "properties": VALUE}),
        complete_until=TIME,
    )
)
TRUST = answers(thing(complete_until=TIME, calls=WHOLE, **TRUST_FIGURES))
CALL = {"type": "object", "description": "One call; docs/query.md names its fields."}
RUN = {"type": "object", "description": "One run; docs/query.md names its fields."}
CALLS = answers(thing(calls=listed(CALL), next=optional(TEXT)))
RUNS = answers(thing(runs=listed(RUN), next=optional(TEXT)))
ONE_CALL = answers(CALL)
ONE_RUN = answers(thing(run=RUN, calls=listed(CALL)))
PAGE = [
    *TIMES,
    parameter("limit", "How many, 1 to 1,000; default 100.", int),
    parameter("cursor", "Where the page before ended: its `next`."),
    *FILTERS,
]
RUN_PAGE = [
    parameter(
        "order",
        f"The extreme ones of the period instead of the newest: {', '.join(RUN_ORDERS)}, or worst:<score>.",
    ),
    *PAGE,
]
