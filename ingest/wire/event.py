"""The native event as it is sent, and the call record that it becomes."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ingest.records import MAX_CONTENT, MAX_ID, MAX_TAGS, MAX_TEXT, MAX_TOKENS, CallRecord, Tokens
from ingest.wire.errors import error_class_of
from ingest.wire.finish import finish_reason_of
from ingest.wire.limits import (
    HOUR_US,
    RefusedError,
    amount_of,
    checked_decimal,
    checked_time,
    clean_text,
    micros_of,
    tag_text,
)
from pricing.names import provider_of

MAX_SCORES = 100
MAX_UNITS = 32
MAX_DEPTH = 64
MAX_MS = 366 * 86_400_000

Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
Long = Annotated[str, Meta(max_length=4_000)]
Moment = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0, le=MAX_TOKENS)]
Milliseconds = Annotated[float, Meta(ge=0, le=MAX_MS)]
Content = Annotated[str, Meta(max_length=MAX_CONTENT)] | list[Any] | dict[str, Any]
Source = Literal["user", "heuristic", "judge", "human", "telemetry"]


class Usage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Tokens of a call: input includes cache reads and writes, output includes reasoning."""

    input_tokens: Count | None = None
    cache_read_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    cache_write_1h_tokens: Count | None = None  # the part of cache_write_tokens that is kept for an hour
    output_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    audio_input_tokens: Count | None = None
    audio_output_tokens: Count | None = None
    other: dict[Text, Decimal] | None = None


class Prompt(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Which prompt was used."""

    name: Text | None = None
    version: Text | None = None


class Outcome(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What the run came to."""

    success: bool | None = None
    value: Decimal | None = None


class Score(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A quality value given with the call."""

    name: Id
    value: bool | float | Text
    source: Source = "user"
    judge_version: Text | None = None
    comment: Long | None = None
    timestamp: Moment | None = None
    id: Text | None = None


class Event(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One call as `POST /v1/events` takes it; `docs/` and the OpenAPI document describe the fields."""

    id: Id
    timestamp: Moment
    feature: Text | None = None
    flow: Text | None = None
    environment: Text | None = None
    trace_id: Text | None = None
    step: Text | None = None
    session: Text | None = None
    user: Text | None = None
    customer: Text | None = None
    provider: Text | None = None
    model: Text | None = None
    response_model: Text | None = None
    response_id: Text | None = None
    operation: Text | None = None
    service_tier: Text | None = None
    prompt: Prompt | None = None
    retrieval: Text | None = None
    release: Text | None = None
    usage: Usage | None = None
    cost: Decimal | None = None
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    reservation: Text | None = None
    duration_ms: Milliseconds | None = None
    time_to_first_token_ms: Milliseconds | None = None
    status: Literal["ok", "error"] | None = None
    error_type: Text | None = None
    finish_reason: Text | None = None
    attempt: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    outcome: Outcome | None = None
    fingerprint: Text | None = None
    tags: dict[Id, Text | int | float | bool | None] | None = None
    scores: Annotated[list[Score], Meta(max_length=MAX_SCORES)] | None = None
    input: Content | None = None
    output: Content | None = None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a project and the moment say about events: times are unix microseconds."""

    now_us: int
    floor_us: int = 0
    main_environment: str = "production"
    keep_content: bool = False


Warn = Callable[[str, str], None]  # field, message
UNKNOWN = Tokens()


def record_of(event: Event, rules: Rules, warn: Warn) -> CallRecord:
    """The call that an event tells of. Raises RefusedError, with its field, for what cannot be taken."""
    started_us = round(event.timestamp.timestamp() * 1e6)  # exact to the microsecond until far after 2100
    if started_us < rules.floor_us or started_us < 0 or started_us > rules.now_us + HOUR_US:
        started_us = _time_of(event.timestamp, rules)
    cost = event.cost
    if cost is not None:
        cost = amount("cost", cost)
    failed = event.status == "error" or (event.status is None and bool(event.error_type))
    if not event.model and not failed and (cost is None or not event.operation):
        raise RefusedError(
            "There is no model.",
            "Send model; a paid tool sends operation and cost instead, a failed call may leave it out.",
            field="model",
        )
    usage, prompt, outcome = event.usage, event.prompt, event.outcome
    duration, ttft = event.duration_ms, event.time_to_first_token_ms
    return CallRecord(
        event.id,
        started_us,
        event.flow or None,
        event.feature or None,
        event.environment or rules.main_environment,
        event.trace_id or None,
        None,
        event.step or None,
        event.session or None,
        event.user or None,
        event.customer or None,
        provider_of(event.provider or None, event.model or None),
        event.model or None,
        event.response_model or None,
        event.response_id or None,
        event.operation or None,
        event.service_tier or None,
        (prompt.name or None) if prompt is not None else None,
        (prompt.version or None) if prompt is not None else None,
        event.retrieval or None,
        event.release or None,
        disjoint(usage, warn) if usage is not None else UNKNOWN,
        _units_of(usage.other) if usage is not None and usage.other else None,
        cost,
        event.currency,
        None,
        None if duration is None else round(duration * 1000),
        None if ttft is None else round(ttft * 1000),
        failed,
        error_class_of(event.error_type) if failed else "",
        event.error_type or None,
        finish_reason_of(event.finish_reason),
        event.attempt or 1,
        None if outcome is None else outcome.success,
        None if outcome is None or outcome.value is None else _finite("outcome.value", outcome.value),
        event.fingerprint or None,
        _tags_of(event.tags, warn) if event.tags else None,
        event.reservation or None,
        [_score_of(score) for score in event.scores] if event.scores else None,
        _content_of("input", event.input, rules) if event.input else None,
        _content_of("output", event.output, rules) if event.output else None,
    )


def _time_of(moment: datetime, rules: Rules) -> int:
    try:
        return checked_time(micros_of(moment), now_us=rules.now_us, floor_us=rules.floor_us)
    except RefusedError as refused:
        refused.field = "timestamp"
        raise


def amount(name: str, number: Decimal) -> Decimal:
    """A decimal that is 0 or more. Raises RefusedError with the field's name."""
    text = str(number)
    if len(text) <= 12 and (text.isdigit() or text.replace(".", "", 1).isdigit()):
        return number  # the common case, decided without taking the number apart
    try:
        return amount_of(number)
    except RefusedError as refused:
        refused.field = name
        raise


def _finite(name: str, number: Decimal) -> Decimal:
    try:
        return checked_decimal(number)
    except RefusedError as refused:
        refused.field = name
        raise


def _units_of(other: dict[str, Decimal]) -> dict[str, Decimal]:
    if len(other) > MAX_UNITS:
        raise RefusedError("There are too many units.", f"Send at most {MAX_UNITS}.", field="usage.other")
    return {name: amount(f"usage.other.{name}", number) for name, number in other.items() if name}


def disjoint(usage: Usage, warn: Warn) -> Tokens:
    """Buckets that do not overlap, from counts where input includes the cache and output the reasoning.

    A sender whose input is smaller than its cache counts does not include them (formats of some providers):
    they are added. Parts larger than their total are clamped to it. Both are told."""
    read, write, hour = usage.cache_read_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens
    fresh, visible, reasoning = usage.input_tokens, usage.output_tokens, usage.reasoning_tokens
    if hour is not None:
        write = None if write is None else (write - hour if write >= hour else write)
    if fresh is not None and (read or write or hour):
        cached = (read or 0) + (write or 0) + (hour or 0)
        if cached > fresh:
            warn("usage.input_tokens", "Smaller than its cache tokens: taken as not including them.")
        else:
            fresh -= cached
    audio_in, audio_out = usage.audio_input_tokens, usage.audio_output_tokens
    if audio_in is not None and fresh is not None:
        audio_in = _part("usage.audio_input_tokens", audio_in, fresh, warn)
        fresh -= audio_in
    if reasoning and visible is not None:
        reasoning = _part("usage.reasoning_tokens", reasoning, visible, warn)
        visible -= reasoning
    if audio_out is not None and visible is not None:
        audio_out = _part("usage.audio_output_tokens", audio_out, visible, warn)
        visible -= audio_out
    return Tokens(fresh, read, write, hour, visible, reasoning, audio_in, audio_out)


def _part(name: str, part: int, total: int, warn: Warn) -> int:
    if part <= total:
        return part
    warn(name, f"Larger than the total it is part of: counted as {total}.")
    return total


def _tags_of(tags: dict[str, Any], warn: Warn) -> dict[str, str] | None:
    if len(tags) > MAX_TAGS:
        warn("tags", f"Only the first {MAX_TAGS} tags are kept.")
        tags = dict(list(tags.items())[:MAX_TAGS])
    for value in tags.values():
        if type(value) is not str:
            return {key: tag_text(value) for key, value in tags.items()}
    return tags


def _score_of(score: Score) -> dict[str, Any]:
    kept = {name: value for name in score.__struct_fields__ if (value := getattr(score, name)) is not None}
    if isinstance(score.value, float):
        _finite("scores.value", Decimal(repr(score.value)))
    if score.timestamp is not None:
        kept["timestamp"] = micros_of(score.timestamp)
    return kept


def _content_of(name: str, content: str | list[Any] | dict[str, Any], rules: Rules) -> str | None:
    if isinstance(content, str):
        return content if rules.keep_content else None
    if is_deep(content):
        raise RefusedError(f"Nested deeper than {MAX_DEPTH} levels.", "Send the content as text.", field=name)
    return clean_text(msgspec.json.encode(content).decode(), MAX_CONTENT) if rules.keep_content else None


def is_deep(value: Any, limit: int = MAX_DEPTH) -> bool:
    """Whether lists and objects are nested deeper than `limit`; never recurses itself."""
    level = [value]
    for _ in range(limit + 1):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return False
    return True
