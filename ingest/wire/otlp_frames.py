"""A protobuf trace request taken apart by its frames, for bodies that cannot be parsed as a whole.

Strict parsers refuse a request for one text that is no UTF-8 (cut in the middle of a character) or one value
nested too deeply. The frames of the others are sound, so each span is parsed alone and only the bad one lost.
"""

from collections.abc import Iterator
from typing import NamedTuple

RESOURCE_SPANS, RESOURCE, SCOPE_SPANS, SCOPE, SPANS = 1, 1, 2, 1, 2  # field numbers, outside in
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


class Framed(NamedTuple):
    """The bytes of one span with those of its scope and resource."""

    resource: bytes
    scope: bytes
    span: bytes


def framed_spans(body: bytes) -> list[Framed]:
    """All spans of a request. Raises ValueError where the frames do not add up (cut off, or no protobuf)."""
    found = []
    for of_resource in _parts(body, RESOURCE_SPANS):
        resource = b"".join(_parts(of_resource, RESOURCE))
        for of_scope in _parts(of_resource, SCOPE_SPANS):
            scope = b"".join(_parts(of_scope, SCOPE))
            found += [Framed(resource, scope, span) for span in _parts(of_scope, SPANS)]
    return found


def _parts(message: bytes, number: int) -> list[bytes]:
    return [payload for field, payload in _fields(message) if field == number and payload is not None]


def _fields(message: bytes) -> Iterator[tuple[int, bytes | None]]:
    """Field numbers with the bytes of those that have a length."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        payload = None
        if kind == _VARINT:
            _, position = _varint(message, position)
        elif kind == _LENGTH:
            length, position = _varint(message, position)
            payload = message[position : position + length]
            position += length
        elif kind in (_FIXED64, _FIXED32):
            position += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("no such wire type")
        if position > len(message):
            raise ValueError("cut off")
        yield tag >> 3, payload


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("cut off")
