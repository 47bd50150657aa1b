"""Parts that several generators of demand share. Everything is a logarithm of a factor."""

from __future__ import annotations

import numpy as np


def autoregressive(
    rng: np.random.Generator, shape: tuple[int, int], *, keep: float, spread: float
) -> np.ndarray:
    """Rows of AR(1) noise of a stationary standard deviation ``spread``; ``keep`` day by day."""
    steps = rng.normal(0.0, spread * np.sqrt(1 - keep**2), shape)
    steps[:, 0] = rng.normal(0.0, spread, shape[0])
    for day in range(1, shape[1]):
        steps[:, day] += keep * steps[:, day - 1]
    return steps


def drift(rng: np.random.Generator, series: int, days: int, *, monthly: float) -> np.ndarray:
    """A level that wanders slowly: a random walk of 30-day steps, straight lines between them."""
    knots = np.arange(0, days + 60, 30)
    walk = np.cumsum(rng.normal(0.0, monthly, (series, len(knots))), axis=1)
    return np.array([np.interp(np.arange(days), knots, row) for row in walk])


def day_noise(rng: np.random.Generator, days: int, spreads: np.ndarray) -> np.ndarray:
    """Independent noise of each row's own spread, whose factor is 1 on average."""
    drawn = rng.normal(0.0, 1.0, (len(spreads), days)) * spreads[:, None]
    return drawn - (spreads**2 / 2)[:, None]
