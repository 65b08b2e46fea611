"""Prompts and answers, where the project keeps them: compressed, with a retention of their own."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import zstandard
from psycopg import Cursor

from accounts.models import Project
from analytics.intern import call_key, span_call_id
from ingest.records import CallRecord, MessagesRecord

_PACK = zstandard.ZstdCompressor(level=6)
_INSERT = """
    INSERT INTO content (started_at, id, project_id, input, output, provider_usage)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (project_id, id, started_at) DO UPDATE SET
        input = coalesce(excluded.input, content.input), output = coalesce(excluded.output, content.output),
        provider_usage = coalesce(excluded.provider_usage, content.provider_usage)
"""


def keep_content(
    cursor: "Cursor[Any]", project: Project, records: Sequence[CallRecord | MessagesRecord]
) -> None:
    """Store what was asked and answered; the front door has already dropped it where the project keeps none."""
    found = [_row(record, project.pk) for record in records if has_content(record)]
    if found:
        cursor.executemany(_INSERT, found)


def has_content(record: CallRecord | MessagesRecord) -> bool:
    """Whether anything of it is to be kept here."""
    if record.input is not None or record.output is not None:
        return True
    return isinstance(record, CallRecord) and record.provider_usage is not None


def _row(record: CallRecord | MessagesRecord, project_id: int) -> tuple[Any, ...]:
    if isinstance(record, MessagesRecord):
        us, key, usage = record.at_us, call_key(span_call_id(record.trace, record.span)), None
    else:
        us, key, usage = record.started_us, call_key(record.id), record.provider_usage
    texts = (record.input, record.output, usage)
    return (datetime.fromtimestamp(us / 1e6, UTC), key, project_id, *map(packed, texts))


def packed(text: str | None) -> bytes | None:
    """A text as it is stored."""
    return None if text is None else _PACK.compress(text.encode())


def unpacked(data: bytes | memoryview | None) -> str | None:
    """A stored text."""
    return None if data is None else zstandard.ZstdDecompressor().decompress(bytes(data)).decode()
