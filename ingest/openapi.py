"""How the front door stands in the OpenAPI document: bodies, answers, errors, one example of each."""

from typing import Any

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from ingest.records import Rejection, Remark
from ingest.wire.event import Event
from ingest.wire.scores import SentOutcome, SentScore

JSON, JSON_LINES, PROTOBUF = "application/json", "application/x-ndjson", "application/x-protobuf"
BINARY = {"type": "string", "format": "binary"}
EXAMPLE = {
    "id": "call-0001",
    "timestamp": "2026-11-23T10:00:00.123Z",
    "flow": "support-triage",
    "feature": "support",
    "trace_id": "run-77",
    "step": "classify",
    "user": "u-4711",
    "provider": "openai",
    "model": "gpt-4o-mini",
    "usage": {"input_tokens": 1200, "cache_read_tokens": 1000, "output_tokens": 85},
    "duration_ms": 840,
    "status": "ok",
    "tags": {"tier": "gold"},
}


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON Schema (OpenAPI 3.1) of a Struct, without references; unknown fields are allowed."""
    found = msgspec.json.schema(kind)
    expanded: dict[str, Any] = _expanded(found, found.get("$defs", {}))
    return expanded


def _expanded(schema: Any, known: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_expanded(each, known) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _expanded(known[schema["$ref"].rpartition("/")[2]], known)
    if schema.get("format") == "decimal":
        return {"type": ["number", "string"]}
    return {name: _expanded(value, known) for name, value in schema.items() if not _is_left_out(name, schema)}


def _is_left_out(name: str, schema: dict[str, Any]) -> bool:
    """Names of our classes, and, of events, the refusal of unknown fields: those become tags."""
    if name == "additionalProperties":
        return schema[name] is False
    return name in ("$defs", "title", "default") or (name == "required" and not schema[name])


TEXT = {"type": "string"}
MAYBE_TEXT = {"type": ["string", "null"]}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


EVENT = {**schema_of(Event), "example": EXAMPLE}
EVENTS = {
    "anyOf": [
        {
            "type": "object",
            "properties": {"events": {"type": "array", "items": EVENT}},
            "required": ["events"],
        },
        {"type": "array", "items": EVENT},
        EVENT,
    ]
}
RESPONSE = {
    "type": "object",
    "properties": {
        **{name: part for name, part in EVENT["properties"].items() if name != "usage"},
        "response": {
            "description": "What the provider answered: its JSON body, a list of a stream's chunks, the text of its "
            "server-sent events, or its usage object alone.",
            "type": ["object", "array", "string"],
        },
        "status_code": {
            "type": "integer",
            "description": "Of the provider's answer; from 400 on the call failed.",
        },
    },
    "required": ["response"],
    "example": {
        "provider": "openai",
        "flow": "support-triage",
        "response": {
            "id": "chatcmpl-1",
            "created": 1763978400,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1200, "completion_tokens": 85},
        },
    },
}
RESPONSES = {
    "anyOf": [
        {
            "type": "object",
            "properties": {"responses": {"type": "array", "items": RESPONSE}},
            "required": ["responses"],
        },
        {"type": "array", "items": RESPONSE},
        RESPONSE,
    ]
}
PAYLOAD = {
    "type": "object",
    "description": "A StandardLoggingPayload as LiteLLM's generic API logger sends it.",
    "properties": {"litellm_call_id": TEXT, "startTime": {"type": "number"}, "model": TEXT},
    "example": {
        "litellm_call_id": "4489f56c-6286-4e8e-b2c7-bfd4d2d093b8",
        "startTime": 1763978400.309993,
        "endTime": 1763978401.1,
        "model": "gpt-4o-mini",
        "custom_llm_provider": "openai",
        "status": "success",
        "request_tags": ["flow:support-triage"],
        "metadata": {"usage_object": {"prompt_tokens": 221, "completion_tokens": 9}},
    },
}
LITELLM = {"anyOf": [{"type": "array", "items": PAYLOAD}, PAYLOAD]}
TOLD = {
    "accepted": {"type": "integer", "description": "Events that are kept and will be loaded."},
    "rejected": {"type": "array", "items": schema_of(Rejection)},
    "warnings": {"type": "array", "items": schema_of(Remark)},
}
ERROR = _object(code=TEXT, message=TEXT, field=MAYBE_TEXT, hint=MAYBE_TEXT)
STATUS = _object(code={"type": "integer"}, message=TEXT)
PARTIAL = {
    "type": "object",
    "properties": {
        "partialSuccess": {"type": "object", "additionalProperties": {"oneOf": [TEXT, {"type": "integer"}]}}
    },
}
REASONS = {
    400: "Nothing of it could be taken: what is wrong, and where.",
    401: "There is no valid key.",
    403: "The key lacks the scope `ingest`.",
    413: "Larger than 64 MiB, also once inflated, or more than 50,000 items.",
    415: "This content type or encoding is not read here.",
    503: "Not now: the inbox is full or the database is away. `Retry-After` says when to send it again.",
}
EXPORT = {PROTOBUF: BINARY, JSON: {"type": "object"}}


def errors(*without: int) -> dict[Any, Any]:
    """Refusals in the API's own shape."""
    return {
        (status, JSON): OpenApiResponse(_object(error=ERROR), description=text)
        for status, text in REASONS.items()
        if status not in without
    }


def event_answers() -> dict[Any, Any]:
    """The answers of `POST /v1/events`."""
    taken = OpenApiResponse(
        _object(**TOLD),
        description="What was taken, what was refused and why, and what was taken but perhaps not as meant.",
        examples=[OpenApiExample("taken", value={"accepted": 1, "rejected": [], "warnings": []})],
    )
    refused = {"type": "object", "properties": {"error": ERROR, **TOLD}, "required": ["error"]}
    nothing = OpenApiResponse(refused, description=REASONS[400])
    return {(202, JSON): taken, (400, JSON): nothing, **errors(400)}


def key_answers() -> dict[Any, Any]:
    """The answers of `GET /v1/fingerprint-key`."""
    key = OpenApiResponse(_object(key=TEXT, algorithm=TEXT), description="The key as hex digits.")
    return {(200, JSON): key, **errors(400, 413, 415)}


def export_answers() -> dict[Any, Any]:
    """The answers of the OTLP paths: in the encoding of the request, refusals as google.rpc.Status."""
    text = "Taken; a partial success names what was refused."
    answers: dict[Any, Any] = {
        (200, JSON): OpenApiResponse(PARTIAL, description=text),
        (200, PROTOBUF): OpenApiResponse(BINARY, description=text),
    }
    for status, reason in REASONS.items():
        answers[status, JSON] = OpenApiResponse(STATUS, description=reason)
        answers[status, PROTOBUF] = OpenApiResponse(BINARY, description=reason)
    return answers


BATCH = {
    "type": "object",
    "description": "What Opik's SDK sends: `traces` or `spans`.",
    "properties": {
        "traces": {"type": "array", "items": {"type": "object"}},
        "spans": {"type": "array", "items": {"type": "object"}},
    },
}


def batch_answers() -> dict[Any, Any]:
    """The answers of Opik's paths."""
    told = _object(accepted=TOLD["accepted"], rejected=TOLD["rejected"])
    return {
        204: OpenApiResponse(description="All of it was taken."),
        (200, JSON): OpenApiResponse(told, description="Some of it was refused."),
        **errors(),
    }


def _batches(name: str, item: dict[str, Any]) -> dict[str, Any]:
    """`{"<name>": [...]}`, a list, or one object."""
    envelope = {"type": "object", "properties": {name: {"type": "array", "items": item}}, "required": [name]}
    return {"anyOf": [envelope, {"type": "array", "items": item}, item]}


_SCORE = {"name": "thumbs", "value": True, "run_id": "run-77", "source": "user", "comment": "just right"}
SCORES = _batches("scores", {**schema_of(SentScore), "example": _SCORE})
_OUTCOME = {"run_id": "run-77", "success": True, "value": "12.50"}
OUTCOMES = _batches("outcomes", {**schema_of(SentOutcome), "example": _OUTCOME})
ANYTHING = {"description": "As Langfuse documents it.", "type": ["object", "array"]}
_LINES = {"type": "array", "items": {"type": "object"}}


def ingestion_answers() -> dict[Any, Any]:
    """The answers of `POST /api/public/ingestion`."""
    told = OpenApiResponse(_object(successes=_LINES, errors=_LINES), description="A line for each event.")
    return {(207, JSON): told, **errors()}


def projects_answers() -> dict[Any, Any]:
    """The answers of `GET /api/public/projects`."""
    found = OpenApiResponse(_object(data=_LINES), description="The key's project.")
    return {(200, JSON): found, **errors(400, 413, 415)}
