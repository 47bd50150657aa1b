"""The whole of a forecast: classes of demand, back-test, choice, sums, intervals.

Belongs here: the order of the steps, and what becomes of a series that a step says nothing of.
Does not: where series come from, where results go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dagster_project.core.forecasting.engine import features, models
from dagster_project.core.forecasting.engine.backtest import (
    MOST_WINDOWS,
    Backtest,
    Progress,
    demand_drawn,
    window_origins,
)
from dagster_project.core.forecasting.engine.backtest import run as run_backtest
from dagster_project.core.forecasting.engine.choice import (
    Choice,
    Scores,
    choose,
    scores,
    series_reason,
)
from dagster_project.core.forecasting.engine.coherence import Step, agreed
from dagster_project.core.forecasting.engine.demand import (
    ERRATIC,
    SMOOTH,
    demand_classes,
)
from dagster_project.core.forecasting.engine.film_programme import room_ahead
from dagster_project.core.forecasting.engine.intervals import Eventful, Intervals, intervals
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.same_feast import same_feast
from dagster_project.core.forecasting.engine.weeks import usually_open

SHORT_DAYS = 168  # 84 to take means from, and three windows of 28

# What became of a series.
FORECAST = "forecast"
SHORT = "short"  # too little history to be judged: what its model says, else the plain mean
ALL_ZERO = "all_zero"  # nothing was ever sold: 0
EMPTY = "empty"  # no day to learn from: no forecast


@dataclass(frozen=True)
class Group:
    """Series that were tried with the same models."""

    rows: np.ndarray  # places in the panel
    test: Backtest
    scores: Scores
    choices: dict[str, Choice]  # by segment

    def chosen(self) -> np.ndarray:
        """(n,) index of each series' model."""
        return np.array([self.choices[one].model for one in self.test.panel.segments], dtype=int)


@dataclass(frozen=True)
class Result:
    """Forecasts of a panel, which add up, with what they are worth."""

    panel: Panel
    groups: tuple[Group, ...]
    demand: np.ndarray  # (N,) class of demand
    outcome: np.ndarray  # (N,) what became of the series
    model: np.ndarray  # (N,) name of the model used
    reason: np.ndarray  # (N,)
    origins: tuple[int, ...]
    past: np.ndarray  # (W, N, H) what would have been published at each past origin
    actual: np.ndarray  # (W, N, H)
    asked: np.ndarray  # (W, N, H) with a demand drawn for sold-out days
    mean: np.ndarray  # (N, H) NaN = no forecast
    bands: Intervals


def forecast_panel(
    panel: Panel,
    steps: Sequence[Step] = (),
    *,
    smooth: np.ndarray | None = None,
    names: tuple[str, ...] | None = None,
    windows: int = MOST_WINDOWS,
    tell: Progress = lambda told: None,
) -> Result:
    """Forecast the days after the panel's last one for all of its series.

    ``smooth`` (N,) bool: series that may be tried with the models for smooth demand; all by
    default. ``names``: the models to try on all of them, in place of those that suit the demand.
    Nothing is raised for a series: its outcome tells what became of it.
    """
    demand = demand_classes(panel)
    daily = np.isin(demand, [SMOOTH, ERRATIC]) & (True if smooth is None else smooth)
    parts = [
        (np.flatnonzero(daily), models.available(models.SMOOTH)),
        (np.flatnonzero(~daily), models.INTERMITTENT),
    ]
    if names is not None:
        parts = [(np.arange(panel.series_count), models.available(names))]
    groups = tuple(_group(panel, rows, names, windows, tell) for rows, names in parts if len(rows))
    origins = window_origins(panel.day_count, panel.horizon, windows)
    said = _Said.of(panel, groups, origins)
    outcome = _outcomes(panel, said.actual)
    model, reason = said.tried.copy(), said.reason
    _fill(panel, said.mean, outcome, model, reason)
    mean, past = agreed(said.mean, steps), agreed(said.past, steps)
    return Result(
        panel, groups, demand, outcome, model, reason, origins, past, said.actual, said.asked,
        mean, _bands(panel, steps, said, past, mean),
    )  # fmt: skip


@dataclass(frozen=True)
class _Said:
    """What each series' chosen model says, put together from the groups."""

    mean: np.ndarray  # (N, H)
    past: np.ndarray  # (W, N, H)
    actual: np.ndarray  # (W, N, H)
    asked: np.ndarray  # (W, N, H)
    tried: np.ndarray  # (N,) name of the model
    reason: np.ndarray  # (N,)
    origins: tuple[int, ...]

    @classmethod
    def of(cls, panel: Panel, groups: Sequence[Group], origins: tuple[int, ...]) -> _Said:
        shape = (len(origins), panel.series_count, panel.horizon)
        past, actual, asked = (np.full(shape, np.nan) for _ in range(3))
        mean = np.full(shape[1:], np.nan)
        tried, reason = (np.full(panel.series_count, "", dtype=object) for _ in range(2))
        for group in groups:
            chosen, places = group.chosen(), np.arange(len(group.rows))
            mean[group.rows] = group.test.final[chosen, places]
            past[:, group.rows] = group.test.past[:, chosen, places]
            actual[:, group.rows] = group.test.actual
            asked[:, group.rows] = group.test.asked
            tried[group.rows] = np.array(group.test.models, dtype=object)[chosen]
            reason[group.rows] = _reasons(group)
        return cls(mean, past, actual, asked, tried, reason, origins)


def _bands(
    panel: Panel, steps: Sequence[Step], said: _Said, past: np.ndarray, mean: np.ndarray
) -> Intervals:
    """Intervals from the windows, and from when the feast ahead was last kept."""
    hard = features.eventful(panel, usually_open(panel))
    windows = [hard[:, n : n + panel.horizon] for n in said.origins]
    asked, days = said.asked, np.stack(windows) if windows else np.empty(past.shape, dtype=bool)
    feast = same_feast(panel, said.tried, demand_drawn(panel), hard)
    if feast is not None:
        past = np.concatenate([past, agreed(feast.past, steps)])
        asked = np.concatenate([asked, feast.asked])
        days = np.concatenate([days, ~np.isnan(feast.asked)])
    eventful = Eventful(days, hard[:, panel.day_count :])
    made = intervals(panel.segments, past, asked, mean, eventful)
    return replace(made, final=np.minimum(made.final, room_ahead(panel)[:, None]))


def _group(
    panel: Panel, rows: np.ndarray, names: tuple[str, ...], windows: int, tell: Progress
) -> Group:
    test = run_backtest(panel.only(rows), names, windows=windows, tell=tell)
    return Group(rows, test, scores(test), choose(test))


def _reasons(group: Group) -> list[str]:
    segments = group.test.panel.segments
    return [
        series_reason(group.choices[one], group.scores.wape[:, n], group.test.models)
        for n, one in enumerate(segments)
    ]


def _outcomes(panel: Panel, actual: np.ndarray) -> np.ndarray:
    known = ~np.isnan(panel.values)
    zero = known.any(axis=1) & ~(np.nan_to_num(panel.values) != 0).any(axis=1)
    short = (panel.day_count - panel.first_index < SHORT_DAYS) | np.isnan(actual).all(axis=(0, 2))
    found = np.select([~known.any(axis=1), zero, short], [EMPTY, ALL_ZERO, SHORT], FORECAST)
    return found.astype(object)


def _fill(
    panel: Panel, mean: np.ndarray, outcome: np.ndarray, model: np.ndarray, reason: np.ndarray
) -> None:
    """Numbers where the model has none: 0 for a series that never sold, else the plain mean."""
    shut = panel.closed[:, panel.day_count :]
    mean[outcome == ALL_ZERO] = 0.0
    for n in np.flatnonzero(np.isnan(mean).any(axis=1) & np.isin(outcome, [SHORT, FORECAST])):
        plain = np.nanmean(panel.values[n, -SHORT_DAYS:]) if _has_recent(panel, n) else 0.0
        mean[n] = np.where(np.isnan(mean[n]), np.where(shut[n], 0.0, plain), mean[n])
        reason[n] = f"the mean of the last {SHORT_DAYS} days: too little history for {model[n]}"
        model[n] = "mean"


def _has_recent(panel: Panel, n: int) -> bool:
    return bool((~np.isnan(panel.values[n, -SHORT_DAYS:])).any())
