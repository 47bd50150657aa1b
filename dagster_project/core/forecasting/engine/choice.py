"""How wrong each model was, and which one a segment uses.

The rule: the default is used unless another model did better for the whole segment, which means a
sum of errors more than 2 % lower in at least two thirds of the back-test windows; of several such
models the one with the lowest error over all windows. Segments and not single series, because a
series' own ranking is mostly luck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.core.forecasting.engine.backtest import Backtest
from dagster_project.core.forecasting.engine.models import (
    PROPHET,
    WEEKDAY_MEAN,
    WORDS,
    default_of,
)
from dagster_project.core.forecasting.engine.panel import Panel

TAKE_OVER_GAIN = 0.02
TAKE_OVER_WINDOWS = 2 / 3 - 1e-9  # four of six count, whatever the rounding


@dataclass(frozen=True)
class Scores:
    """Errors of each model on each series over all windows, (M, N); NaN = never judged."""

    wape: np.ndarray  # sum of absolute errors / sum of absolute amounts
    bias: np.ndarray  # sum of (forecast - actual) / sum of absolute amounts; above 0 = too high
    rmsse: np.ndarray  # root of mean squared error over that of yesterday again, in the history
    day_count: np.ndarray  # (N,)
    window_count: np.ndarray  # (N,)

    def value_added(self, model: int, baseline: int) -> np.ndarray:
        """(N,) share by which a model's error is lower than a baseline's; negative when higher."""
        base = self.wape[baseline]
        lower = 1 - np.divide(self.wape[model], base, out=np.ones(len(base)), where=base > 0)
        return np.where(base > 0, lower, 0.0)


@dataclass(frozen=True)
class Choice:
    """The model of a segment, and why."""

    model: int
    reason: str


def scores(test: Backtest) -> Scores:
    """Scores of all models on all series."""
    return _scores(test.panel.values, test.past, test.actual)


def published_scores(panel: Panel, past: np.ndarray, actual: np.ndarray) -> Scores:
    """Scores of one forecast (W, N, H) of each series, as the only model."""
    return _scores(panel.values, past[:, None], actual)


def _scores(values: np.ndarray, past: np.ndarray, actual: np.ndarray) -> Scores:
    """Of (W, M, N, H) forecasts; days on which a model says nothing are no errors of it."""
    judged = ~np.isnan(actual)
    sales = np.where(judged, np.abs(actual), 0.0).sum(axis=(0, 2))
    error = np.where(judged[:, None], past - actual[:, None], 0.0)
    days = judged.sum(axis=(0, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        squared = np.sqrt((error**2).sum(axis=(0, 3)) / days / _naive_squares(values))
        return Scores(
            wape=_share(np.abs(error).sum(axis=(0, 3)), sales),
            bias=_share(error.sum(axis=(0, 3)), sales),
            rmsse=np.where(np.isfinite(squared), squared, np.nan),
            day_count=days,
            window_count=judged.any(axis=2).sum(axis=0),
        )


def choose(test: Backtest) -> dict[str, Choice]:
    """The model of every segment, by the rule above."""
    segments = np.array(test.panel.segments)
    return {one: _choice(test, segments == one) for one in sorted(set(segments.tolist()))}


def _choice(test: Backtest, members: np.ndarray) -> Choice:
    default = test.models.index(default_of(test.models))
    errors, sales = _by_window(test, members)
    if not len(errors) or not np.isfinite(errors[:, default].sum()) or not sales.sum():
        return Choice(default, f"{WORDS[test.models[default]]}: too little history to compare")
    overall = errors.sum(axis=0) / sales.sum()
    better = [m for m in range(len(test.models)) if _takes_over(errors, m, default)]
    model = min(better, key=lambda m: overall[m]) if better else default
    told = f"{WORDS[test.models[model]]}: error {overall[model]:.3f}"
    if better:
        told += (
            f", more than 2 % below the default's {overall[default]:.3f} in two thirds of the "
            f"{len(sales)} windows"
        )
    else:
        told += ", the default that no model beats by rule"
    return Choice(model, told + _against_the_mean(test, overall))


def series_reason(choice: Choice, wape: np.ndarray, models: tuple[str, ...]) -> str:
    """The segment's reason, and where this series alone would have chosen otherwise."""
    if not np.isfinite(wape[choice.model]):
        return choice.reason
    best = int(np.nanargmin(wape))
    if best == choice.model:
        return choice.reason
    own = f"{wape[choice.model]:.3f} against {wape[best]:.3f}"
    return f"{choice.reason}; on this series it loses to {WORDS[models[best]]}, {own}"


def _against_the_mean(test: Backtest, overall: np.ndarray) -> str:
    if not {PROPHET, WEEKDAY_MEAN} <= set(test.models):
        return ""
    alone, mean = (overall[test.models.index(one)] for one in (PROPHET, WEEKDAY_MEAN))
    verdict = "beats" if alone < mean else "loses to"
    return f"; Prophet alone ({alone:.3f}) {verdict} the {WORDS[WEEKDAY_MEAN]} ({mean:.3f})"


def _by_window(test: Backtest, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(W, M) absolute errors and (W,) amounts, over the days that every model has a say on.

    A model that has nothing to say of some series is not compared on them; one that has nothing
    to say at all has an endless error.
    """
    actual, past = test.actual[:, members], test.past[:, :, members]
    silent = np.isnan(past).all(axis=(0, 2, 3))
    said = ~np.isnan(past[:, ~silent]).any(axis=1)
    judged = ~np.isnan(actual) & said
    error = np.where(judged[:, None], np.abs(past - actual[:, None]), 0.0).sum(axis=(2, 3))
    error[:, silent] = np.inf
    return error, np.where(judged, np.abs(actual), 0.0).sum(axis=(1, 2))


def _takes_over(errors: np.ndarray, model: int, default: int) -> bool:
    if model == default:
        return False
    wins = errors[:, model] < (1 - TAKE_OVER_GAIN) * errors[:, default]
    less = errors[:, model].sum() < errors[:, default].sum()
    return bool(wins.mean() >= TAKE_OVER_WINDOWS and less)


def _naive_squares(values: np.ndarray) -> np.ndarray:
    """(N,) mean squared difference from the day before, from the first day with demand on."""
    begun = np.cumsum(np.nan_to_num(values) != 0, axis=1) > 0
    steps = np.diff(np.where(begun, values, np.nan), axis=1)
    known = ~np.isnan(steps)
    return (np.where(known, steps, 0.0) ** 2).sum(axis=1) / known.sum(axis=1)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
