"""From call records to rows of the staging table: priced, interned, ready for COPY.

This is the hot path: about 10 us a call. Rows are text for COPY, made by one function; nothing here reads the
database except for names never seen before.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from analytics.changes_kinds import is_stand_in
from analytics.intern import CUSTOMER, SESSION, USER, call_key, name_id, raw_call_id, run_key
from analytics.ledger_codes import NO_RATE, STATUS_CODES
from analytics.series import ProjectState, Series, tags_text
from analytics.stand_ins import version_of
from ingest.records import ERROR_CLASSES, FINISH_REASONS, CallRecord, Tokens
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
    """One COPY line. Written out and not looped: a line is 46 columns, and this is the time of a load."""
    n = NULL
    status, charge = charge_of(record, state)
    series, flow_id, tag_set = _series(record, state)
    trace, session, outcome = record.trace, record.session, record.outcome
    wasted = record.failed or record.attempt > 1 or (trace is None and outcome is False)
    tokens = "\t".join([n if count is None else str(count) for count in _counts(record.tokens)])
    costs = "\t".join([n if amount is None else str(amount) for amount in charge.by_kind])
    customer, user = _person(CUSTOMER, record.customer, state), _person(USER, record.user, state)
    raw_flow = record.flow if record.flow and not flow_id else None
    return (
        f"{mode}\t{record.started_us}\t{source.received_us}\t{series}\t{customer}\t{user}\t"
        f"{n if session is None else _session(record, state)}\t{tag_set}\t"
        f"{n if record.duration_us is None else record.duration_us}\t"
        f"{n if record.ttft_us is None else record.ttft_us}\t{call_key(record.id)}\t"
        f"{n if trace is None else run_key(trace)}\t{state.project.pk}\t{tokens}\t{charge.price_id or n}\t"
        f"{n if source.import_batch is None else source.import_batch}\t{status}\t"
        f"{ERROR_CODES[record.error_class]}\t{FINISH_CODES[record.finish_reason]}\t{record.attempt}\t"
        f"{record.duplicates}\t{'t' if wasted else 'f'}\t{_BOOLEANS[outcome]}\t{costs}\t"
        f"{n if record.reported_cost is None else record.reported_cost}\t"
        f"{n if record.estimated_cost is None else record.estimated_cost}\t"
        f"{n if record.outcome_value is None else record.outcome_value}\t{_units(record.other_units)}\t"
        f"{copy_text(raw_call_id(record.id, record.span))}\t{copy_text(record.error_type)}\t{copy_text(raw_flow)}\t"
        f"{record.currency or n}\t{copy_text(record.response_id)}\t{record.fingerprint or n}\n"
    )


def _counts(tokens: Tokens) -> tuple[int | None, ...]:
    return (
        tokens.input, tokens.cache_read, tokens.cache_write, tokens.cache_write_1h, tokens.output,
        tokens.reasoning, tokens.audio_input, tokens.audio_output,
    )  # fmt: skip


def _series(record: CallRecord, state: ProjectState) -> tuple[int, int, str]:
    """(id of the call's series, of its flow, and of the set of its untracked tags as COPY text)."""
    tags = record.tags
    tracked, tag_set = _tags(tags, state) if tags else (None, NULL)
    told = (
        record.environment, record.flow, record.step, record.operation, record.provider, record.model,
        record.response_model, record.service_tier, record.prompt,
        version_of(record.prompt_version, record.fingerprint), record.retrieval, record.release, tracked,
    )  # fmt: skip
    known = state.told.get(told)
    if known is None:
        environment = record.environment or state.project.main_environment
        flow_id = state.flow_id(record.flow, record.feature)
        series = Series(environment, flow_id, *told[2:])
        if is_stand_in(series.prompt_version):
            version = state.stand_ins.admitted(flow_id, series.prompt_version or "", record.started_us)
            series = series._replace(prompt_version=version)
        known = (state.id_of(series), flow_id)
        if flow_id or not record.flow:  # a flow that found no room may find some later
            state.told[told] = known
        else:
            state.found_no_room(record.flow, record.started_us)
    return (*known, tag_set)


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


def _person(kind: int, name: str | None, state: ProjectState) -> int | str:
    if name is None:
        return NULL
    number = name_id(name)
    if (kind, number) not in state.names:
        state.name(kind, number, name)
    return number


def _session(record: CallRecord, state: ProjectState) -> int:
    """The id of a session; its name is kept on its runs, or here for calls without a trace."""
    name = record.session or ""
    return name_id(name) if record.trace is not None else int(_person(SESSION, name, state))


def _tags(tags: dict[str, str], state: ProjectState) -> tuple[str | None, str]:
    """(tracked tags as the series has them, id of the set of the others as COPY text)."""
    wanted = state.project.tracked_tags
    tracked = {key: value for key, value in tags.items() if key in wanted}
    rest = {key: value for key, value in tags.items() if key not in wanted}
    number = NULL
    if rest:
        text = tags_text(rest)
        state.tag_set(name_id(text), text)
        number = str(name_id(text))
    return tags_text(tracked) if tracked else None, number


def copy_text(value: str | None) -> str:
    """A text as COPY reads it."""
    return NULL if value is None else value.translate(_ESCAPES)


def _units(units: dict[str, Decimal] | None) -> str:
    if not units:
        return NULL
    return copy_text(tags_text({name: str(count) for name, count in units.items()}))
