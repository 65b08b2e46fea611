"""Bodies are read within limits, however they are sent, and what a process holds of them is bounded."""

import gzip
import io
import random
import time
import zlib

import pytest
import zstandard
from django.test import RequestFactory

from accounts.errors import ApiError
from ingest import body
from ingest.body import InHand, drain, taken

TEXT = b'{"id": "a"}' * 1000
NOISE = random.Random(1).randbytes(300_000)


def request(raw: bytes, **headers: str):
    made = RequestFactory().post("/v1/events", raw, content_type="application/json")
    made.META |= headers
    return made


def chunked(raw: bytes, **headers: str):
    """A request as the web server hands a chunked one on: no length, a stream with an end."""
    made = request(b"", HTTP_TRANSFER_ENCODING="chunked", **headers)
    made.META["wsgi.input"] = io.BytesIO(raw)
    made.META.pop("CONTENT_LENGTH", None)
    return made


def raw_deflate(plain: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(plain) + packer.flush()


def read(made) -> bytes:
    with taken(made) as found:
        return found


@pytest.mark.parametrize("make", [request, chunked])
@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("zstd", zstandard.compress),
    ],
)
@pytest.mark.parametrize("plain", [TEXT, NOISE, b"{}"])
def test_every_encoding_gives_the_same_body(make, encoding, pack, plain):
    assert read(make(pack(plain), HTTP_CONTENT_ENCODING=encoding)) == plain


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_several_members_are_one_body(pack):
    encoding = "gzip" if pack is gzip.compress else "zstd"
    assert read(request(pack(TEXT) + pack(b"end"), HTTP_CONTENT_ENCODING=encoding)) == TEXT + b"end"


@pytest.mark.parametrize("make", [request, chunked])
@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_an_empty_body_is_empty_whatever_its_encoding(make, encoding):
    assert read(make(b"", HTTP_CONTENT_ENCODING=encoding)) == b""


@pytest.mark.parametrize("make", [request, chunked])
def test_a_body_over_the_limit_is_413_declared_or_not(make, settings):
    settings.INGEST_MAX_BODY = 1000
    assert read(make(b"x" * 1000)) == b"x" * 1000
    with pytest.raises(ApiError) as refused:
        read(make(b"x" * 1001))
    assert refused.value.status == 413


def test_a_bomb_is_not_inflated_beyond_the_limit(settings):
    settings.INGEST_MAX_BODY = 2**20
    bomb = gzip.compress(b" " * 2**27, 1)
    fed = 0

    class Counting(body.Zlib):
        def feed(self, piece):
            nonlocal fed
            for plain in super().feed(piece):
                fed += len(plain)
                yield plain

    body._INFLATERS["counting"] = lambda: Counting(31)
    try:
        with pytest.raises(ApiError):
            read(request(bomb, HTTP_CONTENT_ENCODING="counting"))
    finally:
        del body._INFLATERS["counting"]
    assert fed <= 2**20 + body.INFLATED


def test_a_body_shorter_than_declared_is_400():
    made = request(b"x" * 10)
    made._stream.limit = made._stream._pos = 0  # the connection ends at once
    with pytest.raises(ApiError) as refused:
        read(made)
    assert (refused.value.status, refused.value.code) == (400, "unreadable_body")


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.compress)]
)
@pytest.mark.parametrize("make", [request, chunked])
def test_a_compressed_body_that_is_cut_off_is_400(make, encoding, pack):
    packed = pack(NOISE)
    for cut in (1, 10, len(packed) // 2, len(packed) - 1):
        with pytest.raises(ApiError) as refused:
            read(make(packed[:cut], HTTP_CONTENT_ENCODING=encoding))
        assert refused.value.status == 400


def test_large_bodies_beyond_what_a_process_holds_are_told_to_come_back(monkeypatch):
    monkeypatch.setattr(body, "in_hand", InHand(2 * 2**20))
    big = b"x" * 2 * 2**20
    with taken(request(big)) as first:
        assert len(first) == len(big)
        with pytest.raises(ApiError) as refused:
            read(request(big))
        assert (refused.value.status, refused.value.retry_after) == (503, 1)
        assert read(request(b"small")) == b"small"
    assert read(request(big)) == big
    assert body.in_hand.held == 0


def test_one_large_body_is_taken_even_alone_over_the_bound(monkeypatch):
    monkeypatch.setattr(body, "in_hand", InHand(10))
    assert len(read(request(b"x" * 2**21))) == 2**21


def test_a_refused_body_is_read_to_its_end():
    made = chunked(b"x" * 2**20)
    drain(made)
    assert made.META["wsgi.input"].read() == b""


class Trickle(io.RawIOBase):
    """A body that comes `rate` bytes a second by a clock of its own, however much is asked for at once."""

    def __init__(self, raw: bytes, rate: float):
        self.raw, self.rate, self.now, self.longest = io.BytesIO(raw), rate, 0.0, 0.0

    def read(self, size: int = -1) -> bytes:
        piece = self.raw.read(size)
        self.now += len(piece) / self.rate
        self.longest = max(self.longest, len(piece) / self.rate)
        return piece


@pytest.fixture
def slowly(monkeypatch):
    def make(raw: bytes, rate: float):
        made = chunked(raw)
        stream = made.META["wsgi.input"] = Trickle(raw, rate)
        monkeypatch.setattr(time, "monotonic", lambda: stream.now)
        return made, stream

    return make


def test_a_sender_that_trickles_its_body_is_told_so_and_holds_a_thread_for_seconds(slowly):
    made, stream = slowly(NOISE, rate=1)
    with pytest.raises(ApiError) as refused:
        read(made)
    assert (refused.value.status, refused.value.code) == (408, "too_slow")
    assert stream.now < 30


def test_a_sender_that_begins_quickly_and_then_trickles_is_refused_too(slowly):
    made, stream = slowly(NOISE, rate=100_000)
    made.META["wsgi.input"].read = lambda size, read=stream.read: (
        setattr(stream, "rate", 100_000 if stream.raw.tell() < 50_000 else 200), read(size),
    )[1]  # fmt: skip
    with pytest.raises(ApiError) as refused:
        read(made)
    assert refused.value.code == "too_slow"


def test_a_slow_but_steady_sender_is_read_to_the_end(slowly):
    made, _ = slowly(NOISE, rate=2_000)
    assert read(made) == NOISE
