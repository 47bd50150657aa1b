"""The posterior's maximum: by hand where it can be, alone and in a batch."""

from dataclasses import replace

import numpy as np
import pytest

from dagster_project.core.forecasting.engine.lasso import lasso_minima
from dagster_project.core.forecasting.engine.solver import (
    Batch,
    Fit,
    Fits,
    NoMaximumError,
    Posterior,
    log_density,
    maximise,
    maximise_batch,
)

DAYS = 200


def lasso(quadratic: np.ndarray, linear: np.ndarray, penalty: float, start: list[float]) -> list:
    found, settled = lasso_minima(
        quadratic[None], linear[None], np.array([penalty]), np.array([start])
    )
    assert settled.all()
    return list(found[0])


def batch(count: int, seed: int = 5, gaps: float = 0.1) -> Batch:
    """A week, a promotion, a trend that bends and noise, with days that teach nothing."""
    rng = np.random.default_rng(seed)
    time = np.arange(DAYS) / (DAYS - 1)
    changes = np.array([0.2, 0.4, 0.6])
    week = (np.arange(DAYS)[:, None] % 7 == np.arange(6)).astype(float)
    bends = rng.normal(0, 1, (count, 3)) @ np.maximum(time - changes[:, None], 0.0)
    values = rng.normal(0, 0.3, (count, 6)) @ week.T + bends
    values += rng.normal(0, 0.1, (count, DAYS))
    values /= np.abs(values).max(axis=1, keepdims=True)
    values[rng.random(values.shape) < gaps] = np.nan
    own = (rng.random((count, DAYS, 2)) < 0.2).astype(float)
    sigmas = rng.uniform(0.1, 1.0, (count, 8))
    return Batch(values, time, changes, week, sigmas, rng.uniform(0.05, 0.5, count), own)


def alone(data: Batch, n: int) -> Posterior:
    """One of a batch's series with only the days on which it has a value."""
    known = ~np.isnan(data.y[n])
    assert data.own is not None
    features = np.concatenate([data.features, data.own[n]], axis=1)
    time = np.broadcast_to(data.t, data.y.shape)[n]
    change = np.broadcast_to(data.t_change, (len(data.y), 3))[n]
    return Posterior(
        data.y[n, known], time[known], change, features[known], data.sigmas[n], data.tau[n]
    )


def row(found: Fits, n: int) -> Fit:
    return Fit(found.k[n], found.m[n], found.delta[n], found.beta[n], found.sigma[n])


def test_a_lasso_without_interaction_shrinks_each_coordinate():
    found = lasso(np.diag([2.0, 4.0, 1.0]), np.array([5.0, -9.0, 0.5]), 1.0, [0.0, 0.0, 0.0])

    assert found == pytest.approx([(5 - 1) / 2, (-9 + 1) / 4, 0.0])


def test_a_lasso_leaves_a_corner_when_a_coordinate_changes_its_sign():
    found = lasso(np.array([[1.0, 0.9], [0.9, 1.0]]), np.array([1.0, 1.0]), 0.1, [-3.0, 2.0])

    assert found == pytest.approx([0.9 / 1.9, 0.9 / 1.9])  # 1.9 x = 1 - 0.1 by symmetry


def test_equal_columns_of_a_lasso_settle():
    found = lasso(np.ones((2, 2)), np.array([1.0, 1.0]), 0.25, [0.0, 0.0])

    assert sum(found) == pytest.approx(0.75)


def test_a_straight_line_without_noise_is_found_again():
    time = np.linspace(0, 1, 100)
    data = Posterior(0.3 + 0.5 * time, time, np.array([0.5]), np.zeros((100, 0)), np.zeros(0), 0.05)

    fit = maximise(data)

    assert (fit.k, fit.m, fit.delta[0]) == pytest.approx((0.5, 0.3, 0.0), abs=1e-6)


@pytest.mark.parametrize("value", [np.inf, np.nan], ids=["infinite", "missing"])
def test_values_that_are_not_finite_have_no_maximum(value):
    time = np.linspace(0, 1, 20)
    data = Posterior(np.full(20, value), time, np.array([0.5]), np.zeros((20, 0)), np.zeros(0), 1)

    with pytest.raises(NoMaximumError, match="not finite"):
        maximise(data)


def test_no_step_away_from_the_maximum_is_denser():
    data = alone(batch(1), 0)
    fit = maximise(data)
    highest = log_density(data, fit)
    rng = np.random.default_rng(2)

    for _ in range(200):
        size = 10.0 ** rng.uniform(-6, -2)
        other = Fit(
            fit.k + size * rng.normal(),
            fit.m + size * rng.normal(),
            fit.delta + size * rng.normal(size=3) * (rng.random(3) < 0.5),
            fit.beta + size * rng.normal(size=8),
            fit.sigma * np.exp(size * rng.normal()),
        )
        assert log_density(data, other) <= highest + 1e-9


def test_a_series_in_a_batch_has_the_maximum_that_it_has_alone():
    data = batch(150)  # more than one chunk

    found = maximise_batch(data)

    assert found.solved.all()
    for n in (0, 1, 127, 128, 149):
        ours, own = row(found, n), maximise(alone(data, n))
        assert ours.beta == pytest.approx(own.beta, abs=1e-7)
        assert ours.delta == pytest.approx(own.delta, abs=1e-6)
        assert (ours.k, ours.m, ours.sigma) == pytest.approx((own.k, own.m, own.sigma), abs=1e-6)


def test_series_may_have_a_clock_of_their_own():
    shared = batch(4)
    days = np.arange(DAYS)
    starts = np.array([0, 20, 40, 60])[:, None]
    values = np.where(days < starts, np.nan, shared.y)
    time = (days - starts) / (DAYS - 1 - starts)
    data = replace(shared, y=values, t=time, t_change=np.linspace([0.2] * 4, [0.7] * 4, 3, axis=1))

    found = maximise_batch(data)

    for n in range(4):
        own = maximise(alone(data, n))
        assert row(found, n).beta == pytest.approx(own.beta, abs=1e-7)
        assert (found.k[n], found.m[n]) == pytest.approx((own.k, own.m), abs=1e-6)


def test_a_series_that_fails_does_not_fail_the_others():
    data = batch(3)
    assert data.own is not None
    values, own = data.y.copy(), data.own.copy()
    values[1] = np.nan
    own[2, np.flatnonzero(~np.isnan(values[2]))[0], 0] = np.inf

    found = maximise_batch(replace(data, y=values, own=own))

    assert found.solved.tolist() == [True, False, False]
    assert found.reasons[1] == found.reasons[2] == "values that are not finite"
    assert np.isnan(found.beta[1:]).all()
    assert np.isnan(found.sigma[1:]).all()
    assert row(found, 0).beta == pytest.approx(row(maximise_batch(data), 0).beta, abs=1e-9)


def test_what_own_columns_hold_on_unknown_days_is_not_read():
    data = batch(3)
    assert data.own is not None
    own = np.where(np.isnan(data.y)[:, :, None], np.nan, data.own)

    found = maximise_batch(replace(data, own=own))

    assert found.solved.all()
    assert np.array_equal(found.beta, maximise_batch(data).beta)


def test_a_constant_series_has_its_level():
    data = batch(1, gaps=0.0)

    found = maximise_batch(replace(data, y=np.ones((1, DAYS))))

    assert found.solved.all()
    assert (found.k[0], found.m[0]) == pytest.approx((0, 1), abs=1e-6)


def test_a_shared_column_that_is_not_finite_is_refused():
    data = batch(2)

    with pytest.raises(ValueError, match="not finite"):
        maximise_batch(replace(data, features=np.full((DAYS, 6), np.nan)))
