"""One provider call is one call, however many instrumentations saw it. Pure; of one trace.

Within a trace four cases: a call around calls (the outer is a wrapper), two scopes with one response id, two
scopes of which one lies inside the other's time with the same figures, and the tail of a streamed answer.
What is set aside completes the call that stays, and is counted on it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from analytics.trace_context import Frame
from ingest.records import CallRecord, SpanRecord, Tokens

SLACK_US = 5_000  # two clocks of one process, read one after the other
SAME_ID_SLACK_US = 1_000_000
PROVIDER_SCOPES = frozenset(("com.anthropic.sdk.python",))  # of the SDK itself: the truth about its own call
_OWN = frozenset(
    (
        "id", "started_us", "trace", "span", "failed", "error_class", "error_type", "attempt", "tokens",
        "duration_us", "duplicates", "reported_cost", "currency", "estimated_cost", "other_units",
    )
)  # fmt: skip
_INHERITED = tuple(name for name in CallRecord.__struct_fields__ if name not in _OWN)
_FIGURES = ("reported_cost", "currency", "estimated_cost", "other_units")
_DEFAULTS = dict(zip(CallRecord.__struct_fields__[2:], CallRecord.__struct_defaults__, strict=True))


class Kept(msgspec.Struct):
    """A call that counts, with the spans that were set aside for it, nearest first."""

    span: SpanRecord
    call: CallRecord
    absorbed: list[SpanRecord]
    duplicates: int = 0
    ended_us: int = 0
    anchor: str | None = None  # the outer call that tried several times


def kept_calls(calls: Sequence[SpanRecord], frames: Mapping[str, Frame]) -> list[Kept]:
    """The calls of a trace, sorted, each provider call once."""
    kept = _unwrapped(calls, frames)
    if len({one.span.scope for one in kept}) > 1:
        kept = _same_response(kept)
        kept = _same_time(kept)
    return kept


def _unwrapped(calls: Sequence[SpanRecord], frames: Mapping[str, Frame]) -> list[Kept]:
    """Innermost calls only. The single inner one of a wrapper gets its figures, several get its context."""
    by_id = {span.span: span for span in calls}
    outer: dict[str, SpanRecord] = {}
    for span in calls:
        above = by_id.get(frames[span.span].outer or "")
        if above is not None and span.started_us <= above.ended_us + SLACK_US:
            outer[span.span] = above
    wrappers = {span.span for span in outer.values()}
    kept = [
        Kept(span, span.call, [], ended_us=span.ended_us)
        for span in calls
        if span.span not in wrappers and span.call
    ]
    inner: dict[str, list[Kept]] = defaultdict(list)
    for one in kept:
        for above in _chain(one.span, outer):
            inner[above.span].append(one)
    for wrapper in sorted(inner, key=lambda span: (-by_id[span].started_us, span)):
        _absorb_wrapper(by_id[wrapper], inner[wrapper])
    return kept


def _chain(span: SpanRecord, outer: Mapping[str, SpanRecord]) -> list[SpanRecord]:
    chain: list[SpanRecord] = []
    while (above := outer.get(span.span)) is not None:
        chain.append(above)
        span = above
    return chain


def _absorb_wrapper(wrapper: SpanRecord, inner: list[Kept]) -> None:
    for one in inner:
        absorb(one, wrapper, figures=len(inner) == 1)
        if len(inner) > 1 and one.anchor is None:
            one.anchor = wrapper.span
    max(inner, key=lambda one: (one.span.started_us, one.span.span)).duplicates += 1


def absorb(one: Kept, other: SpanRecord, *, figures: bool) -> None:
    """Complete a call by what another sight of it knows; `figures`: tokens and cost, too."""
    if other.call is not None:
        one.call = united(one.call, other.call, figures=figures)
    one.absorbed.append(other)


def united(call: CallRecord, other: CallRecord, *, figures: bool) -> CallRecord:
    """The call with what it lacks taken from the other."""
    changes = {}
    for name in _INHERITED + (_FIGURES if figures else ()):
        if getattr(call, name) == _DEFAULTS[name] and getattr(other, name) != _DEFAULTS[name]:
            changes[name] = getattr(other, name)
    if figures and other.tokens != call.tokens:
        changes["tokens"] = completed(call.tokens, other.tokens)
    return msgspec.structs.replace(call, **changes) if changes else call


def completed(tokens: Tokens, other: Tokens) -> Tokens:
    """The buckets, with those of the other where they split the same totals further, or where none are known."""
    inputs = tokens if _knows_more(input_parts(tokens), input_parts(other)) else other
    outputs = tokens if _knows_more(output_parts(tokens), output_parts(other)) else other
    return Tokens(
        inputs.input,
        inputs.cache_read,
        inputs.cache_write,
        inputs.cache_write_1h,
        outputs.output,
        outputs.reasoning,
        inputs.audio_input,
        outputs.audio_output,
    )


def _knows_more(own: tuple[int | None, ...], other: tuple[int | None, ...]) -> bool:
    told, told_other = _told(own), _told(other)
    if told == 0:
        return told_other == 0
    return told >= told_other or total(own) != total(other)


def _told(parts: tuple[int | None, ...]) -> int:
    return sum(part is not None for part in parts)


def input_parts(tokens: Tokens) -> tuple[int | None, ...]:
    """The buckets of a call's input."""
    return (tokens.input, tokens.cache_read, tokens.cache_write, tokens.cache_write_1h, tokens.audio_input)


def output_parts(tokens: Tokens) -> tuple[int | None, ...]:
    """The buckets of a call's output."""
    return (tokens.output, tokens.reasoning, tokens.audio_output)


def total(parts: tuple[int | None, ...]) -> int | None:
    """The sum of what is known, None where nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _same_response(kept: list[Kept]) -> list[Kept]:
    """Two scopes, one response id, times within a second of each other: the provider SDK's stays, else the
    inner one. Without a common time they are two calls (a cached answer, replayed)."""
    groups: dict[str, list[Kept]] = defaultdict(list)
    for one in kept:
        if one.call.response_id is not None:
            groups[one.call.response_id].append(one)
    return _once(kept, groups.values(), _is_same, SAME_ID_SLACK_US)


def _same_time(kept: list[Kept]) -> list[Kept]:
    """Siblings of different scopes, one inside the other's time, same figures and model: the inner one stays."""
    groups: dict[tuple[int | None, int | None, bool], list[Kept]] = defaultdict(list)
    for one in kept:
        groups[figures(one)].append(one)
    return _once(kept, groups.values(), _lies_in, SLACK_US)


def _once(
    kept: list[Kept], groups: Iterable[list[Kept]], same: Callable[[Kept, Kept], bool], slack_us: int
) -> list[Kept]:
    """The calls without those of a group that are `same` as a preferred one; at most one of each other scope."""
    gone: set[str] = set()
    for group in groups:
        if len({one.span.scope for one in group}) > 1:
            ordered = sorted(group, key=_preference)
            near = _near(ordered, slack_us)
            for rank, one in enumerate(ordered):
                if one.span.span not in gone:
                    _absorb_same(
                        one, [ordered[other] for other in sorted(near[rank]) if other > rank], same, gone
                    )
    return [one for one in kept if one.span.span not in gone]


def _near(group: list[Kept], slack_us: int) -> dict[int, list[int]]:
    """Which calls of a group, by their place in it, have a time in common, give or take."""
    near: dict[int, list[int]] = defaultdict(list)
    active: list[int] = []
    for index in sorted(range(len(group)), key=lambda index: group[index].span.started_us):
        started_us = group[index].span.started_us
        active = [other for other in active if group[other].span.ended_us + slack_us >= started_us]
        for other in active:
            near[other].append(index)
            near[index].append(other)
        active.append(index)
    return near


def _absorb_same(one: Kept, others: list[Kept], same: Callable[[Kept, Kept], bool], gone: set[str]) -> None:
    scopes = {one.span.scope}
    for other in others:  # the tightest first
        if other.span.span not in gone and other.span.scope not in scopes and same(one, other):
            scopes.add(other.span.scope)
            _merge(one, other, gone)


def _preference(one: Kept) -> tuple[bool, int, int, str]:
    span = one.span
    return (span.scope not in PROVIDER_SCOPES, span.ended_us - span.started_us, span.started_us, span.span)


def _is_same(one: Kept, other: Kept) -> bool:
    a, b = one.span, other.span
    apart = max(a.started_us, b.started_us) - min(a.ended_us, b.ended_us)
    return apart <= SAME_ID_SLACK_US and (
        models_agree(one.call, other.call) or figures(one) == figures(other)
    )


def _merge(one: Kept, other: Kept, gone: set[str]) -> None:
    absorb(one, other.span, figures=True)
    one.call = united(one.call, other.call, figures=True)
    one.absorbed += other.absorbed
    one.duplicates += 1 + other.duplicates
    gone.add(other.span.span)


def models_agree(call: CallRecord, other: CallRecord) -> bool:
    """Whether two sights name the same model: one is missing, or one begins with the other (a snapshot)."""
    names = _model_names(call)
    others = _model_names(other)
    return not names or not others or any(a.startswith(b) or b.startswith(a) for a in names for b in others)


def _model_names(call: CallRecord) -> set[str]:
    return {name.lower().rsplit("/", 1)[-1] for name in (call.model, call.response_model) if name}


def figures(one: Kept) -> tuple[int | None, int | None, bool]:
    """What two sights of one call must agree on: input, output, whether it failed."""
    tokens = one.call.tokens
    return total(input_parts(tokens)), total(output_parts(tokens)), one.call.failed


def _lies_in(inner: Kept, outer: Kept) -> bool:
    a, b = inner.span, outer.span
    inside = b.started_us <= a.started_us + SLACK_US and a.ended_us <= b.ended_us + SLACK_US
    ids = {inner.call.response_id, outer.call.response_id} - {None}
    return inside and len(ids) < 2 and models_agree(inner.call, outer.call)
