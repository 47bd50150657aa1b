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
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from dagster_project.core.forecasting.engine import features
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.solver import Batch, Fits, Posterior, maximise_batch
from dagster_project.core.forecasting.engine.weeks import usually_open
from dagster_project.core.forecasting.events import CalendarDay, event_rows

if TYPE_CHECKING:
    import pandas as pd
    from prophet import Prophet

WEEKLY_ORDER = 3  # with an intercept: one free value for each weekday
YEARLY_ORDER = 8
YEARLY_FROM_DAYS = 730  # two of each season, as Prophet's own rule has it
FLOOR_SHARE = 0.05  # of the median day: what a day without net sales counts as in logarithms
LEVEL_DAYS = 84
DAMPING = 0.9  # a day; the trend goes on for as much as nine days in all


Calendar = tuple[CalendarDay, ...]


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
    centred, centres = _centred(logs)
    days = view.day_count
    shared, own = shared_columns(view), own_columns(view)
    is_alone = view.series_count == 1
    common = None if is_alone else _segment_fit(view, shared, own, centred)
    says = np.zeros(own.values.shape[:2]) if common is None else common.says
    spec = SEGMENT if is_alone else SERIES
    fitted = fit(centred - says[:, :days], shared, own, spec)
    level = np.exp(centres[:, None] + says + fitted.at(shared.values, own.values))
    return level[:, days:] * _level_ratio(view.values, level[:, :days])[:, None]


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
    names = (*shared.names, *(f"feast {name}" for name in offsets))
    all_shared = Columns(names, np.hstack([shared.values, fine]))
    mean_own = np.zeros((1, *own.values.shape[1:]))
    mean_own[0, :days] = np.einsum("nd,ndk->dk", weights, own.values[:, :days])
    fitted = fit(mean[None], all_shared, Columns(own.names, mean_own), SEGMENT)
    if not np.isfinite(fitted.beta).all():
        return None
    every = (*names, *own.names)
    is_season = np.array([not name.startswith(("weekly_", *view.regressors)) for name in every])
    width = len(names)

    def part(beta: np.ndarray) -> np.ndarray:
        return all_shared.values @ beta[:width] + own.values @ beta[width:]

    beta = fitted.beta[0]
    says = fitted.trend(len(shared.values)) + part(beta)
    return Common(says, part(np.where(is_season, beta, 0.0)))


def seasons(view: Panel) -> np.ndarray:
    """(N, T + H) what feasts, the year and closures do to each series, by its segment's fit."""
    result = np.zeros((view.series_count, view.day_count + view.horizon))
    logs = logarithms(view.values)
    for members in _alike(view):
        part = view.only(members)
        centred, _ = _centred(logs[members])
        common = _segment_fit(part, shared_columns(part), own_columns(part), centred)
        if common is not None:
            result[members] = common.seasons
    return result


@dataclass(frozen=True)
class Fitted:
    """Prophet's trends and coefficients on the scale of the logarithms they were fitted to.

    A row of NaN where a series is too short or has no maximum.
    """

    parameters: Fits
    beta: np.ndarray  # (n, K)
    changes: np.ndarray  # (n, S) times of the trend's changes
    start: np.ndarray  # (n,) first day with a value
    span: np.ndarray  # (n,) days from the first to the last one
    last: int  # last day of history
    centre: np.ndarray  # (n,)
    scale: np.ndarray  # (n,)

    def at(self, shared: np.ndarray, own: np.ndarray) -> np.ndarray:
        """(n, D) expected logarithms of all days from the first on."""
        width = shared.shape[1]
        by_own = np.einsum("ndk,nk->nd", own, self.beta[:, width:])
        return self.trend(len(shared)) + self.beta[:, :width] @ shared.T + by_own

    def trend(self, days: int) -> np.ndarray:
        """(n, D) expected level; beyond the last day it goes on ever more slowly.

        Gardner and McKenzie (1985): a trend that is carried on in full is too far, on average.
        """
        number = np.arange(days)
        beyond = np.maximum(number - self.last, 0)
        held = np.minimum(number, self.last) + DAMPING * (1 - DAMPING**beyond) / (1 - DAMPING)
        times = (held - self.start[:, None]) / self.span[:, None]
        line = self.parameters.k[:, None] * times + self.parameters.m[:, None]
        for place in range(self.changes.shape[1]):
            after = np.maximum(times - self.changes[:, place, None], 0.0)
            line += self.parameters.delta[:, place, None] * after
        return self.centre[:, None] + self.scale[:, None] * line


def fit(logs: np.ndarray, shared: Columns, own: Columns, spec: Specification) -> Fitted:
    """Prophet's maxima for (n, T) logarithms."""
    count, days = logs.shape
    known = ~np.isnan(logs)
    is_long = known.sum(axis=1) > spec.changepoint_count + 7
    y = np.where(is_long[:, None], logs, np.nan)
    centre = _row_means(y)
    apart = np.where(known, np.abs(y - centre[:, None]), 0.0).max(axis=1)
    scale = np.where(apart > 0, apart, 1.0)
    start = np.where(is_long, known.argmax(axis=1), 0)
    span = np.where(is_long, days - 1 - known[:, ::-1].argmax(axis=1) - start, 1)
    changes = np.zeros((count, spec.changepoint_count))
    for n in np.flatnonzero(is_long):
        changes[n] = (changepoints(np.flatnonzero(known[n]), spec) - start[n]) / span[n]
    sigmas = _scales((*shared.names, *own.names), spec)
    batch = Batch(
        y=(y - centre[:, None]) / scale[:, None],
        t=(np.arange(days) - start[:, None]) / span[:, None],
        t_change=changes,
        features=shared.values[:days],
        sigmas=sigmas / scale[:, None],
        tau=spec.changepoint_scale / scale,
        own=own.values[:, :days],
    )
    parameters = maximise_batch(batch)
    for n in np.flatnonzero(is_long & ~parameters.solved):
        _ask_cmdstan(batch, parameters, n)
    beta = parameters.beta * scale[:, None]
    return Fitted(parameters, beta, changes, start, span, days - 1, centre, scale)


def _ask_cmdstan(batch: Batch, parameters: Fits, n: int) -> None:
    """Put cmdstan's end in the place of a maximum that was not found, where it has one."""
    from dagster_project.core.forecasting.engine.stan_backend import by_cmdstan

    known = ~np.isnan(batch.y[n])
    columns = np.hstack([batch.features, batch.own[n]])[known]
    found = by_cmdstan(
        Posterior(
            batch.y[n, known], batch.t[n, known], batch.t_change[n], columns,
            batch.sigmas[n], float(batch.tau[n]),
        )
    )  # fmt: skip
    if found is not None:
        parameters.k[n], parameters.m[n], parameters.sigma[n] = found.k, found.m, found.sigma
        parameters.delta[n], parameters.beta[n] = found.delta, found.beta


def own_columns(view: Panel) -> Columns:
    """(n, D, K) each regressor by weekday, and the days beside unusual closures."""
    own: dict[str, np.ndarray] = {}
    for name, regressor in view.regressors.items():
        usual = np.abs(regressor[regressor != 0])
        scaled = regressor / usual.mean() if len(usual) else regressor  # priors are of a usual day
        for weekday in range(7):
            own[f"{name}_{weekday}"] = scaled * (view.weekdays == weekday)
        own |= {f"{name}_{phase}": one for phase, one in features.phases(scaled).items()}
    after, before = features.closure_edges(view.closed, usually_open(view))
    own |= {"closed_after": after > 0, "closed_before": before > 0}
    own |= {"closed_long_after": after > 1, "closed_long_before": before > 1}
    stacked = np.stack([np.asarray(one, dtype=float) for one in own.values()], axis=2)
    return Columns(tuple(own), stacked)


def shared_columns(view: Panel) -> Columns:
    """Week, year and feasts as Prophet makes them."""
    days = view.day_count + view.horizon
    yearly = view.day_count >= YEARLY_FROM_DAYS
    return _shared_columns(view.first_date, days, yearly, view.countries[0], view.calendar)


@lru_cache(maxsize=64)
def _shared_columns(
    first: date, count: int, yearly: bool, countries: tuple[str, ...], calendar: Calendar
) -> Columns:
    model = unfitted(event_rows(countries, calendar), yearly)
    days = [first + timedelta(days=n) for n in range(count)]
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


def _centred(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms around each series' mean, and (n,) the means."""
    centres = _row_means(logs)
    return logs - centres[:, None], centres


def _row_means(values: np.ndarray) -> np.ndarray:
    """(n,) mean of what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def _level_ratio(values: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """(n,) mean over median: the exponent of a mean logarithm is too low for a mean (Duan 1983).

    From the last 84 days, so that it also takes up a level that the trend has not followed yet.
    """
    came, said = values[:, -LEVEL_DAYS:], expected[:, -LEVEL_DAYS:]
    known = ~np.isnan(came) & ~np.isnan(said)
    total = np.where(known, came, 0.0).sum(axis=1)
    model = np.where(known, said, 0.0).sum(axis=1)
    return np.divide(total, model, out=np.full(len(values), np.nan), where=model > 0)
