"""What leaves the application of a response: names, counts and the reason of the end; never its text."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

_TEXTS = (
    "id", "model", "created", "created_at", "service_tier", "type", "object", "stop_reason", "stopReason",
    "status", "modelVersion", "responseId",
)  # fmt: skip
_USAGE = ("usage", "usageMetadata", "metrics", "amazon-bedrock-invocationMetrics")
_GOOGLE = {"model_version": "modelVersion", "response_id": "responseId", "usage_metadata": "usageMetadata"}
_SYSTEM_ROLES = ("system", "developer")
_SAMPLING = frozenset(
    (
        "temperature", "top_p", "top_k", "max_tokens", "max_output_tokens", "max_completion_tokens",
        "frequency_penalty", "presence_penalty", "stop", "stop_sequences", "seed", "reasoning_effort",
        "response_format", "tool_choice", "encoding_formats",
    )
)  # fmt: skip


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def plain(value: Any) -> Any:
    """An object of a library as plain data."""
    for name in ("model_dump", "to_dict", "dict"):
        method = getattr(value, name, None)
        if callable(method) and not isinstance(value, (dict, list)):
            return method()
    return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def usage_part(response: Any) -> dict[str, Any]:
    """The part of a response (or of a stream's chunk) that says what it used."""
    found: dict[str, Any] = {}
    for name in _TEXTS:
        value = _get(response, name)
        if isinstance(value, (str, int, float)):
            found[name] = value
    for name in _USAGE:
        value = plain(_get(response, name))
        if isinstance(value, dict):
            found[name] = value
    for snake, camel in _GOOGLE.items():
        value = plain(_get(response, snake))
        if isinstance(value, dict):
            found[camel] = {_camel(key): count for key, count in value.items() if count is not None}
        elif isinstance(value, str):
            found[camel] = value
    for name in ("message", "response", "metadata"):
        inner = _get(response, name)
        if inner is not None and not isinstance(inner, (str, list)) and _get(inner, "usage") is not None:
            found[name] = usage_part(inner)
    choices = _get(response, "choices")
    if isinstance(choices, list):
        found["choices"] = [{"finish_reason": _get(choice, "finish_reason")} for choice in choices]
    return found


def fingerprint_source(request: dict[str, Any]) -> str | None:
    """Canonical JSON of system prompt, tools and sampling parameters, as the server takes it."""
    rows = request.get("messages")
    rows = [plain(row) for row in rows] if isinstance(rows, list) else []
    told = [row["content"] for row in rows if row.get("role") in _SYSTEM_ROLES and row.get("content")]
    system = told or request.get("system") or request.get("instructions")
    tools = request.get("tools")
    if not system and not tools:
        return None
    sampling = {name: request[name] for name in _SAMPLING & request.keys()}
    whole = {"system": system, "tools": tools, "sampling": sampling}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=plain)


def fingerprint(source: str, key: bytes) -> str:
    """32 hex digits of the source's HMAC-SHA256 with the project's key."""
    return hmac.new(key, source.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
