"""Boosted trees (LightGBM) over all series at once, told of each day what is known ahead of it.

Belongs here: the training rows, the fit, the forecast. Does not: which model is kept.

The trees learn by how much a day departs from its series' weekday × promotion mean of the 84 days
before the origin, in logarithms: what one shop has not seen yet, the others have. Training rows
come from earlier origins, each with what was known then, so a row looks like the days ahead do.
LightGBM is an extra; without it the forecast is made without this model.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from dagster_project.core.forecasting.engine import features, prophet
from dagster_project.core.forecasting.engine.means import MEAN_DAYS, WeekdayPromotionMeans
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.weeks import usually_open

ROW_COUNT = 120_000  # at most; 1,000 series of 2.5 years have a million days
SMALLEST_ROW_COUNT = 500  # fewer teach the trees nothing that the mean does not know
ORIGIN_STEP = 7
YEAR = 364  # the same weekday a year before
SEASON_FROM_DAYS = 730
LEVEL_DAYS = (7, 14, 28, 84)
CLIP = 1.5  # logarithm: a day 4.5 times or a fifth of the usual teaches no more than that
TREES = {
    "objective": "regression",
    "learning_rate": 0.06,
    "num_leaves": 31,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 127,
    "num_threads": 1,
    "seed": 20260101,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
ROUNDS = 150


def is_available() -> bool:
    """Whether LightGBM is installed."""
    return find_spec("lightgbm") is not None


def forecast(view: Panel) -> np.ndarray:
    """(N, H) expected amounts; NaN rows where no weekday mean can be made.

    Raises ImportError without LightGBM. All NaN when there is too little history to learn from.
    """
    import lightgbm

    result = np.full((view.series_count, view.horizon), np.nan)
    plan = training_plan(view)
    if not plan:
        return result
    known = _Known.of(view)
    trained = _joined([known.rows(origin, members) for origin, members in plan])
    if len(trained.target) < SMALLEST_ROW_COUNT:
        return result
    data = lightgbm.Dataset(
        trained.columns, trained.target, categorical_feature=list(CATEGORIES), free_raw_data=True
    )
    booster = lightgbm.train(TREES, data, num_boost_round=ROUNDS)
    fitted = booster.predict(trained.columns, num_threads=1)
    smearing = _smearing(view.series_count, trained, np.exp(fitted))
    ahead = known.rows(view.day_count, np.arange(view.series_count))
    departure = booster.predict(ahead.columns, num_threads=1).reshape(result.shape)
    return ahead.base.reshape(result.shape) * np.exp(departure) * smearing[:, None]


def training_plan(view: Panel) -> list[tuple[int, np.ndarray]]:
    """Earlier origins whose whole horizon has come, each with the series it teaches of.

    Every week is an origin; where that is more than ROW_COUNT rows, each takes the next series in
    turn, so that all of them are heard equally often.
    """
    origins = range(view.day_count - view.horizon, MEAN_DAYS // 2, -ORIGIN_STEP)
    count = view.series_count
    if not origins:
        return []
    each = min(count, max(1, ROW_COUNT // (len(origins) * view.horizon)))
    order = np.random.default_rng(TREES["seed"]).permutation(count)
    turns = np.resize(order, each * len(origins)).reshape(-1, each)
    return [(origin, np.sort(turn)) for origin, turn in zip(origins, turns, strict=True)]


@dataclass(frozen=True)
class _Rows:
    """Rows of one or several origins: (rows, features), what came, and whose it is."""

    columns: np.ndarray
    target: np.ndarray  # log(amount / base), NaN where nothing was sold
    amount: np.ndarray
    base: np.ndarray
    series: np.ndarray

    def only(self, chosen: np.ndarray) -> _Rows:
        """Some of the rows."""
        return _Rows(*[getattr(self, name)[chosen] for name in vars(self)])


CATEGORIES = (0, 1, 2)  # weekday, next feast, last feast


@dataclass(frozen=True)
class _Known:
    """What all origins share: sums to take means from, and the calendar's columns."""

    view: Panel
    sums: np.ndarray  # (N, T + 1) running sums of amounts
    counts: np.ndarray  # (N, T + 1) running number of days with an amount
    calendar: np.ndarray  # (N, T + H, F)
    seasons: np.ndarray  # (N, T + H) what the segment's Prophet says of feasts and the year

    @classmethod
    def of(cls, view: Panel) -> _Known:
        known = ~np.isnan(view.values)
        zeros = np.zeros((view.series_count, 1))
        sums = np.cumsum(np.hstack([zeros, np.where(known, view.values, 0.0)]), axis=1)
        counts = np.cumsum(np.hstack([zeros, known]), axis=1)
        return cls(view, sums, counts, _calendar_columns(view), prophet.seasons(view))

    def rows(self, origin: int, members: np.ndarray) -> _Rows:
        """One row per series and day of the horizon after an origin; past days need an amount."""
        horizon, days = self.view.horizon, self.view.day_count
        past = max(0, min(horizon, days - origin))
        promoted = self.view.promotion[members] > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            own, base = self._own_columns(origin, members, promoted)
            amount = np.full((len(members), horizon), np.nan)
            amount[:, :past] = self.view.values[members, origin : origin + past]
            target = _departure(amount, base)
        shared = self.calendar[members, origin : origin + horizon]
        columns = np.concatenate([shared, own], axis=2).reshape(-1, shared.shape[2] + own.shape[2])
        series = np.repeat(members, horizon)
        made = _Rows(columns, target.ravel(), amount.ravel(), base.ravel(), series)
        return made.only(~np.isnan(made.target)) if past == horizon else made

    def _mean(self, members: np.ndarray, start: int, end: int) -> np.ndarray:
        """(n,) mean of the days from start up to end; NaN where none has an amount."""
        start, end = max(start, 0), max(end, 0)
        count = self.counts[members, end] - self.counts[members, start]
        total = self.sums[members, end] - self.sums[members, start]
        return np.divide(total, count, out=np.full(len(members), np.nan), where=count > 0)

    def _own_columns(
        self, origin: int, members: np.ndarray, promoted: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(n, H, F) the series' own past, and (n, H) the base that they are told against."""
        horizon, weekdays = self.view.horizon, self.view.weekdays
        values = self.view.values[members]
        shape = (len(members), horizon)
        table = WeekdayPromotionMeans.of(values, promoted, weekdays, origin)
        base = table.at(slice(origin, origin + horizon))
        window = slice(max(0, origin - MEAN_DAYS), origin)
        apart = _departure(values[:, window], table.at(window))
        lately = [_row_mean(apart[:, -days:]) for days in LEVEL_DAYS]
        chain = [np.full(len(members), _row_mean(one[None])[0]) for one in lately[:2]]
        long = self._mean(members, origin - MEAN_DAYS, origin)
        half_year = self._mean(members, origin - 182, origin - MEAN_DAYS)
        levels = [*lately, *chain, np.log(long / half_year)]
        columns = [np.broadcast_to(one[:, None], shape) for one in levels]
        columns.append(np.log(base / long[:, None]))
        columns.append(np.broadcast_to(np.arange(1.0, horizon + 1), shape))
        year = self._year_before(values, promoted, origin)
        columns += [year, np.broadcast_to(_row_mean(year.T), shape)]
        columns.append(self._season(origin, members))
        return np.stack(columns, axis=2), base

    def _season(self, origin: int, members: np.ndarray) -> np.ndarray:
        """(n, H) how feasts and the year lift the day above the 84 days before the origin."""
        past = slice(max(0, origin - MEAN_DAYS), origin)
        traded = ~np.isnan(self.view.values[members, past])
        before = _row_mean(np.where(traded, self.seasons[members, past], np.nan))
        return self.seasons[members, origin : origin + self.view.horizon] - before[:, None]

    def _year_before(self, values: np.ndarray, promoted: np.ndarray, origin: int) -> np.ndarray:
        """(n, H) how the days around the one a year before departed from what was usual then."""
        horizon, before = self.view.horizon, origin - YEAR
        if before < MEAN_DAYS:
            return np.full((len(values), horizon), np.nan)
        table = WeekdayPromotionMeans.of(values, promoted, self.view.weekdays, before)
        days = slice(before, before + horizon)
        came = _departure(values[:, days], table.at(days))
        around = [_row_mean(came[:, max(0, n - 2) : n + 3]) for n in range(horizon)]
        return np.stack(around, axis=1)


def _departure(values: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Logarithm of what came over what is usual, within what one day can teach."""
    return np.clip(np.log(np.maximum(values, 0.05 * usual) / usual), -CLIP, CLIP)


def _row_mean(values: np.ndarray) -> np.ndarray:
    """(N,) mean of the numbers in each row; NaN where there is none."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def _calendar_columns(view: Panel) -> np.ndarray:
    """(N, T + H, F) what is known ahead of every day, whatever was sold."""
    count, days = view.series_count, view.day_count + view.horizon
    number, left = features.day_of_month(view)
    columns: list[np.ndarray] = [np.broadcast_to(view.weekdays.astype(float), (count, days))]
    columns += _feast_columns(view)
    columns += [np.broadcast_to(one, (count, days)) for one in (number, left)]
    if view.day_count >= SEASON_FROM_DAYS:
        columns.append(np.broadcast_to(features.season(view), (count, days)))
    for regressor in view.regressors.values():
        columns += [regressor, _moved(regressor, 1), _moved(regressor, -1)]
    columns += features.closure_edges(view.closed, usually_open(view))
    return np.stack([np.asarray(one, dtype=float) for one in columns], axis=2)


def _feast_columns(view: Panel) -> list[np.ndarray]:
    """Next feast, last feast, days to and days since, each (N, T + H)."""
    shape = (4, view.series_count, view.day_count + view.horizon)
    columns = np.empty(shape)
    for countries in sorted(set(view.countries)):
        rows = [n for n, one in enumerate(view.countries) if one == countries]
        found = features.feast_distance(view, countries)
        columns[:, rows] = np.stack(
            [found.next_feast, found.last_feast, found.days_to, found.days_since]
        )[:, None, :]
    return list(columns)


def _moved(values: np.ndarray, days: int) -> np.ndarray:
    """The value of the day before (days = 1) or after (days = -1); that of the edge beyond it."""
    moved = np.roll(values, days, axis=1)
    edge = 0 if days > 0 else -1
    moved[:, edge] = values[:, edge]
    return moved


def _joined(blocks: list[_Rows]) -> _Rows:
    names = ("columns", "target", "amount", "base", "series")
    return _Rows(*[np.concatenate([getattr(one, name) for one in blocks]) for name in names])


def _smearing(count: int, rows: _Rows, factor: np.ndarray) -> np.ndarray:
    """(N,) mean over median of each series: sums of what came over what the trees say (Duan)."""
    came = np.bincount(rows.series, rows.amount, count)
    said = np.bincount(rows.series, rows.base * factor, count)
    ratio = np.divide(came, said, out=np.ones(count), where=(said > 0) & (came > 0))
    return np.clip(ratio, 0.7, 1.5)
