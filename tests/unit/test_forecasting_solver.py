"""The posterior's maximum: by hand where it can be, and against cmdstan on the same data."""

import warnings
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from dagster_project.core.forecasting.prophet_model import (
    Design,
    Specification,
    build_design,
    changepoints,
    day_frame,
    forecast,
    logarithms,
    stock_prophet,
)
from dagster_project.core.forecasting.solver import (
    Fit,
    NoMaximumError,
    Posterior,
    lasso_minimum,
    log_density,
    maximise,
)

FIRST = date(2016, 1, 1)
HORIZON = 28


def sales(days: int, seed: int = 3) -> np.ndarray:
    """Two trends, a week, a feast and noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(days)
    level = 5 + 0.001 * time + 0.003 * np.maximum(time - 150, 0)
    week = np.array([0.0, -0.1, 0.0, 0.1, 0.3, 0.4, 0.2])[time % 7]
    return np.exp(level + week + 0.6 * (time % 50 == 0) + 0.1 * rng.standard_normal(days))


def feast_rows(days: int) -> list[tuple[str, date]]:
    frame = day_frame(FIRST, np.zeros(days, dtype=bool))
    return [("feast", day.date()) for day in frame["ds"][::50]]


def design(days: int, promoted: np.ndarray | None = None) -> Design:
    promoted = np.zeros(days, dtype=bool) if promoted is None else promoted
    return build_design(
        FIRST, promoted, events=feast_rows(days), feasts=(), yearly=False, spec=Specification()
    )


def test_a_lasso_without_interaction_shrinks_each_coordinate():
    quadratic, linear = np.diag([2.0, 4.0, 1.0]), np.array([5.0, -9.0, 0.5])

    found = lasso_minimum(quadratic, linear, 1.0, np.zeros(3))

    assert found == pytest.approx([(5 - 1) / 2, (-9 + 1) / 4, 0.0])


def test_a_lasso_leaves_a_corner_when_a_coordinate_changes_its_sign():
    quadratic, linear = np.array([[1.0, 0.9], [0.9, 1.0]]), np.array([1.0, 1.0])

    found = lasso_minimum(quadratic, linear, 0.1, np.array([-3.0, 2.0]))

    assert found == pytest.approx([0.9 / 1.9, 0.9 / 1.9])  # 1.9 x = 1 - 0.1 by symmetry


def test_a_straight_line_without_noise_is_found_again():
    time = np.linspace(0, 1, 100)
    data = Posterior(0.3 + 0.5 * time, time, np.array([0.5]), np.zeros((100, 0)), np.zeros(0), 0.05)

    fit = maximise(data)

    assert (fit.k, fit.m, fit.delta[0]) == pytest.approx((0.5, 0.3, 0.0), abs=1e-6)


def test_values_that_are_not_finite_have_no_maximum():
    time = np.linspace(0, 1, 20)
    data = Posterior(np.full(20, np.inf), time, np.array([0.5]), np.zeros((20, 0)), np.zeros(0), 1)

    with pytest.raises(NoMaximumError, match="not finite"):
        maximise(data)


def in_prophets_units(spec: Specification, largest: float) -> Specification:
    """Prophet counts its scales in shares of the series' largest deviation."""
    return replace(
        spec,
        changepoint_scale=spec.changepoint_scale / largest,
        weekly_scale=spec.weekly_scale / largest,
        event_scale=spec.event_scale / largest,
    )


def stock_fit(amounts: np.ndarray, spec: Specification) -> tuple[Fit, Posterior, np.ndarray]:
    """Prophet's own fit with cmdstan of the same model, its data, and its median forecast."""
    days = len(amounts)
    frame = day_frame(FIRST, np.zeros(days + HORIZON, dtype=bool))
    logs = np.log(amounts)
    spec = in_prophets_units(spec, np.abs(logs - logs.mean()).max())
    model = stock_prophet(feast_rows(days + HORIZON), False, (), spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Prophet 1.5 on pandas 3.1
        model.fit(frame[:days].assign(y=logs - logs.mean()))
        future = model.predict(frame[days:])["yhat"].to_numpy()
    features = model.make_all_seasonality_features
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        matrix, sigmas, _, _ = features(model.history)
    data = Posterior(
        y=model.history["y_scaled"].to_numpy(),
        t=model.history["t"].to_numpy(),
        t_change=model.changepoints_t,
        features=matrix.to_numpy(dtype=float),
        sigmas=np.array(sigmas),
        tau=spec.changepoint_scale,
    )
    found = {name: np.asarray(value).ravel() for name, value in model.params.items()}
    fit = Fit(
        k=float(found["k"][0]),
        m=float(found["m"][0]),
        delta=found["delta"],
        beta=found["beta"],
        sigma=float(found["sigma_obs"][0]),
    )
    return fit, data, np.exp(future + logs.mean())


def test_the_density_is_as_high_as_cmdstan_finds_it_and_the_forecast_the_same():
    amounts, spec = sales(350), Specification()
    stock, data, stock_forecast = stock_fit(amounts, spec)

    own = maximise(data)
    ours = forecast(amounts, design(350 + HORIZON), HORIZON, spec)

    assert log_density(data, own) >= log_density(data, stock) - 1e-6
    assert log_density(data, own) == pytest.approx(log_density(data, stock), abs=2)
    assert own.sigma == pytest.approx(stock.sigma, rel=0.01)
    ratio = ours / stock_forecast  # constant: the retransformation to a mean
    assert ratio == pytest.approx(np.full(HORIZON, ratio.mean()), rel=0.005)
    assert 0.98 < ratio.mean() < 1.03


def test_changepoints_are_where_prophet_puts_them():
    spec = Specification()
    _, data, _ = stock_fit(sales(350), spec)

    ours = changepoints(np.arange(350), spec) / 349

    assert ours == pytest.approx(data.t_change)


def test_days_without_trade_teach_nothing():
    amounts = sales(300)
    closed = amounts.copy()
    closed[::50] = np.nan  # every feast closed
    plan = design(300 + HORIZON)

    forecasts = forecast(closed, plan, HORIZON, Specification())

    assert np.isfinite(forecasts).all()
    assert forecasts.sum() == pytest.approx(sales(328)[300:].sum(), rel=0.06)


def test_a_promotion_lifts_the_days_it_is_planned_for():
    rng = np.random.default_rng(1)
    promoted = (np.arange(328) // 5) % 4 == 0
    lift = np.where(promoted, 1.5, 1.0)
    amounts = 100 * lift * np.exp(0.02 * rng.standard_normal(328))

    forecasts = forecast(amounts[:300], design(328, promoted), HORIZON, Specification())

    assert forecasts == pytest.approx(100 * lift[300:], rel=0.05)


def test_a_day_of_returns_counts_as_a_hundredth_of_the_median_day():
    assert np.exp(logarithms(np.array([100.0, -30.0, 100.0]))) == pytest.approx([100, 1, 100])
