"""The forecasts that anybody could make without a model: what every other one has to beat.

All take a view of a panel and return (series, horizon); a row of NaN where nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.core.forecasting.engine.panel import WEEK, Panel

MEAN_DAYS = 84  # twelve of each weekday: the baseline of the design's comparison


def seasonal_naive(view: Panel) -> np.ndarray:
    """The same weekday of the last week; where it has no value, of the week before, and so on.

    A weekday that never had a value takes the mean of all days.
    """
    return _last_period(view, WEEK)


def seasonal_naive_14(view: Panel) -> np.ndarray:
    """The same day of the last fortnight; for shops whose plans alternate by the week."""
    return _last_period(view, 2 * WEEK)


def weekday_promotion_mean(view: Panel) -> np.ndarray:
    """Mean of the last 84 days by weekday × on promotion or not.

    A pair that was not seen takes its weekday's mean, a weekday that was not seen the mean of all
    days.
    """
    days = view.day_count
    table = WeekdayPromotionMeans.of(view.values, view.promotion > 0, view.weekdays, days)
    return table.at(slice(days, days + view.horizon))


@dataclass(frozen=True)
class WeekdayPromotionMeans:
    """Means of each series by weekday × on promotion or not, taken from 84 days."""

    on: np.ndarray  # (N, 7)
    off: np.ndarray  # (N, 7)
    promoted: np.ndarray  # (N, D) bool
    weekdays: np.ndarray  # (D,)

    @classmethod
    def of(
        cls, values: np.ndarray, promoted: np.ndarray, weekdays: np.ndarray, origin: int
    ) -> WeekdayPromotionMeans:
        """From the 84 days before ``origin``; values (N, T), promotions and weekdays ahead too."""
        past = slice(max(0, origin - MEAN_DAYS), origin)
        seen, on_offer, days = values[:, past], promoted[:, past], weekdays[past]
        of_weekday = (days[:, None] == np.arange(WEEK)).astype(float)  # (84, 7)
        known = ~np.isnan(seen)
        amounts = np.where(known, seen, 0.0)
        on = [np.where(on_offer, one, 0.0) @ of_weekday for one in (amounts, known)]
        every = [one @ of_weekday for one in (amounts, known.astype(float))]
        total = _ratio(every[0].sum(axis=1), every[1].sum(axis=1))
        by_weekday = _first_known(_ratio(*every), total[:, None])
        return cls(
            on=_first_known(_ratio(*on), by_weekday),
            off=_first_known(_ratio(every[0] - on[0], every[1] - on[1]), by_weekday),
            promoted=promoted,
            weekdays=weekdays,
        )

    def at(self, days: slice) -> np.ndarray:
        """(N, days) the mean that goes with each day."""
        weekdays = self.weekdays[days]
        return np.where(self.promoted[:, days], self.on[:, weekdays], self.off[:, weekdays])


def _ratio(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def _first_known(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(first), second, first)


def _last_period(view: Panel, period: int) -> np.ndarray:
    """(N, H) the last value at the same place of the period."""
    count, days = view.values.shape
    whole = -(-days // period) * period
    padded = np.full((count, whole), np.nan)
    padded[:, whole - days :] = view.values
    periods = padded.reshape(count, -1, period)
    known = ~np.isnan(periods)
    last = known.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    picked = np.take_along_axis(periods, last[:, None, :], axis=1)[:, 0]
    mean = _ratio(np.nansum(view.values, axis=1), (~np.isnan(view.values)).sum(axis=1))
    picked = np.where(known.any(axis=1), picked, mean[:, None])
    return np.tile(picked, -(-view.horizon // period))[:, : view.horizon]
