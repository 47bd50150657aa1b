"""Small panels of daily series that the forecasting tests share: generated, the same every time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from dagster_project.core.forecasting.engine.panel import PROMOTION, Panel
from dagster_project.core.forecasting.events import CalendarDay

MONDAY = date(2024, 1, 1)
WEEK = np.array([0.9, 0.8, 0.85, 1.0, 1.2, 1.5, 0.75])
NAN = np.nan


def calendar(first: date, days: int) -> tuple[CalendarDay, ...]:
    """Gregorian days only, with a margin of 45 days."""
    return tuple(
        CalendarDay(first + timedelta(days=n), 0, 0, False, 0, 0) for n in range(-45, days + 45)
    )


def panel(
    values: np.ndarray,
    *,
    horizon: int = 7,
    first: date = MONDAY,
    segments: tuple[str, ...] = (),
    promotion: np.ndarray | None = None,
    regressors: Mapping[str, np.ndarray] | None = None,
    closed: np.ndarray | None = None,
    sold_out: np.ndarray | None = None,
    country: str = "US",
    announced: bool = True,
) -> Panel:
    """Series (N, T) with nothing special about them but what is given."""
    values = np.array(values, dtype=float, ndmin=2)
    count, days = values.shape
    known = dict(regressors or {})
    if promotion is not None:
        known[PROMOTION] = np.array(promotion, dtype=float, ndmin=2)
    nothing = np.zeros((count, days + horizon), dtype=bool)
    return Panel(
        first_date=first,
        horizon=horizon,
        keys=tuple(f"series {n}" for n in range(count)),
        segments=segments or ("shops",) * count,
        values=values,
        closed=nothing if closed is None else np.array(closed, dtype=bool, ndmin=2),
        sold_out=nothing[:, :days] if sold_out is None else np.array(sold_out, bool, ndmin=2),
        regressors=known,
        countries=((country,),) * count,
        calendar=calendar(first, days + horizon),
        closures_announced=announced,
    )


def shops(
    count: int = 6, days: int = 308, *, horizon: int = 14, seed: int = 1, noise: float = 0.1
) -> Panel:
    """Shops with a week, a promotion every other week (+ 30 %), noise, and closed Sundays for one.

    The last shop rests on Sundays; the first is closed on two announced days, one of them ahead.
    """
    rng = np.random.default_rng(seed)
    number = np.arange(days + horizon)
    promotion = np.tile((number // 7 % 2 == 0) & (number % 7 < 5), (count, 1)).astype(float)
    promotion[1::2] = np.roll(promotion[1::2], 7, axis=1)
    usual = rng.uniform(300, 3000, (count, 1)) * WEEK[number % 7] * (1 + 0.3 * promotion)
    amounts = usual * np.exp(rng.normal(0, noise, usual.shape))
    closed = np.zeros(amounts.shape, dtype=bool)
    closed[-1] = number % 7 == 6
    closed[0, [days - 40, days + 3]] = True
    values = np.where(closed, NAN, amounts)[:, :days]
    return panel(values, horizon=horizon, promotion=promotion, closed=closed)


def with_sold_out(whole: Panel, share: float = 0.2, seed: int = 3) -> Panel:
    """The panel with a share of days on which the stock was less than what was asked for."""
    rng = np.random.default_rng(seed)
    out = (rng.random(whole.values.shape) < share) & ~np.isnan(whole.values)
    return replace(whole, values=np.where(out, 0.7 * whole.values, whole.values), sold_out=out)


def scrambled_after(whole: Panel, days: int, seed: int = 9) -> Panel:
    """Other amounts, gaps and sold-out days after the first ``days``; what was announced stays."""
    rng = np.random.default_rng(seed)
    values, sold_out = whole.values.copy(), whole.sold_out.copy()
    later = values[:, days:]
    values[:, days:] = np.where(
        rng.random(later.shape) < 0.3, NAN, rng.normal(5e4, 1e5, later.shape)
    )
    sold_out[:, days:] = rng.random(later.shape) < 0.5
    return replace(whole, values=values, sold_out=sold_out)


def same(first: np.ndarray, second: np.ndarray) -> bool:
    """Bit for bit, NaN included."""
    return first.shape == second.shape and first.tobytes() == second.tobytes()
