"""OTLP trace requests -> span records and rejections. `ingest/wire/conventions` knows the attribute names."""

from collections.abc import Iterator
from itertools import islice

import msgspec

from ingest.records import Rejection, ScoreRecord, SpanRecord
from ingest.wire.decoded import MalformedError
from ingest.wire.limits import RefusedError
from ingest.wire.otlp_json import read_json
from ingest.wire.otlp_read import RawSpan, read_protobuf
from ingest.wire.span_calls import Fingerprint
from ingest.wire.span_scores import span_scores
from ingest.wire.spans import Reading, span_record

__all__ = ["Decoded", "MalformedError", "decode_traces"]


class Decoded(msgspec.Struct, frozen=True):
    """What a request held: records in its order, why others were refused (index = n-th span of it), and evaluations
    that stood on spans."""

    spans: list[SpanRecord]
    rejections: list[Rejection]
    scores: list[ScoreRecord] = []


def decode_traces(
    body: bytes,
    *,
    json: bool,
    now_us: int,
    floor_us: int,
    keep_content: bool = True,
    fingerprint: Fingerprint | None = None,
) -> Decoded:
    """The spans of an `ExportTraceServiceRequest`, inflated already; times in unix microseconds.

    `fingerprint` is the keyed hash of a fingerprint's source (system prompt, tool schemas, sampling
    parameters); without it calls carry none. One bad span never costs the good ones. Raises MalformedError
    where the body is no such request at all.
    """
    reading = Reading(now_us=now_us, floor_us=floor_us, keep_content=keep_content, fingerprint=fingerprint)
    spans: list[SpanRecord] = []
    scores: list[ScoreRecord] = []
    rejections: list[Rejection] = []
    index = -1
    for chunk in _chunks(read_json(body) if json else read_protobuf(body)):
        for raw in chunk:
            index += 1
            if isinstance(raw, Rejection):
                rejections.append(raw)
                continue
            try:
                record = span_record(raw, reading)
            except RefusedError as error:
                rejections.append(Rejection(index, error.field, error.message, error.hint))
                continue
            if record is not None:
                spans.append(record)
                scores.extend(span_scores(raw))
    return Decoded(spans, rejections, scores)


def _chunks(raws: Iterator[RawSpan | Rejection]) -> Iterator[list[RawSpan | Rejection]]:
    """Spans by the hundred: reading, then judging many in a row is a sixth faster than taking turns."""
    while chunk := list(islice(raws, 100)):
        yield chunk
