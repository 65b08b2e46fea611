"""What the wire layer hands on: call and span records that can be loaded, and rejections that say why not.

The wire layer guarantees (design section 3): finite decimals (scale at most 30, below 1e12), no NUL, no lone
surrogate, a length for every text, at most 32 tags, no time before the ledger's floor or over 1 hour ahead.
Records are arrays on the wire to the inbox: append fields at the end only, with a default, or rows that wait
there can no longer be read.
"""

from decimal import Decimal
from typing import Any

import msgspec

ERROR_CLASSES = (
    "",  # none: the call succeeded
    "rate_limit",
    "overloaded",
    "timeout",
    "provider_fault",
    "our_request",
    "authentication",
    "content_filter",
    "cancelled",
    "other",
)
FINISH_REASONS = ("", "stop", "length", "tool_calls", "content_filter", "error", "other")
MAX_TOKENS = 2_000_000_000  # of one bucket of one call: fits int4; no provider comes near
MAX_TEXT = 200  # characters of a name: flow, model, user, …
MAX_ID = 200
MAX_TAGS = 32
MAX_CONTENT = 1_000_000


class Tokens(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Disjoint token buckets of one call, in the order of `pricing.units.BUCKETS`; None = unknown."""

    input: int | None = None  # uncached text input
    cache_read: int | None = None
    cache_write: int | None = None  # kept 5 minutes, or no lifetime told
    cache_write_1h: int | None = None
    output: int | None = None  # visible
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None


class CallRecord(msgspec.Struct, frozen=True, array_like=True, gc=False, omit_defaults=True):
    """One request to a model or a paid tool. Times are unix microseconds, durations microseconds."""

    id: str  # the client's; for a span `<trace id>-<span id>`
    started_us: int
    flow: str | None = None
    feature: str | None = None
    environment: str | None = None
    trace: str | None = None  # None: the call is a run of its own
    span: str | None = None
    step: str | None = None
    session: str | None = None
    user: str | None = None
    customer: str | None = None
    provider: str | None = None  # normalised: pricing.names.provider_of
    model: str | None = None  # as sent
    response_model: str | None = None
    response_id: str | None = None
    operation: str | None = None
    service_tier: str | None = None
    prompt: str | None = None
    prompt_version: str | None = None
    retrieval: str | None = None
    release: str | None = None
    tokens: Tokens = Tokens()
    other_units: dict[str, Decimal] | None = None  # named units: web_searches, images, seconds
    reported_cost: Decimal | None = None  # what the caller was charged
    currency: str | None = None  # of reported_cost; None = USD
    estimated_cost: Decimal | None = None  # an instrumentation's own table: kept, compared, never counted
    duration_us: int | None = None
    ttft_us: int | None = None
    failed: bool = False
    error_class: str = ""
    error_type: str | None = None
    finish_reason: str = ""
    attempt: int = 1
    outcome: bool | None = None
    outcome_value: Decimal | None = None
    fingerprint: str | None = None
    tags: dict[str, str] | None = None
    reservation: str | None = None
    scores: list[dict[str, Any]] | None = None
    input: str | None = None  # content: only where the project keeps it
    output: str | None = None
    duplicates: int = 0  # copies from other sources that the resolver set aside
    provider_usage: str | None = None  # the provider's own usage object, JSON, kept with content


class SpanRecord(msgspec.Struct, frozen=True, array_like=True, gc=False, omit_defaults=True):
    """One span of a trace as sent, before its trace is resolved. `call` holds what it alone says of a call."""

    trace: str  # 32 hex digits
    span: str  # 16 hex digits
    parent: str | None
    name: str
    kind: str  # call, wrapper, step, tool, retrieval, agent, workflow, http, tail, ignored
    scope: str
    started_us: int
    ended_us: int
    failed: bool = False
    # What this span itself says: flow, workflow, agent, feature, customer, user, session, environment,
    # release, prompt, prompt_version, retrieval, step, outcome.
    context: dict[str, str] = {}
    trace_context: dict[str, str] = {}  # attributes that speak of the whole trace
    resource_context: dict[str, str] = {}  # environment, release, service
    tags: dict[str, str] | None = None
    call: CallRecord | None = None
    error_type: str | None = None


class MessagesRecord(msgspec.Struct, frozen=True, array_like=True, gc=False, omit_defaults=True):
    """Messages that came as log events for a span: content and fingerprint, never usage."""

    trace: str
    span: str
    at_us: int
    input: str | None = None
    output: str | None = None
    fingerprint: str | None = None


class ScoreRecord(msgspec.Struct, frozen=True, array_like=True, gc=False, omit_defaults=True):
    """One score: a quality value of a call, a run or a session. Its target may come later.

    Given is one of: `call` with `call_us`; `call` with `run`; `run`; `session`. Exactly one of `truth`, `number`
    and `label` is the value."""

    id: str  # the sender's, or made of what the score is (ingest.wire.scores.score_id)
    name: str
    at_us: int  # when it was given
    source: str = "user"  # user, heuristic, judge, human, telemetry
    judge_version: str | None = None
    truth: bool | None = None
    number: Decimal | None = None
    label: str | None = None
    call: str | None = None
    call_us: int | None = None
    run: str | None = None
    session: str | None = None
    comment: str | None = None


class OutcomeRecord(msgspec.Struct, frozen=True, array_like=True, gc=False, omit_defaults=True):
    """What a run came to, told apart from its calls; the later one wins."""

    run: str
    at_us: int
    success: bool | None = None
    value: Decimal | None = None


class Rejection(msgspec.Struct, frozen=True):
    """Why one item was refused: its index in the request, the field, and what to do."""

    index: int
    field: str | None
    message: str
    hint: str | None = None


class Remark(msgspec.Struct, frozen=True):
    """What was taken, but perhaps not as meant (an unknown field kept as a tag)."""

    index: int
    field: str | None
    message: str
