"""Forecasts of series that are zero on most days: many products in many stores, in one pass.

Belongs here: the methods of the literature, each a level that holds for every day ahead, as
statsforecast 2.1 computes them for one series. Does not: what is learnt across series
(``intermittent_blend``), how much stock follows from it (``inventory``).

All take a view of a panel and return (series, horizon). Days without a value, closed or sold out
are left out, as if the days around them followed each other. A row without any value is NaN, and
the forecast 0 where more comes back than is sold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dagster_project.core.forecasting.engine.demand import asked_for
from dagster_project.core.forecasting.engine.panel import Panel

SMOOTHING = 0.1  # Croston's and TSB's, the value that the literature and statsforecast take
BOUNDS = (0.1, 0.3)  # of the smoothing of sums, as in statsforecast's ADIDA and IMAPA
WIDE_BOUNDS = (0.01, 0.99)  # of statsforecast's optimised SES
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
SEARCH_STEPS = 18  # .98 × .618^18 = .0002: the squared error is flat around its least
BLOCK = 2048  # series at a time: a day's amounts of a block stay in the processor's cache

Level = Callable[["Known"], np.ndarray]


@dataclass(frozen=True)
class Known:
    """The known amounts of some series, the last ones side by side in the last row."""

    amounts: np.ndarray  # (T, n) day by day; what lies before a series' first amount is 0
    starts: np.ndarray  # (n,) row of the first amount; T where there is none


def ses(view: Panel) -> np.ndarray:
    """Simple exponential smoothing; smoothing between .01 and .99 by squared error."""
    return _forecast(view, _ses_level)


def croston_sba(view: Panel) -> np.ndarray:
    """Smoothed size over smoothed interval of the days with demand, times .95.

    Days of returns count as days without demand.
    """
    return _forecast(view, _croston_level)


def tsb(view: Panel) -> np.ndarray:
    """Smoothed probability of a day with demand times its smoothed size: fades after the last.

    Days of returns count as days without demand.
    """
    return _forecast(view, _tsb_level)


def adida(view: Panel) -> np.ndarray:
    """Smoothed sums over as many days as lie between two days with demand, per day."""
    return _forecast(view, _adida_level)


def imapa(view: Panel) -> np.ndarray:
    """Mean of the smoothed sums over 1, 2, … days, up to ADIDA's, per day."""
    return _forecast(view, _imapa_level)


def _forecast(view: Panel, level: Level) -> np.ndarray:
    """(N, H) the level of each series, the same for all days ahead."""
    levels = np.full(view.series_count, np.nan)
    amounts = asked_for(view)
    with_values = np.flatnonzero(~np.isnan(amounts).all(axis=1))
    # Alike in how rarely they sell: a block then has few different intervals to go through.
    sold = (amounts[with_values] > 0).sum(axis=1)
    with_values = with_values[np.argsort(sold, kind="stable")]
    for start in range(0, len(with_values), BLOCK):
        rows = with_values[start : start + BLOCK]
        levels[rows] = np.maximum(level(_known(amounts[rows])), 0.0)
    return np.repeat(levels[:, None], view.horizon, axis=1)


def _known(values: np.ndarray) -> Known:
    """Values of (n, T), those without a value left out."""
    known = ~np.isnan(values)
    starts = values.shape[1] - known.sum(axis=1)
    if not known.all():
        order = np.argsort(known, axis=1, kind="stable")
        values = np.nan_to_num(np.take_along_axis(values, order, axis=1))
    return Known(np.ascontiguousarray(values.T), starts)


def _ses_level(known: Known) -> np.ndarray:
    return _smoothed(known.amounts, known.starts, WIDE_BOUNDS)


def _croston_level(known: Known) -> np.ndarray:
    days, count = known.amounts.shape
    size, interval = np.zeros(count), np.zeros(count)
    seen = np.zeros(count, dtype=bool)
    last = known.starts - 1
    for day in range(days):
        amount = known.amounts[day]
        sold = amount > 0
        if not sold.any():
            continue
        share = np.where(seen, SMOOTHING, 1.0)
        size += np.where(sold, share * (amount - size), 0.0)
        interval += np.where(sold, share * (day - last - interval), 0.0)
        last = np.where(sold, day, last)
        seen |= sold
    return 0.95 * np.divide(size, interval, out=np.zeros(count), where=seen)


def _tsb_level(known: Known) -> np.ndarray:
    days, count = known.amounts.shape
    size, chance = np.zeros(count), np.zeros(count)
    seen = np.zeros(count, dtype=bool)
    for day in range(days):
        amount = known.amounts[day]
        sold = amount > 0
        size += np.where(sold, np.where(seen, SMOOTHING, 1.0) * (amount - size), 0.0)
        share = np.where(day == known.starts, 1.0, SMOOTHING) * (day >= known.starts)
        chance += share * (sold - chance)
        seen |= sold
    return size * chance


def _adida_level(known: Known) -> np.ndarray:
    intervals = _rounded_interval(known)
    level = np.zeros(len(intervals))
    for interval in np.unique(intervals[intervals > 0]):
        rows = np.flatnonzero(intervals == interval)
        level[rows] = _sums_level(known, rows, int(interval))
    return level


def _imapa_level(known: Known) -> np.ndarray:
    intervals = _rounded_interval(known)
    total = np.zeros(len(intervals))
    for interval in range(1, int(intervals.max(initial=0)) + 1):
        rows = np.flatnonzero(intervals >= interval)
        total[rows] += _sums_level(known, rows, interval)
    return total / np.maximum(intervals, 1)


def _rounded_interval(known: Known) -> np.ndarray:
    """(n,) mean days from one day with an amount to the next, rounded; 0 where all are zero."""
    days = known.amounts.shape[0]
    sold = known.amounts != 0
    count = sold.sum(axis=0)
    last = days - sold[::-1].argmax(axis=0)
    mean = np.divide(last - known.starts, count, out=np.zeros(len(count)), where=count > 0)
    return np.round(mean).astype(int)


def _sums_level(known: Known, rows: np.ndarray, interval: int) -> np.ndarray:
    """(rows,) smoothed sums of ``interval`` days each, per day; days before the first sum drop."""
    days = known.amounts.shape[0]
    whole = days // interval
    first = days - whole * interval
    amounts = known.amounts[first:, rows]
    sums = amounts.reshape(whole, interval, len(rows)).sum(axis=1)
    starts = whole - (days - known.starts[rows]) // interval
    return _smoothed(sums, starts, BOUNDS) / interval


def _smoothed(amounts: np.ndarray, starts: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    """(n,) level after the last of (T, n) amounts; smoothing by golden section on squared error."""
    count = len(starts)
    before = np.arange(len(amounts))[:, None] < starts
    # A level that starts at its first amount makes no error before it.
    padded = np.where(before, amounts[starts, np.arange(count)], amounts)
    low, high = np.full(count, bounds[0]), np.full(count, bounds[1])
    inner = np.stack([high - GOLDEN * (high - low), low + GOLDEN * (high - low)])
    errors = np.stack([_run(padded, inner[0])[1], _run(padded, inner[1])[1]])
    flat = errors[0] == errors[1]  # one error only, which no smoothing changes: the middle
    for _ in range(SEARCH_STEPS):
        left = errors[0] < errors[1]
        low, high = np.where(left, low, inner[0]), np.where(left, inner[1], high)
        fresh = np.where(left, high - GOLDEN * (high - low), low + GOLDEN * (high - low))
        error = _run(padded, fresh)[1]
        kept = np.where(left, inner[0], inner[1])
        kept_error = np.where(left, errors[0], errors[1])
        inner = np.stack([np.where(left, fresh, kept), np.where(left, kept, fresh)])
        errors = np.stack([np.where(left, error, kept_error), np.where(left, kept_error, error)])
    return _run(padded, np.where(flat, sum(bounds) / 2.0, (low + high) / 2.0))[0]


def _run(amounts: np.ndarray, smoothing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level after the last of (T, n) amounts, and the sum of squared one-step errors."""
    level = amounts[0].copy()
    squared = np.zeros(len(level))
    error, square = np.empty(len(level)), np.empty(len(level))
    for amount in amounts[1:]:
        np.subtract(amount, level, out=error)
        np.multiply(error, error, out=square)
        squared += square
        error *= smoothing
        level += error
    return level, squared
