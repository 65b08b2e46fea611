"""Which tables hold what: every part of a measure as SQL over the rows of a rollup or of the ledger.

Alias u is the table's row, dims its series with texts. A part merges by addition, a packed one by concatenation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from analytics.dimensions import AUDIENCE, CUSTOMER, RAW, RUNS, SIGNS, USAGE
from analytics.ledger_codes import PARTIALS, UNPRICED
from analytics.measures import COSTS

_COUNTS = ("calls", "duplicates", "partial", "unpriced")
_TOKENS = (
    "input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning", "audio_input", "audio_output",
)  # fmt: skip
_TIMED = ("timed_output", "timed_us")
_CALL_COLUMNS = ("series_id", *_COUNTS, *_TOKENS, *_TIMED, *COSTS, "wasted")
_ALL_COST = f"call_cost({', '.join('u.' + name for name in COSTS)})"
_UNATTRIBUTED = "dims.flow_id = 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One family of rollups: its day table, its quarter-hour table ("" = none), the columns that are
    read of a row, and its parts in SQL."""

    name: str
    family: str
    day_table: str
    fine_table: str
    columns: tuple[str, ...]
    parts: Mapping[str, str]
    condition: str = ""  # rows of the tables that are meant; numbers of ours only


def _sums(*names: str) -> dict[str, str]:
    """sum(bigint) is numeric in Postgres; figures that fit come back as integers."""
    return {name: f"sum(u.{name})::bigint" for name in names}


def _money(*names: str) -> dict[str, str]:
    return {name: f"sum(u.{name})" for name in names}


def _packed(*names: str) -> dict[str, str]:
    return {name: f"string_agg(u.{name}, ''::bytea)" for name in names}


def _unattributed() -> dict[str, str]:
    return {
        "unattributed_calls": f"(sum(u.calls) FILTER (WHERE {_UNATTRIBUTED}))::bigint",
        "unattributed_cost": f"sum({_ALL_COST}) FILTER (WHERE {_UNATTRIBUTED})",
    }


_CALL_SUMS = {**_sums(*_COUNTS, *_TOKENS, *_TIMED), **_money(*COSTS, "wasted"), **_unattributed()}
_VISIBLE = "u.output IS NOT NULL AND u.duration_us > 0 AND u.error_class = 0"  # as the rollups have it


def _histogram_of(micros: str) -> str:
    return (
        f"string_agg(int2send(log_bucket({micros}::float8 / 1000)) || int4send(1), ''::bytea)"
        f" FILTER (WHERE {micros} IS NOT NULL)"
    )


def _status_count(statuses: tuple[int, ...]) -> str:
    return f"count(*) FILTER (WHERE u.cost_status IN ({', '.join(map(str, statuses))}))"


_RAW_PARTS = {
    "calls": "count(*)",
    "errors": "count(*) FILTER (WHERE u.error_class <> 0)",
    "duplicates": "sum(u.duplicates)::bigint",
    "partial": _status_count(PARTIALS),
    "unpriced": _status_count(UNPRICED),
    "unattributed_calls": f"count(*) FILTER (WHERE {_UNATTRIBUTED})",
    "unattributed_cost": f"sum({_ALL_COST}) FILTER (WHERE {_UNATTRIBUTED})",
    "wasted": f"sum({_ALL_COST}) FILTER (WHERE u.wasted)",
    "timed_output": "(sum(u.output::bigint + coalesce(u.reasoning, 0) + coalesce(u.audio_output, 0))"
    f" FILTER (WHERE {_VISIBLE}))::bigint",
    "timed_us": f"(sum(u.duration_us) FILTER (WHERE {_VISIBLE}))::bigint",
    "latency": _histogram_of("u.duration_us"),
    "ttft": _histogram_of("u.ttft_us"),
    **_sums(*_TOKENS),
    **_money(*COSTS),
}

_RAW_COLUMNS = (
    "series_id", *_TOKENS, *COSTS, "customer_id", "user_id", "session_id", "error_class", "error_type",
    "cost_status", "wasted", "duplicates", "duration_us", "ttft_us",
)  # fmt: skip
_RUN_SUMS = ("runs", "successes", "failures", "rescued")

_SIGNED = ("cut_off", "filtered", "empty_answer", "failed_tool")

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            name=USAGE,
            family="calls",
            day_table="usage_day",
            fine_table="usage",
            columns=(*_CALL_COLUMNS, "error_class", "latency", "ttft"),
            parts={
                **_CALL_SUMS,
                **_packed("latency", "ttft"),
                "errors": "(sum(u.calls) FILTER (WHERE u.error_class <> 0))::bigint",
            },
        ),
        Source(
            name=CUSTOMER,
            family="calls",
            day_table="customer_day",
            fine_table="customer_bucket",
            columns=(*_CALL_COLUMNS, "customer_id", "errors"),
            parts={**_CALL_SUMS, **_sums("errors")},
        ),
        Source(
            name=RAW,
            family="calls",
            day_table="",
            fine_table="call",
            columns=_RAW_COLUMNS,
            parts=_RAW_PARTS,
        ),
        Source(
            name=RUNS,
            family="runs",
            day_table="run_day",
            fine_table="run_bucket",
            columns=("series_id", *_RUN_SUMS, "cost", "duration", "cost_histogram"),
            parts={
                **_sums(*_RUN_SUMS),
                "run_cost": "sum(u.cost)",
                **_packed("duration", "cost_histogram"),
            },
        ),
        Source(
            name=SIGNS,
            family="signs",
            day_table="sign_day",
            fine_table="sign_bucket",
            columns=("series_id", *_SIGNED),
            parts=_sums(*_SIGNED),
        ),
        Source(
            name=AUDIENCE,
            family="audience",
            day_table="audience_day",
            fine_table="",
            columns=(),
            parts={name: f"string_agg(s.{name}, ''::bytea)" for name in ("users", "customers")},
        ),
    )
}
