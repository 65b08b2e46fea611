"""Which calls of a trace are attempts of one thing, and whether the last of them succeeded. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from analytics.trace_duplicates import SLACK_US, Kept
from ingest.records import SpanRecord

RETRY_GAP_US = 60_000_000  # after a failure, below an ordinary step; a wrapper of one call has no bound
RETRYABLE = frozenset(("rate_limit", "overloaded", "timeout", "provider_fault"))
Key = tuple[str | None, str | None, str | None]


class Chains(msgspec.Struct, frozen=True):
    """The attempt of each call, in the order given; whether some chain ended in failure, or was rescued."""

    attempts: list[int]
    ended_failed: bool
    rescued: bool


def number_attempts(kept: Sequence[Kept], by_id: Mapping[str, SpanRecord]) -> Chains:
    """Attempt numbers of sorted calls: under one wrapper of a single call (an SDK's retry, a gateway's
    fallback) every call after a failed one; under another common parent only the same model and operation
    again, soon after a failure that is worth a retry."""
    if not any(one.call.failed for one in kept):
        return Chains([1] * len(kept), ended_failed=False, rescued=False)
    attempts = [1] * len(kept)
    last: dict[Key, int] = {}
    followed: set[int] = set()
    for index, one in enumerate(kept):
        key = _key(one, by_id)
        before = last.get(key)
        if before is not None and _repeats(kept[before], one, tight=key[1] is None):
            attempts[index] = attempts[before] + 1
            followed.add(before)
        last[key] = index
    failed = {index for index, one in enumerate(kept) if one.call.failed}
    rescued = any(attempt > 1 and index not in failed for index, attempt in enumerate(attempts))
    return Chains(attempts, ended_failed=not failed <= followed, rescued=rescued)


def _key(one: Kept, by_id: Mapping[str, SpanRecord]) -> Key:
    if one.anchor is not None:
        return one.anchor, None, None
    parent = by_id.get(one.span.parent or "")
    if parent is not None and parent.kind == "wrapper":
        return parent.span, None, None
    return one.span.parent or one.span.span, one.call.model or "", one.call.operation


def _repeats(before: Kept, after: Kept, *, tight: bool) -> bool:
    if not before.call.failed or after.span.started_us + SLACK_US < before.span.ended_us:
        return False
    gap_us = after.span.started_us - before.span.ended_us
    return tight or (before.call.error_class in RETRYABLE and gap_us <= RETRY_GAP_US)
