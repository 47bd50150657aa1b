"""How a series sells: on most days or few, in even or uneven amounts.

Belongs here: the class that decides which methods are tried, and the days and series that may
teach it. Does not: the methods.
"""

from __future__ import annotations

import numpy as np

from dagster_project.core.forecasting.engine.panel import Panel

SMOOTH, ERRATIC, INTERMITTENT, LUMPY, NONE = "smooth", "erratic", "intermittent", "lumpy", "none"
# Syntetos, Boylan and Croston (2005): where Croston's method and SES err alike.
INTERVAL_LIMIT = 1.32  # days from one day with demand to the next
VARIATION_LIMIT = 0.49  # squared coefficient of variation of the amounts of days with demand
RECENT_DAYS = 364  # a year: the class follows what is sold now, not what once was
LEAST_PLACE = 0.01  # of the series by days sold: what got a series onto the panel


def asked_for(view: Panel) -> np.ndarray:
    """(N, T) amounts of the days that were open and not sold out; NaN for all others.

    A series that was sold out on every day keeps its amounts: the least that was asked for.
    """
    held_back = view.closed[:, : view.day_count] | view.sold_out
    amounts = np.where(held_back, np.nan, view.values)
    empty = np.isnan(amounts).all(axis=1)
    amounts[empty] = view.values[empty]
    return amounts


def demand_classes(view: Panel) -> np.ndarray:
    """(N,) class of each series in the last 364 days, from its first day with demand in them.

    Smooth or intermittent by the mean days from one day with demand to the next (above 1.32),
    erratic or lumpy where the amounts vary as well (squared coefficient of variation above .49),
    none where no day has demand. Days without a value count for nothing; returns as no demand.
    """
    amounts = asked_for(view)[:, -RECENT_DAYS:]
    sold = np.nan_to_num(amounts) > 0
    count = sold.sum(axis=1)
    days = (~np.isnan(amounts) & (np.cumsum(sold, axis=1) > 0)).sum(axis=1)
    sizes = np.where(sold, amounts, 0.0)
    mean = _ratio(sizes.sum(axis=1), count)
    squared = np.where(sold, (amounts - mean[:, None]) ** 2, 0.0).sum(axis=1)
    variation = _ratio(_ratio(squared, count), mean**2)
    rare = _ratio(days, count) > INTERVAL_LIMIT
    uneven = variation > VARIATION_LIMIT
    return np.select(
        [count == 0, rare & uneven, rare, uneven], [NONE, LUMPY, INTERMITTENT, ERRATIC], SMOOTH
    )


def as_well_known(sold: np.ndarray, days: int) -> np.ndarray:
    """(N,) bool: series that after ``days`` days had sold on as many as the least of them has now.

    ``sold`` (N, T) bool: days with demand. A series stands on a panel because it has sold; asked
    for a past day, those that had not yet would promise the luck that brought them in once more.
    Counted per day where fewer than half had sold so often by then.
    """
    by_then, total = sold[:, :days].sum(axis=1), sold.sum(axis=1)
    least = np.quantile(total, LEAST_PLACE) if len(total) else 0.0
    enough = (by_then >= least) & (by_then > 0)
    if 2 * enough.sum() >= len(sold):
        return enough
    return (by_then >= least * days / sold.shape[1]) & (by_then > 0)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Quotient; 0 where there is nothing to divide by."""
    return np.divide(above, below, out=np.zeros(len(above)), where=below > 0)
