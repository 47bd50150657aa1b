"""How wrong each model was, and which one a series uses.

The rule: the mean of Prophet and the weekday × promotion mean is used, unless another model did
better for the whole segment (the series of one level and banner), which means an error (WAPE) more
than 2 % lower in at least two thirds of the back-test windows. Of several such models the one with
the lowest error over all windows takes over. A mean of two models, because it was as good as the
better of the two or better in each of eight segments of two retailers; segments and not single
series, because a series' own ranking is mostly luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dagster_project.core.forecasting.backtest import (
    BLEND,
    MODELS,
    PROPHET,
    WEEKDAY_MEAN,
    SeriesForecast,
)

DEFAULT = BLEND
TAKE_OVER_GAIN = 0.02
TAKE_OVER_WINDOWS = 2 / 3 - 1e-9  # four of six count, whatever the rounding
WORDS = {
    "prophet": "Prophet",
    "prophet_with_weekday_promotion_mean": "mean of Prophet and weekday × promotion mean",
    "weekday_promotion_mean": "weekday × promotion mean",
    "seasonal_naive": "last week again",
}


@dataclass(frozen=True)
class Score:
    """Errors of one model on one series over all windows; shares of actual sales."""

    wape: float  # sum of absolute errors / sum of sales
    bias: float  # sum of (forecast - actual) / sum of sales; above 0 = too high
    day_count: int


@dataclass(frozen=True)
class Choice:
    """The model of a segment, and why."""

    model: str
    reason: str


def scores(one: SeriesForecast) -> dict[str, Score]:
    """Score of each model on one series."""
    judged = ~np.isnan(one.actual)
    sales = float(np.abs(one.actual[judged]).sum())
    found = {}
    for place, model in enumerate(MODELS):
        error = one.backtest[:, place][judged] - one.actual[judged]
        found[model] = Score(
            wape=_share(float(np.abs(error).sum()), sales),
            bias=_share(float(error.sum()), sales),
            day_count=int(judged.sum()),
        )
    return found


def value_added(found: dict[str, Score], model: str, baseline: str) -> float:
    """Share by which a model's error is lower than a baseline's; negative when it is higher."""
    return 1 - _share(found[model].wape, found[baseline].wape)


def segment_of(one: SeriesForecast) -> tuple[str, str]:
    """Level and banner."""
    return one.series.level, one.series.banner or ""


def choose(members: Sequence[SeriesForecast]) -> Choice:
    """The model for all series of one segment, by the rule above."""
    errors, sales = _by_window(members)
    overall = {m: _share(float(errors[m].sum()), float(sales.sum())) for m in MODELS}
    better = [m for m in MODELS if m != DEFAULT and _takes_over(errors[m], errors[DEFAULT])]
    model = min(better, key=lambda m: overall[m]) if better else DEFAULT
    if better:
        gain = f"more than 2 % below the default's {overall[DEFAULT]:.3f} in two thirds of the"
        told = f"{WORDS[model]}: error {overall[model]:.3f}, {gain} {len(sales)} windows"
    else:
        told = (
            f"{WORDS[model]}: error {overall[model]:.3f}, the default that no model beats by rule"
        )
    return Choice(model, f"{told}; {_prophet_against_mean(overall)}")


def _prophet_against_mean(overall: dict[str, float]) -> str:
    verdict = "beats" if overall[PROPHET] < overall[WEEKDAY_MEAN] else "loses to"
    alone = f"Prophet alone ({overall[PROPHET]:.3f}) {verdict}"
    return f"{alone} {WORDS[WEEKDAY_MEAN]} ({overall[WEEKDAY_MEAN]:.3f})"


def series_reason(choice: Choice, found: dict[str, Score]) -> str:
    """The segment's reason, and where this series alone would have chosen otherwise."""
    best = min(MODELS, key=lambda m: found[m].wape)
    if best == choice.model:
        return choice.reason
    own = f"{found[choice.model].wape:.3f} against {found[best].wape:.3f}"
    return f"{choice.reason}; on this series it loses to {WORDS[best]}, {own}"


def _by_window(members: Sequence[SeriesForecast]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Absolute errors per model and sales, summed over the segment, one entry per window."""
    count = max(len(one.origins) for one in members)
    errors = {model: np.zeros(count) for model in MODELS}
    sales = np.zeros(count)
    for one in members:
        windows = slice(0, len(one.origins))
        sales[windows] += np.nansum(np.abs(one.actual), axis=1)
        for place, model in enumerate(MODELS):
            error = np.abs(one.backtest[:, place] - one.actual)
            errors[model][windows] += np.nansum(error, axis=1)
    return errors, sales


def _takes_over(errors: np.ndarray, default: np.ndarray) -> bool:
    wins = errors < (1 - TAKE_OVER_GAIN) * default
    return bool(wins.mean() >= TAKE_OVER_WINDOWS and errors.sum() < default.sum())


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
