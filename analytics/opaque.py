"""Ids and cursors that clients hand back unread: a moment and a key, packed."""

import base64
import binascii
import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = struct.Struct(">q")
_LENGTH = _MOMENT.size + 16


def call_id(started_at: datetime, key: UUID) -> str:
    """The opaque id of a call, or a cursor that ends there: 32 characters."""
    micros = (started_at - EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(_MOMENT.pack(micros) + key.bytes).decode()


def read_id(text: str) -> tuple[datetime, UUID] | None:
    """What `call_id` packed; None for anything else."""
    try:
        packed = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        if len(packed) != _LENGTH:
            return None
        moment = EPOCH + timedelta(microseconds=_MOMENT.unpack_from(packed)[0])
    except (binascii.Error, ValueError, OverflowError):
        return None
    return moment, UUID(bytes=packed[_MOMENT.size :])
