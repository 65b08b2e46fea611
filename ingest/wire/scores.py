"""Scores and outcomes as they are sent -> score and outcome records. Pure.

`POST /v1/scores`, `POST /v1/outcomes`, scores inside events, and evaluation results that telemetry carries.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta

from ingest.records import MAX_ID, MAX_TEXT, CallRecord, OutcomeRecord, Rejection, ScoreRecord
from ingest.wire.decoded import Decoded, MalformedError
from ingest.wire.event import Id, Long, Moment, Source, Text, is_deep
from ingest.wire.items import BadLine, document_items, line_items
from ingest.wire.limits import (
    HOUR_US,
    RefusedError,
    checked_decimal,
    clean_text,
    decimal_of,
    micros_of,
    storable,
)
from ingest.wire.native import BOM, MAX_ITEMS
from ingest.wire.refusals import near, rejection_of_refusal, rejection_of_validation

MAX_COMMENT = 4_000
TARGET_HINT = (
    'Send "run_id"; or "call_id" with "run_id", or with "call_timestamp" where the call has no trace; '
    'or "session".'
)


class Rule(msgspec.Struct, frozen=True):
    """What a project has confirmed of one score: its type and, of numbers, its range."""

    kind: str
    low: Decimal | None = None
    high: Decimal | None = None


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What the moment and the project say about scores."""

    now_us: int
    rules: Mapping[str, Rule] = {}


class SentScore(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One score as `POST /v1/scores` takes it."""

    name: Id
    value: bool | int | float | Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
    call_id: Id | None = None
    call_timestamp: Moment | None = None
    run_id: Id | None = None
    session: Id | None = None
    source: Source = "user"
    judge_version: Text | None = None
    comment: Long | None = None
    timestamp: Moment | None = None
    id: Annotated[str, Meta(max_length=MAX_ID)] | None = None


class SentOutcome(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One outcome as `POST /v1/outcomes` takes it."""

    run_id: Id
    success: bool | None = None
    value: Decimal | None = None
    timestamp: Moment | None = None


_score = msgspec.json.Decoder(SentScore)
_outcome = msgspec.json.Decoder(SentOutcome)


def decode_scores(body: bytes, *, ndjson: bool, bounds: Bounds) -> Decoded:
    """Score records of `{"scores": [...]}`, a list, one object or JSONL, and why items were refused.

    Raises MalformedError where the body cannot be read as a whole."""
    return _decoded(
        body, "scores", ndjson=ndjson, kind=SentScore, make=lambda raw: score_of(_score.decode(raw), bounds)
    )


def decode_outcomes(body: bytes, *, ndjson: bool, bounds: Bounds) -> Decoded:
    """Outcome records of `{"outcomes": [...]}`, a list, one object or JSONL, as `decode_scores`."""
    return _decoded(
        body,
        "outcomes",
        ndjson=ndjson,
        kind=SentOutcome,
        make=lambda raw: _outcome_of(_outcome.decode(raw), bounds),
    )


def _decoded(
    body: bytes, envelope: str, *, ndjson: bool, kind: type[msgspec.Struct], make: Callable[[bytes], Any]
) -> Decoded:
    body = body.removeprefix(BOM)
    if not body.strip():
        raise MalformedError("The body is empty.", f'Send {{"{envelope}": [...]}}.')
    items = (
        line_items(body, limit=MAX_ITEMS)
        if ndjson
        else document_items(body, limit=MAX_ITEMS, envelope=envelope)
    )
    decoded = Decoded()
    for index, item in enumerate(items):
        decoded.index = index
        take(index, item, lambda raw: make(_known(raw, kind, decoded)), decoded)
    return decoded


def take(index: int, item: Any, make: Callable[[dict[str, Any]], Any], decoded: Decoded) -> None:
    """Add the record that `make` makes of an item to `decoded`, or the reason why it is refused."""
    if isinstance(item, BadLine) or not isinstance(item, dict) or is_deep(item, 8):
        message = item.message if isinstance(item, BadLine) else "An item is an object, and not a deep one."
        decoded.rejections.append(Rejection(index, None, message, TARGET_HINT))
        return
    try:
        decoded.records.append(make(item))
    except RefusedError as refused:
        decoded.rejections.append(rejection_of_refusal(index, refused))
    except msgspec.MsgspecError as problem:
        decoded.rejections.append(_named(rejection_of_validation(index, str(problem))))
    except (ValueError, OverflowError):
        decoded.rejections.append(
            Rejection(index, None, "The item holds a number that cannot be read.", "Check its numbers.")
        )


def _named(rejection: Rejection) -> Rejection:
    """A value of a wrong type says which types there are."""
    if rejection.field == "value":
        return Rejection(
            rejection.index, "value", rejection.message, "Send true or false, a number, or a short text."
        )
    return rejection


def _known(item: dict[str, Any], kind: type[msgspec.Struct], decoded: Decoded) -> bytes:
    """The item as JSON, with storable texts; fields that are not known are left out and told."""
    kept: dict[str, Any] = {}
    for name, value in item.items():
        if name not in kind.__struct_fields__:
            meant = near(name, kind.__struct_fields__)
            hint = f" Did you mean {meant}?" if meant else ""
            decoded.warn(clean_text(name), f"Unknown field, left out.{hint}")
        elif value is not None:
            kept[name] = storable(value) if isinstance(value, str) else value
    return msgspec.json.encode(kept)


def score_of(sent: SentScore, bounds: Bounds) -> ScoreRecord:
    """The record of one score. Raises RefusedError for a target or a value that cannot be."""
    call_us = _checked(sent.call_timestamp, "call_timestamp", bounds)
    _check_target(sent)
    truth, number, label = value_of(sent.value)
    check(sent.name, (truth, number, label), bounds)
    record = ScoreRecord(
        id=sent.id or "",
        name=sent.name,
        at_us=_checked(sent.timestamp, "timestamp", bounds) or bounds.now_us,
        source=sent.source,
        judge_version=sent.judge_version or None,
        truth=truth,
        number=number,
        label=label,
        call=sent.call_id,
        call_us=call_us,
        run=sent.run_id,
        session=sent.session,
        comment=sent.comment or None,
    )
    told_us = None if sent.timestamp is None else record.at_us
    return record if record.id else msgspec.structs.replace(record, id=score_id(record, told_us))


def _check_target(sent: SentScore) -> None:
    given = [sent.call_id is not None or sent.run_id is not None, sent.session is not None]
    if sum(given) != 1:
        problem = "The score names two targets." if sum(given) else "The score names no call, run or session."
        raise RefusedError(problem, TARGET_HINT, field="call_id" if sent.call_id else "run_id")
    if sent.call_id is not None and sent.run_id is None and sent.call_timestamp is None:
        raise RefusedError("A call's id alone does not find it.", TARGET_HINT, field="call_id")
    if sent.call_timestamp is not None and sent.call_id is None:
        raise RefusedError("call_timestamp needs call_id.", TARGET_HINT, field="call_timestamp")


def value_of(value: Any) -> tuple[bool | None, Decimal | None, str | None]:
    """(truth, number, label): exactly one of them. A text that is a number or true / false is one."""
    if isinstance(value, bool):
        return value, None, None
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("true", "false"):
            return word == "true", None, None
        try:
            return None, decimal_of(value), None
        except RefusedError:
            return None, None, clean_text(value)
    try:
        return None, decimal_of(value), None
    except RefusedError as refused:
        refused.field = "value"
        raise


def check(name: str, value: tuple[bool | None, Decimal | None, str | None], bounds: Bounds) -> None:
    """Raises RefusedError for a value that the project's confirmed definition does not allow."""
    rule = bounds.rules.get(name)
    if rule is None or rule.kind == "categorical":
        return
    truth, number, label = value
    where = "Settings, Scores has its definition."
    if label is not None:
        raise RefusedError(f"{name} is {rule.kind}, not a text.", where, field="value")
    if rule.kind == "boolean" and truth is None and number not in (0, 1):
        raise RefusedError(f"{name} is boolean.", f"Send true or false. {where}", field="value")
    figure = Decimal(truth) if truth is not None else number
    if rule.kind == "numeric" and rule.low is not None and rule.high is not None and figure is not None:
        _check_range(name, figure, (rule.low, rule.high), where)


def _check_range(name: str, figure: Decimal, bounds: tuple[Decimal, Decimal], where: str) -> None:
    low, high = bounds
    if not low <= figure <= high:
        raise RefusedError(
            f"{name} goes from {low:f} to {high:f}.", f"Send a value within. {where}", field="value"
        )


def score_id(record: ScoreRecord, told_us: int | None) -> str:
    """The id of a score that was sent without: a hash of its target, name, source, judge version and timestamp.

    Without a timestamp the same score of the same target replaces the one before it."""
    parts = (
        record.call, record.call_us, record.run, record.session, record.name, record.source, record.judge_version,
        told_us,
    )  # fmt: skip
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()


def scores_of(call: CallRecord) -> Iterator[ScoreRecord]:
    """The scores that came inside an event (`ingest.wire.event`), or on a span: they belong to that call."""
    for given in call.scores or ():
        try:
            truth, number, label = value_of(given["value"])
        except RefusedError:
            continue  # accepted before the door looked at the size of numbers
        record = ScoreRecord(
            id=given.get("id") or "",
            name=given["name"],
            at_us=given.get("timestamp") or call.started_us,
            source=given.get("source", "user"),
            judge_version=given.get("judge_version"),
            truth=truth,
            number=number,
            label=label,
            call=call.span or call.id,
            call_us=None if call.span else call.started_us,
            run=call.trace if call.span else None,
            comment=given.get("comment"),
        )
        yield (
            record
            if record.id
            else msgspec.structs.replace(record, id=score_id(record, given.get("timestamp")))
        )


def evaluation(told: Mapping[str, Any], *, at_us: int, run: str, span: str | None) -> ScoreRecord:
    """An evaluation that telemetry carries: `name`, `score.value` or `score.label`, `explanation`, and of our own
    `source` and `judge_version`. Raises RefusedError without a name or a value."""
    name, figure = told.get("name"), told.get("score.value", told.get("score.label"))
    if not isinstance(name, str) or figure is None:
        raise RefusedError(
            "The evaluation has no name or no score.",
            "Send gen_ai.evaluation.name with gen_ai.evaluation.score.value or .score.label.",
            field="gen_ai.evaluation.name",
        )
    truth, number, label = value_of(figure[:MAX_TEXT] if isinstance(figure, str) else figure)
    source = told.get("source")
    record = ScoreRecord(
        id="", name=clean_text(name), at_us=at_us, truth=truth, number=number, label=label, call=span, run=run,
        source=str(source) if source in get_args(Source) else "judge",
        judge_version=_short(told.get("judge_version")), comment=_short(told.get("explanation"), MAX_COMMENT),
    )  # fmt: skip
    return msgspec.structs.replace(record, id=score_id(record, at_us))


def _short(value: Any, limit: int = MAX_TEXT) -> str | None:
    return clean_text(str(value), limit) if value not in (None, "") else None


def _outcome_of(sent: SentOutcome, bounds: Bounds) -> OutcomeRecord:
    if sent.success is None and sent.value is None:
        raise RefusedError(
            "The outcome says nothing.", 'Send {"run_id": "run-77", "success": true}.', field="success"
        )
    if sent.value is not None:
        try:
            checked_decimal(sent.value)
        except RefusedError as refused:
            refused.field = "value"
            raise
    at_us = _checked(sent.timestamp, "timestamp", bounds) or bounds.now_us
    return OutcomeRecord(sent.run_id, at_us, sent.success, sent.value)


def _checked(moment: Any, field: str, bounds: Bounds) -> int | None:
    if moment is None:
        return None
    us = micros_of(moment)
    if us < 0 or us > bounds.now_us + HOUR_US:
        raise RefusedError(
            "The time lies before 1970 or more than 1 hour ahead of the server's clock.",
            "Check the sender's clock and the offset.",
            field=field,
        )
    return us
