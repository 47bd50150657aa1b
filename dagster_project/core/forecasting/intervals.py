"""Prediction intervals from the errors that the models made in the back-test.

Split conformal on log errors, in buckets of the horizon: the errors of the series of one kind are
put on one scale (each series' mean size of error), pooled, and their quantiles laid around the
forecast. No distribution is assumed. Coverage is judged window by window, each with the quantiles
of the other windows only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dagster_project.core.forecasting.backtest import BUCKETS, MODELS, SeriesForecast
from dagster_project.core.forecasting.panel import HORIZON_DAYS
from dagster_project.core.forecasting.prophet_model import FLOOR_SHARE

PROBABILITIES = (0.025, 0.1, 0.9, 0.975)
SMALLEST_ERROR = 1e-4  # a series that repeats itself exactly still has a scale
# Series whose errors look alike; groups have few series, so they share theirs.
POOLS = {"total": "group", "banner": "group", "channel": "group"}


@dataclass(frozen=True)
class Intervals:
    """Quantiles of each series and model."""

    final: dict[str, np.ndarray]  # series key → (models, probabilities, horizon) amounts
    covered_80: dict[str, np.ndarray]  # series key → (models,) share of judged days, 0-1
    covered_95: dict[str, np.ndarray]


def pool_of(level: str) -> str:
    """The pool whose errors a series of this level shares."""
    return POOLS.get(level, level)


def intervals(made: Sequence[SeriesForecast]) -> Intervals:
    """Quantile forecasts and their coverage for every series that was forecast."""
    final, covered_80, covered_95 = {}, {}, {}
    for pool in sorted({pool_of(one.series.level) for one in made}):
        members = [one for one in made if pool_of(one.series.level) == pool]
        errors = [log_errors(one) for one in members]
        left_out = _left_out_quantiles(errors)
        for one, own, judged in zip(members, errors, left_out, strict=True):
            scale = error_scale(own)
            bands = np.exp(_pooled_quantiles(errors) * scale[:, None, None])
            final[one.series.key] = one.final[:, None, :] * bands
            covered_80[one.series.key] = _coverage(own, judged, 1, 2)
            covered_95[one.series.key] = _coverage(own, judged, 0, 3)
    return Intervals(final, covered_80, covered_95)


def log_errors(one: SeriesForecast) -> np.ndarray:
    """(windows, models, horizon) of log(actual / forecast); NaN where nothing was traded.

    Both are at least 1 % of the median actual, so that a day of returns has a finite error.
    """
    floor = FLOOR_SHARE * float(np.nanmedian(one.actual))
    actual = np.log(np.maximum(one.actual, floor))
    return actual[:, None, :] - np.log(np.maximum(one.backtest, floor))


def error_scale(errors: np.ndarray) -> np.ndarray:
    """(models,) mean size of the log error over windows and days."""
    return np.maximum(np.nanmean(np.abs(errors), axis=(0, 2)), SMALLEST_ERROR)


def conformal_quantile(errors: np.ndarray, probability: float) -> float:
    """The order statistic that a new error of the same kind stays below with that probability.

    Rank (n + 1) p, outwards: rounded down below one half and up above it, within 1 to n.
    """
    ordered = np.sort(errors)
    rank = (len(ordered) + 1) * probability
    outer = np.floor(rank + 1e-9) if probability < 0.5 else np.ceil(rank - 1e-9)
    return float(ordered[int(min(max(outer, 1), len(ordered))) - 1])


def _pooled_quantiles(errors: Sequence[np.ndarray]) -> np.ndarray:
    """(models, probabilities, horizon) quantiles of scaled errors."""
    result = np.zeros((len(MODELS), len(PROBABILITIES), HORIZON_DAYS))
    scaled = [one / error_scale(one)[None, :, None] for one in errors]
    for first, last in BUCKETS:
        for model in range(len(MODELS)):
            pooled = np.concatenate([one[:, model, first - 1 : last].ravel() for one in scaled])
            pooled = pooled[~np.isnan(pooled)]
            for place, probability in enumerate(PROBABILITIES):
                value = conformal_quantile(pooled, probability)
                result[model, place, first - 1 : last] = value
    return result


def _left_out_quantiles(errors: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Per series (windows, models, probabilities, horizon): each window from the others."""
    longest = max(len(one) for one in errors)
    result = [
        np.full((len(one), len(MODELS), len(PROBABILITIES), HORIZON_DAYS), np.nan) for one in errors
    ]
    for window in range(longest):
        others = [np.delete(one, window, axis=0) if window < len(one) else one for one in errors]
        quantiles = _pooled_quantiles(others)
        for place, one in enumerate(others):
            if window < len(errors[place]):
                result[place][window] = quantiles * error_scale(one)[:, None, None]
    return result


def _coverage(errors: np.ndarray, quantiles: np.ndarray, lower: int, upper: int) -> np.ndarray:
    inside = (errors >= quantiles[:, :, lower]) & (errors <= quantiles[:, :, upper])
    judged = ~np.isnan(errors)
    return (inside & judged).sum(axis=(0, 2)) / judged.sum(axis=(0, 2))
