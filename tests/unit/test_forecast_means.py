"""The means that every model has to beat, worked out by hand."""

from datetime import date

import numpy as np
import pytest
from forecast_panels import NAN, panel, same, scrambled_after, shops

from dagster_project.core.forecasting.engine.means import (
    MEAN_DAYS,
    WeekdayPromotionMeans,
    seasonal_naive,
    seasonal_naive_14,
    weekday_promotion_mean,
)
from dagster_project.core.forecasting.engine.panel import Panel

ALL = [seasonal_naive, seasonal_naive_14, weekday_promotion_mean]


def weeks(*amounts: float) -> np.ndarray:
    """Weeks whose days all have the same amount."""
    return np.repeat(np.array(amounts, dtype=float), 7)


def test_last_week_comes_again_day_by_day() -> None:
    found = seasonal_naive(panel(np.arange(1.0, 15.0), horizon=10))

    assert found.tolist() == [[8, 9, 10, 11, 12, 13, 14, 8, 9, 10]]


def test_a_history_that_is_no_whole_number_of_weeks_keeps_its_weekdays() -> None:
    # Nine days from a Thursday on: the next day is a Saturday, as day 3 was.
    view = panel(np.arange(1.0, 10.0), horizon=7, first=date(2024, 1, 4))

    assert seasonal_naive(view).tolist() == [[3, 4, 5, 6, 7, 8, 9]]


def test_where_last_week_has_no_value_the_one_before_is_taken() -> None:
    values = np.arange(1.0, 22.0)
    values[[14, 15, 8]] = NAN  # the last Monday, and the last two Tuesdays

    assert seasonal_naive(panel(values)).tolist() == [[8, 2, 17, 18, 19, 20, 21]]


def test_a_weekday_never_traded_takes_the_mean_of_all_days() -> None:
    values = np.array([1.0, 2, 3, 4, 5, 9, NAN])

    assert seasonal_naive(panel(values)).tolist() == [[1, 2, 3, 4, 5, 9, 4]]


def test_the_last_fortnight_comes_again() -> None:
    found = seasonal_naive_14(panel(np.arange(1.0, 29.0), horizon=16))

    assert found.tolist() == [[*range(15, 29), 15, 16]]


def test_the_mean_is_by_weekday_and_promotion() -> None:
    # Twelve weeks, 10 a day, 20 on offer: every other week; Sundays half of it.
    week = np.arange(91) // 7
    promotion = (week % 2 == 1).astype(float)
    values = np.where(promotion > 0, 20.0, 10.0) * np.where(np.arange(91) % 7 == 6, 0.5, 1.0)

    found = weekday_promotion_mean(panel(values[:84], promotion=promotion))

    assert found.tolist() == [[10, 10, 10, 10, 10, 10, 5]]
    planned = np.concatenate([promotion[:84], np.ones(7)])
    found = weekday_promotion_mean(panel(values[:84], promotion=planned))
    assert found.tolist() == [[20, 20, 20, 20, 20, 20, 10]]


def test_days_before_the_last_84_count_for_nothing() -> None:
    values = np.concatenate([np.full(140, 1e6), np.full(MEAN_DAYS, 3.0)])

    assert weekday_promotion_mean(panel(values)).tolist() == [[3] * 7]


def test_a_pair_not_seen_takes_its_weekday_and_a_weekday_not_seen_all_days() -> None:
    values = weeks(4, 8)
    values[[6, 13]] = NAN  # no Sunday
    ahead = np.zeros(21)
    ahead[14] = 1  # an offer on a Monday, of which nothing is known

    found = weekday_promotion_mean(panel(values, promotion=ahead))

    assert found == pytest.approx(6.0)


def test_a_table_from_an_earlier_day_knows_only_what_was_before_it() -> None:
    view = shops()
    promoted, later = view.promotion > 0, scrambled_after(view, 200).values

    tables = [
        WeekdayPromotionMeans.of(values, promoted, view.weekdays, 200)
        for values in (view.values, later)
    ]

    assert same(*[one.at(slice(200, 214)) for one in tables])


@pytest.mark.parametrize("model", ALL)
def test_a_series_without_a_value_is_nan_and_leaves_the_others(model: object) -> None:
    view = panel(np.stack([np.full(90, NAN), np.arange(90.0), np.zeros(90)]))

    found = model(view)

    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1:]).all()
    assert (found[2] == 0).all()
    assert same(found[1:], model(view.only([1, 2])))


@pytest.mark.parametrize("model", ALL)
def test_one_day_of_history_is_the_forecast(model: object) -> None:
    assert model(panel(np.array([5.0]))).tolist() == [[5] * 7]


@pytest.mark.parametrize("model", ALL)
def test_nothing_after_the_last_day_is_read(model: object) -> None:
    view: Panel = shops()

    assert same(model(view.until(250)), model(scrambled_after(view, 250).until(250)))
