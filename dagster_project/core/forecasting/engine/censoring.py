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
from scipy.special import log_ndtr, ndtr, ndtri

from dagster_project.core.forecasting.engine.panel import WEEK, Panel

STEPS = 8  # the expected demand then moves by less than a thousandth
LEVEL_DAYS = 28  # on either side of the day
LARGEST_FACTOR = 5.0  # of the usual: a sold-out day says no more than that
SMALLEST_SPREAD, LARGEST_SPREAD = 0.02, 1.0
CHUNK = 256  # series at a time


def restored(view: Panel, *, drawn: bool = False) -> Panel:
    """The view with demand in place of the sales of sold-out days, or NaN where it is unknown.

    The demand to be expected, or one drawn at random (the same at every call), which varies as
    much as demand does: what intervals are to hold.
    """
    if not view.sold_out.any():
        return view
    out = view.sold_out & ~np.isnan(view.values)
    left = ~np.isnan(view.values) & ~out
    sells = (left & (np.nan_to_num(view.values) > 0)).sum(axis=1) * 2
    is_steady = sells > np.maximum(left.sum(axis=1), 1)
    values = np.where(out & ~is_steady[:, None], np.nan, view.values)
    kinds = view.weekdays[: view.day_count] + WEEK * (view.promotion[:, : view.day_count] > 0)
    rows = np.flatnonzero(out.any(axis=1) & is_steady)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        values[part] = _demand(
            view.values[part], out[part], kinds[part], drawn_by=part, drawn=drawn
        )
    return replace(view, values=values)


def _demand(
    sold: np.ndarray, out: np.ndarray, kinds: np.ndarray, *, drawn_by: np.ndarray, drawn: bool
) -> np.ndarray:
    """(n, T) sales, and on sold-out days the demand expected, or drawn by each row's seed."""
    left = ~np.isnan(sold) & ~out
    least = np.maximum(np.nan_to_num(sold), 0.0)
    usual = _usual(np.where(out, np.nan, sold), kinds)
    spread = _spread(sold, usual, left, out, None)
    for _ in range(STEPS):
        demand = np.where(out, _above(least, usual, spread), sold)
        usual = _usual(demand, kinds)
        spread = _spread(sold, usual, left, out, spread)
    if drawn:
        chances = [np.random.default_rng(int(seed)).random(sold.shape[1]) for seed in drawn_by]
        return np.where(out, _drawn(least, usual, spread, np.stack(chances)), sold)
    return np.where(out, _above(least, usual, spread), sold)


def _usual(demand: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """(n, T) level of the weeks around × what the day's weekday and promotion are to it."""
    known = ~np.isnan(demand)
    amounts = np.where(known, demand, 0.0)
    overall = np.maximum(amounts.sum(axis=1) / np.maximum(known.sum(axis=1), 1), 1e-12)
    factor = np.ones(demand.shape)
    for kind in range(2 * WEEK):
        days = kinds == kind
        count = (days & known).sum(axis=1)
        mean = np.where(days, amounts, 0.0).sum(axis=1) / np.maximum(count, 1)
        share = np.where(count > 0, np.maximum(mean / overall, 0.05), 1.0)
        factor = np.where(days, share[:, None], factor)
    sums, shares = _running(amounts), _running(np.where(known, factor, 0.0))
    days = np.arange(demand.shape[1])
    start = np.maximum(days - LEVEL_DAYS, 0)
    end = np.minimum(days + LEVEL_DAYS + 1, len(days))
    weight = shares[:, end] - shares[:, start]
    around = (sums[:, end] - sums[:, start]) / np.maximum(weight, 1e-12)
    level = np.where(weight > 0, around, overall[:, None])
    return np.maximum(level, 0.01 * overall[:, None]) * factor


def _running(values: np.ndarray) -> np.ndarray:
    return np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))


def _above(least: np.ndarray, usual: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Mean of a log-normal demand of mean ``usual``, given that it is above what was sold."""
    z = _standard(least, usual, spread)
    ratio = np.exp(log_ndtr(spread - z) - log_ndtr(-z))
    return np.maximum(np.minimum(usual * ratio, LARGEST_FACTOR * usual), least)


def _drawn(
    least: np.ndarray, usual: np.ndarray, spread: np.ndarray, chance: np.ndarray
) -> np.ndarray:
    """A log-normal demand of mean ``usual`` drawn from above what was sold."""
    z = -ndtri(ndtr(-_standard(least, usual, spread)) * chance)
    drawn = usual * np.exp(spread * z - spread**2 / 2)
    return np.clip(drawn, least, np.maximum(LARGEST_FACTOR * usual, least))


def _standard(amounts: np.ndarray, usual: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Logarithms in standard deviations from the middle of a log-normal of mean ``usual``."""
    with np.errstate(divide="ignore"):
        return (np.log(amounts / usual) + spread**2 / 2) / spread


def _spread(
    sold: np.ndarray,
    usual: np.ndarray,
    left: np.ndarray,
    out: np.ndarray,
    before: np.ndarray | None,
) -> np.ndarray:
    """(n, 1) spread of all days' logarithms; that of sold-out days by their moments above it."""
    least = np.where(left, np.maximum(np.nan_to_num(sold), 0.05 * usual), usual)
    middle = 0.0 if before is None else before**2 / 2
    squares = np.where(left, (np.log(least / usual) + middle) ** 2, 0.0).sum(axis=1)
    count = left.sum(axis=1)
    if before is not None:
        z = np.maximum(_standard(np.maximum(np.nan_to_num(sold), 0.0), usual, before), -8.0)
        hazard = np.exp(-(z**2) / 2 - log_ndtr(-z)) / np.sqrt(2 * np.pi)
        squares += np.where(out, before**2 * (1 + z * hazard), 0.0).sum(axis=1)
        count = count + out.sum(axis=1)
    spread = np.sqrt(squares / np.maximum(count, 1))
    return np.clip(spread, SMALLEST_SPREAD, LARGEST_SPREAD)[:, None]
