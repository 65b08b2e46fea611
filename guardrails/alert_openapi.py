"""What the OpenAPI document says of rules, channels and alerts."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse

from analytics.openapi import (
    ANY,
    ERROR,
    NUMBER,
    PROBLEMS,
    TEXT,
    TIME,
    WHOLE,
    listed,
    optional,
    parameter,
    thing,
)
from guardrails.alert_models import SHOWN
from guardrails.channels import KINDS
from guardrails.spans import CALENDAR

JSON = "application/json"
REFUSALS = {
    **{status: PROBLEMS[status] for status in (401, 403, 404, 503)},
    400: OpenApiResponse(ERROR, description="What is wrong, where, and what to write"),
    409: OpenApiResponse(ERROR, description="There is one of that name already"),
    413: OpenApiResponse(ERROR, description="The body is too large"),
    415: OpenApiResponse(ERROR, description="The body's encoding is not known"),
}
LIMIT = {"type": ["number", "string"]}
CONDITION: dict[str, Any] = {
    "oneOf": [
        {"type": "object", "properties": {"above": LIMIT}, "required": ["above"], "additionalProperties": False},
        {"type": "object", "properties": {"below": LIMIT}, "required": ["below"], "additionalProperties": False},
        {"type": "object", "additionalProperties": False, "required": ["change_over", "against"],
         "properties": {"change_over": LIMIT, "against": {"type": "string", "enum": ["same_hours"]}}},
        {"type": "string", "enum": ["no_data"]},
    ]
}  # fmt: skip
VALUES = {"type": "object", "additionalProperties": listed(TEXT)}
MUTES = listed({"type": "object"})
RULE_FIELDS: dict[str, Any] = {
    "name": TEXT, "measure": TEXT, "filters": VALUES, "each": optional(TEXT), "condition": CONDITION,
    "window": {**TEXT, "description": f"A multiple of 15min up to 28d, or one of {', '.join(CALENDAR)}"},
    "for": optional(TEXT), "renotify": optional(TEXT), "min_count": WHOLE, "channels": listed(TEXT),
    "depends_on": optional(TEXT), "mutes": MUTES,
}  # fmt: skip
RULE = thing(id=WHOLE, **RULE_FIELDS)
RULE_BODY: dict[str, Any] = {
    JSON: {"type": "object", "properties": RULE_FIELDS, "required": ["name", "measure", "condition"]}
}
CHANNEL = thing(
    name=TEXT,
    kind={"type": "string", "enum": list(KINDS)},
    url=TEXT,
    has_secret={"type": "boolean"},
    digest={"type": "boolean"},
)
CHANNEL_BODY: dict[str, Any] = {
    JSON: {
        "type": "object", "required": ["name", "kind", "url"],
        "properties": {"name": TEXT, "kind": {"type": "string", "enum": list(KINDS)}, "url": TEXT,
                       "secret": optional(TEXT), "digest": {"type": "boolean"}},
    }
}  # fmt: skip
ALERT_FIELDS: dict[str, Any] = {
    "id": WHOLE, "state": {"type": "string", "enum": list(SHOWN)}, "value": ANY, "limit": ANY, "since": TIME,
    "resolved_at": optional(TIME), "group": optional(TEXT), "runs": listed({"type": "object"}), "url": TEXT,
}  # fmt: skip
ALERT: dict[str, Any] = {
    "type": "object", "properties": {"rule": TEXT, "budget": TEXT, "n": optional(WHOLE), "low": optional(NUMBER),
                                     **ALERT_FIELDS},
    "required": list(ALERT_FIELDS), "description": "An alert; docs/alerts.md names its fields.",
}  # fmt: skip
ACK_BODY: dict[str, Any] = {JSON: {"type": "object", "properties": {"by": TEXT}}}
MUTE_BODY: dict[str, Any] = {JSON: {"type": "object", "properties": {"for": TEXT}}}
ALERT_PARAMETERS = [
    parameter("state", "Only alerts in this state.", enum=list(SHOWN)),
    parameter("cursor", "Where the page before ended: its `next`."),
]


def answers(schema: dict[str, Any], status: int = 200) -> dict[Any, Any]:
    """This body, and everything that can go wrong."""
    return {(status, JSON): schema, **REFUSALS}


RULES = answers(thing(rules=listed(RULE)))
ONE_RULE = answers(RULE)
NEW_RULE = answers(RULE, 201)
CHANNELS = answers(thing(channels=listed(CHANNEL)))
ONE_CHANNEL = answers(CHANNEL)
NEW_CHANNEL = answers(CHANNEL, 201)
TESTED = answers(thing(delivered={"type": "boolean"}, status=optional(WHOLE), answer=TEXT, delivery=TEXT))
ALERTS = answers(thing(alerts=listed(ALERT), next=optional(TEXT)))
ONE_ALERT = answers(ALERT)
GONE: dict[Any, Any] = {204: OpenApiResponse(description="Gone"), **REFUSALS}
