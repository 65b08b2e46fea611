"""Before against after: differences with 95 % intervals from what rollups keep. Pure.

Means by Welch (B. L. Welch, Biometrika 34, 1947), rates by Newcombe's hybrid of Wilson intervals (R. G. Newcombe,
Statistics in Medicine 17, 1998, method 10), percentiles by the binomial interval of their ranks, totals by calls as
ratios whose days are clusters (W. G. Cochran, Sampling Techniques, 1977, 6.4), and Benjamini-Hochberg over all tests
of a page (JRSS B 57, 1995).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from analytics.histogram import GAMMA, Histogram

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
LEAST_DAYS = 3  # on a side, where days are the clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A difference (after minus before), its interval, `sd` of single values in the same unit, and the p of none."""

    difference: float
    low: float
    high: float
    sd: float
    p: float

    @property
    def in_sd(self) -> tuple[float, float, float] | None:
        """(low, difference, high) in standard deviations; None where values do not differ at all."""
        return (self.low / self.sd, self.difference / self.sd, self.high / self.sd) if self.sd > 0 else None


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of one side: how many, their mean, the variance of single ones."""

    n: int
    mean: float
    variance: float


def means(before: Sample, after: Sample) -> Test | None:
    """Welch's test of two means; None with fewer than two values on a side."""
    if before.n < 2 or after.n < 2:
        return None
    parts = before.variance / before.n, after.variance / after.n
    sd = math.sqrt((before.variance + after.variance) / 2)
    difference = after.mean - before.mean
    error = math.sqrt(sum(parts))
    if not error:
        return Test(
            difference=difference, low=difference, high=difference, sd=sd, p=1.0 if not difference else 0.0
        )
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (before.n - 1) + parts[1] ** 2 / (after.n - 1))
    return _by_t(difference, error, freedom, sd)


def rates(before: tuple[int, int], after: tuple[int, int]) -> Test | None:
    """Of two rates, each (hits, of how many); None where a side is empty."""
    (hits, total), (later_hits, later_total) = before, after
    if not total or not later_total:
        return None
    rate, later = hits / total, later_hits / later_total
    low, high = wilson(hits, total)
    later_low, later_high = wilson(later_hits, later_total)
    pooled = (hits + later_hits) / (total + later_total)
    variance = pooled * (1 - pooled)
    difference = later - rate
    error = math.sqrt(variance * (1 / total + 1 / later_total))
    return Test(
        difference=difference,
        low=difference - math.hypot(later - later_low, high - rate),
        high=difference + math.hypot(later_high - later, rate - low),
        sd=math.sqrt(variance),
        p=_two_sided(difference / error) if error else 1.0,
    )


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a rate."""
    rate, square = hits / total, Z * Z
    middle = rate + square / (2 * total)
    half = Z * math.sqrt(rate * (1 - rate) / total + square / (4 * total * total))
    scale = 1 + square / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def percentiles(before: Histogram, after: Histogram, share: float) -> Test | None:
    """Of the same percentile of two histograms; None where a side is empty."""
    first, second = _percentile(before, share), _percentile(after, share)
    if first is None or second is None:
        return None
    (value, error), (later, later_error) = first, second
    together = math.hypot(error, later_error)
    sd = math.sqrt((spread(before).variance + spread(after).variance) / 2)
    difference = later - value
    p = _two_sided(difference / together) if together else float(not difference)
    return Test(
        difference=difference, low=difference - Z * together, high=difference + Z * together, sd=sd, p=p
    )


def _percentile(values: Histogram, share: float) -> tuple[float, float] | None:
    """(the percentile, its standard error): the interval of its rank, read back as values."""
    total = values.total
    middle = values.percentile(share)
    if middle is None:
        return None
    reach = Z * math.sqrt(share * (1 - share) / total)
    low, high = values.percentile(max(0.0, share - reach)), values.percentile(min(1.0, share + reach))
    bucket = middle * (GAMMA - 1) / math.sqrt(12)  # what a bucket 2 % wide does not tell
    return middle, max(((high or 0.0) - (low or 0.0)) / (2 * Z), bucket)


def spread(values: Histogram) -> Sample:
    """Number, mean and variance of a histogram's values, each taken as its bucket's middle."""
    total = values.total
    if total <= 0:
        return Sample(0, 0.0, 0.0)
    middles = [2 * GAMMA ** (values.low + place) / (GAMMA + 1) for place in range(len(values.counts))]
    pairs = list(zip(middles, map(int, values.counts), strict=True))
    mean = sum(value * count for value, count in pairs) / total
    squares = sum((value - mean) ** 2 * count for value, count in pairs) + mean**2 * values.zeros
    return Sample(total, mean, squares / max(1, total - 1))


def ratios(before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]]) -> Test | None:
    """Of two ratios of totals, each given by days as (amount, count); None with too few days on a side."""
    first, second = _ratio(before), _ratio(after)
    if first is None or second is None:
        return None
    (value, error, days), (later, later_error, later_days) = first, second
    together = math.hypot(error, later_error)
    sd = math.sqrt((error**2 * days + later_error**2 * later_days) / 2)
    if not together:
        return Test(
            difference=later - value, low=later - value, high=later - value, sd=sd, p=float(later == value)
        )
    return _by_t(later - value, together, min(days, later_days) - 1, sd)


def _ratio(days: Sequence[tuple[float, float]]) -> tuple[float, float, int] | None:
    used = [(amount, count) for amount, count in days if count]
    if len(used) < LEAST_DAYS:
        return None
    total = sum(count for _, count in used)
    ratio = sum(amount for amount, _ in used) / total
    left = sum((amount - ratio * count) ** 2 for amount, count in used)
    return ratio, math.sqrt(left * len(used) / (len(used) - 1)) / total, len(used)


def false_discovery(ps: Sequence[float]) -> list[float]:
    """The q of each p: the share of false alarms to expect among verdicts as strong (Benjamini-Hochberg)."""
    order = sorted(range(len(ps)), key=lambda place: ps[place], reverse=True)
    found, least = [1.0] * len(ps), 1.0
    for rank, place in zip(range(len(ps), 0, -1), order, strict=True):
        least = min(least, ps[place] * len(ps) / rank)
        found[place] = least
    return found


def _by_t(difference: float, error: float, freedom: float, sd: float) -> Test:
    from scipy.special import stdtr, stdtrit  # noqa: PLC0415 - 0.2 s, and only where effects are shown

    reach = float(stdtrit(freedom, 0.5 + CONFIDENCE / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(difference / error)))
    return Test(difference=difference, low=difference - reach, high=difference + reach, sd=sd, p=p)


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))
