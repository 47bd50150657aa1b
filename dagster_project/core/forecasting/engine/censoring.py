"""What would have been asked for on days that sold out.

Belongs here: replacing a sold-out day's sales by the demand to be expected given that it was at
least as much. Does not: whether a day sold out (inventory tells).

Leaving such days out teaches too little demand, as they are the days on which much was asked for;
taking their sales as demand teaches still less. Demand is taken as log-normal around the series'
weekday × promotion usual and its level of the weeks around (a Tobit model, by expectation and
maximisation). Where half of the days sell nothing that does not hold, and the day is left out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.stats import norm

from dagster_project.core.forecasting.engine.panel import WEEK, Panel

STEPS = 8  # the expected demand then moves by less than a thousandth
LEVEL_DAYS = 28  # on either side of the day
LARGEST_FACTOR = 5.0  # of the usual: a sold-out day says no more than that
SMALLEST_SPREAD, LARGEST_SPREAD = 0.02, 1.0


def restored(view: Panel, *, drawn: bool = False) -> Panel:
    """The view with demand in place of the sales of sold-out days, or NaN where it is unknown.

    The demand to be expected, or one drawn at random (the same at every call), which varies as
    much as demand does: what intervals are to hold.
    """
    rows = np.flatnonzero((view.sold_out & ~np.isnan(view.values)).any(axis=1))
    if not len(rows):
        return view
    values = view.values.copy()
    for n in rows:
        values[n] = _demand(view, n, drawn=drawn)
    return replace(view, values=values)


def _demand(view: Panel, n: int, *, drawn: bool) -> np.ndarray:
    sold, out = view.values[n], view.sold_out[n]
    kind = view.weekdays[: view.day_count] + WEEK * (view.promotion[n, : view.day_count] > 0)
    open_days = ~np.isnan(sold) & ~out
    if (sold[open_days] > 0).sum() * 2 <= max(open_days.sum(), 1):
        return np.where(out, np.nan, sold)
    demand = np.where(out & ~np.isnan(sold), np.nan, sold)
    spread = None
    for _ in range(STEPS):
        usual = _usual(demand, kind)
        spread = _spread(sold, usual, open_days) if spread is None else spread
        expected = _above(np.maximum(sold, 0.0), usual, spread)
        demand = np.where(out & ~np.isnan(sold), expected, sold)
        spread = _censored_spread(sold, usual, spread, open_days, out)
    if drawn:
        one = _drawn(np.maximum(sold, 0.0), usual, spread, seed=n)
        demand = np.where(out & ~np.isnan(sold), one, sold)
    return demand


def _usual(demand: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """(T,) level of the weeks around × what the day's weekday and promotion are to it."""
    known = ~np.isnan(demand)
    factor = np.ones(len(demand))
    overall = demand[known].mean()
    for one in np.unique(kind):
        days = known & (kind == one)
        if days.any():
            factor[kind == one] = max(demand[days].mean() / overall, 0.05)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, demand, 0.0))])
    shares = np.concatenate([[0.0], np.cumsum(np.where(known, factor, 0.0))])
    days = np.arange(len(demand))
    start, end = np.maximum(days - LEVEL_DAYS, 0), np.minimum(days + LEVEL_DAYS + 1, len(days))
    weight = shares[end] - shares[start]
    level = np.where(weight > 0, (sums[end] - sums[start]) / np.maximum(weight, 1e-12), overall)
    return np.maximum(level, 0.01 * overall) * factor


def _spread(sold: np.ndarray, usual: np.ndarray, chosen: np.ndarray) -> float:
    ratio = np.log(np.maximum(sold[chosen], 0.05 * usual[chosen]) / usual[chosen])
    return float(np.clip(ratio.std(), SMALLEST_SPREAD, LARGEST_SPREAD))


def _above(sold: np.ndarray, usual: np.ndarray, spread: float) -> np.ndarray:
    """Mean of a log-normal demand of mean ``usual``, given that it is above what was sold."""
    middle = np.log(usual) - spread**2 / 2
    with np.errstate(divide="ignore"):
        z = (np.log(np.maximum(sold, 0.0)) - middle) / spread
    ratio = np.exp(norm.logsf(z - spread) - norm.logsf(z))
    return np.maximum(np.minimum(usual * ratio, LARGEST_FACTOR * usual), sold)


def _drawn(sold: np.ndarray, usual: np.ndarray, spread: float, *, seed: int) -> np.ndarray:
    """A log-normal demand of mean ``usual`` drawn from above what was sold."""
    middle = np.log(usual) - spread**2 / 2
    with np.errstate(divide="ignore"):
        z = (np.log(sold) - middle) / spread
    chance = np.random.default_rng(seed).random(len(sold))
    drawn = np.exp(middle + spread * norm.isf(norm.sf(z) * chance))
    return np.clip(drawn, sold, np.maximum(LARGEST_FACTOR * usual, sold))


def _censored_spread(
    sold: np.ndarray, usual: np.ndarray, spread: float, open_days: np.ndarray, out: np.ndarray
) -> float:
    """Spread of all days' logarithms; those of sold-out days by their moments above the bound."""
    middle = np.log(usual) - spread**2 / 2
    seen = np.log(np.maximum(sold[open_days], 0.05 * usual[open_days])) - middle[open_days]
    chosen = out & ~np.isnan(sold)
    with np.errstate(divide="ignore"):
        z = (np.log(np.maximum(sold[chosen], 0.0)) - middle[chosen]) / spread
    z = np.maximum(z, -8.0)
    hazard = np.exp(norm.logpdf(z) - norm.logsf(z))
    squares = spread**2 * (1 + z * hazard)
    total = (seen**2).sum() + squares.sum()
    return float(np.clip(np.sqrt(total / max(len(seen) + chosen.sum(), 1)), 0.02, 1.0))
