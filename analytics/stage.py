"""From call records to rows of the staging table: priced, interned, ready for COPY.

This is the hot path: about 10 us a call. Rows are text for COPY, made by one function; nothing here reads the
database except for names never seen before.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from analytics.changes_kinds import is_stand_in
from analytics.intern import CUSTOMER, SESSION, USER, key_and_raw_id, name_id, run_key
from analytics.ledger_codes import NO_RATE, STATUS_CODES
from analytics.series import ProjectState, Series, Told, tags_text
from analytics.stand_ins import version_of
from ingest.records import ERROR_CLASSES, FINISH_REASONS, CallRecord
from pricing.book import Target
from pricing.charge import Charge, reported, without_price
from pricing.rates import Rates

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
ERROR_CODES = {name: str(code) for code, name in enumerate(ERROR_CLASSES)}
FINISH_CODES = {name: str(code) for code, name in enumerate(FINISH_REASONS)}
NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_BOOLEANS = {None: NULL, True: "t", False: "f"}
_NO_CURRENCY = (None, "USD")


class Source(NamedTuple):
    """Where records came from: when they were received and by which import."""

    received_us: int
    import_batch: int | None = None


class Same(NamedTuple):
    """What all rows of a batch share, as COPY text."""

    mode: str
    received: str
    project: str
    import_batch: str


def rows(records: Sequence[CallRecord], *, state: ProjectState, source: Source, mode: int) -> list[str]:
    """COPY lines (mode, started_us, received_us, then COLUMNS) of records of one project."""
    batch = NULL if source.import_batch is None else str(source.import_batch)
    same = Same(str(mode), str(source.received_us), str(state.project.pk), batch)
    return [_row(record, state, same) for record in records]


def _row(record: CallRecord, state: ProjectState, same: Same) -> str:
    """One COPY line. Written out and not looped: a line is 46 columns, and this is the time of a load. What comes again
    is kept as text; `!s`, since a decimal's own formatting takes four times as long."""
    n = NULL
    mode, received, project, import_batch = same
    known, tag_set = _told(record, state)
    series, flow_id, track, _ = known
    status, charge = _charge(record, track.at(record.started_us), state)
    trace, session, outcome, count = record.trace, record.session, record.outcome, record.tokens
    wasted = record.failed or record.attempt > 1 or (trace is None and outcome is False)
    key, raw_id = key_and_raw_id(record.id, record.span)
    c_in, c_read, c_write, c_out, c_other, c_unsplit = charge.by_kind
    customer, user = record.customer, record.user
    return (
        f"{mode}\t{record.started_us}\t{received}\t{series}\t"
        f"{n if customer is None else state.names[CUSTOMER].get(customer) or state.name(CUSTOMER, customer)}\t"
        f"{n if user is None else state.names[USER].get(user) or state.name(USER, user)}\t"
        f"{n if session is None else _session(record, state)}\t{tag_set}\t"
        f"{n if record.duration_us is None else record.duration_us}\t"
        f"{n if record.ttft_us is None else record.ttft_us}\t{key}\t"
        f"{n if trace is None else run_key(trace)}\t{project}\t"
        f"{n if count.input is None else count.input}\t{n if count.cache_read is None else count.cache_read}\t"
        f"{n if count.cache_write is None else count.cache_write}\t"
        f"{n if count.cache_write_1h is None else count.cache_write_1h}\t"
        f"{n if count.output is None else count.output}\t{n if count.reasoning is None else count.reasoning}\t"
        f"{n if count.audio_input is None else count.audio_input}\t"
        f"{n if count.audio_output is None else count.audio_output}\t{charge.price_id or n}\t"
        f"{import_batch}\t{status}\t"
        f"{ERROR_CODES[record.error_class]}\t{FINISH_CODES[record.finish_reason]}\t"
        f"{'1' if record.attempt == 1 else record.attempt}\t"
        f"{record.duplicates or '0'}\t{'t' if wasted else 'f'}\t{_BOOLEANS[outcome]}\t"
        f"{n if c_in is None else c_in or 0!s}\t{n if c_read is None else c_read or 0!s}\t"
        f"{n if c_write is None else c_write or 0!s}\t{n if c_out is None else c_out or 0!s}\t"
        f"{n if c_other is None else c_other or 0!s}\t{n if c_unsplit is None else c_unsplit or 0!s}\t"
        f"{n if record.reported_cost is None else record.reported_cost!s}\t"
        f"{n if record.estimated_cost is None else record.estimated_cost!s}\t"
        f"{n if record.outcome_value is None else record.outcome_value!s}\t"
        f"{_units(record.other_units) if record.other_units else n}\t"
        f"{n if raw_id is None else raw_id and copy_text(raw_id)}\t"
        f"{n if record.error_type is None else copy_text(record.error_type)}\t"
        f"{copy_text(record.flow) if record.flow and not flow_id else n}\t{record.currency or n}\t"
        f"{n if record.response_id is None else copy_text(record.response_id)}\t{record.fingerprint or n}\n"
    )


def _told(record: CallRecord, state: ProjectState) -> tuple[Told, str]:
    """What is known of calls that say the same (series, flow, prices), and the id of the set of the call's untracked
    tags as COPY text."""
    tags = record.tags
    tracked, tag_set = _tags(tags, state) if tags else (None, NULL)
    told = (
        record.environment, record.flow, record.step, record.operation, record.provider, record.model,
        record.response_model, record.service_tier, record.prompt,
        version_of(record.prompt_version, record.fingerprint), record.retrieval, record.release, tracked,
    )  # fmt: skip
    known = state.told.get(told)
    if known is None or known.book is not state.book:
        book = state.book
        environment = record.environment or state.project.main_environment
        flow_id = state.flow_id(record.flow, record.feature)
        series = Series(environment, flow_id, *told[2:])
        if is_stand_in(series.prompt_version):
            version = state.stand_ins.admitted(flow_id, series.prompt_version or "", record.started_us)
            series = series._replace(prompt_version=version)
        known = Told(str(state.id_of(series)), flow_id, book.track(_target(record)), book)
        if flow_id or not record.flow:  # a flow that found no room may find some later
            state.told[told] = known
        else:
            state.found_no_room(record.flow, record.started_us)
    return known, tag_set


def _target(record: CallRecord) -> Target:
    return Target(record.provider, record.model, record.response_model, record.service_tier)


def charge_of(record: CallRecord, state: ProjectState) -> tuple[int, Charge]:
    """(cost status code, charge) of a call: reported wins unless the project says otherwise."""
    return _charge(record, state.book.rates_us(_target(record), record.started_us), state)


def _charge(record: CallRecord, rates: Rates | None, state: ProjectState) -> tuple[int, Charge]:
    if rates is None:
        computed = without_price(record.tokens, record.other_units, failed=record.failed)
    else:
        computed = rates.charge(record.tokens, record.other_units, record.failed)
    if record.reported_cost is None:
        return STATUS_CODES[computed.status, computed.reason], computed
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


def _session(record: CallRecord, state: ProjectState) -> str | int:
    """The id of a session; its name is kept on its runs, or here for calls without a trace."""
    name = record.session or ""
    if record.trace is not None:
        return name_id(name)
    return state.names[SESSION].get(name) or state.name(SESSION, name)


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


def _units(units: dict[str, Decimal]) -> str:
    return copy_text(tags_text({name: str(count) for name, count in units.items()}))
