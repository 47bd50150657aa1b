"""The last complete business day."""

from datetime import date, time, timedelta

import pytest
from forecasting_marts import add_days, add_store, open_marts

from dagster_project.core.forecasting.origin import MarketDay, complete_day, last_complete_day

CLOSING = 21.5 * 3600
LAST = date(2017, 6, 30)


def market(last: MarketDay, lines: int = 100) -> list[MarketDay]:
    days = [LAST - timedelta(days=n) for n in range(60, 0, -1)]
    return [*(MarketDay(day, lines, CLOSING) for day in days), last]


@pytest.mark.parametrize(
    ("lines", "hour", "complete"),
    [
        pytest.param(100, 21.5, True, id="a day like the others"),
        pytest.param(50, 20.5, True, id="half the lines, an hour early: just enough"),
        pytest.param(49, 21.5, False, id="less than half of the lines"),
        pytest.param(100, 20.4, False, id="more than an hour before the earliest closing"),
    ],
)
def test_a_day_is_complete_when_it_looks_like_the_weeks_before(lines, hour, complete):
    expected = LAST if complete else LAST - timedelta(days=1)

    assert complete_day(market(MarketDay(LAST, lines, hour * 3600))) == expected


def test_the_first_day_of_a_market_is_taken_as_it_is():
    assert complete_day([MarketDay(LAST, 3, 3600.0)]) == LAST


def test_the_slowest_market_decides_and_an_ended_one_does_not():
    connection = open_marts()
    for store, country in ((1, "US"), (2, "GB"), (3, "CN")):
        add_store(connection, store, country=country)
    add_days(connection, 1, date(2017, 6, 1), [60.0] * 30)  # to 30 June
    add_days(connection, 2, date(2017, 6, 1), [60.0] * 28)  # to 28 June
    add_days(connection, 3, date(2017, 5, 1), [60.0] * 10)  # to 10 May: ended

    assert last_complete_day(connection) == date(2017, 6, 28)


def test_half_a_day_at_the_end_is_not_an_origin():
    connection = open_marts()
    add_store(connection, 1)
    add_days(connection, 1, date(2017, 6, 1), [60.0] * 29)
    add_days(connection, 1, LAST, [60.0], closing=time(13, 0))

    assert last_complete_day(connection) == date(2017, 6, 29)


def test_summer_time_is_no_early_closing():
    connection = open_marts()
    add_store(connection, 1)
    add_days(connection, 1, date(2017, 2, 20), [60.0] * 20, closing=time(21, 30))  # to 11 March
    add_days(connection, 1, date(2017, 3, 12), [60.0], closing=time(20, 45))  # clocks went ahead

    assert last_complete_day(connection) == date(2017, 3, 12)


def test_without_sales_there_is_no_origin():
    assert last_complete_day(open_marts()) is None
