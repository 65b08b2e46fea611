"""Evaluations that spans carry: OpenInference's attributes, and `gen_ai.evaluation.result` as span events. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from ingest.records import ScoreRecord
from ingest.wire.limits import RefusedError
from ingest.wire.otlp_read import RawSpan
from ingest.wire.scores import evaluation

EVENT = "gen_ai.evaluation.result"
MOST = 100  # evaluations of one span
# OpenInference: `evaluations.0.evaluation.score`, of the span; `trace.evaluations.…`, of its trace.
SLOTS = {"evaluations": True, "trace_evaluations": False}
_NAMES = {"name": "name", "score": "score.value", "label": "score.label", "explanation": "explanation"}


def span_scores(raw: RawSpan) -> Iterator[ScoreRecord]:
    """The scores of a span that was taken; what is no evaluation is left out."""
    if EVENT in raw.events:
        at_ns, slots = raw.events[EVENT]
        yield from _scores([slots.get("evaluation", {})], raw, of_span=True, at_us=at_ns // 1000)
    for slot, of_span in SLOTS.items():
        if slot in raw.slots:
            yield from _scores(_numbered(raw.slots[slot]), raw, of_span=of_span, at_us=raw.start_ns // 1000)


def _numbered(collected: dict[str, Any]) -> list[dict[str, Any]]:
    """`{"0.evaluation.name": …}` by number."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for key, value in collected.items():
        number, _, rest = key.partition(".")
        name = _NAMES.get(rest.rpartition(".")[2])
        if name is not None and len(found) < MOST:
            found[number][name] = value
    return list(found.values())


def _scores(told: list[dict[str, Any]], raw: RawSpan, *, of_span: bool, at_us: int) -> Iterator[ScoreRecord]:
    for one in told:
        try:
            yield evaluation(one, at_us=at_us, run=raw.trace, span=raw.span if of_span else None)
        except RefusedError:
            continue
