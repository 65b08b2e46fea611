"""A trace's spans -> its calls, each once and with its whole context, its steps and its outcome. Pure.

The answer depends on which spans are given, not on their order or on the requests that they came in: a trace
can be resolved again whenever more of it arrives.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from analytics.trace_attempts import number_attempts
from analytics.trace_context import Context, call_context, context_of
from analytics.trace_duplicates import Kept, kept_calls, united
from ingest.records import CallRecord, SpanRecord
from ingest.wire.conventions.names import plain_name
from ingest.wire.limits import RefusedError, amount_of

STEP_KINDS = frozenset(("tool", "retrieval", "agent"))
_TRUE = frozenset(("true", "1", "success", "succeeded", "ok", "yes"))
_FALSE = frozenset(("false", "0", "failure", "failed", "error", "no"))
_encode = msgspec.msgpack.Encoder().encode


class Step(msgspec.Struct, frozen=True):
    """A tool, retrieval or agent step of a run; times in unix microseconds."""

    span: str
    name: str
    kind: str
    started_us: int
    ended_us: int
    failed: bool
    error_type: str | None


class Resolved(msgspec.Struct, frozen=True):
    """One trace, resolved. `absorbed`: span of a call set aside -> span of the call that stands for it."""

    trace: str
    calls: list[CallRecord]
    steps: list[Step]
    absorbed: dict[str, str]
    outcome: bool | None  # as sent, else failure of a last attempt, else rescued, else unknown
    outcome_value: Decimal | None
    rescued: bool  # a later attempt succeeded where one had failed
    started_us: int
    ended_us: int
    complete: bool  # the root is here, and every parent
    context: dict[str, str]  # of the run: what its root and its trace attributes say


def resolve(spans: Sequence[SpanRecord]) -> Resolved:
    """Resolve one trace. Spans in any order, copies of one span included; at least one."""
    by_id = _merged(spans)
    ordered = sorted(by_id.values(), key=lambda span: (span.started_us, span.span))
    ordered = _joined_tails(ordered)
    by_id = {span.span: span for span in ordered}
    context = context_of(ordered, by_id)
    kept = kept_calls([span for span in ordered if span.kind == "call"], context.frames)
    chains = number_attempts(kept, by_id)
    calls = [_final(one, attempt, context) for one, attempt in zip(kept, chains.attempts, strict=True)]
    outcome, value = _outcome(ordered, context.root)
    if outcome is None:
        outcome = False if chains.ended_failed else True if chains.rescued else None
    return Resolved(
        trace=ordered[0].trace,
        calls=calls,
        steps=[_step(span) for span in ordered if span.kind in STEP_KINDS],
        absorbed={other.span: one.span.span for one in kept for other in one.absorbed},
        outcome=outcome,
        outcome_value=value,
        rescued=chains.rescued,
        started_us=ordered[0].started_us,
        ended_us=max(span.ended_us for span in ordered),
        complete=context.root is not None
        and all(span.parent is None or span.parent in by_id for span in ordered),
        context=_run_context(context, calls),
    )


def _merged(spans: Iterable[SpanRecord]) -> dict[str, SpanRecord]:
    """Spans by id. Copies become one: the fuller one, completed from the others (some senders update)."""
    by_id: dict[str, SpanRecord] = {}
    copies: dict[str, list[SpanRecord]] = defaultdict(list)
    for span in spans:
        first = by_id.setdefault(span.span, span)
        if first is not span and first != span:
            copies[span.span].append(span)
    for key, others in copies.items():
        ranked = sorted([by_id[key], *others], key=_fullness, reverse=True)
        merged = ranked[0]
        for other in ranked[1:]:
            merged = _completed(merged, other)
        by_id[key] = merged
    return by_id


def _fullness(span: SpanRecord) -> tuple[bool, int, int, bytes]:
    encoded = _encode(span)
    return (span.ended_us > span.started_us, len(encoded), span.ended_us, encoded)


def _completed(span: SpanRecord, other: SpanRecord) -> SpanRecord:
    call = span.call or other.call
    if span.call is not None and other.call is not None:
        call = united(span.call, other.call, figures=True)
    return msgspec.structs.replace(
        span,
        parent=span.parent or other.parent,
        kind="call" if call is not None and other.kind == "call" else span.kind,
        call=call,
        context={**other.context, **span.context},
        trace_context={**other.trace_context, **span.trace_context},
        tags={**(other.tags or {}), **(span.tags or {})} or None,
    )


def _joined_tails(ordered: list[SpanRecord]) -> list[SpanRecord]:
    """Streams of which a log span tells the usage: the request span gets it, and ends where the tail was written."""
    tails = [span for span in ordered if span.kind == "tail"]
    if not tails:
        return ordered
    by_id = {span.span: span for span in ordered}
    taken: set[str] = set()
    for tail in tails:
        request = _request_of(tail, ordered, taken)
        if request is not None:
            taken.add(request.span)
            by_id[request.span] = _with_tail(request, tail)
    return list(by_id.values())


def _request_of(tail: SpanRecord, ordered: list[SpanRecord], taken: set[str]) -> SpanRecord | None:
    candidates = [
        span
        for span in ordered
        if span.kind == "call"
        and span.call is not None
        and tail.call is not None
        and span.span not in taken
        and span.scope == tail.scope
        and span.started_us <= tail.started_us
        and span.call.model == tail.call.model
        and tail.parent in (span.span, span.parent)
    ]
    return max(
        candidates, key=lambda span: (span.span == tail.parent, span.started_us, span.span), default=None
    )


def _with_tail(request: SpanRecord, tail: SpanRecord) -> SpanRecord:
    if request.call is None or tail.call is None:
        return request
    call = united(request.call, tail.call, figures=True)
    ended_us = max(request.ended_us, tail.ended_us)
    call = msgspec.structs.replace(
        call,
        ttft_us=call.ttft_us if call.ttft_us is not None else request.ended_us - request.started_us,
        duration_us=ended_us - request.started_us,
    )
    return msgspec.structs.replace(request, call=call, ended_us=ended_us)


def _final(one: Kept, attempt: int, context: Context) -> CallRecord:
    found = call_context(one.span, context, one.absorbed)
    outcome = _truth(one.span.context.get("outcome"))
    return msgspec.structs.replace(
        one.call, **found, attempt=attempt, duplicates=one.duplicates, outcome=outcome
    )


def _step(span: SpanRecord) -> Step:
    name = span.context.get("tool") or span.context.get("agent") or plain_name(span.name)
    return Step(span.span, name, span.kind, span.started_us, span.ended_us, span.failed, span.error_type)


def _outcome(ordered: list[SpanRecord], root: SpanRecord | None) -> tuple[bool | None, Decimal | None]:
    """The outcome that was sent: the root's, else that of the last span that tells one."""
    told = [span for span in ordered if _truth(span.context.get("outcome")) is not None]
    if not told:
        return None, None
    span = root if root is not None and root in told else told[-1]
    return _truth(span.context["outcome"]), _amount(span.context.get("outcome_value"))


def _truth(text: str | None) -> bool | None:
    word = (text or "").lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _amount(text: str | None) -> Decimal | None:
    try:
        return amount_of(text) if text else None
    except RefusedError:
        return None


def _run_context(context: Context, calls: list[CallRecord]) -> dict[str, str]:
    found = dict(context.shared)
    for key in ("flow", "user", "session", "customer", "environment", "feature", "release"):
        value = next((told for call in calls if (told := getattr(call, key)) is not None), None)
        if value is not None:
            found.setdefault(key, value)
    return found
