"""Generated demand under promotions of any depth at any time, with what they borrow from later.

The regressor is the discount, 0 to 0.5. Deeper brings more, but less and less so; the first days
bring most; afterwards customers have stocked up. Each store and product answers in its own way.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from benchmarks.forecast.noise import autoregressive, day_noise, drift
from benchmarks.forecast.panels import (
    HORIZON_DAYS,
    PROPHET_PEERS,
    BenchPanel,
    calendar_of,
    last_origins,
    weekdays_from,
)
from dagster_project.core.forecasting.engine.panel import Panel

FIRST_DAY = date(2022, 3, 1)
DAYS = 720
SERIES = 40
WEEK = np.array([-0.10, -0.08, -0.05, 0.0, 0.12, 0.20, -0.10])
DISCOUNTS = np.array([0.1, 0.2, 0.25, 0.33, 0.5])


def promotions(seed: int = 33) -> BenchPanel:
    """Shape: (40, 720 days from 2022-03-01); every window has promotions of many series."""
    rng = np.random.default_rng(seed)
    days = DAYS + HORIZON_DAYS
    weekdays = weekdays_from(FIRST_DAY, days)
    discount = np.zeros((SERIES, days))
    effect = np.zeros((SERIES, days))
    for series in range(SERIES):
        _plan(rng, discount[series], effect[series])
    logs = rng.normal(7.5, 0.5, (SERIES, 1)) + drift(rng, SERIES, days, monthly=0.015)
    logs += (WEEK + rng.normal(0.0, 0.04, (SERIES, 7)))[:, weekdays] + effect
    logs += autoregressive(rng, (1, days), keep=0.6, spread=0.03)
    logs += day_noise(rng, days, rng.uniform(0.08, 0.14, SERIES))
    demand = np.round(np.exp(logs), 2)[:, :DAYS]
    panel = Panel(
        first_date=FIRST_DAY,
        horizon=HORIZON_DAYS,
        keys=tuple(f"category:{n:02}" for n in range(SERIES)),
        segments=("category",) * SERIES,
        values=demand,
        closed=np.zeros((SERIES, days), dtype=bool),
        sold_out=np.zeros(demand.shape, dtype=bool),
        regressors={"promotion": discount},
        countries=(("US",),) * SERIES,
        calendar=calendar_of(FIRST_DAY, DAYS),
    )
    return BenchPanel("promotions", panel, demand, last_origins(DAYS), peers=PROPHET_PEERS)


def _plan(rng: np.random.Generator, discount: np.ndarray, effect: np.ndarray) -> None:
    """Fill one series' (D,) discounts, and the logarithm of what they do to its demand."""
    strength = rng.lognormal(0.0, 0.3)
    start = int(rng.integers(3, 25))
    while start < len(discount):
        length, depth = int(rng.integers(3, 12)), rng.choice(DISCOUNTS)
        top = 0.9 * strength * (1 - np.exp(-depth / 0.25))
        run = np.arange(len(discount[start : start + length]))
        discount[start : start + length] = depth
        effect[start : start + length] += top * (0.75 + 0.25 * np.exp(-run / 2.0))
        after = np.arange(len(discount[start + length : start + length + 10]))
        effect[start + length : start + length + 10] -= 0.2 * top * np.exp(-after / 3.0)
        start += length + int(rng.integers(10, 40))
