"""Tickets of films: weeks since release, weekday, slots of the shows, never more than the seats.

Belongs here: the regression over all films, each film's own level and decay, the cap by seats.
Does not: which shows there will be (``film_programme``).

One log-linear regression teaches what all films share: the weekday, holidays, how a film fades by
the week, what more shows and later ones bring. What is left of a film's own days tells its level,
by how much faster or slower it fades and what its weekdays are to the others', all drawn towards
the others' the fewer its days are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from scipy.special import ndtr

from dagster_project.core.forecasting.engine.film_programme import Programme
from dagster_project.core.forecasting.engine.panel import WEEK, Panel
from dagster_project.core.forecasting.events import feast_days

OLDEST_WEEK = 12  # a film that is older fades no further by its age
FULL_SHARE = 0.97  # of the seats: who came later found none
FILL_ROUNDS = 3  # of full days, by what the others would have had; moves little after that
HALF_LIFE_DAYS = 14  # of what a film's past days tell of its level
WEEKDAY_DAYS = 3  # of one weekday, from which it is told how films differ in it
RECENT_DAYS = 98  # from which the mean over the median is told
SLOPE_DAYS = 21  # days with tickets from which a film's own fading is told
SPREAD_ROUNDS = 2  # what is chance is known once films' own fading is, and that by what is chance
LEAST_SPREAD = 0.05
LARGEST_SLOT = 1.5  # logarithm, of a slot's tickets per show over another's
MOST_GROWTH = 3.0  # of a day over all that the film ever sold on one
RIDGE = 1.0
HOLIDAY, AGE, AGE_LOG, OPENING, SHOWS, EVENING, LATE = range(WEEK - 1, WEEK + 6)
COLUMN_COUNT = LATE + 1


def forecast(view: Panel) -> np.ndarray:
    """(N, H) expected tickets; 0 for a film that has ended, NaN for one that has not begun.

    Where the panel tells nothing of shows, a day with tickets is taken for one show.
    """
    programme = Programme.of(view)
    begun = ~np.isnan(view.values).all(axis=1)
    days = _Days.of(view, programme)
    if not len(days.row):
        return np.where(begun[:, None], 0.0, np.full((view.series_count, view.horizon), np.nan))
    fit = _Fit.of(view, days)
    ahead = programme.ahead(float(fit.effects[SHOWS]))
    row, step = (one.ravel() for one in np.indices(ahead.seats.shape))
    columns = _columns(view, row, view.day_count + step, ahead.shows[row, step])
    middle = fit.middle(view, row, view.day_count + step, columns)
    expected = fit.smearing * middle.reshape(ahead.seats.shape)
    expected = np.minimum(expected, MOST_GROWTH * _most(days, view.series_count)[:, None])
    made = _capped(expected, ahead.shows, ahead.seats, fit) * ahead.kept
    return np.where(begun[:, None], np.where(ahead.shows.sum(axis=2) > 0, made, 0.0), np.nan)


@dataclass(frozen=True)
class _Days:
    """Days of films with tickets: parallel arrays."""

    row: np.ndarray
    day: np.ndarray
    tickets: np.ndarray
    shows: np.ndarray  # (D, slots)
    seats: np.ndarray  # inf where they are not known
    columns: np.ndarray  # (D, F)
    last_day: np.ndarray  # (N,) of each film

    @property
    def weeks(self) -> np.ndarray:
        """(D,) from the film's last day back to each, 0 or less."""
        return (self.day - self.last_day[self.row]) / WEEK

    @classmethod
    def of(cls, view: Panel, programme: Programme) -> _Days:
        past = programme.shows[:, : view.day_count]
        row, day = np.nonzero((np.nan_to_num(view.values) > 0) & (past.sum(axis=2) > 0))
        columns = _columns(view, row, day, past[row, day])
        seats = np.where(programme.seats > 0, programme.seats, np.inf)[row, day]
        last_day = np.zeros(view.series_count, dtype=int)
        np.maximum.at(last_day, row, day)
        return cls(row, day, view.values[row, day], past[row, day], seats, columns, last_day)


@dataclass(frozen=True)
class _Fit:
    """What all films share, and each film's own."""

    effects: np.ndarray  # (F,)
    last_day: np.ndarray  # (N,) with tickets
    level: np.ndarray  # (N,) logarithm, on that day
    slope: np.ndarray  # (N,) further logarithm a week
    weekday: np.ndarray  # (N, 7) further logarithm of the film's own weekdays
    spread: float  # standard deviation of a day's logarithm
    smearing: float  # mean over median

    @classmethod
    def of(cls, view: Panel, days: _Days) -> _Fit:
        count = view.series_count
        sold = np.log(days.tickets)
        full = days.tickets >= FULL_SHARE * days.seats
        wanted = sold
        for _ in range(FILL_ROUNDS if full.any() else 1):
            effects = _within(days, wanted, count)
            left = wanted - days.columns @ effects
            means = _mean(days.row, left, count)
            usual = days.columns @ effects + means[days.row]
            wanted = np.where(full, np.maximum(sold, usual), sold)
        left = wanted - days.columns @ effects
        rest, spread = left, _spread(days, left, count)
        for _ in range(SPREAD_ROUNDS):
            level, slope = _own(view, days, left, spread)
            rest = left - slope[days.row] * days.weeks
            spread = _spread(days, rest, count)
        weekday = _own_weekdays(view, days, rest, spread)
        fit = cls(effects, days.last_day, level, slope, weekday, spread, 1.0)
        return replace(fit, smearing=_smearing(view, days, fit))

    def middle(
        self, view: Panel, row: np.ndarray, day: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        """(D,) median of the demand of each day of a film."""
        weeks = np.minimum(day - self.last_day[row], view.horizon) / WEEK
        own = self.level[row] + self.slope[row] * weeks + self.weekday[row, view.weekdays[day]]
        return np.exp(columns @ self.effects + own)


def _columns(view: Panel, row: np.ndarray, day: np.ndarray, shows: np.ndarray) -> np.ndarray:
    """(D, F) what is known of each day of a film, whatever was sold; ``shows`` (D, slots)."""
    weekday, total = view.weekdays[day], shows.sum(axis=1)
    age = np.minimum(_ages(view)[row, day], OLDEST_WEEK)
    columns = np.zeros((len(row), COLUMN_COUNT))
    columns[:, : WEEK - 1] = weekday[:, None] == np.arange(1, WEEK)  # against Monday
    columns[:, HOLIDAY] = _holidays(view)[row, day]
    columns[:, AGE] = age
    columns[:, AGE_LOG] = np.log1p(age)
    columns[:, OPENING] = age == 0
    columns[:, SHOWS] = np.log(np.maximum(total, 1.0))
    share = _shares(shows)
    columns[:, EVENING], columns[:, LATE] = share[:, 1], share[:, 2]
    return columns


def _ages(view: Panel) -> np.ndarray:
    """(N, T + H) whole weeks since release, or since the series' own first day."""
    told = view.regressors.get("weeks_since_start")
    if told is not None:
        return told
    days = np.arange(view.day_count + view.horizon)
    return np.maximum((days - view.first_index[:, None]) // WEEK, 0).astype(float)


def _holidays(view: Panel) -> np.ndarray:
    """(N, T + H) whether the day is a feast or a public holiday of the cinema's country."""
    found = np.zeros((view.series_count, view.day_count + view.horizon))
    last = view.day(found.shape[1] - 1)
    for countries in set(view.countries):
        rows = [n for n, one in enumerate(view.countries) if one == countries]
        dates = {day for _, day in feast_days(countries, view.calendar)}
        dates |= {
            one.day for one in view.calendar if any(held in countries for held, _ in one.holidays)
        }
        inside = [(one - view.first_date) // timedelta(1) for one in dates
                  if view.first_date <= one <= last]  # fmt: skip
        found[np.ix_(rows, inside)] = 1.0
    return found


def _within(days: _Days, wanted: np.ndarray, count: int) -> np.ndarray:
    """(F,) effects of what changes within a film's life: its level says nothing of them."""
    centre = np.stack([_mean(days.row, one, count) for one in days.columns.T], axis=1)
    columns = days.columns - centre[days.row]
    target = wanted - _mean(days.row, wanted, count)[days.row]
    normal = columns.T @ columns + RIDGE * np.eye(COLUMN_COUNT)
    effects = np.linalg.solve(normal, columns.T @ target)
    effects[SHOWS] = np.clip(effects[SHOWS], 0.0, 1.0)  # a second show never sells above the first
    effects[[EVENING, LATE]] = np.clip(effects[[EVENING, LATE]], -LARGEST_SLOT, LARGEST_SLOT)
    return effects


def _spread(days: _Days, left: np.ndarray, count: int) -> float:
    """Standard deviation of a day's logarithm around its film's level."""
    freedom = max(len(left) - len(np.unique(days.row)) - COLUMN_COUNT, 1)
    around = left - _mean(days.row, left, count)[days.row]
    return max(float(np.sqrt((around**2).sum() / freedom)), LEAST_SPREAD)


def _own(
    view: Panel, days: _Days, left: np.ndarray, spread: float
) -> tuple[np.ndarray, np.ndarray]:
    """(N,) level and (N,) slope of each series: the mean of its posterior under normal priors.

    The priors' spread is that of the films among themselves; a series of another segment is none
    of their kind.
    """
    count, weeks = view.series_count, days.weeks
    usual = _segment_means(view, days, left)
    levels = _mean(days.row, left, count)
    seen = np.unique(days.row)
    level_spread = max(float(np.std(levels[seen] - usual[seen])), 0.1)
    slope_spread = _slope_spread(days, left, weeks, spread, count)
    weight = 0.5 ** (-weeks * WEEK / HALF_LIFE_DAYS) / spread**2
    apart = left - usual[days.row]

    def added(values: np.ndarray) -> np.ndarray:
        return np.bincount(days.row, weight * values, count)

    both = added(weeks)
    first = added(np.ones(len(weeks))) + 1 / level_spread**2
    second = added(weeks**2) + 1 / slope_spread**2
    right, turned = added(apart), added(weeks * apart)
    whole = first * second - both**2
    level = (second * right - both * turned) / whole
    slope = (first * turned - both * right) / whole
    return usual + level, slope


def _segment_means(view: Panel, days: _Days, left: np.ndarray) -> np.ndarray:
    """(N,) the mean level of the series of the same segment."""
    count = view.series_count
    names, segment = np.unique(np.array(view.segments), return_inverse=True)
    levels, seen = _mean(days.row, left, count), np.unique(days.row)
    means = _mean(segment[seen], levels[seen], len(names))
    return means[segment]


def _slope_spread(
    days: _Days, left: np.ndarray, weeks: np.ndarray, spread: float, count: int
) -> float:
    """By how much films differ in how fast they fade, beyond what chance makes of it."""
    x = weeks - _mean(days.row, weeks, count)[days.row]
    squares = np.bincount(days.row, x**2, count)
    told = np.bincount(days.row, minlength=count) >= SLOPE_DAYS
    if told.sum() < 2:
        return 0.05
    slopes = np.bincount(days.row, x * left, count)[told] / squares[told]
    beyond = float((slopes**2).mean() - (spread**2 / squares[told]).mean())
    return float(np.sqrt(max(beyond, 0.0025)))


def _own_weekdays(view: Panel, days: _Days, left: np.ndarray, spread: float) -> np.ndarray:
    """(N, 7) by how much a film's weekdays differ from the others', beyond what chance makes."""
    count = view.series_count
    cell = days.row * WEEK + view.weekdays[days.day]
    seen = np.bincount(cell, minlength=count * WEEK)
    apart = np.bincount(cell, left - _mean(days.row, left, count)[days.row], count * WEEK)
    told = seen >= WEEKDAY_DAYS
    if not told.any():
        return np.zeros((count, WEEK))
    chance = spread**2 / seen[told]
    differs = max(float(((apart[told] / seen[told]) ** 2).mean() - chance.mean()), 1e-6)
    return (apart / (seen + spread**2 / differs)).reshape(count, WEEK)


def _smearing(view: Panel, days: _Days, fit: _Fit) -> float:
    """What came over what the fit says of the same days, with the cap by seats."""
    recent = days.day >= view.day_count - RECENT_DAYS
    middle = fit.middle(view, days.row, days.day, days.columns)[recent]
    said = _capped(middle, days.shows[recent], days.seats[recent], fit).sum()
    if not said > 0:
        return 1.0
    return float(np.clip(days.tickets[recent].sum() / said, 0.7, 1.5))


def _capped(expected: np.ndarray, shows: np.ndarray, seats: np.ndarray, fit: _Fit) -> np.ndarray:
    """Mean of the smaller of demand and seats, slot by slot; seats of inf cap nothing.

    Demand is log-normal around what is expected. ``shows`` has a last axis of slots, among which
    seats are shared out by their number, and demand by what a show of the slot draws.
    """
    draw = shows * np.exp([0.0, fit.effects[EVENING], fit.effects[LATE]])
    demand = _shares(draw) * expected[..., None]
    room = _shares(shows) * np.where(np.isfinite(seats), seats, 0.0)[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.log(room / demand) / fit.spread
        low = demand * ndtr(z - fit.spread / 2)
        found = low + room * (1 - ndtr(z + fit.spread / 2))
    found = np.minimum(np.where(demand > 0, np.nan_to_num(found), 0.0), room).sum(axis=-1)
    return np.where(np.isfinite(seats), np.minimum(found, seats), expected)


def _shares(parts: np.ndarray) -> np.ndarray:
    return parts / np.maximum(parts.sum(axis=-1, keepdims=True), 1e-9)


def _most(days: _Days, count: int) -> np.ndarray:
    most = np.zeros(count)
    np.maximum.at(most, days.row, days.tickets)
    return most


def _mean(group: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """(count,) mean of each group's values; 0 where it has none."""
    held = np.bincount(group, minlength=count)
    return np.bincount(group, values, count) / np.maximum(held, 1)
