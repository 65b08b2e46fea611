"""What was asked and answered, as one text each, and what a fingerprint is taken of."""

from typing import Any

import msgspec

from ingest.records import MAX_CONTENT
from ingest.wire.limits import storable
from ingest.wire.otlp_read import Slots
from ingest.wire.values import json_of, object_of

_SYSTEM_ROLES = frozenset(("system", "developer"))
_SAMPLING = frozenset(
    (
        "temperature", "top_p", "top_k", "max_tokens", "max_output_tokens", "max_completion_tokens",
        "frequency_penalty", "presence_penalty", "stop", "stop_sequences", "seed", "reasoning_effort",
        "response_format", "tool_choice", "encoding_formats",
    )
)  # fmt: skip
_encode = msgspec.json.Encoder(order="sorted").encode


def content_text(value: Any) -> str | None:
    """A value of an attribute as storable text of at most MAX_CONTENT characters; structures as JSON."""
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else _json_text(value)
    return storable(text[:MAX_CONTENT])


def _json_text(value: Any) -> str:
    try:
        return _encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return str(value)


def input_text(slots: Slots) -> str | None:
    """What the model was asked: the messages, the system instructions first where they come apart."""
    asked = slots.get("input")
    if asked is None and "prompt_parts" in slots:
        asked = _rows(slots["prompt_parts"])
    system = slots.get("system_instructions")
    if system is None:
        return content_text(asked)
    messages = json_of(asked)
    rows = messages if isinstance(messages, list) else [] if asked is None else [{"content": asked}]
    return content_text([{"role": "system", "parts": json_of(system) or system}, *rows])


def output_text(slots: Slots) -> str | None:
    """What the model answered."""
    answered = slots.get("output")
    if answered is None and "completion_parts" in slots:
        answered = _rows(slots["completion_parts"])
    return content_text(answered)


def _rows(parts: dict[str, Any]) -> list[dict[str, Any]]:
    """`{"0.role": "user", "0.content": …}` as a list of objects, in order; None of no number is left out."""
    rows: dict[int, dict[str, Any]] = {}
    for name, value in parts.items():
        number, _, field = name.partition(".")
        if number.isdecimal() and len(number) <= 4 and field:
            rows.setdefault(int(number), {})[field] = value
    return [rows[number] for number in sorted(rows)]


def fingerprint_source(slots: Slots) -> str | None:
    """Canonical JSON of system prompt, tool schemas and sampling parameters; None without prompt and tools.

    Its keyed hash is the call's fingerprint, which stands in for the version of a prompt without one."""
    asked = json_of(slots.get("input"))
    body = asked if isinstance(asked, dict) else {}
    system = _system(slots, body.get("messages") if body else asked) or body.get("system")
    tools = json_of(slots.get("tools")) or body.get("tools") or slots.get("tool_parts")
    if not system and not tools:
        return None
    parameters = {**object_of(slots.get("parameters")), **slots.get("sampling", {})}
    sampling = {name: parameters[name] for name in _SAMPLING & parameters.keys()}
    return _json_text({"system": system, "tools": tools, "sampling": sampling})


def _system(slots: Slots, messages: Any) -> Any:
    told = json_of(slots.get("system_instructions")) or slots.get("system_instructions")
    if told:
        return told
    rows = _rows(slots["prompt_parts"]) if "prompt_parts" in slots else messages
    if not isinstance(rows, list):
        return None
    found = [row for row in rows if isinstance(row, dict) and row.get("role") in _SYSTEM_ROLES]
    return [told for row in found if (told := row.get("content") or row.get("parts"))] or None
