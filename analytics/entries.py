"""Calls and runs as people see them: names instead of numbers, unknown as None, money exact."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from analytics.compile import CATALOGUE
from analytics.dimensions import NONE, UNATTRIBUTED
from analytics.intern import HEX
from analytics.ledger_codes import COST_REASONS, COST_STATUSES, OUTCOMES
from analytics.opaque import call_id
from ingest.records import ERROR_CLASSES, FINISH_REASONS

# ruff: noqa: S608 - built from the constants of this module
_SERIES = (
    "environment", "step", "operation", "provider", "model", "response_model", "service_tier", "prompt",
    "prompt_version", "retrieval", "release",
)  # fmt: skip
_TOKENS = (
    "input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning", "audio_input", "audio_output",
)  # fmt: skip
_COSTS = ("cost_input", "cost_cache_read", "cost_cache_write", "cost_output", "cost_other", "cost_unsplit")
_NAMED = f"""{", ".join("s." + name for name in _SERIES)}, coalesce(flow.name, '{UNATTRIBUTED}') AS flow,
    CASE WHEN flow.id IS NULL THEN '{UNATTRIBUTED}' ELSE coalesce(feature.name, '{NONE}') END AS feature,
    customer.value AS customer, person.value AS person"""
_JOINS = f"""
    JOIN series s ON s.project_id = u.project_id AND s.id = u.series_id {CATALOGUE}
    LEFT JOIN name customer ON customer.project_id = u.project_id AND customer.kind = 1 AND customer.id = u.customer_id
    LEFT JOIN name person ON person.project_id = u.project_id AND person.kind = 2 AND person.id = u.user_id
    LEFT JOIN name visit ON visit.project_id = u.project_id AND visit.kind = 3 AND visit.id = u.session_id"""

# {page}: a SELECT of rows of `call`. A run's session is named on the run.
CALLS = f"""
    SELECT u.started_at, u.id, u.received_at, u.trace, run.raw_id AS run_name,
        coalesce(run.session, visit.value) AS session, u.duration_us, u.ttft_us,
        {", ".join("u." + name for name in _TOKENS)}, {", ".join("u." + name for name in _COSTS)},
        call_cost({", ".join("u." + name for name in _COSTS)}) AS cost, u.reported_cost, u.estimated_cost,
        u.cost_status, u.error_class, u.error_type, u.finish, u.attempt, u.duplicates, u.wasted, u.outcome,
        u.raw_id, u.response_id, u.raw_flow, u.fingerprint, u.other_units, s.tags AS tracked, tag_set.tags, {_NAMED}
    FROM ({{page}}) u {_JOINS}
    LEFT JOIN tag_set ON tag_set.project_id = u.project_id AND tag_set.id = u.tag_set_id
    LEFT JOIN run ON run.project_id = u.project_id AND run.id = u.trace
        AND run.started_at <= u.started_at AND run.ended_at >= u.started_at
    ORDER BY u.started_at DESC, u.id DESC"""

# {page}: RUN_COLUMNS of `run`, or of calls without a trace.
RUNS = f"""
    SELECT u.*, coalesce(u.told_session, visit.value) AS session, {_NAMED} FROM ({{page}}) u {_JOINS}
    ORDER BY u.started_at DESC, u.id DESC"""
RUN_COLUMNS = """u.project_id, u.series_id, u.customer_id, u.user_id, u.id, true AS traced, u.started_at,
    u.ended_at, u.duration_us, u.input, u.output, u.calls, u.errors, u.unpriced, u.outcome, u.rescued, u.cost,
    u.outcome_value, u.raw_id, u.session AS told_session, u.session_id"""
LONE_COLUMNS = f"""u.project_id, u.series_id, u.customer_id, u.user_id, u.id, false AS traced, u.started_at,
    u.started_at + coalesce(u.duration_us, 0) * interval '1 microsecond' AS ended_at, u.duration_us,
    CASE WHEN coalesce(u.input, u.cache_read, u.cache_write, u.audio_input) IS NOT NULL THEN
        coalesce(u.input, 0)::bigint + coalesce(u.cache_read, 0) + coalesce(u.cache_write, 0)
        + coalesce(u.cache_write_1h, 0) + coalesce(u.audio_input, 0) END AS input,
    CASE WHEN coalesce(u.output, u.reasoning, u.audio_output) IS NOT NULL THEN
        coalesce(u.output, 0)::bigint + coalesce(u.reasoning, 0) + coalesce(u.audio_output, 0) END AS output,
    1 AS calls, (u.error_class <> 0)::int AS errors, (u.cost_status IN (2, 3, 4, 5, 7))::int AS unpriced,
    CASE WHEN u.outcome THEN 1 WHEN NOT u.outcome OR u.error_class <> 0 THEN 2 ELSE 0 END AS outcome,
    false AS rescued, call_cost({", ".join("u." + name for name in _COSTS)}) AS cost, u.outcome_value, u.raw_id,
    NULL::text AS told_session, u.session_id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a list. `id` is opaque; `run_id` leads to its run; times are UTC, durations milliseconds."""

    id: str
    key: UUID
    started_at: datetime
    received_at: datetime
    client_id: str | None
    run_id: str
    dimensions: dict[str, str | None]  # environment, flow, feature, customer, user, session, model, …
    tags: dict[str, str]
    tokens: dict[str, int | None]  # disjoint buckets
    other_units: dict[str, str] | None
    cost: Decimal | None
    cost_by_kind: dict[str, Decimal | None]
    cost_status: str
    cost_reason: str | None
    reported_cost: Decimal | None
    estimated_cost: Decimal | None
    duration_ms: float | None
    ttft_ms: float | None
    error_class: str
    error_type: str | None
    finish_reason: str
    attempt: int
    duplicates: int
    wasted: bool
    outcome: bool | None
    response_id: str | None
    fingerprint: str | None

    @property
    def failed(self) -> bool:
        """Whether the call failed."""
        return self.error_class != ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a list: a trace, or a call without one (`traced` false: then its call has the same id).

    `id` is the quick way to it; `name` is the id as the client knows it."""

    id: str
    name: str
    key: UUID
    traced: bool
    started_at: datetime
    ended_at: datetime
    duration_ms: float | None
    dimensions: dict[str, str | None]
    input_tokens: int | None
    output_tokens: int | None
    calls: int
    errors: int
    unpriced_calls: int
    outcome: str  # success, failure, unknown
    rescued: bool
    outcome_value: Decimal | None
    cost: Decimal | None


def call_of(row: dict[str, Any]) -> Call:
    """A row of CALLS."""
    opaque = call_id(row["started_at"], row["id"])
    return Call(
        id=opaque,
        key=row["id"],
        started_at=row["started_at"],
        received_at=row["received_at"],
        client_id=_client_id(row),
        run_id=(row["run_name"] or row["trace"].hex) if row["trace"] else opaque,
        dimensions=_dimensions(row),
        tags={**(row["tracked"] or {}), **(row["tags"] or {})},
        tokens={name: row[name] for name in _TOKENS},
        other_units=row["other_units"],
        cost=row["cost"],
        cost_by_kind={name.removeprefix("cost_"): row[name] for name in _COSTS},
        cost_status=COST_STATUSES[row["cost_status"]],
        cost_reason=COST_REASONS[row["cost_status"]],
        reported_cost=row["reported_cost"],
        estimated_cost=row["estimated_cost"],
        duration_ms=_ms(row["duration_us"]),
        ttft_ms=_ms(row["ttft_us"]),
        error_class=ERROR_CLASSES[row["error_class"]],
        error_type=row["error_type"],
        finish_reason=FINISH_REASONS[row["finish"]],
        attempt=row["attempt"],
        duplicates=row["duplicates"],
        wasted=row["wasted"],
        outcome=row["outcome"],
        response_id=row["response_id"],
        fingerprint=row["fingerprint"],
    )


def _client_id(row: dict[str, Any]) -> str | None:
    """The id that the client gave; None for spans, whose id is that of their trace and their own."""
    if row["raw_id"] == HEX:
        return str(row["id"].hex)
    return row["raw_id"] or (None if row["trace"] else str(row["id"]))


def run_of(row: dict[str, Any]) -> Run:
    """A row of RUNS."""
    is_hex = row["traced"] or row["raw_id"] == HEX
    name = row["raw_id"] or (row["id"].hex if is_hex else str(row["id"]))
    return Run(
        id=name if row["traced"] else call_id(row["started_at"], row["id"]),
        name=name,
        key=row["id"],
        traced=row["traced"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        duration_ms=_ms(row["duration_us"]),
        dimensions=_dimensions(row),
        input_tokens=row["input"],
        output_tokens=row["output"],
        calls=row["calls"],
        errors=row["errors"],
        unpriced_calls=row["unpriced"],
        outcome=OUTCOMES[row["outcome"]],
        rescued=row["rescued"],
        outcome_value=row["outcome_value"],
        cost=row["cost"],
    )


def _dimensions(row: dict[str, Any]) -> dict[str, str | None]:
    people = {"customer": row["customer"], "user": row["person"], "session": row["session"]}
    return {"feature": row["feature"], "flow": row["flow"], **{name: row[name] for name in _SERIES}, **people}


def _ms(micros: int | None) -> float | None:
    return None if micros is None else micros / 1000


def call_body(call: Call) -> dict[str, Any]:
    """A call as the API gives it."""
    return {
        "id": call.id, "client_id": call.client_id,
        "run_id": call.client_id if call.run_id == call.id else call.run_id, "timestamp": call.started_at,
        "received_at": call.received_at, **call.dimensions, "tags": call.tags,
        "usage": {**call.tokens, "other": call.other_units}, "cost": call.cost, "cost_by_kind": call.cost_by_kind,
        "cost_status": call.cost_status, "cost_reason": call.cost_reason, "reported_cost": call.reported_cost,
        "estimated_cost": call.estimated_cost, "duration_ms": call.duration_ms,
        "time_to_first_token_ms": call.ttft_ms, "status": "error" if call.failed else "ok",
        "error_class": call.error_class or None, "error_type": call.error_type,
        "finish_reason": call.finish_reason or None, "attempt": call.attempt, "duplicates": call.duplicates,
        "wasted": call.wasted, "outcome": call.outcome, "response_id": call.response_id,
        "fingerprint": call.fingerprint,
    }  # fmt: skip


def run_body(run: Run) -> dict[str, Any]:
    """A run as the API gives it."""
    return {
        "id": run.name, "is_trace": run.traced, "started_at": run.started_at, "ended_at": run.ended_at,
        "duration_ms": run.duration_ms, **run.dimensions, "input_tokens": run.input_tokens,
        "output_tokens": run.output_tokens, "calls": run.calls, "errors": run.errors,
        "unpriced_calls": run.unpriced_calls, "outcome": run.outcome, "outcome_value": run.outcome_value,
        "rescued": run.rescued, "cost": run.cost,
    }  # fmt: skip
