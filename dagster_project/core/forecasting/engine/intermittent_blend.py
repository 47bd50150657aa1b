"""One forecast of many rarely sold series, from what they have in common.

Belongs here: weekdays and promotions learnt across series, levels of several lengths of memory, and
how much each of them has been worth so far. Does not: the methods that look at one series alone
(``intermittent``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.core.forecasting.engine.demand import as_well_known, asked_for
from dagster_project.core.forecasting.engine.panel import WEEK, Panel

HALF_LIVES = (14.0, 56.0, np.inf)  # days of memory; six of them were not better than these three
WINDOWS = 4  # past months that the weights of the levels are learnt from
# How much a group's own figure counts against the wider one's, in sales expected.
STORE_SALES, SERIES_SALES = 300.0, 50.0  # weekdays: a segment's, a series'
SEGMENT_SALES, PROMOTED_SALES = 200.0, 20.0  # promotions: a segment's, a series'
LONG_DAYS, SHORT_DAYS = 14.0, 7.0  # days of the wider level in the long one, and of it in the short
SEGMENT_DAYS = 500.0  # series × days of all in a segment's
PASSES = 2  # weekdays and promotions each adjusted for the other
SILENT = 3.0  # usual intervals without a sale after which a series is taken to be off the shelf
RIDGE = 1e-6  # of the mean diagonal: two levels that are the same have a weight all the same


@dataclass(frozen=True)
class Shape:
    """What multiplies a series' level on each day, and the days that it is learnt from."""

    amounts: np.ndarray  # (N, T) in usual sales; 0 where not known
    known: np.ndarray  # (N, T) bool: from the first day with demand on
    segments: np.ndarray  # (N,) number of the segment
    factors: np.ndarray  # (N, T + H) weekday × promotion


def intermittent_blend(view: Panel) -> np.ndarray:
    """Levels of 14 and 56 days' and endless memory, weighted by past months, × weekday × promotion.

    The weights, the same for all series, have the least squared error in the last months, each
    series' errors over its mean squared change from day to day. A series counts in a past month
    when it had by then sold on as many days as the least of the panel has now: those chosen
    because they sold well would otherwise promise the past's luck again. Never below 0,
    and 0 for what came back more than it sold.

    All is counted in usual sales of the series itself, so that what sells for 1,000 at a time and
    what sells for a cent are heard alike.
    """
    size = _usual_sale(asked_for(view))
    shape = _shape(view, size)
    weights = _weights(shape, view.horizon)
    level = np.maximum(_levels(shape, view.day_count) @ weights, 0.0) * np.maximum(size, 0.0)
    level[np.isnan(view.values).all(axis=1)] = np.nan
    return level[:, None] * shape.factors[:, view.day_count :]


def _usual_sale(amounts: np.ndarray) -> np.ndarray:
    """(N,) mean size of the amounts that are not 0, negative where they add up to less than 0.

    1 where there are none.
    """
    known = np.nan_to_num(amounts)
    size = _over(np.abs(known).sum(axis=1), (known != 0).sum(axis=1), 1.0)
    return np.where(known.sum(axis=1) < 0, -size, size)


def _shape(view: Panel, size: np.ndarray) -> Shape:
    amounts = asked_for(view) / size[:, None]
    known = ~np.isnan(amounts)
    amounts = np.where(known, amounts, 0.0)
    known &= np.cumsum(amounts != 0, axis=1) > 0
    segments = np.unique(np.array(view.segments, dtype=str), return_inverse=True)[1]
    promoted = view.promotion > 0
    past = promoted[:, : view.day_count] & known
    weekday = np.ones((view.series_count, WEEK))
    lift = np.ones(view.series_count)
    level = _over(amounts.sum(axis=1), known.sum(axis=1))
    for _ in range(PASSES):
        expected = np.where(past, lift[:, None], 1.0) * known
        weekday = _weekday_factors(amounts, expected * level[:, None], view.weekdays, segments)
        if past.any():
            base = level[:, None] * weekday[:, view.weekdays[: view.day_count]]
            lift = _lifts((amounts * past).sum(axis=1), (base * past).sum(axis=1), segments)
        factors = weekday[:, view.weekdays] * np.where(promoted, lift[:, None], 1.0)
        level = _over(amounts.sum(axis=1), (factors[:, : view.day_count] * known).sum(axis=1))
    return Shape(amounts, known, segments, factors)


def _weekday_factors(
    amounts: np.ndarray, expected: np.ndarray, weekdays: np.ndarray, segments: np.ndarray
) -> np.ndarray:
    """(N, 7) sold over expected: of a series drawn to its segment's, that to all series'."""
    days = amounts.shape[1]
    on_weekday = (weekdays[:days, None] == np.arange(WEEK)).astype(float)
    sold, due = amounts @ on_weekday, expected @ on_weekday
    overall = _over(sold.sum(axis=0), due.sum(axis=0), 1.0)
    segment_sold, segment_due = _summed(sold, segments), _summed(due, segments)
    wider = (segment_sold + STORE_SALES * overall) / (segment_due + STORE_SALES)
    return np.maximum((sold + SERIES_SALES * wider[segments]) / (due + SERIES_SALES), 0.0)


def _lifts(sold: np.ndarray, due: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """(N,) sold on promotion over expected without, drawn to the segment's and all series'."""
    overall = sold.sum() / due.sum() if due.sum() > 0 else 1.0
    segment_sold, segment_due = _summed(sold, segments), _summed(due, segments)
    wider = (segment_sold + SEGMENT_SALES * overall) / (segment_due + SEGMENT_SALES)
    return np.maximum((sold + PROMOTED_SALES * wider[segments]) / (due + PROMOTED_SALES), 0.0)


def _levels(shape: Shape, days: int) -> np.ndarray:
    """(N, 5) what is known after ``days`` days: a level for each half-life, and two of silence.

    The last two are the long level, negative, in proportion to the usual intervals that have passed
    without a sale and where more than three have: what to take off a series that stopped.
    """
    amounts, known = shape.amounts[:, :days], shape.known[:, :days]
    due = shape.factors[:, :days] * known
    total, exposure = amounts.sum(axis=1), due.sum(axis=1)
    overall = amounts.sum() / max(known.sum(), 1)
    segment_total, segment_exposure = (_summed(one, shape.segments) for one in (total, exposure))
    wider = (segment_total + SEGMENT_DAYS * overall) / (segment_exposure + SEGMENT_DAYS)
    long = (total + LONG_DAYS * wider[shape.segments]) / (exposure + LONG_DAYS)
    ages = np.arange(days)[::-1]
    recent = np.stack([0.5 ** (ages / half_life) for half_life in HALF_LIVES], axis=1)
    levels = (amounts @ recent + SHORT_DAYS * long[:, None]) / (due @ recent + SHORT_DAYS)
    silence = _silence(amounts > 0, known)
    faded = np.minimum(silence, 5.0) / 5.0
    return np.column_stack([levels, -long * faded, -long * (silence > SILENT)])


def _silence(sold: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(N,) days since the last sale over the usual days between two sales."""
    days = sold.shape[1]
    count = sold.sum(axis=1)
    last = np.where(count > 0, days - 1 - sold[:, ::-1].argmax(axis=1), -1)
    first = np.where(known.any(axis=1), known.argmax(axis=1), days)
    # Five days more: two sales on following days do not make a daily seller.
    usual = np.maximum(last - first + 6, 1) / np.maximum(count, 1)
    return (days - 1 - last) / usual


def _weights(shape: Shape, horizon: int) -> np.ndarray:
    """(5,) weights of the levels, none below 0; the middle level alone where history is short."""
    from scipy.optimize import nnls

    days = shape.amounts.shape[1]
    size = len(HALF_LIVES) + 2
    normal, target = np.zeros((size, size)), np.zeros(size)
    per_series = _over(np.ones(len(shape.amounts)), _squared_changes(shape))
    sold = shape.amounts > 0
    for window in range(1, WINDOWS + 1):
        start = days - window * horizon
        if start < horizon:
            break
        ahead = slice(start, start + horizon)
        levels = _levels(shape, start)
        counted = per_series * as_well_known(sold, start)
        factors = shape.factors[:, ahead] * shape.known[:, ahead]
        normal += levels.T @ (levels * (counted * (factors**2).sum(axis=1))[:, None])
        target += levels.T @ (counted * (factors * shape.amounts[:, ahead]).sum(axis=1))
    if not normal.any():
        return np.array([0.0, 1.0, 0.0, 0.0, 0.0])
    root = np.linalg.cholesky(normal + RIDGE * np.trace(normal) / size * np.eye(size))
    return nnls(root.T, np.linalg.solve(root, target))[0]


def _squared_changes(shape: Shape) -> np.ndarray:
    """(N,) mean squared change from one known day to the next."""
    both = shape.known[:, 1:] & shape.known[:, :-1]
    changes = np.where(both, np.diff(shape.amounts, axis=1), 0.0)
    return _over((changes**2).sum(axis=1), both.sum(axis=1))


def _summed(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Sums of the rows by group."""
    sums = np.zeros((groups.max(initial=-1) + 1, *values.shape[1:]))
    np.add.at(sums, groups, values)
    return sums


def _over(above: np.ndarray, below: np.ndarray, otherwise: float = 0.0) -> np.ndarray:
    """Quotient; ``otherwise`` where there is nothing to divide by."""
    return np.divide(above, below, out=np.full(above.shape, otherwise), where=below > 0)
