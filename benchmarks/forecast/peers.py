"""Forecasts of other people's libraries, made in an environment of their own.

    python benchmarks/forecast/peers.py FOLDER peer [peer ...]
    python benchmarks/forecast/peers.py --versions

A script that imports nothing of this project: the libraries compared with do not go with its
pandas. FOLDER holds ``days.parquet`` (series, day, value, closed, one column per regressor; the
days ahead without a value) and ``view.json``; for each peer it gets ``<peer>.parquet`` (series,
step, mean and quantiles) and ``<peer>.json`` (CPU seconds, those of child processes included).
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

QUANTILES = (0.025, 0.1, 0.9, 0.975)
WIDTHS = {80: (0.1, 0.9), 95: (0.025, 0.975)}
WEEK = 7
NO_LOGS_SHARE = 0.002  # of days without sales
FIXED = ["series", "day", "value", "closed"]


@dataclass(frozen=True)
class View:
    """What a peer may see: days of history, then days ahead without values."""

    frame: pd.DataFrame  # sorted by series and day
    horizon: int
    countries: list[list[str]]

    @property
    def regressors(self) -> list[str]:
        """Names of the columns known ahead."""
        return [column for column in self.frame if column not in FIXED]

    def series(self) -> Iterator[tuple[int, pd.DataFrame, pd.DataFrame]]:
        """Number, history from the first day with a value, and days ahead of each series."""
        for number, frame in self.frame.groupby("series", sort=True):
            past, ahead = frame.iloc[: -self.horizon], frame.iloc[-self.horizon :]
            known = past["value"].notna().to_numpy()
            if known.any():
                yield int(number), past.iloc[int(known.argmax()) :], ahead


@dataclass(frozen=True)
class Peer:
    """A forecaster: (series numbers, means (n, H), {quantile: (n, H)}, CPU seconds)."""

    run: Callable[[View], tuple[list[int], np.ndarray, dict[float, np.ndarray], float]]
    packages: tuple[str, ...]
    revision: int = 1  # of its settings here: another one makes the kept forecasts void


def cpu_seconds() -> float:
    """Of this process and of the ended ones it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def stock_prophet(view: View) -> tuple[list[int], np.ndarray, dict[float, np.ndarray], float]:
    """``Prophet()`` as it comes; the days ahead and the values, nothing else."""
    return _prophets(view, full=False)


def stock_prophet_full(view: View) -> tuple[list[int], np.ndarray, dict[float, np.ndarray], float]:
    """``Prophet()`` with the country's holidays and every regressor, otherwise as it comes."""
    return _prophets(view, full=True)


def _prophets(
    view: View, *, full: bool
) -> tuple[list[int], np.ndarray, dict[float, np.ndarray], float]:
    from prophet import Prophet

    numbers, means, spans, spent = [], [], [], 0.0
    for number, past, ahead in view.series():
        np.random.seed(number)  # what Prophet draws its samples from
        renamed = {"day": "ds", "value": "y"}
        history, future = past.rename(columns=renamed), ahead.rename(columns=renamed)
        before = cpu_seconds()
        model = Prophet()
        if full:
            for country in view.countries[number]:
                model.add_country_holidays(country)
            for name in view.regressors:
                model.add_regressor(name)
        model.fit(history)
        forecast = model.predict(future)
        spent += cpu_seconds() - before
        np.random.seed(number)
        drawn = model.predictive_samples(future)["yhat"]  # wider intervals than the default 80 %
        numbers.append(number)
        means.append(forecast["yhat"].to_numpy())
        spans.append(np.quantile(drawn, QUANTILES, axis=1))
    stacked = np.array(spans)
    return numbers, np.array(means), {q: stacked[:, n] for n, q in enumerate(QUANTILES)}, spent


def statsforecast_model(
    name: str, *, levels: bool, **settings: object
) -> Callable[[View], tuple[list[int], np.ndarray, dict[float, np.ndarray], float]]:
    """A model of statsforecast by its class name; with its own intervals where it has them."""

    def run(view: View) -> tuple[list[int], np.ndarray, dict[float, np.ndarray], float]:
        from statsforecast import StatsForecast, models

        def forecast(frame: pd.DataFrame) -> pd.DataFrame:
            model = getattr(models, name)(alias="mean", **settings)
            engine = StatsForecast([model], freq="D", n_jobs=1)
            asked = {"level": list(WIDTHS)} if levels else {}
            return engine.forecast(df=frame, h=view.horizon, **asked)

        frame = filled(view)[["unique_id", "ds", "y"]]
        forecast(frame[frame["unique_id"] == frame["unique_id"].iloc[0]])  # compiles once
        before = cpu_seconds()
        made = forecast(frame)
        return *_stacked(made, "mean", view.horizon), cpu_seconds() - before

    return run


def mlforecast_lightgbm(
    view: View,
) -> tuple[list[int], np.ndarray, dict[float, np.ndarray], float]:
    """One LightGBM over all series, recursively: lags, rolling means, the date, what is known.

    Targets are logarithms, plain amounts where open days without sales are usual, less the series'
    own mean. Days that were closed have no weight. The day of the year is told from three years
    on. The settings are the best of those tried on the drug stores and the grocer's year.
    """
    from mlforecast.utils import PredictionIntervals

    view = with_neighbours(view)
    frame = filled(view)
    known = ["unique_id", "ds", "closed", *view.regressors]
    days = frame.groupby("unique_id").size()
    before = cpu_seconds()
    model = learner(frame, yearly=days.max() >= 3 * 365)
    # The library's conformal intervals from three windows; series too short for them have none.
    windows = PredictionIntervals(n_windows=3, h=view.horizon) if days.min() > 200 else None
    model.fit(
        frame[[*known, "y", "weight"]],
        static_features=[],
        weight_col="weight",
        prediction_intervals=windows,
    )
    asked = {"level": list(WIDTHS)} if windows else {}
    made = model.predict(view.horizon, X_df=_ahead(view, frame, known), **asked)
    return *_stacked(made, "mean", view.horizon), cpu_seconds() - before


def learner(frame: pd.DataFrame, *, yearly: bool) -> object:
    """The untrained MLForecast."""
    import lightgbm
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import (
        ExponentiallyWeightedMean,
        RollingMean,
        SeasonalRollingMean,
    )

    return MLForecast(
        models={"mean": lightgbm.LGBMRegressor(**LIGHTGBM)},
        freq="D",
        lags=[7, 14],
        lag_transforms={
            1: [ExponentiallyWeightedMean(alpha=0.1), RollingMean(28), RollingMean(84)],
            7: [SeasonalRollingMean(7, weeks) for weeks in (4, 8, 12)],
        },
        date_features=["dayofweek", "day", days_left, *(["month", "dayofyear"] if yearly else [])],
        target_transforms=target_transforms(frame),
        num_threads=1,
    )


LIGHTGBM = {
    "n_estimators": 300,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_child_samples": 40,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.8,
    "reg_lambda": 1.0,
    "n_jobs": 1,
    "random_state": 20260101,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


def target_transforms(frame: pd.DataFrame) -> list:
    """Logarithms unless open days without sales are usual, which would bias their mean."""
    from mlforecast.target_transforms import GlobalSklearnTransformer, LocalStandardScaler
    from sklearn.preprocessing import FunctionTransformer

    if (frame["y"] <= 0).mean() > NO_LOGS_SHARE:
        return [LocalStandardScaler()]
    # Returns can make a day negative; what lies below zero is told as its mirror image.
    logs = FunctionTransformer(
        func=lambda y: np.sign(y) * np.log1p(np.abs(y)),
        inverse_func=lambda z: np.sign(z) * np.expm1(np.abs(z)),
    )
    return [GlobalSklearnTransformer(logs), LocalStandardScaler()]


def with_neighbours(view: View) -> View:
    """The view with each regressor of a week and a fortnight before, and closures side by side.

    Without them the lags of the amounts cannot tell a promotion's week from another.
    """
    frame = view.frame.copy()
    known = frame.groupby("series")
    for name in view.regressors:
        for days in (WEEK, 2 * WEEK):
            frame[f"{name}_{days}"] = known[name].shift(days).fillna(0.0)
    closed = frame["closed"].astype(float).groupby(frame["series"])
    frame["closed_before"] = closed.shift(1).fillna(0.0)
    frame["closed_after"] = closed.shift(-1).fillna(0.0)
    return View(frame, view.horizon, view.countries)


def days_left(dates: pd.DatetimeIndex) -> np.ndarray:
    """Days that the month still has: wages come at its edges."""
    return (dates.days_in_month - dates.day).to_numpy()


def filled(view: View) -> pd.DataFrame:
    """History for libraries that know no gaps: unique_id, ds, y, weight, closed and regressors.

    A closed or missing day takes the same weekday of the week before; a weekday of rest takes the
    day before.
    """
    parts = []
    for number, past, _ in view.series():
        values = past["value"].to_numpy(dtype=float, copy=True)
        missing = np.isnan(values)
        for day in np.flatnonzero(missing):
            rest = day < WEEK or not np.isfinite(past["value"].to_numpy()[day % WEEK :: WEEK]).any()
            values[day] = values[day - 1] if rest else values[day - WEEK]
        told = {"unique_id": number, "ds": past["day"], "y": values, "weight": 1.0 - missing}
        parts.append(past.assign(**told))
    frame = pd.concat(parts, ignore_index=True)
    return frame.drop(columns=["series", "day", "value"])


def _ahead(view: View, frame: pd.DataFrame, known: list[str]) -> pd.DataFrame:
    later = pd.concat([ahead for _, _, ahead in view.series()], ignore_index=True)
    later = later.rename(columns={"series": "unique_id", "day": "ds"})
    later["closed"] = later["closed"].astype(frame["closed"].dtype)
    return later[known]


def _stacked(
    made: pd.DataFrame, mean: str, horizon: int
) -> tuple[list[int], np.ndarray, dict[float, np.ndarray]]:
    """Series numbers, (n, H) means and quantiles of a library's long frame."""
    made = made.sort_values(["unique_id", "ds"])
    numbers = [int(one) for one in made["unique_id"].to_numpy()[::horizon]]
    shape = (len(numbers), horizon)
    spans = {}
    for width, (low, high) in WIDTHS.items():
        for side, quantile in (("lo", low), ("hi", high)):
            column = f"{mean}-{side}-{width}"
            if column in made:
                spans[quantile] = made[column].to_numpy().reshape(shape)
    return numbers, made[mean].to_numpy().reshape(shape), spans


STATS = ("statsforecast", "pandas")
PEERS = {
    "stock_prophet": Peer(stock_prophet, ("prophet", "holidays", "pandas")),
    "stock_prophet_full": Peer(stock_prophet_full, ("prophet", "holidays", "pandas")),
    "sf_seasonal_naive": Peer(
        statsforecast_model("SeasonalNaive", levels=True, season_length=WEEK), STATS
    ),
    "auto_ets": Peer(statsforecast_model("AutoETS", levels=True, season_length=WEEK), STATS),
    "auto_theta": Peer(statsforecast_model("AutoTheta", levels=True, season_length=WEEK), STATS),
    "sf_adida": Peer(statsforecast_model("ADIDA", levels=False), STATS),
    "sf_imapa": Peer(statsforecast_model("IMAPA", levels=False), STATS),
    "sf_croston_sba": Peer(statsforecast_model("CrostonSBA", levels=False), STATS),
    "sf_ses": Peer(
        statsforecast_model("SimpleExponentialSmoothing", levels=False, alpha=0.1), STATS
    ),
    "sf_ses_optimized": Peer(
        statsforecast_model("SimpleExponentialSmoothingOptimized", levels=False), STATS
    ),
    "mlforecast_lightgbm": Peer(
        mlforecast_lightgbm, ("mlforecast", "lightgbm", "coreforecast", "pandas"), revision=2
    ),
}


def versions() -> dict[str, str]:
    """What each peer's forecasts depend on, beside the panel."""
    return {
        name: f"{peer.revision} " + " ".join(f"{one} {version(one)}" for one in peer.packages)
        for name, peer in PEERS.items()
    }


def read_view(folder: Path) -> View:
    """The view that was written to the folder."""
    told = json.loads((folder / "view.json").read_text())
    frame = pd.read_parquet(folder / "days.parquet")
    frame["day"] = pd.to_datetime(frame["day"])
    return View(frame, told["horizon"], told["countries"])


def write(folder: Path, name: str, view: View) -> None:
    """Run one peer and keep what it made; its figures are written last."""
    numbers, means, spans, spent = PEERS[name].run(view)
    rows = {
        "series": np.repeat(numbers, view.horizon),
        "step": np.tile(np.arange(view.horizon), len(numbers)),
        "mean": means.ravel(),
    }
    rows |= {f"q{quantile}": one.ravel() for quantile, one in spans.items()}
    pd.DataFrame(rows).to_parquet(folder / f"{name}.parquet", index=False)
    figures = {"cpu_seconds": spent, "series": len(numbers), "made_by": versions()[name]}
    (folder / f"{name}.json").write_text(json.dumps(figures))


def main(arguments: list[str]) -> None:
    """See the module's text."""
    if arguments == ["--versions"]:
        print(json.dumps(versions()))
        return
    logging.disable(logging.ERROR)  # two lines about every fit, and a missing chart library
    warnings.simplefilter("ignore")  # libraries' own, about each other's coming releases
    folder = Path(arguments[0])
    view = read_view(folder)
    for name in arguments[1:]:
        write(folder, name, view)
        print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
