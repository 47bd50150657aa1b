"""Prophet with its maximum found in process: the forecast of cmdstan, and cmdstan where needed."""

import logging
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
from prophet import Prophet

from dagster_project.core.forecasting.engine.solver import Posterior
from dagster_project.core.forecasting.engine.stan_backend import (
    MapBackend,
    by_cmdstan,
    with_map_backend,
)

DAYS = 250
HORIZON = 28


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Prophet 1.5 drops a column in place, which pandas 3.1 is about to give up."""
    logger = logging.getLogger("cmdstanpy")
    before, logger.level = logger.level, logging.WARNING
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
    logger.level = before


def frame(days: int = DAYS) -> pd.DataFrame:
    """A trend that bends, a week, a promotion and noise."""
    rng = np.random.default_rng(4)
    time = np.arange(days)
    promoted = (time % 17 < 3).astype(float)
    week = np.array([0, -10, 0, 10, 30, 40, 20])[time % 7]
    level = 200 + 0.1 * time + 0.4 * np.maximum(time - 120, 0)
    amounts = level + week + 25 * promoted + rng.normal(0, 8, days)
    return pd.DataFrame(
        {"ds": pd.date_range("2022-01-01", periods=days), "y": amounts, "promotion": promoted}
    )


def fitted(model: Prophet) -> tuple[Prophet, pd.DataFrame]:
    model.add_regressor("promotion")
    model.fit(frame())
    return model, model.predict(frame(DAYS + HORIZON)[["ds", "promotion"]])


def with_feasts() -> Prophet:
    model = Prophet(uncertainty_samples=0)
    model.add_country_holidays("US")
    return model


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda: Prophet(uncertainty_samples=0), id="as it comes"),
        pytest.param(with_feasts, id="with feasts"),
        pytest.param(lambda: Prophet(uncertainty_samples=0, n_changepoints=0), id="straight"),
    ],
)
def test_the_forecast_is_that_of_cmdstan(made: Callable[[], Prophet]):
    _, stock = fitted(made())
    model, ours = fitted(with_map_backend(made()))

    limit = 0.015 * stock["yhat"].mean()
    for column in ("yhat", "trend", "additive_terms"):
        assert ours[column].to_numpy() == pytest.approx(stock[column].to_numpy(), abs=limit)
    assert model.stan_fit is None  # no cmdstan was run


@pytest.mark.parametrize(
    ("settings", "cap"),
    [
        pytest.param({"growth": "flat"}, None, id="flat"),
        pytest.param({"growth": "logistic"}, 1000.0, id="logistic"),
        pytest.param({"seasonality_mode": "multiplicative"}, None, id="multiplicative"),
    ],
)
def test_other_models_are_fitted_by_cmdstan(settings: dict[str, str], cap: float | None):
    history = frame().assign(cap=cap) if cap else frame()

    model = with_map_backend(Prophet(uncertainty_samples=0, **settings)).fit(history)

    assert model.stan_fit is not None
    assert model.params["beta"].shape[0] == 1


def test_options_of_stan_are_passed_on():
    model = with_map_backend(Prophet(uncertainty_samples=0)).fit(frame(), iter=50, seed=1)

    assert model.stan_fit.metadata.cmdstan_config["iter"] == 50


def test_sampling_is_left_to_cmdstan():
    model = with_map_backend(Prophet(mcmc_samples=20, uncertainty_samples=10))
    # So few draws that Stan warns of them; how good they are is not the point.
    model.fit(frame(60), chains=1, seed=1, show_progress=False)

    assert model.params["k"].shape == (10,)


def test_a_posterior_without_a_maximum_is_left_to_the_other_back_end():
    class Asked(MapBackend):
        def __init__(self) -> None:
            self.model, self.stan_fit = None, None

        def set_options(self, **kwargs: bool) -> None:
            self.options = kwargs

        def fit(self, stan_init: dict, stan_data: dict, **kwargs: object) -> dict:
            return {"k": "asked"}

    other = Asked()
    data = {
        **{"y": [1.0, np.inf], "t": [0.0, 1.0], "t_change": [0.5], "X": [[0.0], [0.0]]},
        **{"s_a": [1], "s_m": [0], "sigmas": [1.0], "tau": 0.05, "trend_indicator": 0},
    }

    params = MapBackend(other).fit({}, data)

    assert params == {"k": "asked"}
    assert other.options == {"newton_fallback": False}


def test_a_search_that_ends_nowhere_is_no_fit_and_nothing_in_the_log():
    heard: list[logging.LogRecord] = []
    logger, handler = logging.getLogger("cmdstanpy"), logging.Handler()
    handler.emit = heard.append
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        # Every amount is met exactly: the smaller sigma is, the likelier the data.
        found = by_cmdstan(
            Posterior(
                y=np.ones(21),
                t=np.linspace(0, 1, 21),
                t_change=np.array([0.4]),
                features=np.zeros((21, 1)),
                sigmas=np.ones(1),
                tau=0.05,
            )
        )
    finally:
        logger.removeHandler(handler)

    assert found is None
    assert heard == []
    assert not logger.disabled
