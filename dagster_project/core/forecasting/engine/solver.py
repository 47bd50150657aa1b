"""The maximum of Prophet's posterior for additive models with a linear trend, many at a time.

Belongs here: the numerical problem only. Does not: what the columns mean, dates, money.

Prophet 1.5 (``prophet.stan``) maximises over growth k, offset m, rate changes delta, noise sigma
and coefficients beta: y ~ normal(trend + X beta, sigma), k and m ~ normal(0, 5),
delta ~ double_exponential(0, tau), sigma ~ half-normal(0, 0.5), beta ~ normal(0, sigmas). For a
fixed sigma that is a ridge regression with a lasso on delta, and for fixed coefficients the best
sigma is the root of a quadratic, so the two are solved exactly in turn. cmdstan's L-BFGS, which
knows nothing of the corner at delta = 0, stops a little short of the same maximum.

Series that share their days share the cross products of the columns too: only the rows that a
series did not trade on are taken off. Nothing after that depends on the number of days but the
residuals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dposv

from dagster_project.core.forecasting.engine.lasso import lasso_minima

GROWTH_SCALE = 5.0  # prior standard deviation of k and m, from prophet.stan
SIGMA_TOLERANCE = 1e-7  # relative; the forecast then agrees to about seven digits
MAX_SIGMA_STEPS = 200
# Share of the last change of log sigma that the next one may be foreseen to have: an extrapolation
# by at most tenfold, so that a jump does not leave the basin that the plain alternation ends in.
MAX_SLOPE = 0.9
SMALLEST_VARIANCE = 1e-18  # Prophet itself says 1e-9 of the noise of a series that is constant
ROUNDING = 1e-13  # of the largest diagonal entry: what equal columns may miss being positive by
CHUNK = 128  # series at a time: their matrices stay in the cache and the residuals in memory


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


@dataclass(frozen=True)
class Batch:
    """Data of N fits over the same T days; K shared features and L of each series' own."""

    y: np.ndarray  # (N, T) each scaled as Prophet would; NaN = the day teaches nothing
    t: np.ndarray  # (T,), or (N, T) where series began at different times
    t_change: np.ndarray  # (S,) or (N, S) ascending
    features: np.ndarray  # (T, K) the same for all series
    sigmas: np.ndarray  # (K + L,) or (N, K + L) prior standard deviations
    tau: float | np.ndarray  # or (N,)
    own: np.ndarray | None = None  # (N, T, L); what it holds on NaN days is not read


@dataclass(frozen=True)
class Fits:
    """Parameters at the maxima; a row of NaN and a reason where none was found."""

    k: np.ndarray  # (N,)
    m: np.ndarray  # (N,)
    delta: np.ndarray  # (N, S)
    beta: np.ndarray  # (N, K + L) the shared features first
    sigma: np.ndarray  # (N,)
    reasons: tuple[str | None, ...]  # (N,) why there is no maximum; None where there is one

    @property
    def solved(self) -> np.ndarray:
        """(N,) bool."""
        return np.array([reason is None for reason in self.reasons], dtype=bool)


def maximise(data: Posterior) -> Fit:
    """The parameters at which Prophet's posterior density is highest.

    Raises NoMaximumError when the values are not finite or the search does not settle.
    """
    if np.isnan(data.y).any():
        raise NoMaximumError("values that are not finite")
    found = maximise_batch(
        Batch(data.y[None], data.t, data.t_change, data.features, data.sigmas, data.tau)
    )
    if found.reasons[0] is not None:
        raise NoMaximumError(found.reasons[0])
    return Fit(
        float(found.k[0]), float(found.m[0]), found.delta[0], found.beta[0], float(found.sigma[0])
    )


def maximise_batch(batch: Batch) -> Fits:
    """The maxima of N posteriors; one that cannot be found leaves the others as they are.

    Raises ValueError when shared columns are not finite.
    """
    count = len(batch.y)
    shared = (batch.t, batch.t_change, batch.features)
    if not all(np.isfinite(one).all() for one in shared):
        raise ValueError("columns that are not finite")
    width = np.shape(batch.sigmas)[-1]
    coefficients = np.full((count, 2 + width), np.nan)
    delta = np.full((count, np.shape(batch.t_change)[-1]), np.nan)
    sigma = np.full(count, np.nan)
    reasons: list[str | None] = [None] * count
    finite = ~np.isinf(batch.y).any(axis=1) & (~np.isnan(batch.y)).any(axis=1)
    if batch.own is not None:
        finite &= ~(~np.isnan(batch.y) & ~np.isfinite(batch.own).all(axis=2)).any(axis=1)
    for n in np.flatnonzero(~finite):
        reasons[n] = "values that are not finite"
    good = np.flatnonzero(finite)
    for start in range(0, len(good), CHUNK):
        rows = good[start : start + CHUNK]
        found = _Search(_Problem.of(batch, rows)).run()
        coefficients[rows], delta[rows], sigma[rows] = found.coefficients, found.delta, found.sigma
        for n, reason in zip(rows, found.reasons, strict=True):
            reasons[n] = reason
    unsolved = [reason is not None for reason in reasons]
    coefficients[unsolved], delta[unsolved], sigma[unsolved] = np.nan, np.nan, np.nan
    growth, offset, beta = coefficients[:, 0], coefficients[:, 1], coefficients[:, 2:]
    return Fits(growth, offset, delta, beta, sigma, tuple(reasons))


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


@dataclass(frozen=True)
class _Problem:
    """Columns, values and cross products of a chunk of n series.

    Columns are the shared ones and then the series' own; ``ridge`` and ``lasso`` say which of them
    are k, m, beta and which are delta.
    """

    shared: np.ndarray  # (T, A)
    own: np.ndarray  # (n, T, B), 0 on days that teach nothing
    y: np.ndarray  # (n, T), 0 on days that teach nothing
    known: np.ndarray  # (n, T) bool
    gram: np.ndarray  # (n, A + B, A + B)
    cross: np.ndarray  # (n, A + B) columns times values
    ridge: np.ndarray  # (2 + K + L,) positions among the columns
    lasso: np.ndarray  # (S,)
    precision: np.ndarray  # (n, 2 + K + L) of the ridge columns' prior
    tau: np.ndarray  # (n,)

    @classmethod
    def of(cls, batch: Batch, rows: np.ndarray) -> _Problem:
        """The problem of some of the batch's series."""
        values = batch.y[rows]
        known = ~np.isnan(values)
        y = np.where(known, values, 0.0)
        shared, own, ridge, lasso = _columns(batch, rows, known)
        sigmas = np.broadcast_to(batch.sigmas, (len(batch.y), np.shape(batch.sigmas)[-1]))[rows]
        growth = np.full((len(rows), 2), GROWTH_SCALE**-2.0)
        crossed = np.einsum("ntl,nt->nl", own, y)
        return cls(
            shared=shared,
            own=own,
            y=y,
            known=known,
            gram=_grams(shared, own, known),
            cross=np.concatenate([y @ shared, crossed], axis=1),
            ridge=ridge,
            lasso=lasso,
            precision=np.concatenate([growth, sigmas**-2.0], axis=1),
            tau=np.broadcast_to(batch.tau, len(batch.y))[rows],
        )

    def squares(self, rows: np.ndarray, coefficients: np.ndarray, delta: np.ndarray) -> np.ndarray:
        """(len(rows),) sums of squared residuals over the days that count."""
        values = np.empty((len(rows), len(self.ridge) + len(self.lasso)))
        values[:, self.ridge], values[:, self.lasso] = coefficients, delta
        width = self.shared.shape[1]
        residual = self.y[rows] - values[:, :width] @ self.shared.T
        if self.own.shape[2]:
            residual -= (self.own[rows] @ values[:, width:, None])[:, :, 0]
        residual *= self.known[rows]
        return np.einsum("nt,nt->n", residual, residual)


def _columns(
    batch: Batch, rows: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Shared and own columns, and the positions of the ridge and of the lasso columns."""
    days, width = batch.features.shape
    extra = np.zeros((len(rows), days, 0)) if batch.own is None else batch.own[rows]
    count, ones = extra.shape[2], np.ones((days, 1))
    if batch.t.ndim == 1 and batch.t_change.ndim == 1:
        lasso = np.maximum(batch.t[:, None] - batch.t_change, 0.0)
        shared = np.concatenate([batch.t[:, None], ones, batch.features, lasso], axis=1)
        changes = np.arange(2 + width, shared.shape[1])
        ridge = np.concatenate([np.arange(2 + width), shared.shape[1] + np.arange(count)])
        return shared, np.where(known[:, :, None], extra, 0.0), ridge, changes
    time = np.broadcast_to(batch.t, batch.y.shape)[rows]
    change = np.broadcast_to(batch.t_change, (len(batch.y), batch.t_change.shape[-1]))[rows]
    lasso = np.maximum(time[:, :, None] - change[:, None, :], 0.0)
    own = np.concatenate([time[:, :, None], extra, lasso], axis=2)
    own *= known[:, :, None]
    own[~known] = 0.0  # not a number times nothing
    shared = np.concatenate([ones, batch.features], axis=1)
    first = 1 + width
    growth, others = np.array([first]), first + 1 + np.arange(count)
    ridge = np.concatenate([growth, np.arange(first), others])
    return shared, own, ridge, np.arange(first + 1 + count, first + own.shape[2])


def _grams(shared: np.ndarray, own: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(n, A + B, A + B) cross products of each series' columns over the days that count."""
    width = shared.shape[1]
    size = width + own.shape[2]
    result = np.empty((len(known), size, size))
    everything = shared.T @ shared
    masks, which = np.unique(np.packbits(known, axis=1), axis=0, return_inverse=True)
    for number in range(len(masks)):
        members = np.flatnonzero(which.ravel() == number)
        mask = known[members[0]]
        few = shared[mask] if 2 * mask.sum() < len(mask) else shared[~mask]
        product = few.T @ few
        result[members, :width, :width] = (
            product if 2 * mask.sum() < len(mask) else (everything - product)
        )
    if size > width:
        turned = own.transpose(0, 2, 1)
        result[:, width:, :width] = turned @ shared
        result[:, :width, width:] = result[:, width:, :width].transpose(0, 2, 1)
        result[:, width:, width:] = turned @ own
    return result


class _Search:
    """Coefficients and noise in turn, for all series of a chunk that have not settled yet."""

    def __init__(self, problem: _Problem) -> None:
        count = len(problem.y)
        self.problem = problem
        ridge, lasso = problem.ridge, problem.lasso
        self.rr = problem.gram[:, ridge[:, None], ridge]
        # Lasso columns times ridge columns, and the values times ridge columns, one below another.
        lr = problem.gram[:, lasso[:, None], ridge]
        self.pairs = np.concatenate([lr, problem.cross[:, None, ridge]], axis=1)
        self.ll = problem.gram[:, lasso[:, None], lasso]
        self.ly = problem.cross[:, lasso]
        self.days = problem.known.sum(axis=1)
        self.coefficients = np.zeros((count, len(ridge)))
        self.delta = np.zeros((count, len(lasso)))
        self.reasons: list[str | None] = [None] * count
        # The noise around the mean alone: above the maximum's, as Prophet's own start of 1 is,
        # and the alternation from above ends at the first maximum below.
        centred = (problem.y - (problem.y.sum(axis=1) / self.days)[:, None]) * problem.known
        self.sigma = _best_sigma(np.einsum("nt,nt->n", centred, centred), self.days)

    def run(self) -> _Search:
        """Alternate until the noise of every series has settled or is given up."""
        left = np.arange(len(self.sigma))
        log_sigma = np.log(self.sigma)
        before = np.full((2, len(left)), np.nan)  # log sigma of the step before, and what it led to
        for _ in range(MAX_SIGMA_STEPS):
            left = left[self._solve(left, np.exp(log_sigma[left]))]
            if not len(left):
                return self
            squares = self.problem.squares(left, self.coefficients[left], self.delta[left])
            led_to = np.log(_best_sigma(squares, self.days[left]))
            came_from = log_sigma[left]
            self.sigma[left] = np.exp(led_to)
            with np.errstate(divide="ignore", invalid="ignore"):
                slope = (led_to - before[1, left]) / (came_from - before[0, left])
            slope = np.clip(np.nan_to_num(slope, nan=0.0), 0.0, MAX_SLOPE)
            step = (led_to - came_from) / (1 - slope)
            before[:, left] = came_from, led_to
            log_sigma[left] = np.maximum(came_from + step, np.log(SMALLEST_VARIANCE) / 2)
            left = left[np.abs(log_sigma[left] - came_from) > SIGMA_TOLERANCE]
        for n in left:
            self.reasons[n] = f"noise level not settled after {MAX_SIGMA_STEPS} steps"
        return self

    def _solve(self, rows: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Coefficients for given noise, the ridge part eliminated exactly; (len(rows),) solved."""
        through = np.empty_like(self.pairs[rows])  # (n, S + 1, K + 2)
        solved = np.ones(len(rows), dtype=bool)
        penalties = sigma[:, None] ** 2 * self.problem.precision[rows]
        for place, n in enumerate(rows):
            found = _ridge_solution(self.rr[n], penalties[place], self.pairs[n])
            if found is None:
                self.reasons[n], solved[place] = "coefficients that cannot be told apart", False
            else:
                through[place] = found
        rows, sigma, through = rows[solved], sigma[solved], through[solved]
        pairs, tau = self.pairs[rows, :-1], self.problem.tau[rows]
        quadratic = self.ll[rows] - pairs @ through[:, :-1].transpose(0, 2, 1)
        linear = self.ly[rows] - (pairs @ through[:, -1, :, None])[:, :, 0]
        delta, settled = lasso_minima(quadratic, linear, sigma**2 / tau, self.delta[rows])
        self.delta[rows] = delta
        self.coefficients[rows] = through[:, -1] - (delta[:, None] @ through[:, :-1])[:, 0]
        for n in rows[~settled]:
            self.reasons[n] = "the search for the trend's changes went round in circles"
        solved[solved] = settled
        return solved


def _ridge_solution(gram: np.ndarray, penalty: np.ndarray, sides: np.ndarray) -> np.ndarray | None:
    """(S + 1, K) solutions for right-hand sides given as rows; None when not positive definite."""
    diagonal = np.einsum("kk->k", gram) + penalty
    for slack in (0.0, ROUNDING * diagonal.max()):
        matrix = gram.copy()
        np.einsum("kk->k", matrix)[:] = diagonal + slack
        _, solution, info = dposv(matrix.T, sides.T, overwrite_a=1)
        if info == 0:
            return solution.T
    return None


def _best_sigma(squares: np.ndarray, days: np.ndarray) -> np.ndarray:
    # d/dsigma of T log(sigma) + RSS / (2 sigma²) + 2 sigma² is 0 at 4 sigma⁴ + T sigma² = RSS.
    variance = 2 * squares / (days + np.sqrt(days * days + 16 * squares))
    return np.sqrt(np.maximum(variance, SMALLEST_VARIANCE))
