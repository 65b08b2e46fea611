"""What the rest of a window will add: log weekday regression with a ridge trend and a residual bootstrap.

Chosen against seasonal means, ETS and AutoETS in rolling backtests (docs/budgets.md). Pure numpy.
Two parts: whether a day has any spend (by kind of weekday), and how much when it has, so that zero days do not
break the logarithm. The day that runs is never learnt from. Same history, same forecast: the dice are seeded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.signedinteger[Any]]
MIN_DAYS = 14  # fewer complete days since the first spend: no forecast
MAX_DAYS = 84
PATHS = 500
LOW, HIGH = 10, 90  # percentiles: an 80 % interval
HALF_LIFE = 28.0  # days after which a day counts half
WEEKDAY_RIDGE, TREND_RIDGE = 0.3, 12.0  # pseudo-observations that pull weekday and trend towards none
TREND_REACH = 28.0  # a trend is followed so many days and then fades
LEVEL_SHARE = 0.45  # of the residuals' spread: how far the level of the coming days may have moved
FITTED = 7  # weekdays and level
SEED = 20_260_101


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is still to come: median and 80 % interval of the sum, and the mean of each coming day."""

    rest: float
    low: float
    high: float
    days: int  # complete days that it was learnt from
    by_day: tuple[float, ...]
    by_day_low: tuple[float, ...]  # of the sums up to and with each day
    by_day_high: tuple[float, ...]


def forecast(history: Sequence[float], *, first_day: date, coming: Sequence[float]) -> Forecast | None:
    """Forecast from complete days. `history`: one amount a day from `first_day` on, without gaps; `coming`: how much
    of each following day counts (0.4 for the rest of today, then 1 a day). None when there are too few days."""
    values = _since_first_spend(history)
    if len(values) < MIN_DAYS:
        return None
    start = first_day + timedelta(days=len(history) - len(values))
    dice = np.random.default_rng(SEED)
    paths = _simulated(values, start.weekday(), len(coming), dice) * np.asarray(coming, dtype=float)
    sums = np.cumsum(paths, axis=1)
    total = sums[:, -1] if len(coming) else np.zeros(PATHS)
    low, rest, high = np.percentile(total, (LOW, 50, HIGH))
    bounds = np.percentile(sums, (LOW, 50, HIGH), axis=0) if len(coming) else np.zeros((3, 0))
    return Forecast(
        rest=float(rest), low=float(low), high=float(high), days=len(values),
        by_day=tuple(np.diff(bounds[1], prepend=0.0)), by_day_low=tuple(bounds[0]), by_day_high=tuple(bounds[2]),
    )  # fmt: skip


def days_known(history: Sequence[float]) -> int:
    """From how many days it would be made."""
    return len(_since_first_spend(history))


def _since_first_spend(history: Sequence[float]) -> Floats:
    values = np.maximum(np.asarray(history, dtype=float)[-MAX_DAYS:], 0.0)
    spent = np.flatnonzero(values)
    known: Floats = values[spent[0] :] if len(spent) else values[:0]
    return known


def _simulated(values: Floats, weekday: int, ahead: int, dice: np.random.Generator) -> Floats:
    """PATHS x ahead amounts."""
    days = np.arange(len(values) + ahead)
    weekdays = (days + weekday) % 7
    known = np.flatnonzero(values)
    fitted, residuals = _amounts(values, known, weekdays, days)
    coming = slice(len(values), None)
    spread = float(np.std(residuals))
    drawn = dice.choice(residuals, size=(PATHS, ahead)) + fitted[coming]
    level = dice.normal(0.0, LEVEL_SHARE * spread + 0.5 * spread / np.sqrt(len(known)), size=(PATHS, 1))
    happens = dice.random((PATHS, ahead)) < _chance(values, weekdays)[coming]
    simulated: Floats = np.where(happens, np.exp(np.minimum(drawn + level, 600.0)), 0.0)
    return simulated


def _amounts(values: Floats, known: Ints, weekdays: Ints, days: Ints) -> tuple[Floats, Floats]:
    """(log amounts of all days and the coming ones, residuals of the days with spend)."""
    last = len(values) - 1
    weight = 0.5 ** ((last - known) / HALF_LIFE)
    design = _design(weekdays, days, last)
    mean = float(np.average(np.log(values[known]), weights=weight))
    target = np.log(values[known]) - mean
    used = design[known] * np.sqrt(weight)[:, None]
    penalty = np.diag([1e-6, *[WEEKDAY_RIDGE] * 7, TREND_RIDGE])
    answer = np.linalg.solve(used.T @ used + penalty, used.T @ (target * np.sqrt(weight)))
    fitted: Floats = design @ answer + mean
    # Residuals of the days that were fitted are too small by the freedom that the fit used up.
    freedom = np.sqrt(len(known) / max(len(known) - FITTED, len(known) / 4))
    residuals = (np.log(values[known]) - fitted[known]) * freedom
    return fitted, np.clip(residuals, *_fences(residuals))


def _design(weekdays: Ints, days: Ints, last: int) -> Floats:
    """Intercept, weekday, trend in units of four weeks; the trend fades after the last day."""
    ahead = np.maximum(days - last, 0)
    trend = np.minimum(days - last, 0) + TREND_REACH * (1 - np.exp(-ahead / TREND_REACH))
    columns = [np.ones(len(days)), *(weekdays == day for day in range(7)), trend / 28.0]
    return np.stack([np.asarray(column, dtype=float) for column in columns], axis=1)


def _fences(residuals: Floats) -> tuple[float, float]:
    """A single wild day is kept as the edge of the others: three interquartile ranges out."""
    first, third = np.percentile(residuals, (25, 75))
    reach = 3 * max(float(third - first), 0.05)
    return float(first) - reach, float(third) + reach


def _chance(values: Floats, weekdays: Ints) -> Floats:
    """How likely a day of each weekday has any spend: its own share, drawn towards that of all days."""
    spends = (values > 0).astype(float)
    overall = float(spends[-28:].mean())
    own = weekdays[: len(values)]
    chance = np.array(
        [(spends[own == day].sum() + overall / 2) / ((own == day).sum() + 0.5) for day in range(7)]
    )
    found: Floats = chance[weekdays]
    return found
