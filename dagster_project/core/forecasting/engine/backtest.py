"""Every model at past origins, to know its errors, and at the last one.

Belongs here: the windows, what is judged. Does not: choosing. At every origin a model sees the
amounts up to that day and nothing later; calendar, announced closures and promotion plans reach
ahead, as they do in a shop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dagster_project.core.forecasting.engine.censoring import restored
from dagster_project.core.forecasting.engine.means import MEAN_DAYS
from dagster_project.core.forecasting.engine.models import forecasts
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.weeks import view_at

FEWEST_WINDOWS = 3
MOST_WINDOWS = 6

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Backtest:
    """What each model said at each past origin and says now."""

    panel: Panel
    models: tuple[str, ...]  # (M,)
    origins: tuple[int, ...]  # (W,) days of history, latest first
    past: np.ndarray  # (W, M, N, H) NaN where a model has nothing to say
    actual: np.ndarray  # (W, N, H) NaN = not judged: closed, sold out, before the series began
    asked: np.ndarray  # (W, N, H) the same with a demand drawn for sold-out days, for intervals
    final: np.ndarray  # (M, N, H)


def window_origins(day_count: int, horizon: int, most: int = MOST_WINDOWS) -> tuple[int, ...]:
    """Length of history at each past origin, latest first, back to back.

    Each leaves at least 84 days before it; fewer than three windows are none.
    """
    count = min(most, (day_count - MEAN_DAYS) // horizon)
    if count < FEWEST_WINDOWS:
        return ()
    return tuple(day_count - horizon * (n + 1) for n in range(count))


def run(
    panel: Panel, models: tuple[str, ...], *, windows: int = MOST_WINDOWS, tell: Progress
) -> Backtest:
    """Forecasts of all models at all origins of all series."""
    origins = window_origins(panel.day_count, panel.horizon, windows)
    past = np.full((len(origins), len(models), panel.series_count, panel.horizon), np.nan)
    final = np.full(past.shape[1:], np.nan)
    targets = [*zip(origins, past, strict=True), (panel.day_count, final)]
    for number, (origin, target) in enumerate(targets, start=1):
        view = restored(view_at(panel, origin))
        for name, made in forecasts(view, models):
            target[models.index(name)] = made
            tell(f"origin {number} of {len(targets)}: {name}")
    sold = np.where(panel.sold_out, np.nan, panel.values)
    actual, asked = (_windows(panel, one, origins) for one in (sold, demand_drawn(panel)))
    return Backtest(panel, models, origins, past, actual, asked, final)


def demand_drawn(panel: Panel) -> np.ndarray:
    """(N, T) what was asked for, with the spread that demand has, also on sold-out days."""
    return restored(panel, drawn=True).values


def _windows(panel: Panel, values: np.ndarray, origins: tuple[int, ...]) -> np.ndarray:
    """(W, N, H) what came after each origin; series younger than four weeks are not judged."""
    if not origins:
        return np.empty((0, panel.series_count, panel.horizon))
    windows = np.stack([values[:, n : n + panel.horizon] for n in origins])
    young = np.array(origins)[:, None] - panel.first_index[None, :] < panel.horizon
    return np.where(young[:, :, None], np.nan, windows)
