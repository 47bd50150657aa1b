"""Generated demand of which a shop sells no more than it has: a fifth of the days sold out.

Two ways: what was ordered is too little for a strong day, or a delivery fails and a part of the
day's needs is there. Sales are then what was in stock; the truth is what was asked for.
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

FIRST_DAY = date(2022, 1, 3)
DAYS = 700
SERIES = 60
WEEK = np.array([-0.12, -0.10, -0.06, 0.0, 0.16, 0.22, -0.05])
FAILED_SHARE = 0.06  # of days with a failed delivery
SOLD_OUT_SHARE = 0.2


def sold_out(seed: int = 5) -> BenchPanel:
    """Shape: (60, 700 days from 2022-01-03), pieces a day; sold out on a fifth of them."""
    rng = np.random.default_rng(seed)
    days = DAYS + HORIZON_DAYS
    weekdays = weekdays_from(FIRST_DAY, days)
    promotion = (rng.random((SERIES, days // 7)) < 0.15).repeat(7, axis=1).astype(float)
    logs = rng.normal(4.6, 0.6, (SERIES, 1)) + drift(rng, SERIES, days, monthly=0.015)
    logs += (WEEK + rng.normal(0.0, 0.05, (SERIES, 7)))[:, weekdays]
    logs += rng.normal(0.30, 0.08, (SERIES, 1)) * promotion
    expected = np.exp(logs)  # what a planner with a perfect model would order by
    logs += autoregressive(rng, (SERIES, days), keep=0.3, spread=0.08)
    demand = np.round(np.exp(logs + day_noise(rng, days, rng.uniform(0.10, 0.18, SERIES))))
    stock = _stock(rng, expected, demand)
    panel = Panel(
        first_date=FIRST_DAY,
        horizon=HORIZON_DAYS,
        keys=tuple(f"product:{n:02}" for n in range(SERIES)),
        segments=("product",) * SERIES,
        values=np.minimum(demand, stock)[:, :DAYS],
        closed=np.zeros((SERIES, days), dtype=bool),
        sold_out=(demand > stock)[:, :DAYS],
        regressors={"promotion": promotion},
        countries=(("US",),) * SERIES,
        calendar=calendar_of(FIRST_DAY, DAYS),
    )
    return BenchPanel("sold_out", panel, demand[:, :DAYS], last_origins(DAYS), peers=PROPHET_PEERS)


def _stock(rng: np.random.Generator, expected: np.ndarray, demand: np.ndarray) -> np.ndarray:
    """(N, D) pieces in stock: enough for all but the strongest days, less when a delivery fails.

    The order's margin is what makes a fifth of each series' days run out, failures included.
    """
    failed = rng.random(demand.shape) < FAILED_SHARE
    part = rng.uniform(0.35, 0.9, demand.shape)
    noise = rng.normal(0.0, 0.08, demand.shape)  # orders are not made by a perfect model
    need = demand / (expected * np.exp(noise))
    level = 1 - (SOLD_OUT_SHARE - FAILED_SHARE) / (1 - FAILED_SHARE)
    margin = np.quantile(need, level, axis=1, keepdims=True)
    ordered = np.floor(expected * np.exp(noise) * margin)
    return np.where(failed, np.minimum(ordered, np.floor(demand * part)), ordered)
