"""Closed days ahead that the past tells of."""

from dataclasses import replace
from datetime import date

import numpy as np
from forecast_panels import NAN, panel, same, scrambled_after, shops

from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.weeks import closed_ahead, usually_open, view_at

SUNDAY = 6


def trading(days: int, *closed: int, weekday: int | None = None) -> np.ndarray:
    """(days,) 10 a day from a Monday on; NaN on the days named and on a weekday."""
    number = np.arange(days)
    shut = np.isin(number, closed) | (number % 7 == (-1 if weekday is None else weekday))
    return np.where(shut, NAN, 10.0)


def seen(values: np.ndarray, *, horizon: int = 14, first: date = date(2024, 1, 1)) -> Panel:
    """A panel whose closed days are those without a value; none are announced."""
    values = np.array(values, ndmin=2)
    closed = np.zeros((len(values), values.shape[1] + horizon), dtype=bool)
    closed[:, : values.shape[1]] = np.isnan(values)
    return panel(values, horizon=horizon, closed=closed, first=first, announced=False)


def test_a_weekday_without_trade_for_eight_weeks_is_a_day_of_rest() -> None:
    view = seen(trading(140, weekday=SUNDAY))

    assert np.flatnonzero(closed_ahead(view)[0]).tolist() == [6, 13]
    assert usually_open(view)[0, :7].tolist() == [True] * 6 + [False]


def test_one_sunday_of_trade_in_eight_weeks_makes_sundays_open() -> None:
    values = trading(140, weekday=SUNDAY)
    values[139 - 7 * 7] = 10.0
    assert not closed_ahead(seen(values)).any()

    values[139 - 7 * 7], values[139 - 8 * 7] = NAN, 10.0  # nine weeks ago

    assert closed_ahead(seen(values))[0, 6]


def test_a_series_of_less_than_four_weeks_has_no_day_of_rest_yet() -> None:
    young, older = trading(140, weekday=SUNDAY), trading(140, weekday=SUNDAY)
    young[: 140 - 27] = NAN
    older[: 140 - 28] = NAN

    found = closed_ahead(seen(np.stack([young, older])))

    assert not found[0].any()
    assert found[1, 6]


def test_a_feast_on_which_the_shop_never_traded_is_closed_again() -> None:
    # Two years from 23 December 2023: Christmas 2023 is too near the start to be judged.
    first = date(2023, 12, 4)
    days = (date(2024, 12, 20) - first).days
    feast = (date(2023, 12, 25) - first).days
    shut, open_ = trading(days, feast), trading(days)

    found = closed_ahead(seen(np.stack([shut, open_]), first=first))

    ahead = (date(2024, 12, 25) - date(2024, 12, 20)).days
    assert np.flatnonzero(found[0]).tolist() == [ahead]
    assert not found[1].any()


def test_a_closure_of_several_days_around_a_feast_is_not_the_feast_s() -> None:
    first = date(2023, 12, 4)
    days = (date(2024, 12, 20) - first).days
    feast = (date(2023, 12, 25) - first).days

    found = closed_ahead(seen(trading(days, feast, feast + 1, feast + 2), first=first))

    assert not found.any()


def test_a_shop_that_traded_on_one_of_two_past_dates_of_a_feast_trades() -> None:
    first = date(2022, 12, 5)
    days = (date(2024, 12, 20) - first).days
    feasts = [(date(year, 12, 25) - first).days for year in (2022, 2023)]

    once = closed_ahead(seen(trading(days, feasts[0]), first=first))
    twice = closed_ahead(seen(trading(days, *feasts), first=first))

    assert not once.any()
    assert twice.any()


def test_announced_closures_are_taken_as_they_are() -> None:
    whole = shops()

    assert same(view_at(whole, 200).closed, whole.closed[:, :214])


def test_without_announcements_a_closure_to_come_is_not_known_before_it_came() -> None:
    values = trading(140, 120, 121, weekday=SUNDAY)

    view = view_at(seen(values), 112)

    assert np.flatnonzero(view.closed[0, 112:]).tolist() == [6, 13]
    assert (view.closed[0, :112] == np.isnan(values[:112])).all()


def test_what_is_known_of_days_ahead_does_not_change_with_later_days() -> None:
    values = np.stack([trading(200, weekday=SUNDAY), trading(200), trading(200, 30, 31)])
    whole = seen(values)
    other = scrambled_after(whole, 150)
    # Closed days are what was seen: they are others, too.
    closed = whole.closed.copy()
    closed[:, 150:200] = np.isnan(other.values[:, 150:])
    other = replace(other, closed=closed)

    for origin in (80, 120, 150):
        first, second = view_at(whole, origin), view_at(other, origin)
        assert same(first.closed, second.closed)
        assert same(first.values, second.values)
        assert same(usually_open(first), usually_open(second))
