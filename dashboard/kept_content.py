"""What was asked and answered in a run's calls, where the project keeps it, in reading order."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.models import Project
from analytics.content import unpacked
from analytics.entries import Call
from dashboard import entries

FOLD_FROM = 1_200  # characters; longer parts are folded
HEAD = 400


@dataclass(frozen=True, slots=True)
class Part:
    """One message: who spoke, the text, and its beginning when it is folded."""

    role: str
    text: str
    head: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call's content."""

    name: str
    model: str
    status: str
    parts: tuple[Part, ...]


def has_content(project: Project, calls: Sequence[Call]) -> bool:
    """Whether anything is kept of these calls."""
    return bool(calls) and bool(_rows(project, calls, "1", "LIMIT 1"))


def exchanges(project: Project, calls: Sequence[Call]) -> list[Exchange]:
    """The calls that have content, oldest first; reading it is the caller's to record."""
    kept = {row[0]: row[1:] for row in _rows(project, calls, "id, input, output", "")} if calls else {}
    ordered = sorted((call for call in calls if call.key in kept), key=lambda call: call.started_at)
    return [_exchange(call, *kept[call.key]) for call in ordered]


def _rows(project: Project, calls: Sequence[Call], columns: str, tail: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM content WHERE project_id = %s AND id = ANY(%s) "  # noqa: S608 - our own columns
            f"AND started_at BETWEEN %s AND %s {tail}",
            [
                project.pk,
                [call.key for call in calls],
                min(call.started_at for call in calls),
                max(call.started_at for call in calls),
            ],
        )
        return list(cursor.fetchall())


def _exchange(call: Call, asked: Any, answered: Any) -> Exchange:
    row = entries.ERRORS.get(call.error_class, "ok") if call.failed else "ok"
    parts = [*_parts(unpacked(asked), "asked"), *_parts(unpacked(answered), "answered")]
    return Exchange(call.dimensions["step"] or "call", call.dimensions["model"] or "", row, tuple(parts))


def _parts(text: str | None, role: str) -> list[Part]:
    """Messages of a JSON list by role, anything else as one text."""
    if not text:
        return []
    try:
        found = json.loads(text)
    except ValueError:
        return [_part(role, text)]
    messages = found if isinstance(found, list) else [found]
    return [_part(*_message(message, role)) for message in messages]


def _message(message: Any, role: str) -> tuple[str, str]:
    if not isinstance(message, dict):
        return role, message if isinstance(message, str) else _pretty(message)
    who = str(message.get("role") or role)
    body = message.get("content", message.get("parts", message))
    if isinstance(body, list):
        body = "\n".join(_piece(piece) for piece in body)
    calls = message.get("tool_calls")
    text = body if isinstance(body, str) else _pretty(body) if body is not None else ""
    return who, f"{text}\n{_pretty(calls)}".strip() if calls else text


def _piece(piece: Any) -> str:
    if isinstance(piece, dict) and isinstance(text := piece.get("text", piece.get("content")), str):
        return text
    return piece if isinstance(piece, str) else _pretty(piece)


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _part(role: str, text: str) -> Part:
    return Part(role, text, text[:HEAD].rstrip() + "…" if len(text) > FOLD_FROM else "")
