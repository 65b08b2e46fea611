"""How sure a rate or a mean is: 95 % intervals from counts and sums. Pure, standard library only.

Wilson (1927) for rates, Student's t for means. Tested against scipy.
"""

import math
from decimal import Decimal
from functools import cache
from typing import NamedTuple

Z95 = 1.959963984540054
FEW = 10  # samples under which a figure is said to be of few, not drawn


class Interval(NamedTuple):
    """A 95 % interval and how many samples it comes from; the bounds are None where too few tell nothing."""

    low: float | None
    high: float | None
    n: int


def wilson(hits: int, n: int) -> Interval | None:
    """The interval of a rate of `hits` of `n`, 0 to 1; None without samples. E. B. Wilson, JASA 22 (1927) 209."""
    if n <= 0:
        return None
    share, square = hits / n, Z95 * Z95
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z95 * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    low = 0.0 if hits <= 0 else max(0.0, middle - half)
    high = 1.0 if hits >= n else min(1.0, middle + half)
    return Interval(low, high, n)


def of_mean(n: int, total: Decimal, squares: Decimal) -> Interval | None:
    """The interval of a mean from the count, the sum and the sum of squares; no bounds for one sample."""
    if n <= 0:
        return None
    if n == 1:
        return Interval(None, None, 1)
    spread = max(Decimal(0), squares - total * total / n)  # sum of squared deviations, in exact digits
    half = t95(n - 1) * math.sqrt(float(spread) / (n - 1) / n)
    mean = float(total / n)
    return Interval(mean - half, mean + half, n)


@cache
def t95(degrees: int) -> float:
    """The 97.5 % quantile of Student's t: half the width of a 95 % interval, in standard errors."""
    if degrees > 200_000:
        return Z95
    low, high = 0.0, 13.0  # 12.71 at one degree
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _tail(middle, degrees) > 0.025 else (low, middle)
    return (low + high) / 2


def _tail(t: float, degrees: int) -> float:
    """P(T > t): half the regularised incomplete beta function at v / (v + t^2)."""
    x = degrees / (degrees + t * t)
    return _beta(x, degrees / 2, 0.5) / 2


def _beta(x: float, a: float, b: float) -> float:
    """I_x(a, b) by its continued fraction (Abramowitz and Stegun 26.5.8, evaluated as by Lentz)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(scale) / a * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 / max(tiny, 1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / (1 + step * d or tiny)
            c = 1 + step / c or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value
