"""The batch solver as a back-end of Prophet itself: the same fit and predict, without cmdstan.

Belongs here: what Prophet hands to its back-end and wants back. Does not: the numerical problem.

    model = with_map_backend(Prophet())
    model.fit(frame).predict(future)

Additive models with linear growth are solved in process. Everything else that Prophet can do goes
to the back-end that the model came with: logistic and flat growth, multiplicative terms, sampling,
options of Stan's own, and a posterior without a maximum that could be found.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from prophet import Prophet
from prophet.models import IStanBackend, TrendIndicator

from dagster_project.core.forecasting.engine.solver import Fit, NoMaximumError, Posterior, maximise


def with_map_backend(model: Prophet) -> Prophet:
    """The same model, not yet fitted, which finds its maximum in process.

    Prophet's own ``cross_validation`` and ``prophet_copy`` build models by the name of a back-end
    and so go back to cmdstan; wrap the copies anew.
    """
    model.stan_backend = MapBackend(model.stan_backend)
    return model


class MapBackend(IStanBackend):
    """Prophet's posterior maximised in process where it can be, by another back-end elsewhere."""

    def __init__(self, otherwise: IStanBackend) -> None:
        self.otherwise = otherwise
        super().__init__()
        # Newton's method, to which Prophet turns when L-BFGS fails, inverts a matrix of all
        # parameters at each step: minutes on a series of years. Whoever wants it sets the option.
        self.newton_fallback = False

    @staticmethod
    def get_type() -> str:
        """The name by which Prophet builds copies of a model: cmdstan's, which it knows."""
        return "CMDSTANPY"

    def load_model(self) -> Any:
        """The other back-end's compiled model."""
        return self.otherwise.model

    def cleanup(self) -> None:
        """Remove what the other back-end left behind."""
        self.otherwise.cleanup()

    def fit(
        self, stan_init: dict[str, Any], stan_data: dict[str, Any], **kwargs: Any
    ) -> dict[str, Any]:
        """Parameters at the maximum, each (1, its length), as Prophet's back-ends return them.

        Raises RuntimeError when the other back-end had to be asked and failed too.
        """
        if not kwargs and _can_be_solved(stan_data):
            try:
                return _solved(stan_data)
            except NoMaximumError:
                pass  # cmdstan's way of stopping early is better than no forecast
        self.otherwise.set_options(newton_fallback=self.newton_fallback)
        params = self.otherwise.fit(stan_init, stan_data, **kwargs)
        self.stan_fit = self.otherwise.stan_fit
        return params

    def sampling(
        self, stan_init: dict[str, Any], stan_data: dict[str, Any], samples: int, **kwargs: Any
    ) -> dict[str, Any]:
        """Draws from the posterior, which the other back-end makes."""
        params = self.otherwise.sampling(stan_init, stan_data, samples, **kwargs)
        self.stan_fit = self.otherwise.stan_fit
        return params


def posterior(stan_data: dict[str, Any]) -> Posterior:
    """Prophet's prepared data of an additive model with linear growth."""
    return Posterior(
        y=np.asarray(stan_data["y"], dtype=float),
        t=np.asarray(stan_data["t"], dtype=float),
        t_change=np.asarray(stan_data["t_change"], dtype=float),
        features=np.asarray(stan_data["X"], dtype=float) * np.asarray(stan_data["s_a"]),
        sigmas=np.asarray(stan_data["sigmas"], dtype=float),
        tau=float(stan_data["tau"]),
    )


def by_cmdstan(data: Posterior) -> Fit | None:
    """Where cmdstan's own search ends for this posterior; None where it ends nowhere.

    What is done for a series whose maximum our solver does not find. By L-BFGS at any length:
    Newton's method, Prophet's own choice below 100 days and where L-BFGS fails, takes 10 s for 21
    days, on which the density has no maximum at all.
    """
    from prophet.models import CmdStanPyBackend

    backend = CmdStanPyBackend()
    backend.set_options(newton_fallback=False)
    start = {
        "k": 0.0,
        "m": float(data.y.mean()),
        "delta": np.zeros(len(data.t_change)),
        "beta": np.zeros(data.features.shape[1]),
        "sigma_obs": 1.0,
    }
    try:
        with _without_log():
            found = backend.fit(start, _stan_data(data), algorithm="LBFGS")
    except RuntimeError:
        return None
    k, m, delta, beta, sigma = (
        np.asarray(found[name], dtype=float).ravel()
        for name in ("k", "m", "delta", "beta", "sigma_obs")
    )
    return Fit(float(k[0]), float(m[0]), delta, beta, float(sigma[0]))


@contextmanager
def _without_log() -> Iterator[None]:
    """cmdstan's log left out: it tells each start and calls a search that ends nowhere an error."""
    logger = logging.getLogger("cmdstanpy")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _stan_data(data: Posterior) -> dict[str, Any]:
    """What Prophet hands to Stan, of an additive model with linear growth."""
    import pandas as pd

    width = data.features.shape[1]
    return {
        "T": len(data.y),
        "K": width,
        "S": len(data.t_change),
        "tau": float(data.tau),
        "trend_indicator": TrendIndicator.LINEAR.value,
        "y": data.y,
        "t": data.t,
        "cap": np.zeros(len(data.y)),
        "t_change": data.t_change,
        "s_a": np.ones(width),
        "s_m": np.zeros(width),
        "X": pd.DataFrame(data.features),
        "sigmas": data.sigmas,
    }


def _can_be_solved(stan_data: dict[str, Any]) -> bool:
    linear = stan_data["trend_indicator"] == TrendIndicator.LINEAR.value
    return linear and not np.asarray(stan_data["s_m"]).any()


def _solved(stan_data: dict[str, Any]) -> dict[str, Any]:
    fit = maximise(posterior(stan_data))
    values = {"k": fit.k, "m": fit.m, "delta": fit.delta, "sigma_obs": fit.sigma, "beta": fit.beta}
    return {name: np.reshape(value, (1, -1)) for name, value in values.items()}
