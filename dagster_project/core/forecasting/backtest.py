"""One series through all models: at past origins, to know their errors, and at the last one.

Belongs here: which models there are, the windows, days known to be closed. Does not: choosing.
At every origin a model sees amounts up to that day and nothing later; the calendar and promotion
plans reach ahead, as they do in a shop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.core.forecasting import baselines, prophet_model
from dagster_project.core.forecasting.baselines import MEAN_DAYS
from dagster_project.core.forecasting.errors import SeriesError
from dagster_project.core.forecasting.panel import (
    HORIZON_DAYS,
    MINIMUM_WINDOWS,
    Panel,
    SalesSeries,
)
from dagster_project.core.forecasting.prophet_model import Design, Specification

PROPHET = "prophet"
BLEND = "prophet_with_weekday_promotion_mean"
WEEKDAY_MEAN = "weekday_promotion_mean"
SEASONAL_NAIVE = "seasonal_naive"
MODELS = (PROPHET, BLEND, WEEKDAY_MEAN, SEASONAL_NAIVE)

WINDOW_COUNT = 6  # where history allows: 168 days of errors, half a year, for the intervals
# First to last day of the horizon, from 1: errors are alike within, and grow with distance.
BUCKETS = ((1, 7), (8, 14), (15, HORIZON_DAYS))
CLOSED_WEEKDAY_DAYS = 56  # a weekday not traded for eight weeks is a day of rest


@dataclass(frozen=True)
class SeriesForecast:
    """All forecasts of one series: (windows, models, horizon) in the back-test, and the last."""

    series: SalesSeries
    origins: tuple[int, ...]  # days of history each window had, latest first
    backtest: np.ndarray  # (windows, models, horizon) amounts
    actual: np.ndarray  # (windows, horizon) NaN = not traded, not judged
    final: np.ndarray  # (models, horizon)
    closed: np.ndarray  # (horizon,) known to be closed


def window_origins(day_count: int, first_index: int) -> tuple[int, ...]:
    """Length of history at each back-test origin, latest first: back to back, at most six.

    Each leaves at least 84 days from the series' first sale on.
    """
    longest = day_count - first_index - MEAN_DAYS
    count = min(WINDOW_COUNT, longest // HORIZON_DAYS)
    return tuple(day_count - HORIZON_DAYS * (n + 1) for n in range(count))


def forecast_series(
    series: SalesSeries, panel: Panel, design: Design, spec: Specification
) -> SeriesForecast:
    """Every model at every origin.

    Raises SeriesError or NoMaximumError when one of them cannot be made.
    """
    origins = window_origins(panel.day_count, series.first_index)
    if len(origins) < MINIMUM_WINDOWS:
        raise SeriesError(f"history for {len(origins)} back-test windows only")
    actual = np.stack([series.amounts[n : n + HORIZON_DAYS] for n in origins])
    _check_can_be_judged(actual)
    windows = [one_origin(series, panel, design, n, spec) for n in origins]
    final = one_origin(series, panel, design, panel.day_count, spec)
    return SeriesForecast(
        series=series,
        origins=origins,
        backtest=np.stack(windows),
        actual=actual,
        final=final,
        closed=known_closed(series, panel.weekdays, design, panel.day_count),
    )


def _check_can_be_judged(actual: np.ndarray) -> None:
    """Raise SeriesError unless every part of the horizon was traded in two windows or more."""
    for first, last in BUCKETS:
        traded = ~np.isnan(actual[:, first - 1 : last])
        if traded.any(axis=1).sum() < 2:
            raise SeriesError(f"sales on days {first} to {last} in fewer than 2 back-test windows")
    if np.nanmedian(actual) <= 0:
        raise SeriesError("half of the back-test's days have no net sales")


def one_origin(
    series: SalesSeries,
    panel: Panel,
    design: Design,
    origin: int,
    spec: Specification,
) -> np.ndarray:
    """(models, horizon) amounts from the first ``origin`` days of history, in order of MODELS."""
    amounts = series.amounts[:origin]
    prophet = prophet_model.forecast(amounts, design, HORIZON_DAYS, spec)
    promoted = panel.promoted(series)
    mean = baselines.weekday_promotion_mean(amounts, panel.weekdays, promoted, HORIZON_DAYS)
    naive = baselines.seasonal_naive(amounts, HORIZON_DAYS)
    made = np.stack([prophet, (prophet + mean) / 2, mean, naive])
    return np.where(known_closed(series, panel.weekdays, design, origin), 0.0, made)


def known_closed(
    series: SalesSeries, weekdays: np.ndarray, design: Design, origin: int
) -> np.ndarray:
    """Which of the days after an origin are known to be closed, from what was seen before it.

    A weekday without trade for eight weeks; a feast on which the series never traded though it
    traded on the three days before and after.
    """
    amounts = series.amounts[:origin]
    horizon = np.arange(origin, origin + HORIZON_DAYS)
    recent = slice(max(series.first_index, origin - CLOSED_WEEKDAY_DAYS), origin)
    traded = set(weekdays[recent][~np.isnan(amounts[recent])].tolist())
    closed = np.array([weekday not in traded for weekday in weekdays[horizon].tolist()])
    for positions in design.feasts:
        seen = [_was_closed(amounts, n) for n in positions if n >= series.first_index + 7]
        known = [was for was in seen if was is not None]
        if known and all(known):
            closed |= np.isin(horizon, positions)
    return closed


def _was_closed(amounts: np.ndarray, position: int) -> bool | None:
    """Whether a day was the only one without trade within three days; None beyond the origin."""
    if position + 3 >= len(amounts):
        return None
    around = np.isnan(amounts[position - 3 : position + 4])
    return bool(around[3]) and int(around.sum()) == 1
