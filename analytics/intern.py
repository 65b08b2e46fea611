"""Names become numbers: 64-bit hashes, known without a look-up; their texts are stored once.

A hash instead of a sequence: no round trip, no unique index over random names, the same id in every process.
Of a million names two collide with a probability of 3 in 10^8. Keys are 32 hex digits, which Postgres reads
as a uuid.
"""

import hashlib
import re
import struct
from functools import lru_cache

CUSTOMER, USER, SESSION = 1, 2, 3
HEX = ""  # stored for an id that is its key without dashes: a byte instead of 33
_INT64 = struct.Struct(">q")
_HEX32 = re.compile(r"[0-9a-f]{32}").fullmatch
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


def hash_of(text: str) -> int:
    """A signed 64-bit hash of a text; never 0 or -1, which have meanings of their own."""
    number = int(_INT64.unpack(hashlib.blake2b(text.encode(), digest_size=8).digest())[0])
    return number if number not in (0, -1) else 1


@lru_cache(maxsize=200_000)
def name_id(text: str) -> int:
    """The id of a customer, user, session or tag set."""
    return hash_of(text)


@lru_cache(maxsize=20_000)
def run_key(trace: str) -> str:
    """The key of a run: the trace id itself when it is 32 hex digits, else a hash of what was sent."""
    return trace if _HEX32(trace) else _digest(trace)


def call_key(call_id: str) -> str:
    """The key of a call: its id itself when it is a UUID, in canonical form or as 32 hex digits, else a hash of it."""
    if _HEX32(call_id):
        return call_id
    return call_id.replace("-", "") if _UUID(call_id) else _digest(call_id)


def key_and_raw_id(call_id: str, span: str | None) -> tuple[str, str | None]:
    """A call's key, and what must be stored to show the client's id again: nothing for UUIDs and spans, HEX for
    32 hex digits."""
    if span is not None:
        return _digest(call_id), None
    if _HEX32(call_id):
        return call_id, HEX
    return (call_id.replace("-", ""), None) if _UUID(call_id) else (_digest(call_id), call_id)


def span_call_id(trace: str, span: str) -> str:
    """The id of a call that came as a span."""
    return f"{trace}-{span}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
