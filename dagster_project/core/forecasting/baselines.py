"""The forecasts anybody could make without a model: what Prophet has to beat.

Amounts are daily net sales from the first day on, NaN where the series did not trade (closed, or
not converted); the origin is the last day given. All return ``horizon`` values, never NaN.
"""

from __future__ import annotations

import numpy as np

from dagster_project.core.forecasting.errors import SeriesError

WEEK = 7
MEAN_DAYS = 84  # twelve of each weekday: the baseline of the design's comparison


def seasonal_naive(amounts: np.ndarray, horizon: int) -> np.ndarray:
    """The same weekday of the last week; where not traded, of the week before, and so on.

    A weekday that was never traded takes the mean of all days. Raises SeriesError when no day was.
    """
    if np.isnan(amounts).all():
        raise SeriesError("no day with sales up to the origin")
    by_weekday = np.empty(WEEK)
    for step in range(WEEK):
        seen = amounts[::-1][WEEK - 1 - step :: WEEK]
        traded = seen[~np.isnan(seen)]
        by_weekday[step] = traded[0] if len(traded) else np.nanmean(amounts)
    return np.tile(by_weekday, -(-horizon // WEEK))[:horizon]


def weekday_promotion_mean(
    amounts: np.ndarray, weekdays: np.ndarray, promoted: np.ndarray, horizon: int
) -> np.ndarray:
    """Mean of the last 84 days by weekday × on promotion or not.

    ``weekdays`` and ``promoted`` reach over the horizon. A pair that was not seen takes its
    weekday's mean, a weekday that was not seen the mean of all days. Raises SeriesError when
    nothing was traded in the 84 days.
    """
    origin = len(amounts)
    start = max(0, origin - MEAN_DAYS)
    recent = amounts[start:]
    traded = ~np.isnan(recent)
    if not traded.any():
        raise SeriesError(f"no day with sales in the last {MEAN_DAYS} days")
    past_weekday, past_promoted = weekdays[start:origin], promoted[start:origin]
    result = np.empty(horizon)
    for step in range(horizon):
        day = origin + step
        same_weekday = traded & (past_weekday == weekdays[day])
        same = same_weekday & (past_promoted == promoted[day])
        chosen = same if same.any() else same_weekday if same_weekday.any() else traded
        result[step] = recent[chosen].mean()
    return result
