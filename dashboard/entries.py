"""Runs and calls as rows of a list."""

from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse

from analytics.entries import Call, Run
from dashboard import formats
from dashboard.frame import Choice
from dashboard.panels import State
from dashboard.scope import Scope

SHORT_ID = 8
# Cost status of a call: what is shown behind or instead of the amount, and what it means.
REASONS = {
    "no_price": "no price yet for this model",
    "no_usage": "succeeded, but the sender gave no token count",
    "no_rate": "no exchange rate of that day",
}
ERRORS = {
    "rate_limit": "rate limit",
    "overloaded": "overloaded",
    "timeout": "timeout",
    "provider_fault": "provider fault",
    "our_request": "our request",
    "authentication": "authentication",
    "content_filter": "content filter",
    "cancelled": "cancelled",
    "other": "other error",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """A call's cost as its cell shows it; `title` says what the sign means."""

    text: str
    sign: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run of a list."""

    href: str
    name: str
    at: str
    iso: str
    flow: str
    feature: str
    customer: str
    duration: str
    calls: str
    errors: str
    input: str
    output: str
    cost: str
    outcome: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One call of a list; it leads to its run."""

    href: str
    at: str
    iso: str
    flow: str
    step: str
    model: str
    provider: str
    input: str
    output: str
    duration: str
    first_token: str
    cost: Cost
    status: str
    failed: bool


def run_row(run: Run, scope: Scope) -> RunRow:
    """A run."""
    known = run.dimensions
    return RunRow(
        href=run_url(scope, run.id),
        name=run.id[:SHORT_ID] if run.traced else run.key.hex[:SHORT_ID],
        at=formats.moment(run.started_at, zone=scope.period.zone, now=scope.now),
        iso=run.started_at.isoformat(),
        flow=known["flow"] or "",
        feature=known["feature"] or "",
        customer=known["customer"] or formats.MISSING,
        duration=_seconds(run.duration_ms),
        calls=formats.count(run.calls),
        errors=formats.count(run.errors),
        input=formats.count(run.input_tokens),
        output=formats.count(run.output_tokens),
        cost=formats.call_cost(run.cost, at_least=bool(run.unpriced_calls) and run.cost is not None),
        outcome=outcome_words(run),
        tone="worse" if run.outcome == "failure" else "",
    )


def outcome_words(run: Run) -> str:
    """success, success rescued, failure, unknown"""
    return f"{run.outcome}, rescued" if run.rescued else run.outcome


def call_row(call: Call, scope: Scope) -> CallRow:
    """A call."""
    known = call.dimensions
    return CallRow(
        href=f"{run_url(scope, call.run_id)}#call-{call.key.hex[:12]}",
        at=formats.moment(call.started_at, zone=scope.period.zone, now=scope.now),
        iso=call.started_at.isoformat(),
        flow=known["flow"] or "",
        step=known["step"] or "",
        model=known["model"] or formats.MISSING,
        provider=known["provider"] or "",
        input=formats.count(input_tokens(call)),
        output=formats.count(output_tokens(call)),
        duration=_seconds(call.duration_ms),
        first_token=_seconds(call.ttft_ms),
        cost=cost_of(call),
        status=ERRORS.get(call.error_class, "ok") if call.failed else "ok",
        failed=call.failed,
    )


def cost_of(call: Call) -> Cost:
    """The cell of a call's cost: never a silent zero."""
    return COSTS[call.cost_status](call)


def _priced(call: Call) -> Cost:
    return Cost(formats.call_cost(call.cost))


def _reported(call: Call) -> Cost:
    return Cost(formats.call_cost(call.cost), "r", "the caller was charged this")


def _partial(call: Call) -> Cost:
    return Cost(formats.call_cost(call.cost or Decimal(0), at_least=True), "", "a unit has no price yet")


def _unpriced(call: Call) -> Cost:
    return Cost(formats.MISSING, "", REASONS.get(call.cost_reason or "", "no price"))


def _not_billed(call: Call) -> Cost:
    return Cost("0", "¹", "failed without usage: not billed")


COSTS = {
    "priced": _priced,
    "reported": _reported,
    "partial": _partial,
    "unpriced": _unpriced,
    "not_billed": _not_billed,
}


def input_tokens(call: Call) -> int | None:
    """All input of a call, None when nothing of it is known."""
    return _sum(call, ("input", "cache_read", "cache_write", "cache_write_1h", "audio_input"))


def output_tokens(call: Call) -> int | None:
    """All output of a call."""
    return _sum(call, ("output", "reasoning", "audio_output"))


def _sum(call: Call, names: tuple[str, ...]) -> int | None:
    known = [value for name in names if (value := call.tokens[name]) is not None]
    return sum(known) if known else None


def run_url(scope: Scope, run_id: str) -> str:
    """A run's page."""
    return reverse("run", args=[scope.project.slug, run_id])


def _seconds(ms: float | None) -> str:
    """A column of seconds with two decimals."""
    return formats.MISSING if ms is None else formats.plain(ms / 1000, 2)


def all_priced(scope: Scope) -> State:
    """Nothing is without a price here."""
    back = reverse("overview", args=[scope.project.slug])
    return State(
        say="Every call of this period has its price.",
        ways=(Choice("Back to Overview", scope.elsewhere(back)),),
    )
