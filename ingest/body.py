"""Reading a request's body within limits: plain or chunked, inflated piece by piece, memory bounded.

Nothing is trusted: neither the declared length nor that a body inflates to something reasonable. What all
requests of this process hold at once is bounded too; past that a client is told to come back.
"""

import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import zstandard
from django.conf import settings
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from accounts.errors import ApiError

PIECE = 2**13  # asked for at once: what a slow sender can make a thread wait for
FIRST_PIECE = 2**4
INFLATED = 2**16
SLOWEST = 2**10  # bytes a second
GRACE_SECONDS = 10.0
ZSTD_PIECE = 512  # a byte of zstd can stand for thousands: fed in small pieces, a burst stays under 20 MB
ZSTD_WINDOW = 2**25
SMALL = 2**20  # bodies up to this size are not counted against the bytes in hand
IN_HAND = 96 * 2**20
DRAINED = 4 * 2**26  # bytes of a refused body that are read and forgotten, so that its sender sees the answer
DRAIN_SECONDS = 5.0
BODY_ENCODINGS = ("gzip", "deflate", "zstd")


class Inflater(Protocol):
    """Turns compressed pieces into plain ones, each of a bounded size."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The plain pieces that this one gives. Raises ApiError 400 for data that cannot be inflated."""

    def is_complete(self) -> bool:
        """Whether what was fed ended where the format says it ends."""


class Plain:
    """No compression."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        yield piece

    def is_complete(self) -> bool:
        return True


class Zlib:
    """gzip (several members too) and deflate (with zlib's header, or without as some clients send it)."""

    def __init__(self, *bits: int) -> None:
        self.bits = bits
        self.state = zlib.decompressobj(bits[0])
        self.started = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        while piece:
            if self.state.eof:
                self.state = zlib.decompressobj(self.bits[0])
            try:
                plain = self.state.decompress(piece, INFLATED)
            except zlib.error as problem:
                if self.started or len(self.bits) == 1:
                    raise _unreadable("This is not valid compressed data") from problem
                self.bits = self.bits[1:]
                self.state = zlib.decompressobj(self.bits[0])
                continue
            self.started = True
            piece = self.state.unused_data if self.state.eof else self.state.unconsumed_tail
            yield plain
        while not self.state.eof and (plain := self.state.decompress(self.state.unconsumed_tail, INFLATED)):
            yield plain

    def is_complete(self) -> bool:
        return self.state.eof


class Zstd:
    """Zstandard, several frames too."""

    def __init__(self) -> None:
        self.context = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        self.state: Any = self.context.decompressobj()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        for start in range(0, len(piece), ZSTD_PIECE):
            rest = piece[start : start + ZSTD_PIECE]
            while rest:
                if self.state.eof:
                    self.state = self.context.decompressobj()
                try:
                    plain = self.state.decompress(rest)
                except zstandard.ZstdError as problem:
                    raise _unreadable("This is not valid compressed data") from problem
                rest = self.state.unused_data if self.state.eof else b""
                yield plain

    def is_complete(self) -> bool:
        return bool(self.state.eof)


_INFLATERS: dict[str, Callable[[], Inflater]] = {
    "": Plain,
    "identity": Plain,
    "gzip": lambda: Zlib(31),
    "x-gzip": lambda: Zlib(31),
    "deflate": lambda: Zlib(15, -15),
    "zstd": Zstd,
}


class InHand:
    """How many bytes of large bodies this process holds at the moment."""

    def __init__(self, bound: int) -> None:
        self.bound, self.held = bound, 0
        self.lock = threading.Lock()

    def take(self, count: int) -> None:
        """Raises ApiError 503 when that is more than the process should hold."""
        with self.lock:
            if self.held + count > self.bound and self.held:
                raise ApiError(
                    503,
                    "busy",
                    "Too many large requests at once.",
                    hint="Send the same request again, or smaller ones.",
                    retry_after=1,
                )
            self.held += count

    def give_back(self, count: int) -> None:
        """The counterpart of `take`."""
        with self.lock:
            self.held -= count


in_hand = InHand(IN_HAND)


@contextmanager
def taken(request: HttpRequest) -> Iterator[bytes]:
    """The inflated body, counted as held until the block ends.

    Raises ApiError: 413 over settings.INGEST_MAX_BODY (also once inflated), 415 for an encoding that is not
    known, 400 for a body that is cut off or cannot be inflated, 503 when too much is held already."""
    inflater = inflater_of(request.headers.get("Content-Encoding", ""))
    limit: int = settings.INGEST_MAX_BODY
    if (_declared(request) or 0) > limit:
        raise _too_large(limit)
    hand, is_empty = _Hand(limit), True
    try:
        for piece in _pieces(request):
            is_empty = False
            for plain in inflater.feed(piece):
                hand.take(plain)
        if not is_empty and not inflater.is_complete():
            raise _unreadable("The compressed body is cut off")
        yield hand.body()
    finally:
        in_hand.give_back(hand.held)


class _Hand:
    """The pieces of one body."""

    def __init__(self, limit: int) -> None:
        self.limit, self.total, self.held = limit, 0, 0
        self.pieces: list[bytes] = []

    def take(self, piece: bytes) -> None:
        self.total += len(piece)
        if self.total > self.limit:
            raise _too_large(self.limit)
        if self.total - self.held > SMALL:
            in_hand.take(self.total - self.held)
            self.held = self.total
        self.pieces.append(piece)

    def body(self) -> bytes:
        pieces, self.pieces = self.pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Pace:
    """How fast a body comes, and thus how much of it is asked for at once: the server waits for all that is asked, with
    a thread that others need. Whoever sends slower than SLOWEST after GRACE_SECONDS is refused."""

    def __init__(self) -> None:
        self.size = FIRST_PIECE
        self.began = self.last = time.monotonic()

    def check(self, seen: int) -> None:
        """After each piece; `seen`: all bytes so far. Raises ApiError 408."""
        now = time.monotonic()
        self.size = min(PIECE, self.size * 4) if now - self.last < 1 else FIRST_PIECE
        self.last = now
        if now - self.began > GRACE_SECONDS and seen < SLOWEST * (now - self.began):
            raise ApiError(
                408,
                "too_slow",
                f"The body came slower than {SLOWEST // 2**10} KiB a second.",
                hint="Send the same request again over a faster connection, or fewer items at once.",
            )


def drain(request: HttpRequest) -> None:
    """Read what is left of a refused body: a client that is still sending would see a broken pipe instead of
    the answer, and try again for ever."""
    if (_declared(request) or 0) > DRAINED:
        return
    seen, until = 0, time.monotonic() + DRAIN_SECONDS
    with suppress(ApiError):
        for piece in _pieces(request):
            seen += len(piece)
            if seen > DRAINED or time.monotonic() > until:
                return


def inflater_of(encoding: str) -> Inflater:
    """A fresh inflater for a Content-Encoding. Raises ApiError 415."""
    make = _INFLATERS.get(encoding.strip().lower())
    if make is None:
        raise ApiError(
            415,
            "unsupported_encoding",
            f"Content-Encoding {encoding[:40]!r} is not known.",
            field="Content-Encoding",
            hint=f"Send the body plain or as {', '.join(BODY_ENCODINGS)}.",
        )
    return make()


def _declared(request: HttpRequest) -> int | None:
    text = request.META.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    """The body as it arrives. A chunked one has no length; the server ends its stream."""
    is_chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    read: Callable[[int], bytes] = request.META["wsgi.input"].read if is_chunked else request.read
    declared, seen = _declared(request), 0
    pace = Pace()
    try:
        while piece := read(pace.size):
            seen += len(piece)
            pace.check(seen)
            yield piece
    except (UnreadablePostError, OSError) as problem:
        raise _unreadable("The body broke off") from problem
    if not is_chunked and declared is not None and seen < declared:
        raise _unreadable("The body is shorter than its Content-Length says")


def _too_large(limit: int) -> ApiError:
    return ApiError(
        413,
        "too_large",
        f"The body is larger than {limit // 2**20} MiB, which it may not be once inflated either.",
        hint="Send fewer items in one request.",
    )


def _unreadable(message: str) -> ApiError:
    return ApiError(400, "unreadable_body", f"{message}.", hint="Check how the body is compressed and sent.")
