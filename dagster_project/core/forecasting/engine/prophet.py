"""Prophet for many daily series, each leaning on what its segment has in common.

Belongs here: the model's specification, its design matrix, its fits and forecasts. Does not: which
model is kept, intervals (they come from the back-test's errors, not from sampling).

The model is Prophet's additive one on the logarithm of the day's amount: a piecewise linear trend,
the week, the year where there are two of them, classes of feast days, weekday × promotion, days
beside a closure. It is fitted twice with Prophet's own posterior: to the mean of a segment's
series, where a feast that each shop has seen once or twice stands out from the noise, and to what
that leaves of each series, so that a shop departs from its segment as far as its own days say.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from dagster_project.core.forecasting.engine import features
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.weeks import usually_open
from dagster_project.core.forecasting.events import event_rows
from dagster_project.core.forecasting.solver import Fit, NoMaximumError, Posterior, maximise

if TYPE_CHECKING:
    import pandas as pd
    from prophet import Prophet

WEEKLY_ORDER = 3  # with an intercept: one free value for each weekday
YEARLY_ORDER = 8
YEARLY_FROM_DAYS = 730  # two of each season, as Prophet's own rule has it
FLOOR_SHARE = 0.05  # of the median day: what a day without net sales counts as in logarithms
LEVEL_DAYS = 84
DAMPING = 0.9  # a day; the trend goes on for as much as nine days in all


@dataclass(frozen=True)
class Specification:
    """Prior scales, of the logarithm of amounts, and Prophet's trend; one for each of the fits."""

    changepoint_count: int = 12
    changepoint_range: float = 0.85
    changepoint_scale: float = 0.3
    weekly_scale: float = 0.3
    yearly_scale: float = 0.2
    event_scale: float = 0.2
    offset_scale: float = 0.1
    promotion_scale: float = 0.3
    closure_scale: float = 0.2


SEGMENT = Specification()
SERIES = Specification(
    changepoint_scale=0.15,
    weekly_scale=0.1,
    yearly_scale=0.03,
    event_scale=0.05,
    promotion_scale=0.1,
    closure_scale=0.05,
)


@dataclass(frozen=True)
class Columns:
    """What is known ahead of every day, by name: (D, K) shared by all series, or (n, D, K)."""

    names: tuple[str, ...]
    values: np.ndarray


def forecast(view: Panel) -> np.ndarray:
    """(N, H) expected amounts; a row of NaN where a series is too short or has no maximum."""
    result = np.full((view.series_count, view.horizon), np.nan)
    logs = logarithms(view.values)
    for members in _alike(view):
        result[members] = _forecast_segment(view.only(members), logs[members])
    return result


def _alike(view: Panel) -> list[np.ndarray]:
    """Rows of the series that share a segment and its feasts."""
    kinds = [*zip(view.segments, view.countries, strict=True)]
    return [
        np.array([n for n, one in enumerate(kinds) if one == kind]) for kind in sorted(set(kinds))
    ]


def _forecast_segment(view: Panel, logs: np.ndarray) -> np.ndarray:
    """(n, H) of the series of one segment and country."""
    centres = np.array([_centre(one) for one in logs])
    centred = logs - centres[:, None]
    days = view.day_count
    shared, own = shared_columns(view), own_columns(view)
    is_alone = view.series_count == 1
    common = None if is_alone else _segment_fit(view, shared, own, centred)
    says = np.zeros(own.values.shape[:2]) if common is None else common.says
    result = np.full((view.series_count, view.horizon), np.nan)
    names = (*shared.names, *own.names)
    for n in range(view.series_count):
        columns = np.hstack([shared.values, own.values[n]])
        left = centred[n] - says[n, :days]
        fitted = fit(left, columns[:days], names, SEGMENT if is_alone else SERIES)
        if fitted is not None:
            level = np.exp(centres[n] + says[n] + fitted.at(columns))
            result[n] = level[days:] * _level_ratio(view.values[n], level[:days])
    return result


@dataclass(frozen=True)
class Common:
    """What the fit to the mean of a segment's series says of each of them."""

    says: np.ndarray  # (n, D) logarithm, trend included
    seasons: np.ndarray  # (n, D) the part of feasts, year and closures


def _segment_fit(view: Panel, shared: Columns, own: Columns, centred: np.ndarray) -> Common | None:
    """The fit to the mean of the series; None when it has none.

    The mean tells single days around a feast apart, which one series is too noisy for.
    """
    days = view.day_count
    known = ~np.isnan(centred)
    count = known.sum(axis=0)
    sums = np.where(known, centred, 0.0).sum(axis=0)
    mean = np.divide(sums, count, out=np.full(days, np.nan), where=count > 0)
    weights = known / np.maximum(count, 1)
    offsets = features.feast_offsets(view, view.countries[0])
    fine = np.stack([*offsets.values()], axis=1) if offsets else np.empty((len(shared.values), 0))
    common = np.hstack([shared.values, fine])
    names = (*shared.names, *(f"feast {name}" for name in offsets), *own.names)
    mean_own = np.einsum("nd,ndk->dk", weights, own.values[:, :days])
    fitted = fit(mean, np.hstack([common[:days], mean_own]), names, SEGMENT)
    if fitted is None:
        return None
    is_season = np.array([not name.startswith(("weekly_", *view.regressors)) for name in names])
    width = common.shape[1]

    def part(beta: np.ndarray) -> np.ndarray:
        return common @ beta[:width] + own.values @ beta[width:]

    trend = fitted.trend(np.arange(len(common)))
    return Common(trend + part(fitted.beta), part(np.where(is_season, fitted.beta, 0.0)))


def seasons(view: Panel) -> np.ndarray:
    """(N, T + H) what feasts, the year and closures do to each series, by its segment's fit."""
    result = np.zeros((view.series_count, view.day_count + view.horizon))
    logs = logarithms(view.values)
    for members in _alike(view):
        part = view.only(members)
        centred = logs[members] - np.array([[_centre(one)] for one in logs[members]])
        common = _segment_fit(part, shared_columns(part), own_columns(part), centred)
        if common is not None:
            result[members] = common.seasons
    return result


@dataclass(frozen=True)
class Fitted:
    """Prophet's trend and coefficients on the scale of the logarithms they were fitted to."""

    parameters: Fit
    beta: np.ndarray  # (K,)
    changes: np.ndarray  # times of the trend's changes
    start: int  # first day with a value
    span: int  # days from the first to the last one
    last: int  # last day of history
    centre: float
    scale: float

    def at(self, columns: np.ndarray) -> np.ndarray:
        """(D,) expected logarithms of all days from the first on."""
        return self.trend(np.arange(len(columns))) + columns @ self.beta

    def trend(self, days: np.ndarray) -> np.ndarray:
        """Expected level; beyond the last day it goes on ever more slowly.

        Gardner and McKenzie (1985): a trend that is carried on in full is too far, on average.
        """
        beyond = np.maximum(days - self.last, 0)
        held = np.minimum(days, self.last) + DAMPING * (1 - DAMPING**beyond) / (1 - DAMPING)
        times = (held - self.start) / self.span
        steps = np.maximum(times[:, None] - self.changes, 0.0) @ self.parameters.delta
        return self.centre + self.scale * (self.parameters.k * times + self.parameters.m + steps)


def fit(
    logs: np.ndarray, columns: np.ndarray, names: tuple[str, ...], spec: Specification
) -> Fitted | None:
    """Prophet's maximum for (T,) logarithms and (T, K) columns; None where there is none."""
    known = np.flatnonzero(~np.isnan(logs))
    if len(known) <= spec.changepoint_count + 7:
        return None
    centre = float(logs[known].mean())
    scale = float(np.abs(logs[known] - centre).max()) or 1.0
    start, span = int(known[0]), int(known[-1] - known[0])
    changes = (changepoints(known, spec) - start) / span
    # A class of day that was not yet seen keeps the coefficient 0, its prior's maximum.
    seen = columns[known].any(axis=0)
    posterior = Posterior(
        y=(logs[known] - centre) / scale,
        t=(known - start) / span,
        t_change=changes,
        features=columns[known][:, seen],
        sigmas=_scales(names, spec)[seen] / scale,
        tau=spec.changepoint_scale / scale,
    )
    try:
        parameters = maximise(posterior)
    except NoMaximumError:
        return None
    beta = np.zeros(len(names))
    beta[seen] = parameters.beta * scale
    return Fitted(parameters, beta, changes, start, span, len(logs) - 1, centre, scale)


def own_columns(view: Panel) -> Columns:
    """(n, D, K) each regressor by weekday, and the days beside unusual closures."""
    own: dict[str, np.ndarray] = {}
    for name, regressor in view.regressors.items():
        for weekday in range(7):
            own[f"{name}_{weekday}"] = regressor * (view.weekdays == weekday)
    after, before = features.closure_edges(view.closed, usually_open(view))
    own |= {"closed_after": after > 0, "closed_before": before > 0}
    own |= {"closed_long_after": after > 1, "closed_long_before": before > 1}
    stacked = np.stack([np.asarray(one, dtype=float) for one in own.values()], axis=2)
    return Columns(tuple(own), stacked)


def shared_columns(view: Panel) -> Columns:
    """Week, year and feasts as Prophet makes them."""
    countries = view.countries[0]
    yearly = view.day_count >= YEARLY_FROM_DAYS
    model = unfitted(event_rows(countries, view.calendar), yearly)
    days = [view.first_date + timedelta(days=n) for n in range(view.day_count + view.horizon)]
    with warnings.catch_warnings():
        # Prophet 1.5 drops a column in place, which pandas 3.1 is about to give up.
        warnings.simplefilter("ignore", DeprecationWarning)
        made, _, _, _ = model.make_all_seasonality_features(day_frame(days))
    return Columns(tuple(made.columns), made.to_numpy(dtype=float))


def unfitted(events: list[tuple[str, date]], yearly: bool) -> Prophet:
    """A Prophet with these seasonalities and feasts."""
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # says that plotly is missing
    import pandas as pd
    from prophet import Prophet

    model = Prophet(
        weekly_seasonality=False,
        yearly_seasonality=False,
        daily_seasonality=False,
        holidays=pd.DataFrame(events, columns=["holiday", "ds"]) if events else None,
        uncertainty_samples=0,
    )
    model.add_seasonality("weekly", 7, WEEKLY_ORDER)
    if yearly:
        model.add_seasonality("yearly", 365.25, YEARLY_ORDER)
    return model


def day_frame(days: list[date]) -> pd.DataFrame:
    """One row per day, as Prophet wants it."""
    import pandas as pd

    return pd.DataFrame({"ds": pd.to_datetime(days)})


def _scales(names: tuple[str, ...], spec: Specification) -> np.ndarray:
    """(K,) prior scale of each column."""
    return np.array([_scale(name, spec) for name in names])


def _scale(name: str, spec: Specification) -> float:
    if name.startswith("weekly_delim"):
        return spec.weekly_scale
    if name.startswith("yearly_delim"):
        return spec.yearly_scale
    if name.startswith("closed_"):
        return spec.closure_scale
    if name.startswith("feast "):
        return spec.offset_scale
    if "_delim_" in name:
        return spec.event_scale
    return spec.promotion_scale


def changepoints(known: np.ndarray, spec: Specification) -> np.ndarray:
    """Days at which Prophet lets the trend change: evenly spaced over the first part of history."""
    size = int(np.floor(len(known) * spec.changepoint_range))
    positions = np.linspace(0, size - 1, spec.changepoint_count + 1).round().astype(int)
    return known[positions[1:]]


def logarithms(values: np.ndarray) -> np.ndarray:
    """(N, T) natural logarithms; a day at or below 5 % of the median day counts as that much.

    NaN for a series whose median day has no net sales.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a series without any value
        typical = np.nanmedian(values, axis=1)
    floor = np.where(typical > 0, FLOOR_SHARE * typical, np.nan)[:, None]
    return np.log(np.where(np.isnan(values) | np.isnan(floor), np.nan, np.maximum(values, floor)))


def _centre(logs: np.ndarray) -> float:
    known = logs[~np.isnan(logs)]
    return float(known.mean()) if len(known) else float("nan")


def _level_ratio(values: np.ndarray, expected: np.ndarray) -> float:
    """Mean over median: the exponent of a mean logarithm is too low for a mean (Duan 1983).

    From the last 84 days, so that it also takes up a level that the trend has not followed yet.
    """
    recent = slice(max(0, len(values) - LEVEL_DAYS), None)
    traded = ~np.isnan(values[recent])
    if not traded.any():
        return float("nan")
    return float(values[recent][traded].sum() / expected[recent][traded].sum())
