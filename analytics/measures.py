"""What can be measured, declared once: pages, API, glossary and OpenAPI read this registry.

A measure is computed from *parts*: stored values that merge by addition (sums), by concatenation (packed
histograms) or by union (sketches). Merging parts and then combining is right for every measure, whether it
adds up or not; summing measures is right only for additive ones.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import lru_cache, reduce
from typing import Any, Literal

from analytics import sketch
from analytics.histogram import Histogram
from analytics.intervals import Interval, wilson
from analytics.score_measures import COUNT, RATE, SIGNS, shape_of, split

Parts = Mapping[str, Any]
Good = Literal["up", "down"] | None
COSTS = ("cost_input", "cost_cache_read", "cost_cache_write", "cost_output", "cost_other", "cost_unsplit")
INPUTS = ("input", "cache_read", "cache_write", "cache_write_1h", "audio_input")
OUTPUTS = ("output", "reasoning", "audio_output")
HISTOGRAMS = frozenset({"latency", "ttft", "duration", "cost_histogram"})
SKETCHES = frozenset({"users", "customers"})
PERCENTILES = (50, 90, 95, 99)
EXACT = Context(prec=120)  # sums of money: every digit, however many calls
QUOTIENT = Context(prec=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure. `family`: whose rollups hold its parts (calls, runs, audience). `good`: the better way.

    `combine` takes the merged parts (a missing one is None) and returns int, float, Decimal or None = unknown
    """

    name: str
    label: str
    unit: str  # calls, runs, tokens, USD, ratio, ms, tokens/s, users, customers, or "USD/…"
    sentence: str
    family: str
    parts: tuple[str, ...]
    combine: Callable[[Parts], Any]
    good: Good = None
    additive: bool = False
    beside: str = ""  # another family whose rollups hold some of the parts
    interval: Callable[[Parts], Interval | None] | None = None

    @property
    def is_money(self) -> bool:
        """Whether values are decimals in USD."""
        return self.unit.startswith("USD")


def known_sum(values: list[Any]) -> Any:
    """The exact sum of what is known; None when nothing is."""
    known = [value for value in values if value is not None]
    if known and isinstance(known[0], Decimal):
        return reduce(EXACT.add, known)
    return sum(known) if known else None


def cost_of(parts: Parts) -> Decimal | None:
    """All cost of the parts: the sum of its six kinds; 0 without calls, None when no call has a price."""
    cost: Decimal | None = _amount(COSTS)(parts)
    return cost


def _amount(names: tuple[str, ...]) -> Callable[[Parts], Any]:
    """A sum of nullable parts. Nothing happened = 0; something happened and nothing is known = None."""

    def combine(parts: Parts) -> Any:
        total = known_sum([parts.get(name) for name in names])
        if total is None and not parts.get("calls"):
            return Decimal(0) if names[0].startswith(("cost", "wasted")) else 0
        return total

    return combine


def _count(name: str) -> Callable[[Parts], int]:
    return lambda parts: int(parts.get(name) or 0)


def _ratio(over: Callable[[Parts], Any], under: Callable[[Parts], Any]) -> Callable[[Parts], Any]:
    """A quotient, money to 28 digits; None when either side is unknown or the divisor is 0."""

    def combine(parts: Parts) -> Any:
        above, below = over(parts), under(parts)
        if above is None or not below:
            return None
        return QUOTIENT.divide(above, below) if isinstance(above, Decimal) else above / below

    return combine


def _percentile(part: str, percent: int) -> Callable[[Parts], float | Decimal | None]:
    """From a histogram, to six digits: it is within 1 %. Money comes back as Decimal."""

    def combine(parts: Parts) -> float | Decimal | None:
        histogram: Histogram | None = parts.get(part)
        value = histogram.percentile(percent / 100) if histogram else None
        if value is None:
            return None
        return Decimal(f"{value:.6g}") if part == "cost_histogram" else float(f"{value:.6g}")

    return combine


def _distinct(part: str) -> Callable[[Parts], int]:
    return lambda parts: sketch.estimate(parts.get(part) or b"")


def _priced(parts: Parts) -> float | None:
    calls = parts.get("calls") or 0
    return 1 - ((parts.get("partial") or 0) + (parts.get("unpriced") or 0)) / calls if calls else None


def _attributed(parts: Parts) -> float | None:
    calls = parts.get("calls") or 0
    return 1 - (parts.get("unattributed_calls") or 0) / calls if calls else None


def _known_outcomes(parts: Parts) -> int:
    return (parts.get("successes") or 0) + (parts.get("failures") or 0)


def _outcome_rate(parts: Parts) -> float | None:
    known = _known_outcomes(parts)
    return (parts.get("successes") or 0) / known if known else None


def _per_1k(parts: Parts) -> Any:
    cost, tokens = cost_of(parts), _amount(INPUTS + OUTPUTS)(parts)
    return (
        QUOTIENT.divide(EXACT.multiply(cost, Decimal(1000)), tokens) if cost is not None and tokens else None
    )


def _speed(parts: Parts) -> float | None:
    tokens, micros = parts.get("timed_output"), parts.get("timed_us")
    return tokens / (micros / 1e6) if tokens is not None and micros else None


def _sum_measure(
    name: str, label: str, unit: str, parts: tuple[str, ...], sentence: str, good: Good = None
) -> Measure:
    return Measure(name=name, label=label, unit=unit, sentence=sentence, family="calls",
                   parts=("calls", *parts), combine=_amount(parts), good=good, additive=True)  # fmt: skip


def _count_measure(name: str, label: str, part: str, sentence: str, good: Good = None) -> Measure:
    return Measure(name=name, label=label, unit="calls", sentence=sentence, family="calls", parts=(part,),
                   combine=_count(part), good=good, additive=True)  # fmt: skip


def _percentile_measures(suffix: str, label: str, family: str, part: str, sentence: str) -> list[Measure]:
    return [
        Measure(name=f"p{p}_{suffix}", label=f"p{p} {label}", unit="ms", family=family, parts=(part,),
                sentence=sentence.format(p), combine=_percentile(part, p), good="down")
        for p in PERCENTILES
    ]  # fmt: skip


_MEASURES = [
    _count_measure("calls", "Calls", "calls", "Requests to models and paid tools, each counted once."),
    Measure(name="runs", label="Runs", unit="runs", family="runs", parts=("runs",), combine=_count("runs"),
            additive=True, sentence="Executions of a flow: traces, and calls that belong to none."),
    _count_measure("errors", "Errors", "errors", "Calls that failed.", "down"),
    Measure(name="error_rate", label="Error rate", unit="ratio", family="calls", parts=("errors", "calls"),
            combine=_ratio(_count("errors"), _count("calls")), good="down",
            sentence="Failed calls of all calls."),
    _sum_measure("input_tokens", "Input tokens", "tokens", INPUTS, "All input, cached or not."),
    _sum_measure("cache_read_tokens", "Cache-read tokens", "tokens", ("cache_read",),
                 "Input that was read from a cache.", "up"),
    _sum_measure("cache_write_tokens", "Cache-write tokens", "tokens", ("cache_write", "cache_write_1h"),
                 "Input that was written to a cache."),
    _sum_measure("output_tokens", "Output tokens", "tokens", OUTPUTS, "All output, reasoning included."),
    _sum_measure("reasoning_tokens", "Reasoning tokens", "tokens", ("reasoning",),
                 "Output spent on reasoning; part of the output tokens."),
    _sum_measure("total_tokens", "Tokens", "tokens", INPUTS + OUTPUTS, "All input and output."),
    Measure(name="cache_hit_rate", label="Cache hit rate", unit="ratio", family="calls",
            parts=("calls", *INPUTS), good="up",
            combine=_ratio(_amount(("cache_read",)), _amount(INPUTS)),
            sentence="Input read from a cache of all input."),
    _sum_measure("cost", "Cost", "USD", COSTS,
                 "What the calls cost: reported, or computed from the price book.", "down"),
    _sum_measure("input_cost", "Input cost", "USD", ("cost_input", "cost_cache_read", "cost_cache_write"),
                 "Cost of all input, cache reads and writes included.", "down"),
    _sum_measure("output_cost", "Output cost", "USD", ("cost_output",), "Cost of all output.", "down"),
    Measure(name="cost_per_call", label="Cost per call", unit="USD/call", family="calls",
            parts=("calls", *COSTS), combine=_ratio(cost_of, _count("calls")), good="down",
            sentence="Cost by calls."),
    Measure(name="cost_per_run", label="Cost per run", unit="USD/run", family="runs",
            parts=("runs", "run_cost"), good="down",
            combine=_ratio(lambda parts: parts.get("run_cost"), _count("runs")),
            sentence="Cost of the runs by their number."),
    Measure(name="cost_per_success", label="Cost per success", unit="USD/success", family="runs",
            parts=("runs", "run_cost", "successes"), good="down",
            combine=_ratio(lambda parts: parts.get("run_cost"), _count("successes")),
            sentence="All cost by the runs that are known to have succeeded."),
    Measure(name="outcome_rate", label="Success rate", unit="ratio", family="runs",
            parts=("successes", "failures"), good="up", combine=_outcome_rate,
            interval=lambda parts: wilson(parts.get("successes") or 0, _known_outcomes(parts)),
            sentence="Runs that succeeded of those with a known outcome."),
    Measure(name="cost_per_1k_tokens", label="Cost per 1,000 tokens", unit="USD/1k tokens", family="calls",
            parts=("calls", *COSTS, *INPUTS, *OUTPUTS), combine=_per_1k, good="down",
            sentence="Cost by thousand tokens of input and output."),
    Measure(name="wasted_cost", label="Wasted cost", unit="USD", family="calls", parts=("wasted",),
            combine=lambda parts: parts.get("wasted") or Decimal(0), good="down", additive=True,
            sentence="Cost of failed calls, repeated attempts and failed runs, each call once."),
    *(Measure(name=name, label=name.capitalize(), unit=name, family="audience", parts=(name,),
              combine=_distinct(name), sentence=sentence)
      for name, sentence in (
          ("users", "Distinct users: exact up to 2,048, beyond that within 2.2 % (one standard error)."),
          ("customers", "Distinct customers: exact up to 2,048, beyond within 2.2 % (one standard error)."))),
    *_percentile_measures("latency", "latency", "calls", "latency",
                          "{} % of calls took at most this long, within 1 %."),
    *_percentile_measures("run_duration", "run duration", "runs", "duration",
                          "{} % of runs took at most this long, within 1 %."),
    Measure(name="p95_cost_per_run", label="p95 cost per run", unit="USD/run", family="runs",
            parts=("cost_histogram",), combine=_percentile("cost_histogram", 95), good="down",
            sentence="95 % of runs cost at most this much, within 1 %."),
    *_percentile_measures("ttft", "time to first token", "calls", "ttft",
                          "For {} % of calls the first token came within this time, within 1 %."),
    Measure(name="tokens_per_second", label="Output speed", unit="tokens/s", family="calls",
            parts=("timed_output", "timed_us"), combine=_speed, good="up",
            sentence="Output tokens by seconds of the calls that have both."),
    Measure(name="priced_share", label="Priced share", unit="ratio", family="calls",
            parts=("calls", "partial", "unpriced"), combine=_priced, good="up",
            sentence="Priced, reported or not billed calls of all calls."),
    Measure(name="attributed_share", label="Attributed share", unit="ratio", family="calls",
            parts=("unattributed_calls", "calls"), good="up", combine=_attributed,
            sentence="Calls that name their flow of all calls."),
    _count_measure("unpriced_calls", "Unpriced calls", "unpriced",
                   "Calls without a price, counted with no cost.", "down"),
    _count_measure("duplicates", "Duplicates", "duplicates",
                   "Calls that a second source reported again; set aside, not counted."),
]  # fmt: skip


class Registry(dict[str, Measure]):
    """The declared measures by name; `score:<name>` and its like are made when they are asked for.

    Whether a project has such a score its question says (analytics/query.py)."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and split(name) is not None)

    def __missing__(self, name: str) -> Measure:
        found = split(name)
        if found is None:
            raise KeyError(name)
        return _score_measure(name, *found)


@lru_cache(maxsize=1_000)
def _score_measure(name: str, prefix: str, score: str) -> Measure:
    shape = shape_of(prefix, score)
    label = {COUNT: f"{score}, count", RATE: f"{score}, pass rate"}.get(prefix, score)
    if score in SIGNS:
        family, beside = "runs", "" if score == "rescued" or prefix == COUNT else "signs"
        good: Good = "up" if prefix == RATE else "down"
    else:
        family, beside, good = "scores", "", "up" if prefix == RATE else None
    return Measure(
        name=name, label=label, unit=shape.unit, sentence=shape.sentence, family=family, beside=beside,
        parts=shape.parts, combine=shape.combine, interval=shape.interval, additive=prefix == COUNT,
        good=None if prefix == COUNT else good,
    )  # fmt: skip


MEASURES: Registry = Registry({measure.name: measure for measure in _MEASURES})
