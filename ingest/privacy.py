"""What of a record a project lets in: content only where it is kept, texts redacted, fingerprints keyed."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Any

import msgspec
from django.conf import settings

from accounts.models import Project
from accounts.redaction import Rule, compile_rules, redact
from ingest.records import CallRecord, MessagesRecord, ScoreRecord, SpanRecord

# Texts that people or applications write. Identities, models and the words of this product stay as they are:
# a call must keep its id, or a retry of it would be another call.
FREE_TEXTS = frozenset(
    (
        *("flow", "feature", "step", "session", "user", "customer", "error_type"),
        *("prompt", "prompt_version", "retrieval", "release"),
        *("input", "output", "provider_usage"),
    )
)
FREE_MAPS = ("tags", "context", "trace_context", "resource_context")
_KEYED = re.compile(r"[0-9a-f]{16,64}")


def fingerprint_key(project_id: int) -> bytes:
    """The project's own key for fingerprints: 32 bytes, derived from the installation's secret."""
    return hmac.digest(settings.SECRET_KEY.encode(), b"fingerprint:%d" % project_id, hashlib.sha256)


def keyed(text: str, key: bytes) -> str:
    """The fingerprint of a text: 32 hex digits of its HMAC-SHA256; one that is keyed already stays."""
    return text if _KEYED.fullmatch(text) else hash_of(text, key)


def hash_of(text: str, key: bytes) -> str:
    """32 hex digits of the text's HMAC-SHA256."""
    return hmac.digest(key, text.encode("utf-8", "replace"), hashlib.sha256)[:16].hex()


class Gate:
    """A project's rules, made ready once for a request."""

    def __init__(self, project: Project) -> None:
        self.keeps_content = project.keep_content
        self.rules: tuple[Rule, ...] = compile_rules(project.redactions)
        self.key = fingerprint_key(project.id)

    def fingerprint(self, source: str) -> str:
        """The project's fingerprint of a text."""
        return hash_of(source, self.key)

    def calls(self, records: list[CallRecord]) -> list[CallRecord]:
        """The records as they may be stored."""
        if not self.rules and not any(map(_needs_gate, records)):
            return records
        return [self.call(record) for record in records]

    def call(self, record: CallRecord) -> CallRecord:
        """One record as it may be stored."""
        changed: CallRecord = self._changed(record, self._of_content(record))
        return changed

    def spans(self, records: list[SpanRecord]) -> list[SpanRecord]:
        """Spans as they may be stored; their reader has dropped content and keyed fingerprints already."""
        return [self._redacted_span(record) for record in records] if self.rules else records

    def _redacted_span(self, record: SpanRecord) -> SpanRecord:
        call = record.call and self._changed(record.call, {})
        changed: SpanRecord = self._changed(record, {"call": call})
        return changed

    def scores(self, records: list[ScoreRecord]) -> list[ScoreRecord]:
        """Scores as they may be stored: their comments redacted."""
        if not self.rules:
            return records
        return [
            msgspec.structs.replace(record, comment=redact(record.comment, self.rules))
            if record.comment
            else record
            for record in records
        ]

    def messages(self, records: list[MessagesRecord]) -> list[MessagesRecord]:
        """Messages as they may be stored; what says nothing then is left out."""
        if self.rules:
            records = [self._changed(record, {}) for record in records]
        return [record for record in records if record.input or record.output or record.fingerprint]

    def _of_content(self, record: CallRecord) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if record.fingerprint:
            changes["fingerprint"] = keyed(record.fingerprint, self.key)
        if not self.keeps_content:
            names = ("input", "output", "provider_usage")
            changes |= {name: None for name in names if getattr(record, name, None) is not None}
        return changes

    def _changed(self, record: Any, changes: dict[str, Any]) -> Any:
        if self.rules:
            changes = self._redacted(record, skip=changes) | changes
        return msgspec.structs.replace(record, **changes) if changes else record

    def _redacted(self, record: Any, *, skip: Iterable[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in record.__struct_fields__:
            value = getattr(record, name)
            if not value or name in skip:
                continue
            if name in FREE_TEXTS and (text := redact(value, self.rules)) != value:
                found[name] = text
            elif name in FREE_MAPS and (texts := self._redacted_map(value)) != value:
                found[name] = texts
            elif name == "scores" and isinstance(value, list):
                found[name] = [self._redacted_map(score) for score in value]
        return found

    def _redacted_map(self, values: dict[str, Any]) -> dict[str, Any]:
        return {
            key: redact(value, self.rules) if isinstance(value, str) else value
            for key, value in values.items()
        }


def _needs_gate(record: CallRecord) -> bool:
    return record.fingerprint is not None or record.input is not None or record.output is not None
