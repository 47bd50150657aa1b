"""Prediction intervals from the errors that the chosen models made in the back-test.

Split conformal, in buckets of the horizon, usual and eventful days apart: the errors of the series
of one segment are put on one scale (each series' own mean size of error, drawn towards the
segment's), pooled, and their quantiles laid around the forecast. No distribution is assumed. Days
of nothing have a probability of their own, and quantiles below it are 0. Where few series were
judged in few windows, quantiles are moved outwards as Student's prediction interval is, for errors
of one series in one window are alike. Coverage is judged window by window, each with intervals made
from the others only.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from dagster_project.core.forecasting.engine.errors import errors_of

PROBABILITIES = (0.025, 0.1, 0.5, 0.9, 0.975)
MEDIAN = PROBABILITIES.index(0.5)
# First to last day of the horizon, from 1: errors are alike within, and grow with distance.
BUCKET_ENDS = (7, 14)
SMALLEST_POOL = 5  # series; smaller segments share their errors
SMALLEST_KIND = 100  # errors of usual or of eventful days; fewer and the two share theirs
ROUNDING = 1e-9  # of an amount: a limit that is the amount itself holds it


@dataclass(frozen=True)
class Intervals:
    """Quantiles ahead, and what those of the back-test held."""

    final: np.ndarray  # (N, P, H) amounts
    covered_80: np.ndarray  # (N,) share of judged days, 0-1; NaN = never judged
    covered_95: np.ndarray


@dataclass(frozen=True)
class Eventful:
    """Which days are harder to foresee: within a feast's window or beside a closure."""

    past: np.ndarray  # (W, N, H) bool
    final: np.ndarray  # (N, H) bool


def intervals(
    segments: tuple[str, ...],
    past: np.ndarray,
    actual: np.ndarray,
    final: np.ndarray,
    eventful: Eventful,
) -> Intervals:
    """Quantiles around ``final`` (N, H), from what ``past`` (W, N, H) had said of ``actual``."""
    bands = _bands(segments, (past, actual, eventful.past), (final, eventful.final))
    return Intervals(bands, *_coverage(segments, past, actual, eventful.past))


def _bands(
    segments: tuple[str, ...],
    known: tuple[np.ndarray, np.ndarray, np.ndarray],
    ahead: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """(N, P, H) amounts around what is ahead, from forecasts, amounts and eventful days known."""
    past, actual, hard = known
    mean, hard_ahead = ahead
    errors = errors_of(past, actual, segments)
    pools = pools_of(segments, errors.is_log)
    bands = np.full((len(mean), len(PROBABILITIES), mean.shape[1]), np.nan)
    for pool in sorted(set(pools.tolist())):
        rows = np.flatnonzero(pools == pool)
        scale = errors.scale[rows]
        scaled = errors.values[:, rows] / errors.others[:, rows, None]
        usual, unusual = _quantiles(scaled, hard[:, rows], errors.idle[rows])
        apart = np.where(hard_ahead[rows][:, None], unusual, usual) * scale[:, None, None]
        bands[rows] = _around(mean[rows], apart, bool(errors.is_log[rows[0]]))
    return bands


def pools_of(segments: tuple[str, ...], is_log: np.ndarray) -> np.ndarray:
    """(N,) the pool of each series: its segment, or one for all that are too few."""
    names = np.array([f"{one} {log}" for one, log in zip(segments, is_log, strict=True)])
    found, counts = np.unique(names, return_counts=True)
    few = set(found[counts < SMALLEST_POOL].tolist())
    kinds = [f"few {log}" if name in few else name for name, log in zip(names, is_log, strict=True)]
    return np.array(kinds)


def conformal_quantile(errors: np.ndarray, probability: float | np.ndarray) -> np.ndarray:
    """The order statistic that a new error of the same kind stays below with that probability.

    Of the shape of ``probability``. Rank (n + 1) p, outwards: rounded down below one half and up
    above it, within 1 to n. NaN without errors.
    """
    wanted = np.asarray(probability, dtype=float)
    if not len(errors):
        return np.full(wanted.shape, np.nan)
    rank = (len(errors) + 1) * wanted
    outer = np.where(wanted < 0.5, np.floor(rank + 1e-9), np.ceil(rank - 1e-9))
    return np.sort(errors)[np.clip(outer, 1, len(errors)).astype(int) - 1]


def widening(blocks: int) -> np.ndarray:
    """(P,) by how much further from the median a quantile lies that so few blocks tell of.

    A block is one series in one window. Student's factor of a prediction from the mean and spread
    of that many over the normal one: 1.55 for the outermost of 5 blocks, 1.01 of 200.
    """
    tails = np.abs(np.array(PROBABILITIES) - 0.5)
    wide = stats.t.ppf(0.5 + tails, max(blocks - 1, 1)) * np.sqrt(1 + 1 / max(blocks, 1))
    normal = stats.norm.ppf(0.5 + tails)
    return np.divide(wide, normal, out=np.ones(len(tails)), where=tails > 0)


def buckets(horizon: int) -> list[slice]:
    """Days of the horizon whose errors are alike."""
    edges = [0, *(end for end in BUCKET_ENDS if end < horizon), horizon]
    return [slice(first, last) for first, last in pairwise(edges)]


def _quantiles(scaled: np.ndarray, hard: np.ndarray, idle: np.ndarray) -> np.ndarray:
    """(2, n, P, H) quantiles of (W, n, H) scaled errors, of usual days and of eventful ones.

    Minus infinity where the day sells nothing with that probability: ``idle`` (n,) is how often it
    does. Where one kind has too few errors the two share theirs.
    """
    count, horizon = scaled.shape[1:]
    result = np.zeros((2, count, len(PROBABILITIES), horizon))
    known = ~np.isnan(scaled)
    wider = widening(int(known.any(axis=2).sum()))
    sold = (np.array(PROBABILITIES) - idle[:, None]) / np.maximum(1 - idle[:, None], 1e-9)
    for days in buckets(horizon):
        kinds = [known[:, :, days] & (hard[:, :, days] == kind) for kind in (False, True)]
        if min(one.sum() for one in kinds) < SMALLEST_KIND:
            kinds = [known[:, :, days]] * 2
        for kind, chosen in enumerate(kinds):
            pooled = np.sort(scaled[:, :, days][chosen])
            middle = conformal_quantile(pooled, sold[:, MEDIAN, None].clip(0))
            found = middle + (conformal_quantile(pooled, sold.clip(0)) - middle) * wider
            result[kind, :, :, days] = np.where(sold > 0, found, -np.inf)[:, :, None]
    return result


def _coverage(
    segments: tuple[str, ...], past: np.ndarray, actual: np.ndarray, hard: np.ndarray
) -> np.ndarray:
    """(2, N) share of judged days inside the 80 % and 95 % intervals made from other windows.

    NaN for a series that was judged in one window only.
    """
    windows, count, _ = past.shape
    known = ~np.isnan(actual) & ~np.isnan(past)
    inside, judged = np.zeros((2, count)), np.zeros(count)
    for window in range(windows if windows > 1 else 0):
        others = np.arange(windows) != window
        rest = (past[others], actual[others], hard[others])
        bands = _bands(segments, rest, (past[window], hard[window]))
        counted = known[window] & known[others].any(axis=(0, 2))[:, None]
        judged += counted.sum(axis=1)
        slack = ROUNDING * np.abs(np.nan_to_num(actual[window]))
        for place, (lower, upper) in enumerate(((1, 3), (0, 4))):
            within = (actual[window] >= bands[:, lower] - slack) & (
                actual[window] <= bands[:, upper] + slack
            )
            inside[place] += (within & counted).sum(axis=1)
    return np.divide(inside, judged, out=np.full(inside.shape, np.nan), where=judged > 0)


def _around(mean: np.ndarray, errors: np.ndarray, is_log: bool) -> np.ndarray:
    """(n, P, H) amounts around (n, H) forecasts; a day expected to be 0 is 0 for certain."""
    middle = mean[:, None]
    if is_log:
        return np.sort(middle * np.exp(errors), axis=1)  # a mean below 0 turns them round
    lowest = np.where((mean >= 0).all(axis=1), 0.0, -np.inf)[:, None, None]
    return np.where(middle == 0, 0.0, np.maximum(middle + errors, lowest))
