"""From call records to rows of the staging table: priced, interned, ready for COPY.

This is the hot path: about 10 us a call. Rows are text for COPY, made by one function; nothing here reads the
database except for names never seen before.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from analytics.intern import CUSTOMER, USER, call_key, name_id, raw_call_id, run_key
from analytics.ledger_codes import NO_RATE, STATUS_CODES
from analytics.series import ProjectState, Series, tags_text
from ingest.records import ERROR_CLASSES, FINISH_REASONS, CallRecord
from pricing.book import Target
from pricing.charge import Charge, reported, without_price

NEW, SET, GONE = 0, 1, 2  # what a staged row asks for: insert, make it so, remove

# Columns of `call` in the order of the staging rows; started_us and received_us become times in SQL.
TIMES = ("started_us", "received_us")
COLUMNS = (
    "series_id", "customer_id", "user_id", "session_id", "tag_set_id", "duration_us", "ttft_us", "id", "trace",
    "project_id", "input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning", "audio_input",
    "audio_output", "price_id", "import_batch", "cost_status", "error_class", "finish", "attempt", "duplicates",
    "wasted", "outcome", "cost_input", "cost_cache_read", "cost_cache_write", "cost_output", "cost_other",
    "cost_unsplit", "reported_cost", "estimated_cost", "outcome_value", "other_units", "raw_id", "error_type",
    "raw_flow", "currency", "response_id", "fingerprint",
)  # fmt: skip
ERROR_CODES = {name: code for code, name in enumerate(ERROR_CLASSES)}
FINISH_CODES = {name: code for code, name in enumerate(FINISH_REASONS)}
NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_BOOLEANS = {None: NULL, True: "t", False: "f"}
_NO_CURRENCY = (None, "USD")


class Source(NamedTuple):
    """Where records came from: when they were received and by which import."""

    received_us: int
    import_batch: int | None = None


def rows(records: Sequence[CallRecord], *, state: ProjectState, source: Source, mode: int) -> Iterator[str]:
    """COPY lines (mode, started_us, received_us, then COLUMNS) of records of one project."""
    for record in records:
        yield _row(record, state, source, mode)


def _row(record: CallRecord, state: ProjectState, source: Source, mode: int) -> str:
    status, charge = charge_of(record, state)
    by_kind = charge.by_kind
    flow_id = state.flow_id(record.flow, record.feature)
    tracked, other = _tags(record.tags, state)
    series = Series(
        record.environment or state.project.main_environment, flow_id, record.step, record.operation,
        record.provider, record.model, record.response_model, record.service_tier, record.prompt,
        record.prompt_version, record.retrieval, record.release, tracked,
    )  # fmt: skip
    tokens = record.tokens
    wasted = record.failed or record.attempt > 1 or (record.trace is None and record.outcome is False)
    values = (
        mode, record.started_us, source.received_us, state.id_of(series),
        _person(CUSTOMER, record.customer, state), _person(USER, record.user, state),
        None if record.session is None else name_id(record.session), other,
        record.duration_us, record.ttft_us, call_key(record.id),
        None if record.trace is None else run_key(record.trace), state.project.pk,
        tokens.input, tokens.cache_read, tokens.cache_write, tokens.cache_write_1h, tokens.output,
        tokens.reasoning, tokens.audio_input, tokens.audio_output, charge.price_id or None, source.import_batch,
        status, ERROR_CODES[record.error_class], FINISH_CODES[record.finish_reason], record.attempt,
        record.duplicates, "t" if wasted else "f", _BOOLEANS[record.outcome], *by_kind,
        record.reported_cost, record.estimated_cost, record.outcome_value, _units(record.other_units),
        _text(raw_call_id(record.id, record.span)), _text(record.error_type),
        _text(record.flow) if record.flow and not flow_id else None, record.currency,
        _text(record.response_id), record.fingerprint,
    )  # fmt: skip
    return "\t".join([NULL if value is None else str(value) for value in values]) + "\n"


def charge_of(record: CallRecord, state: ProjectState) -> tuple[int, Charge]:
    """(cost status code, charge) of a call: reported wins unless the project says otherwise."""
    target = Target(record.provider, record.model, record.response_model, record.service_tier)
    rates = state.book.rates_us(target, record.started_us)
    if rates is None:
        computed = without_price(record.tokens, record.other_units, failed=record.failed)
    else:
        computed = rates.charge(record.tokens, record.other_units, record.failed)
    return settled(record.reported_cost, record.currency, computed, wins=state.project.reported_cost_wins)


def settled(
    cost: Decimal | None, currency: str | None, computed: Charge, *, wins: bool
) -> tuple[int, Charge]:
    """Which cost counts: what was charged, in USD, else what was computed."""
    if cost is not None and (wins or computed.total is None):
        if currency not in _NO_CURRENCY:
            return NO_RATE, Charge("unpriced", None, computed.price_id, (None,) * 6, None)
        computed = reported(cost, computed)
    return STATUS_CODES[computed.status, computed.reason], computed


def gone(started_us: int, key: str, project_id: int) -> str:
    """The COPY line that takes a call out of the ledger."""
    known: dict[str, Any] = {
        "id": key, "project_id": project_id, "series_id": 0, "cost_status": 0, "error_class": 0, "finish": 0,
        "attempt": 1, "duplicates": 0, "wasted": "f",
    }  # fmt: skip
    values = (GONE, started_us, started_us, *(known.get(name, NULL) for name in COLUMNS))
    return "\t".join(map(str, values)) + "\n"


def _person(kind: int, name: str | None, state: ProjectState) -> int | None:
    if name is None:
        return None
    number = name_id(name)
    if (kind, number) not in state.names:
        state.name(kind, number, name)
    return number


def _tags(tags: dict[str, str] | None, state: ProjectState) -> tuple[str | None, int | None]:
    """(tracked tags as the series has them, id of the set of the others)."""
    if not tags:
        return None, None
    wanted = state.project.tracked_tags
    tracked = {key: value for key, value in tags.items() if key in wanted}
    rest = {key: value for key, value in tags.items() if key not in wanted}
    number = None
    if rest:
        text = tags_text(rest)
        number = name_id(text)
        state.tag_set(number, text)
    return tags_text(tracked) if tracked else None, number


def _text(value: str | None) -> str | None:
    return None if value is None else value.translate(_ESCAPES)


def _units(units: dict[str, Decimal] | None) -> str | None:
    if not units:
        return None
    return _text(tags_text({name: str(count) for name, count in units.items()}))
