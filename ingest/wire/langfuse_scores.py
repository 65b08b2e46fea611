"""Scores in the shapes of Langfuse: a list or an object (`/api/public/scores`), or events of a batch. Pure.

traceId and observationId are OpenTelemetry's ids, so a score meets its span; it may come before it.
"""

from typing import Any

import msgspec

from ingest.records import ScoreRecord
from ingest.wire.decoded import Decoded, MalformedError
from ingest.wire.items import document_items
from ingest.wire.limits import RefusedError, clean_text
from ingest.wire.native import MAX_ITEMS
from ingest.wire.scores import Bounds, SentScore, score_of, take

SCORE_EVENT = "score-create"
# How Langfuse calls where a score comes from.
SOURCES = {"ANNOTATION": "human", "EVAL": "judge", "API": "user"}
_TEXTS = ("name", "comment")


def decode_langfuse_scores(body: bytes, *, ndjson: bool, bounds: Bounds) -> Decoded:
    """Score records of a list of scores or of one. Raises MalformedError for what is not JSON."""
    del ndjson
    _check(body)
    decoded = Decoded()
    for index, item in enumerate(document_items(body, limit=MAX_ITEMS, envelope="scores")):
        take(index, item, lambda one: langfuse_score(one, bounds), decoded)
    return decoded


def decode_ingestion(body: bytes, *, ndjson: bool, bounds: Bounds, ids: list[str]) -> Decoded:
    """Score records of `{"batch": [...]}`; `ids` gets the id of every event, in order.

    Events that are no scores are accepted and not kept: their traces come through OpenTelemetry."""
    del ndjson
    _check(body)
    decoded = Decoded()
    for index, item in enumerate(document_items(body, limit=MAX_ITEMS, envelope="batch")):
        event = item if isinstance(item, dict) else {}
        ids.append(clean_text(str(event.get("id") or "")))
        if event.get("type") == SCORE_EVENT:
            take(index, event.get("body"), lambda one: langfuse_score(one, bounds), decoded)
    return decoded


def _check(body: bytes) -> None:
    if not body.strip():
        raise MalformedError("The body is empty.", "Send a list of scores.")


def langfuse_score(item: dict[str, Any], bounds: Bounds) -> ScoreRecord:
    """The record of one score. Raises RefusedError, msgspec.ValidationError."""
    observation, trace, session = (item.get(name) for name in ("observationId", "traceId", "sessionId"))
    if observation and not trace:
        raise RefusedError("An observation is found by its trace.", "Send traceId too.", field="traceId")
    if session and trace:
        session = None  # the trace is the nearer of the two
    sent = {
        **{name: item[name] for name in _TEXTS if isinstance(item.get(name), str)},
        "value": _value(item),
        "call_id": observation,
        "run_id": trace,
        "session": session,
        "source": SOURCES.get(str(item.get("source") or "").upper(), "user"),
        "timestamp": item.get("timestamp"),
        "id": item.get("id"),
        "judge_version": _judge(item.get("metadata")),
    }
    kept = {name: _text(value) for name, value in sent.items() if value is not None}
    return score_of(msgspec.json.decode(msgspec.json.encode(kept), type=SentScore), bounds)


def _text(value: Any) -> Any:
    return clean_text(value, 4_000) if isinstance(value, str) else value


def _value(item: dict[str, Any]) -> Any:
    """BOOLEAN scores are 1 and 0; a category is a text, or stands in stringValue."""
    kind, value = str(item.get("dataType") or "").upper(), item.get("value")
    if isinstance(value, msgspec.Raw):
        value = msgspec.json.decode(value)
    if kind == "BOOLEAN" and value in (0, 1, "0", "1"):
        return value in (1, "1")
    if kind == "CATEGORICAL" and isinstance(item.get("stringValue"), str):
        return item["stringValue"]
    return value


def _judge(metadata: Any) -> str | None:
    """The judge's version, where the sender put it into the score's metadata."""
    if not isinstance(metadata, dict):
        return None
    found = metadata.get("judge_version") or metadata.get("judgeVersion")
    return str(found)[:200] if isinstance(found, str | int | float) and found else None
