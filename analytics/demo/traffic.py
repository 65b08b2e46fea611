"""The made-up calls: a pure function of the story and the period, the same whoever asks, and however often.

Every hour has a random generator of its own, so a period can be asked for in any pieces: their calls are
together those of the whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import accumulate
from math import exp
from random import Random
from typing import NamedTuple

from analytics.demo.opinions import scores_of
from analytics.demo.product import CUSTOMERS, FALLBACK, FLOWS, MODELS, TIERS, Model, Plan, Step
from analytics.demo.story import DAY_US, Story, us
from ingest.records import CallRecord, Tokens

HOUR_US = 3_600_000_000
LONGEST_US = 900_000_000  # no run lasts longer
CALLS_A_RUN = 1.95
USERS = 2_000
UNATTRIBUTED, TEST, STAGING = 0.01, 0.01, 0.07  # shares of runs; of environments cumulative
FAILURES = (  # share of calls, class, the provider's own word, seconds it took, whether it is tried again
    (0.0045, "rate_limit", "rate_limit_error", 0.2, True),
    (0.0025, "timeout", "APITimeoutError", 30.0, True),
    (0.0012, "provider_fault", "internal_server_error", 1.4, True),
    (0.0007, "content_filter", "content_filter", 0.9, False),
    (0.0006, "our_request", "context_length_exceeded", 0.3, False),
)
OVERLOADED = (0.0, "overloaded", "overloaded_error", 2.5, True)
OUT, LOST = 0.82, 0.07  # in an outage: share of calls that fail, of those the ones without a fallback
REPORTED = 0.04  # of the calls to mistral go through a gateway that reports what it charged


class Failure(NamedTuple):
    """What went wrong with a call."""

    share: float
    error_class: str
    error_type: str
    seconds: float
    again: bool


@dataclass(slots=True)
class Hour:
    """What the calls of one hour have in common."""

    story: Story
    rng: Random
    start_us: int
    plans: list[Plan]
    plan_weights: list[float]
    customer_weights: list[float]
    release: str
    retrieval: str
    calls: list[CallRecord] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """One run while it is made; `at_us` moves on with its calls."""

    plan: Plan
    at_us: int
    trace: str | None
    flow: str | None
    feature: str | None
    environment: str
    session: str | None
    user: str | None
    customer: str | None
    tags: dict[str, str] | None


def traffic(story: Story, *, since: datetime, until: datetime) -> Iterator[CallRecord]:
    """The calls that start in [since, until), hour by hour."""
    low, high = us(since), us(until)
    for number in range((low - LONGEST_US) // HOUR_US, (high - 1) // HOUR_US + 1):
        for call in calls_of_hour(story, number):
            if low <= call.started_us < high:
                yield call


def calls_of_hour(story: Story, number: int) -> list[CallRecord]:
    """The calls of the runs that start in the hour `number` (since 1970), by time."""
    hour = _hour(story, number)
    mean = story.calls_an_hour(hour.start_us) / CALLS_A_RUN * _spike(story, hour)
    for _ in range(_poisson(hour.rng, mean)):
        _add_run(hour)
    hour.calls.sort(key=lambda call: call.started_us)
    return hour.calls


def _hour(story: Story, number: int) -> Hour:
    start = number * HOUR_US
    day = datetime.fromtimestamp(start / 1e6, UTC)
    plans = [plan for plan in FLOWS if story.in_use(plan, start)]
    return Hour(
        story, Random(f"{story.seed}:{number}"), start, plans,  # noqa: S311 - made-up traffic
        list(accumulate(plan.weight for plan in plans)), list(accumulate(story.customer_weights(start))),
        f"web@4.{(start // DAY_US - 20_300) // 14}.0", f"kb-{day:%Y-%m}-01",
    )  # fmt: skip


def _spike(story: Story, hour: Hour) -> float:
    """How much more there is when one customer doubles."""
    if not story.spike_us[0] <= hour.start_us < story.spike_us[1]:
        return 1.0
    total, largest = hour.customer_weights[-1], hour.customer_weights[0]
    return total / (total - largest / 2)


def _poisson(rng: Random, mean: float) -> int:
    limit, count, product = exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count


def _add_run(hour: Hour) -> None:
    rng = hour.rng
    plan = rng.choices(hour.plans, cum_weights=hour.plan_weights)[0]
    run = _run(hour, plan, hour.start_us + int(rng.random() * HOUR_US))
    version = hour.story.version(plan, run.at_us)
    for step in plan.steps:
        for _ in range(step.repeats if step.repeats == 1 else rng.randint(2, step.repeats)):
            if not _add_step(hour, run, step, version):
                return


def _run(hour: Hour, plan: Plan, at_us: int) -> Run:
    rng = hour.rng
    trace = f"{rng.getrandbits(128):032x}" if plan.traced else None
    named = rng.random() >= UNATTRIBUTED
    flow, feature = (plan.name, plan.feature) if named else (None, None)
    where = rng.random()
    if where < STAGING:
        tester = f"qa-{rng.randrange(6)}"
        environment = "test" if where < TEST else "staging"
        return Run(plan, at_us, trace, flow, feature, environment, None, tester, None, None)
    rank = rng.choices(range(len(CUSTOMERS)), cum_weights=hour.customer_weights)[0]
    tags = {"plan": TIERS[min(2, rank // 8)]}
    user = None if plan.background else _user(rng, rank)
    session = f"s-{user[2:]}-{at_us // DAY_US % 1000}" if user else None
    return Run(plan, at_us, trace, flow, feature, "production", session, user, CUSTOMERS[rank], tags)


def _user(rng: Random, rank: int) -> str:
    """One of a customer's users, some much more often than others."""
    return f"u-{rank:02d}{int(_TEAM[rank] * rng.random() ** 1.7):03d}"


def _teams() -> list[int]:
    sizes = [(rank + 1.5) ** -0.6 for rank in range(len(CUSTOMERS))]
    return [max(3, round(USERS * size / sum(sizes))) for size in sizes]


_TEAM = _teams()


def _add_step(hour: Hour, run: Run, step: Step, version: str | None) -> bool:
    """Add the calls of a step, failed attempts among them; False when it failed for good."""
    model, attempt = hour.story.model(step, run.at_us), 1
    while True:
        failure = _failure(hour, model, run.at_us)
        hour.calls.append(_call(hour, run, (step, model, version, attempt), failure))
        if failure is None:
            return True
        if attempt == 2 or not failure.again or (failure.share == 0 and hour.rng.random() < LOST):
            return False
        run.at_us += 400_000 + int(hour.rng.random() * 900_000)
        if hour.story.in_outage(model.provider, run.at_us):
            model = MODELS[FALLBACK[model.provider]]
        attempt += 1


def _failure(hour: Hour, model: Model, at_us: int) -> Failure | None:
    drawn = hour.rng.random()
    if hour.story.in_outage(model.provider, at_us) and drawn < OUT:
        return _OVERLOADED
    for failure in _FAILURES:
        if drawn < failure.share:
            return failure
        drawn -= failure.share
    return None


_FAILURES = tuple(Failure(*row) for row in FAILURES)
_OVERLOADED = Failure(*OVERLOADED)


def _call(
    hour: Hour, run: Run, what: tuple[Step, Model, str | None, int], failure: Failure | None
) -> CallRecord:
    """One call that starts now in its run; the run's clock moves to its end."""
    step, model, version, attempt = what
    rng = hour.rng
    started = run.at_us
    tokens = Tokens() if failure else _tokens(rng, step, model, hour.story.swelling(run.plan, started))
    wait, duration = _times(rng, model, tokens, failure)
    run.at_us = started + duration + 4_000
    digits = f"{rng.getrandbits(128):032x}"
    embedded = step.operation == "embeddings"
    prompt = run.plan.prompt if step.versioned else None
    scored = failure is None and step is run.plan.steps[-1] and run.environment == "production"
    return CallRecord(
        id=f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}", started_us=started,
        flow=run.flow, feature=run.feature, environment=run.environment, trace=run.trace,
        step=step.name, session=run.session, user=run.user, customer=run.customer, provider=model.provider,
        model=model.name, response_model=None if failure else model.answers_as, operation=step.operation,
        prompt=prompt, prompt_version=version if prompt else None,
        retrieval=hour.retrieval if run.plan.retrieval else None, release=hour.release, tokens=tokens,
        reported_cost=_reported(rng, model, tokens), duration_us=duration,
        ttft_us=wait if step.streamed and not failure else None, failed=failure is not None,
        error_class=failure.error_class if failure else "", error_type=failure.error_type if failure else None,
        finish_reason="error" if failure else "" if embedded else "length" if rng.random() < 0.008 else "stop",
        attempt=attempt, outcome=_outcome(rng, run, step, failure), tags=run.tags,
        scores=scores_of(hour.story, run.plan, started, digits) if scored else None,
    )  # fmt: skip


def _tokens(rng: Random, step: Step, model: Model, swelling: float) -> Tokens:
    total = int(step.input * swelling * exp(rng.gauss(0.0, 0.32)))
    if not step.output:
        return Tokens(input=total, output=0)
    output = max(1, int(step.output * exp(rng.gauss(0.0, 0.45))))
    reasoning = int(model.reasoning * exp(rng.gauss(0.0, 0.6))) if model.reasoning else None
    if not step.cached:
        return Tokens(input=total, output=output, reasoning=reasoning)
    prefix = int(total * step.cached)
    if rng.random() < 0.84:
        return Tokens(input=total - prefix, cache_read=prefix, output=output, reasoning=reasoning)
    written = prefix if model.writes_cache else None
    return Tokens(
        input=total - (written or 0), cache_read=0, cache_write=written, output=output, reasoning=reasoning
    )


def _times(rng: Random, model: Model, tokens: Tokens, failure: Failure | None) -> tuple[int, int]:
    """(wait for the first token, duration) in microseconds: log-normal, longer for longer prompts."""
    if failure:
        return 0, int(failure.seconds * 1e6 * exp(rng.gauss(0.0, 0.15)))
    length = 1 + (tokens.input or 0) / 60_000
    wait = model.ttft_ms * 1000 * length * exp(rng.gauss(0.0, 0.38))
    spoken = (tokens.output or 0) + (tokens.reasoning or 0)
    return int(wait), int(wait + spoken * 1e6 / model.per_second * exp(rng.gauss(0.0, 0.16)))


def _reported(rng: Random, model: Model, tokens: Tokens) -> Decimal | None:
    if model.provider != "mistral" or tokens.input is None or rng.random() >= REPORTED:
        return None
    return (Decimal(tokens.input) * 7 + Decimal(tokens.output or 0) * 21).scaleb(-7)


def _outcome(rng: Random, run: Run, step: Step, failure: Failure | None) -> bool | None:
    """Whether it helped, as far as the product was told."""
    if not run.plan.outcome or step is not run.plan.steps[-1] or failure or rng.random() < 0.4:
        return None
    return rng.random() < 0.91
