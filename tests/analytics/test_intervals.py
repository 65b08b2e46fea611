"""Intervals against scipy: Wilson's of rates, Student's t of means."""

import math
import random
from decimal import Decimal

import pytest
from scipy import stats

from analytics.intervals import Interval, of_mean, t95, wilson


@pytest.mark.parametrize(
    ("hits", "n"), [(0, 1), (1, 1), (0, 20), (20, 20), (3, 7), (92, 2669), (499_999, 1_000_000)]
)
def test_rates_have_the_interval_of_wilson(hits, n):
    found, truth = wilson(hits, n), stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert found is not None
    assert found.n == n
    assert math.isclose(found.low, truth.low, rel_tol=1e-9, abs_tol=1e-12)
    assert math.isclose(found.high, truth.high, rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("degrees", [1, 2, 3, 7, 29, 100, 2_668, 199_999, 10**7])
def test_quantiles_of_t(degrees):
    assert math.isclose(t95(degrees), stats.t.ppf(0.975, degrees), rel_tol=1e-6)


@pytest.mark.parametrize("n", [2, 3, 10, 500])
def test_means_have_the_interval_of_student(n):
    rng = random.Random(n)
    values = [Decimal(repr(round(rng.gauss(5, 2), 3))) for _ in range(n)]
    found = of_mean(n, sum(values, Decimal(0)), sum((value * value for value in values), Decimal(0)))
    floats = [float(value) for value in values]
    low, high = stats.t.interval(0.95, n - 1, loc=sum(floats) / n, scale=stats.sem(floats))
    assert found is not None
    assert math.isclose(found.low, low, rel_tol=1e-9)
    assert math.isclose(found.high, high, rel_tol=1e-9)


def test_too_few_samples_tell_nothing():
    assert wilson(0, 0) is None
    assert of_mean(0, Decimal(0), Decimal(0)) is None
    assert of_mean(1, Decimal(4), Decimal(16)) == Interval(None, None, 1)
    assert of_mean(3, Decimal(6), Decimal(12)) == Interval(2.0, 2.0, 3)
