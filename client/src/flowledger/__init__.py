"""Say which flow an AI call served, and send what it used. Never raises into the application."""

from __future__ import annotations

import datetime
import logging
import os
import time
import uuid
from typing import Any

from flowledger.context import current, flow, wrap
from flowledger.responses import fingerprint_source, usage_part
from flowledger.sender import SOURCE, Sender

__all__ = ["change", "configure", "current", "flow", "flush", "outcome", "record", "score", "wrap"]
log = logging.getLogger("flowledger")
_sender: Sender | None = None


def configure(url: str | None = None, key: str | None = None, **options: Any) -> Sender | None:
    """Where to send; by default FLOWLEDGER_URL and FLOWLEDGER_KEY. Without both nothing is sent."""
    global _sender  # noqa: PLW0603 - one sender for a process
    url, key = url or os.environ.get("FLOWLEDGER_URL"), key or os.environ.get("FLOWLEDGER_KEY")
    _sender = Sender(url, key, **options) if url and key else None
    return _sender


def record(
    response: Any,
    *,
    provider: str | None = None,
    request: dict[str, Any] | None = None,
    started: float | None = None,
    **fields: Any,
) -> str | None:
    """The call's id; None where it was not accepted. `response` is an object, a dict, or a list of a stream's chunks.

    `started` is time.time() before the call; `request` is what was asked: its fingerprint alone is sent."""
    try:
        now = time.time()
        chunks = isinstance(response, list)
        sent = [usage_part(chunk) for chunk in response] if chunks else usage_part(response)
        moment = datetime.datetime.fromtimestamp(started or now, datetime.timezone.utc)  # noqa: UP017 - Python 3.9
        item = {**current(), **{name: value for name, value in fields.items() if value is not None}}
        item.setdefault("id", uuid.uuid4().hex)
        item.setdefault("timestamp", moment.isoformat())
        item["response"] = sent
        if isinstance(item.get("prompt"), str):
            item["prompt"] = {"name": item["prompt"]}
        if provider:
            item["provider"] = provider
        if started:
            item.setdefault("duration_ms", round((now - started) * 1000, 3))
        if request and request.get("model"):
            item.setdefault("model", request["model"])
        source = fingerprint_source(request) if request else None
        if source:
            item[SOURCE] = source
        return item["id"] if _put("/v1/responses", item) else None
    except Exception:
        log.warning("flowledger: a response could not be recorded", exc_info=True)
        return None


def score(name: str, value: Any, **fields: Any) -> bool:
    """A score of a call, run or session; by default of the run at hand."""
    if not fields.keys() & {"call_id", "run_id", "session"} and current().get("trace_id"):
        fields["run_id"] = current()["trace_id"]
    fields.setdefault("id", uuid.uuid4().hex)
    return _put("/v1/scores", {"name": name, "value": value, **fields})


def flush(seconds: float = 5.0) -> bool:
    """Wait until all is sent, at most so long: at the end of a short process."""
    return _sender.flush(seconds) if _sender else True


def outcome(success: bool, *, value: Any = None, run_id: str | None = None) -> bool:
    """What the run came to; by default the run at hand."""
    told = {"run_id": run_id or current().get("trace_id"), "success": success}
    return _put("/v1/outcomes", told if value is None else {**told, "value": str(value)})


def change(kind: str, **fields: Any) -> bool:
    """Something that was changed: a prompt, a model, a release."""
    return _put("/v1/changes", {"kind": kind, **fields})


def _put(path: str, item: dict[str, Any]) -> bool:
    try:
        sender = _sender or configure()
        return sender.put(path, item) if sender else False
    except Exception:
        log.warning("flowledger: nothing was sent", exc_info=True)
        return False
