"""What a file is read as: chunks of records with what was refused, by line."""

from typing import Any

import msgspec

from ingest.records import Rejection

CHUNK = 5_000  # items: one inbox row


class Chunk(msgspec.Struct):
    """Some items of a file: records in its order, rejections (index = line), warnings (field, message)."""

    read: int = 0  # items, whatever became of them
    records: list[Any] = []
    rejections: list[Rejection] = []
    warnings: list[tuple[str | None, str]] = []
