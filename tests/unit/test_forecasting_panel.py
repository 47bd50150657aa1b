"""Which series there are, and which days count."""

from datetime import date, timedelta

import numpy as np
import pytest
from forecasting_marts import add_days, add_store, open_marts, weekly_sales

from dagster_project.core.forecasting.backtest import known_closed, window_origins
from dagster_project.core.forecasting.panel import HORIZON_DAYS, Panel, read_panel
from dagster_project.core.forecasting.prophet_model import Design

FIRST = date(2017, 1, 2)  # a Monday
DAYS = 170
NOTHING = Design(np.zeros((0, 0)), np.zeros(0), ())


def by_key(panel: Panel) -> dict:
    return {one.key: one for one in panel.series}


def test_every_level_adds_up_and_a_lone_banner_is_the_total():
    connection = open_marts()
    for store in (1, 2):
        add_store(connection, store)
    add_days(connection, 1, FIRST, [60.0] * DAYS)
    add_days(connection, 2, FIRST, [90.0] * DAYS, channel=2, product=2)

    found = by_key(read_panel(connection))

    assert sorted(found) == [
        "channel:store", "channel:web", "department:Market:FLORAL", "department:Market:GROCERY",
        "store:till:S1", "store:till:S2", "total",
    ]  # fmt: skip
    assert found["total"].amounts.tolist() == [150.0] * DAYS
    assert found["channel:web"].amounts.tolist() == [90.0] * DAYS
    assert found["store:till:S1"].member_name == "Shop 1"
    assert found["store:till:S1"].amounts.tolist() == [60.0] * DAYS


def test_two_banners_have_a_series_each():
    connection = open_marts()
    add_store(connection, 1)
    add_store(connection, 2, banner="Bazaar", country="IR")
    add_days(connection, 1, FIRST, [60.0] * DAYS)
    add_days(connection, 2, FIRST, [30.0] * DAYS)

    found = by_key(read_panel(connection))

    assert found["banner:Bazaar"].amounts[0] == 30.0
    assert found["banner:Bazaar"].countries == ("IR",)
    assert found["total"].countries == ("IR", "US")


def test_a_store_without_master_data_has_sales_and_no_country():
    connection = open_marts()
    add_store(connection, 1, country=None)
    add_days(connection, 1, FIRST, [60.0] * DAYS)

    found = by_key(read_panel(connection))

    assert found["store:till:S1"].countries == ()
    assert found["total"].amounts[0] == 60.0


def test_a_closed_day_is_not_traded_rather_than_zero():
    connection = open_marts()
    add_store(connection, 1)
    add_store(connection, 2)
    amounts: list[float | None] = [60.0] * DAYS
    amounts[100] = None
    add_days(connection, 1, FIRST, amounts)
    add_days(connection, 2, FIRST, [60.0] * DAYS)

    found = by_key(read_panel(connection))

    assert np.isnan(found["store:till:S1"].amounts[100])
    assert found["total"].amounts[100] == 60.0


def test_a_department_without_sales_sold_nothing_unless_its_banner_was_closed():
    connection = open_marts()
    add_store(connection, 1)
    grocery: list[float | None] = [60.0] * DAYS
    floral: list[float | None] = [12.0] * DAYS
    grocery[100] = floral[100] = floral[101] = None
    add_days(connection, 1, FIRST, grocery)
    add_days(connection, 1, FIRST, floral, product=2)

    amounts = by_key(read_panel(connection))["department:Market:FLORAL"].amounts

    assert np.isnan(amounts[100])
    assert amounts[101] == 0.0


def test_a_day_with_a_line_without_exchange_rate_is_unknown():
    connection = open_marts()
    add_store(connection, 1)
    amounts = [60.0] * DAYS
    add_days(connection, 1, FIRST, amounts)
    add_days(connection, 1, FIRST + timedelta(days=50), [float("nan")], product=2)

    series = by_key(read_panel(connection))["total"]

    assert np.flatnonzero(np.isnan(series.amounts)).tolist() == [50]
    assert series.unconverted_days == 1


@pytest.mark.parametrize(
    ("days", "receipts", "gap", "kept"),
    [
        pytest.param(168, 5, 0, True, id="just enough"),
        pytest.param(167, 5, 0, False, id="one day short"),
        pytest.param(168, 4, 0, False, id="four receipts a day"),
        pytest.param(168, 6, 16, True, id="152 of 168 days with sales"),
        pytest.param(168, 6, 17, False, id="151 of 168 days with sales"),
    ],
)
def test_a_store_needs_history_receipts_and_few_empty_days(days, receipts, gap, kept):
    connection = open_marts()
    for store in (1, 2):
        add_store(connection, store)
    add_days(connection, 1, FIRST, [60.0] * 168)
    amounts: list[float | None] = [60.0] * days
    amounts[20 : 20 + gap] = [None] * gap
    add_days(connection, 2, FIRST + timedelta(days=168 - days), amounts, receipts=receipts)

    assert ("store:till:S2" in by_key(read_panel(connection))) is kept


def test_a_store_that_ended_is_not_forecast():
    connection = open_marts()
    for store in (1, 2):
        add_store(connection, store)
    add_days(connection, 1, FIRST, [60.0] * 250)
    add_days(connection, 2, FIRST, [60.0] * 222)  # 28 days without a sale at the end

    assert "store:till:S2" not in by_key(read_panel(connection))


def test_sales_after_the_origin_are_not_in_the_panel():
    connection = open_marts()
    add_store(connection, 1)
    add_days(connection, 1, FIRST, [60.0] * DAYS)
    add_days(connection, 1, FIRST + timedelta(days=DAYS), [60.0], receipts=2)  # a part of a day

    panel = read_panel(connection)

    assert panel.origin_date == FIRST + timedelta(days=DAYS - 1)
    assert len(panel.series[0].amounts) == DAYS


def test_promotions_count_only_where_the_plan_reaches_past_the_origin():
    connection = open_marts()
    add_store(connection, 1)
    add_days(connection, 1, FIRST, [60.0] * DAYS)
    origin = FIRST + timedelta(days=DAYS - 1)
    past = ["till", "P1", FIRST + timedelta(days=10), FIRST + timedelta(days=11)]
    connection.execute("insert into core.dim_promotion values (1, ?, ?, ?, ?)", past)

    before = read_panel(connection)
    ahead = ["till", "P2", origin + timedelta(days=2), origin + timedelta(days=3)]
    connection.execute("insert into core.dim_promotion values (2, ?, ?, ?, ?)", ahead)
    after = read_panel(connection)

    assert not before.promoted(before.series[0]).any()
    planned = np.flatnonzero(after.promoted(after.series[0])).tolist()
    assert planned == [10, 11, DAYS + 1, DAYS + 2]


def test_a_promotion_longer_than_four_weeks_is_the_usual_state():
    connection = open_marts()
    add_store(connection, 1)
    add_days(connection, 1, FIRST, [60.0] * DAYS)
    origin = FIRST + timedelta(days=DAYS - 1)
    long = ["till", "P1", origin + timedelta(days=1), origin + timedelta(days=29)]
    connection.execute("insert into core.dim_promotion values (1, ?, ?, ?, ?)", long)

    assert read_panel(connection).promotions == {}


def test_a_weekday_of_rest_is_known_to_be_closed():
    connection = open_marts()
    add_store(connection, 1)
    open_days = weekly_sales(DAYS + 40, first=FIRST)
    amounts = [None if n % 7 == 6 else value for n, value in enumerate(open_days)]
    add_days(connection, 1, FIRST, amounts)
    panel = read_panel(connection)

    closed = known_closed(panel.series[0], panel.weekdays, NOTHING, panel.day_count)

    weekdays = panel.weekdays[panel.day_count :]
    assert (closed == (weekdays == 6)).all()


def test_a_feast_that_was_closed_before_is_known_to_be_closed_again():
    connection = open_marts()
    add_store(connection, 1)
    first = date(2015, 12, 1)
    days = (date(2016, 12, 20) - first).days
    amounts: list[float | None] = [60.0] * days
    amounts[24] = None  # Christmas 2015
    amounts[40] = None  # a burst pipe: no feast
    add_days(connection, 1, first, amounts)
    panel = read_panel(connection)
    plan = Design(NOTHING.features, NOTHING.sigmas, panel.feasts(("US",)))

    closed = known_closed(panel.series[0], panel.weekdays, plan, panel.day_count)

    days_closed = [panel.day(panel.day_count + n) for n in np.flatnonzero(closed).tolist()]
    assert days_closed == [date(2016, 12, 25)]


@pytest.mark.parametrize(
    ("days", "first", "expected"),
    [
        pytest.param(168, 0, (140, 112, 84), id="three windows"),
        pytest.param(167, 0, (139, 111), id="only two"),
        pytest.param(300, 100, (272, 244, 216, 188), id="a series that began later"),
        pytest.param(999, 0, (971, 943, 915, 887, 859, 831), id="never more than six"),
    ],
)
def test_windows_are_back_to_back_and_leave_84_days(days, first, expected):
    assert window_origins(days, first) == expected
    assert all(n - first >= 84 and n + HORIZON_DAYS <= days for n in expected)
