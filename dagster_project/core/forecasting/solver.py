"""The maximum of Prophet's posterior for an additive model with a linear trend, without Stan.

Belongs here: the numerical problem only. Does not: what the columns mean, dates, money.

Prophet 1.5 (``prophet.stan``) maximises over growth k, offset m, rate changes delta, noise sigma
and coefficients beta: y ~ normal(trend + X beta, sigma), k and m ~ normal(0, 5),
delta ~ double_exponential(0, tau), sigma ~ half-normal(0, 0.5), beta ~ normal(0, sigmas). For a
fixed sigma that is a ridge regression with a lasso on delta, and for fixed coefficients the best
sigma is the root of a quadratic, so the two are solved exactly in turn. cmdstan's L-BFGS, which
knows nothing of the corner at delta = 0, stops a little short of the same maximum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

GROWTH_SCALE = 5.0  # prior standard deviation of k and m, from prophet.stan
SIGMA_TOLERANCE = 1e-7  # relative; the forecast then agrees to about seven digits
MAX_SIGMA_STEPS = 200
START_SIGMA = 1.0  # Prophet's own initial value: the same basin
SMALLEST_VARIANCE = 1e-12  # a series without noise would otherwise divide by zero


class NoMaximumError(ArithmeticError):
    """The posterior has no finite maximum that could be found."""


@dataclass(frozen=True)
class Posterior:
    """Data of one fit, named as in prophet.stan; T rows, S changepoints, K features."""

    y: np.ndarray  # (T,) scaled to at most 1 in size
    t: np.ndarray  # (T,) 0 at the first day, 1 at the last
    t_change: np.ndarray  # (S,) ascending
    features: np.ndarray  # (T, K)
    sigmas: np.ndarray  # (K,) prior standard deviations
    tau: float


@dataclass(frozen=True)
class Fit:
    """Parameters at the maximum, named as in prophet.stan."""

    k: float
    m: float
    delta: np.ndarray
    beta: np.ndarray
    sigma: float


def maximise(data: Posterior) -> Fit:
    """The parameters at which Prophet's posterior density is highest.

    Raises NoMaximumError when the values are not finite or the search does not settle.
    """
    ridge = np.column_stack([data.t, np.ones_like(data.t), data.features])
    lasso = np.maximum(data.t[:, None] - data.t_change[None, :], 0.0)
    if not (np.isfinite(ridge).all() and np.isfinite(data.y).all()):
        raise NoMaximumError("values that are not finite")
    precision = np.concatenate([np.full(2, GROWTH_SCALE**-2.0), data.sigmas**-2.0])
    grams = _Grams.of(ridge, lasso, data.y)
    sigma, delta = START_SIGMA, np.zeros(lasso.shape[1])
    for _ in range(MAX_SIGMA_STEPS):
        coefficients, delta = _solve(grams, precision, data.tau, sigma, delta)
        before, sigma = sigma, _best_sigma(data.y - ridge @ coefficients - lasso @ delta)
        if abs(sigma - before) <= SIGMA_TOLERANCE * before:
            return Fit(coefficients[0], coefficients[1], delta, coefficients[2:], sigma)
    raise NoMaximumError(f"noise level not settled after {MAX_SIGMA_STEPS} steps")


def log_density(data: Posterior, fit: Fit) -> float:
    """Logarithm of Prophet's posterior density, up to a constant."""
    trend = fit.k * data.t + fit.m
    trend = trend + np.maximum(data.t[:, None] - data.t_change[None, :], 0.0) @ fit.delta
    residual = data.y - trend - data.features @ fit.beta
    return float(
        -len(data.y) * np.log(fit.sigma)
        - residual @ residual / (2 * fit.sigma**2)
        - (fit.k**2 + fit.m**2) / (2 * GROWTH_SCALE**2)
        - np.abs(fit.delta).sum() / data.tau
        - 2 * fit.sigma**2
        - ((fit.beta / data.sigmas) ** 2).sum() / 2
    )


def _best_sigma(residual: np.ndarray) -> float:
    # d/dsigma of T log(sigma) + RSS / (2 sigma²) + 2 sigma² is 0 at 4 sigma⁴ + T sigma² = RSS.
    count, squares = len(residual), float(residual @ residual)
    variance = 2 * squares / (count + np.sqrt(count * count + 16 * squares))
    return float(np.sqrt(max(variance, SMALLEST_VARIANCE)))


@dataclass(frozen=True)
class _Grams:
    """Cross products of ridge columns (r), lasso columns (l) and the values (y)."""

    rr: np.ndarray
    rl: np.ndarray
    ll: np.ndarray
    ry: np.ndarray
    ly: np.ndarray

    @classmethod
    def of(cls, ridge: np.ndarray, lasso: np.ndarray, y: np.ndarray) -> _Grams:
        return cls(ridge.T @ ridge, ridge.T @ lasso, lasso.T @ lasso, ridge.T @ y, lasso.T @ y)


def _solve(
    grams: _Grams, precision: np.ndarray, tau: float, sigma: float, delta: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ridge coefficients and delta for one sigma; the ridge part is eliminated exactly."""
    factor = cho_factor(grams.rr + np.diag(sigma**2 * precision))
    through = cho_solve(factor, np.column_stack([grams.rl, grams.ry]))
    quadratic = grams.ll - grams.rl.T @ through[:, :-1]
    linear = grams.ly - grams.rl.T @ through[:, -1]
    delta = lasso_minimum(quadratic, linear, sigma**2 / tau, delta)
    return through[:, -1] - through[:, :-1] @ delta, delta


def lasso_minimum(
    quadratic: np.ndarray, linear: np.ndarray, penalty: float, start: np.ndarray
) -> np.ndarray:
    """The x at which ½ x'Qx - c'x + penalty · |x|₁ is least, by an active-set search.

    Exact: each step solves for the active coordinates and stops at the first one that would
    change its sign, so the value falls at every step. Raises NoMaximumError when it cycles.
    """
    x, sign = start.copy(), np.sign(start)
    tolerance = 1e-9 * max(penalty, float(np.abs(linear).max(initial=0.0)))
    ridge = 1e-12 * max(float(np.trace(quadratic)), 1e-12)  # equal changepoint columns
    for _ in range(50 * max(len(x), 1)):
        active = np.flatnonzero(sign)
        if len(active):
            block = quadratic[np.ix_(active, active)] + ridge * np.eye(len(active))
            target = np.linalg.solve(block, linear[active] - penalty * sign[active])
            crossed = target * sign[active] <= 0
            if crossed.any():
                _step_to_zero(x, sign, active, target, crossed)
                continue
            x[active] = target
        gradient = quadratic @ x - linear
        excess = np.where(sign == 0, np.abs(gradient) - penalty, 0.0)
        worst = int(np.argmax(excess)) if len(x) else 0
        if not len(x) or excess[worst] <= tolerance:
            return x
        sign[worst] = -np.sign(gradient[worst])
    raise NoMaximumError("the search for the trend's changes went round in circles")


def _step_to_zero(
    x: np.ndarray, sign: np.ndarray, active: np.ndarray, target: np.ndarray, crossed: np.ndarray
) -> None:
    """Move towards the target until the first coordinate reaches zero, and rest it there."""
    now = x[active]
    moved = now - target
    share = np.full(len(active), np.inf)
    share[crossed] = np.where(moved[crossed] != 0, now[crossed] / moved[crossed], 0.0)
    first = int(np.argmin(share))
    x[active] = now + share[first] * (target - now)
    x[active[first]] = 0.0
    sign[active[first]] = 0.0
