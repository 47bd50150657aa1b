"""Prophet for many daily series that share their calendar.

Belongs here: the model's specification, its design matrix, its fit and forecast. Does not: which
model is kept, intervals (they come from the back-test's errors, not from sampling).

The model is Prophet's additive one on the logarithm of the day's sales: a piecewise linear trend,
the week, classes of feast days, weekday × promotion. Prophet itself builds the design matrix, once
for all series with the same countries and promotions; ``solver`` then maximises Prophet's
posterior. Same forecast as ``Prophet().fit().predict()`` with cmdstan, without writing the matrix
to a file and parsing it again for each series and window.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from dagster_project.core.forecasting.baselines import MEAN_DAYS
from dagster_project.core.forecasting.errors import SeriesError
from dagster_project.core.forecasting.solver import Posterior, maximise

if TYPE_CHECKING:
    import pandas as pd
    from prophet import Prophet

WEEKLY_ORDER = 3  # with an intercept: one free value for each weekday
YEARLY_ORDER = 6
YEARLY_FROM_DAYS = 730  # two of each season, as Prophet's own rule has it
FLOOR_SHARE = 0.01  # of the median day: what a day without net sales counts as in logarithms


@dataclass(frozen=True)
class Specification:
    """Prophet's hyperparameters; scales are of the logarithm of sales, whatever the series' spread.

    Prophet itself counts in shares of the largest deviation, which is noise in a small shop and the
    feast in a large one; the scales are handed over divided by it. Chosen among some 30 on the six
    windows of benchmarks/forecasting.py: total .098, departments .144, stores .482 against .102,
    .149 and .485 with Prophet's own changepoint scale of 0.05 and weekly scale of 10.
    """

    changepoint_count: int = 10
    changepoint_range: float = 0.8
    changepoint_scale: float = 0.4
    weekly_scale: float = 0.1
    event_scale: float = 0.2
    promotion_scale: float = 0.3


@dataclass(frozen=True)
class Design:
    """What is known ahead of every day of history and horizon, shared by many series."""

    features: np.ndarray  # (days + horizon, K) as Prophet makes them
    sigmas: np.ndarray  # (K,) prior standard deviations, of the logarithm
    feasts: tuple[tuple[int, ...], ...]  # positions of the days of each feast


def stock_prophet(
    events: list[tuple[str, date]], yearly: bool, regressors: tuple[str, ...], spec: Specification
) -> Prophet:
    """An unfitted Prophet of this specification."""
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # says that plotly is missing
    import pandas as pd
    from prophet import Prophet

    holidays = pd.DataFrame(events, columns=["holiday", "ds"]) if events else None
    model = Prophet(
        growth="linear",
        n_changepoints=spec.changepoint_count,
        changepoint_range=spec.changepoint_range,
        changepoint_prior_scale=spec.changepoint_scale,
        weekly_seasonality=False,
        yearly_seasonality=False,
        daily_seasonality=False,
        holidays=holidays,
        holidays_prior_scale=spec.event_scale,
        uncertainty_samples=0,
    )
    model.add_seasonality("weekly", 7, WEEKLY_ORDER, prior_scale=spec.weekly_scale)
    if yearly:
        model.add_seasonality("yearly", 365.25, YEARLY_ORDER, prior_scale=spec.event_scale)
    for name in regressors:
        model.add_regressor(name, prior_scale=spec.promotion_scale, standardize=False)
    return model


def build_design(
    first_date: date,
    promoted: np.ndarray,
    *,
    events: list[tuple[str, date]],
    feasts: tuple[tuple[int, ...], ...],
    yearly: bool,
    spec: Specification,
) -> Design:
    """The design matrix of all days from ``first_date``, one row for each entry of ``promoted``."""
    frame = day_frame(first_date, promoted)
    regressors = tuple(name for name in frame.columns if name != "ds")
    model = stock_prophet(events, yearly, regressors, spec)
    with warnings.catch_warnings():
        # Prophet 1.5 drops a column in place, which pandas 3.1 is about to give up.
        warnings.simplefilter("ignore", DeprecationWarning)
        features, sigmas, _, _ = model.make_all_seasonality_features(frame)
    return Design(features.to_numpy(dtype=float), np.asarray(sigmas, dtype=float), feasts)


def day_frame(first_date: date, promoted: np.ndarray) -> pd.DataFrame:
    """One row per day: ds and, where promotions come and go, one column per promoted weekday."""
    import pandas as pd

    days = [first_date + timedelta(days=n) for n in range(len(promoted))]
    frame = pd.DataFrame({"ds": pd.to_datetime(days)})
    if promoted.any() and not promoted.all():
        weekdays = (first_date.weekday() + np.arange(len(promoted))) % 7
        for weekday in range(7):
            frame[f"promotion_{weekday}"] = (promoted & (weekdays == weekday)).astype(float)
    return frame


def forecast(amounts: np.ndarray, design: Design, horizon: int, spec: Specification) -> np.ndarray:
    """Expected amounts of the ``horizon`` days after the last one given.

    ``amounts`` begins with the design's first day and ends at the origin; NaN days teach nothing.
    Raises SeriesError on too short or too old a history, NoMaximumError when no fit is found.
    """
    traded = np.flatnonzero(~np.isnan(amounts))
    if len(traded) <= spec.changepoint_count + 7:
        raise SeriesError(f"only {len(traded)} days with sales up to the origin")
    logs = logarithms(amounts[traded])
    centre = logs.mean()
    scale = float(np.abs(logs - centre).max()) or 1.0
    start, span = traded[0], traded[-1] - traded[0]
    changes = (changepoints(traded, spec) - start) / span
    days = np.arange(len(amounts) + horizon)
    times = (days - start) / span
    # A class of day that was not yet seen keeps the coefficient 0, its prior's maximum.
    seen = design.features[traded].any(axis=0)
    features = design.features[:, seen]
    posterior = Posterior(
        y=(logs - centre) / scale,
        t=times[traded],
        t_change=changes,
        features=features[traded],
        sigmas=design.sigmas[seen] / scale,
        tau=spec.changepoint_scale / scale,
    )
    fit = maximise(posterior)
    trend = fit.k * times + fit.m + np.maximum(times[:, None] - changes, 0.0) @ fit.delta
    expected = np.exp(centre + scale * (trend + features[: len(days)] @ fit.beta))
    return expected[len(amounts) :] * _retransformation(amounts, expected[: len(amounts)])


def changepoints(traded: np.ndarray, spec: Specification) -> np.ndarray:
    """Days at which Prophet lets the trend change: evenly spaced over the first part of history."""
    size = int(np.floor(len(traded) * spec.changepoint_range))
    positions = np.linspace(0, size - 1, spec.changepoint_count + 1).round().astype(int)
    return traded[positions[1:]]


def logarithms(amounts: np.ndarray) -> np.ndarray:
    """Natural logarithms; a day at or below 1 % of the median day counts as that much.

    Raises SeriesError when the median day has no net sales.
    """
    typical = float(np.median(amounts))
    if typical <= 0:
        raise SeriesError("half of the days have no net sales")
    return np.log(np.maximum(amounts, FLOOR_SHARE * typical))


def _retransformation(amounts: np.ndarray, expected: np.ndarray) -> float:
    """Mean over median: the exponent of a mean logarithm is too low for a mean (Duan 1983).

    From the last 84 days, so that it also takes up a level that the trend has not followed yet.
    """
    recent = slice(max(0, len(amounts) - MEAN_DAYS), None)
    traded = ~np.isnan(amounts[recent])
    if not traded.any():
        raise SeriesError(f"no day with sales in the last {MEAN_DAYS} days")
    return float(amounts[recent][traded].sum() / expected[recent][traded].sum())
