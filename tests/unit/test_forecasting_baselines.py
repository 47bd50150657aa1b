"""The forecasts that need no model, worked out by hand."""

import numpy as np
import pytest

from dagster_project.core.forecasting.baselines import seasonal_naive, weekday_promotion_mean
from dagster_project.core.forecasting.errors import SeriesError

NAN = float("nan")


def test_the_seasonal_naive_repeats_the_last_week():
    amounts = np.array([1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15, 16, 17], dtype=float)

    forecast = seasonal_naive(amounts, 9)

    assert forecast.tolist() == [11, 12, 13, 14, 15, 16, 17, 11, 12]


def test_the_seasonal_naive_goes_one_week_back_for_a_day_without_trade():
    amounts = np.array([1, 2, 3, 4, 5, 6, 7, 11, NAN, 13, 14, 15, 16, 17])

    assert seasonal_naive(amounts, 7).tolist() == [11, 2, 13, 14, 15, 16, 17]


def test_the_seasonal_naive_takes_the_mean_for_a_weekday_never_traded():
    amounts = np.array([10, NAN, 20, 20, 20, 20, 30, 10, NAN, 20, 20, 20, 20, 30])

    assert seasonal_naive(amounts, 2).tolist() == [10, 20]  # (10 + 4 × 20 + 30) / 6 = 20


def test_the_weekday_mean_counts_the_last_84_days_only():
    weekdays = np.arange(84 + 7 + 7) % 7
    amounts = np.concatenate([np.full(7, 1000.0), np.repeat([10.0, 20.0], 42)])

    forecast = weekday_promotion_mean(amounts, weekdays, np.zeros(98, dtype=bool), 7)

    assert forecast.tolist() == [15.0] * 7  # six weeks at 10 and six at 20; 1000 is too old


def test_days_on_promotion_have_a_mean_of_their_own():
    weekdays = np.arange(35) % 7
    promoted = np.zeros(35, dtype=bool)
    promoted[[0, 7, 28]] = True
    amounts = np.full(28, 10.0)
    amounts[[0, 7]] = [30.0, 50.0]  # Mondays on promotion
    amounts[[14, 21]] = [8.0, 12.0]  # Mondays without

    forecast = weekday_promotion_mean(amounts, weekdays, promoted, 7)

    assert forecast.tolist() == [40.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0]


def test_a_promoted_weekday_never_seen_takes_its_weekdays_mean():
    weekdays = np.arange(21) % 7
    promoted = np.zeros(21, dtype=bool)
    promoted[14] = True
    amounts = np.array([1, 5, 5, 5, 5, 5, 5, 3, 5, 5, 5, 5, 5, 5], dtype=float)

    assert weekday_promotion_mean(amounts, weekdays, promoted, 2).tolist() == [2.0, 5.0]


def test_a_series_that_never_traded_has_no_seasonal_naive():
    with pytest.raises(SeriesError, match="no day with sales up to the origin"):
        seasonal_naive(np.full(14, NAN), 7)


def test_a_series_without_trade_for_84_days_has_no_weekday_mean():
    amounts = np.concatenate([np.full(7, 10.0), np.full(84, NAN)])

    with pytest.raises(SeriesError, match="no day with sales in the last 84 days"):
        weekday_promotion_mean(amounts, np.arange(98) % 7, np.zeros(98, dtype=bool), 7)
