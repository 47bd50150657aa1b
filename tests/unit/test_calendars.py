"""Days whose place in each calendar is known from its publisher's own tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import jdatetime
import pytest

from dagster_project.core import calendars
from dagster_project.core.calendars import CalendarDay, calendar_days, ensure_calendar


@pytest.fixture(scope="module")
def days() -> dict[date, CalendarDay]:
    made = calendar_days(calendars.FIRST_DAY, calendars.LAST_DAY)
    return {day.calendar_date: day for day in made}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as engine:
        engine.execute("create schema reference")
        yield engine


def test_spring_festival_of_2017_is_the_first_day_of_the_lunar_year(days):
    day = days[date(2017, 1, 28)]
    assert (day.lunar_year, day.lunar_month, day.lunar_day) == (2017, 1, 1)
    assert day.is_holiday_cn
    assert day.holiday_name_cn == "Chinese New Year (Spring Festival)"
    assert days[date(2017, 1, 27)].lunar_month == 12


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2017, 7, 22), (6, 29, False)),
        (date(2017, 7, 23), (6, 1, True)),
        (date(2017, 8, 21), (6, 30, True)),
        (date(2017, 8, 22), (7, 1, False)),
    ],
    ids=str,
)
def test_the_sixth_lunar_month_of_2017_comes_twice(days, day, expected):
    found = days[day]
    assert (found.lunar_month, found.lunar_day, found.is_lunar_leap_month) == expected


def test_nowruz_of_2017_follows_a_leap_day(days):
    last, first = days[date(2017, 3, 20)], days[date(2017, 3, 21)]
    assert (last.jalali_year, last.jalali_month, last.jalali_day) == (1395, 12, 30)
    assert (first.jalali_year, first.jalali_month, first.jalali_day) == (1396, 1, 1)
    assert first.jalali_month_name_en == "Farvardin"
    assert first.is_holiday_ir
    assert first.holiday_name_ir == "Nowruz"


def test_fiscal_2017_has_a_week_53_that_belongs_to_its_last_period(days):
    first, last = days[date(2018, 1, 28)], days[date(2018, 2, 3)]
    for day in (first, last):
        assert (day.retail_year, day.retail_period, day.retail_week) == (2017, 12, 53)
        assert day.retail_quarter == 4
    following = days[date(2018, 2, 4)]
    assert (following.retail_year, following.retail_period, following.retail_week) == (2018, 1, 1)


# First days of the years and periods as the National Retail Federation prints them.
@pytest.mark.parametrize(
    ("day", "year", "period", "week"),
    [
        (date(2017, 1, 29), 2017, 1, 1),
        (date(2017, 2, 26), 2017, 2, 5),
        (date(2017, 4, 2), 2017, 3, 10),
        (date(2017, 4, 30), 2017, 4, 14),
        (date(2012, 1, 29), 2012, 1, 1),
        (date(2013, 1, 27), 2012, 12, 53),
        (date(2013, 2, 3), 2013, 1, 1),
        (date(2023, 1, 29), 2023, 1, 1),
        (date(2024, 1, 28), 2023, 12, 53),
        (date(2024, 2, 4), 2024, 1, 1),
    ],
    ids=str,
)
def test_retail_years_and_periods_begin_where_the_federation_says(days, day, year, period, week):
    found = days[day]
    assert (found.retail_year, found.retail_period, found.retail_week) == (year, period, week)


def test_only_retail_years_with_53_weeks_have_a_week_53(days):
    with_53 = sorted({d.retail_year for d in days.values() if d.retail_week == 53})
    assert with_53 == [1989, 1995, 2000, 2006, 2012, 2017, 2023, 2028, 2034, 2040]


def test_every_retail_week_runs_from_sunday_to_saturday(days):
    for day, following in zip(days.values(), list(days.values())[1:], strict=False):
        changes = day.retail_week != following.retail_week
        assert changes == (following.weekday_number == 7), day.calendar_date


def test_the_comparison_day_is_the_same_weekday_one_retail_year_before(days):
    # Week 1 of 2018 follows a year of 53 weeks, so it is compared with week 2 of 2017.
    day = days[date(2018, 2, 4)]
    compared = days[day.comparison_date]
    assert day.comparison_date == date(2017, 2, 5)
    assert (compared.retail_year, compared.retail_week) == (2017, 2)
    assert compared.weekday_number == day.weekday_number


def test_iso_weeks_at_the_turn_of_the_year_belong_to_the_year_of_their_thursday(days):
    assert (days[date(2017, 1, 1)].iso_year, days[date(2017, 1, 1)].iso_week) == (2016, 52)
    assert (days[date(2018, 12, 31)].iso_year, days[date(2018, 12, 31)].iso_week) == (2019, 1)
    assert (days[date(2020, 12, 31)].iso_year, days[date(2020, 12, 31)].iso_week) == (2020, 53)


@pytest.mark.parametrize(
    ("month", "day"), [(1, 1), (1, 2), (1, 3), (1, 4), (1, 12), (1, 13), (3, 14), (3, 15), (11, 22)]
)
def test_irans_solar_holidays_fall_on_their_jalali_date_in_every_year(days, month, day):
    for year in range(1369, 1424):  # wholly inside the calendar: March 1990 to March 2045
        gregorian = jdatetime.date(year, month, day).togregorian()
        assert days[gregorian].is_holiday_ir, gregorian


def test_holidays_have_plain_names(days):
    substituted = days[date(2017, 1, 27)]
    assert substituted.holiday_name_cn == "Day off in exchange for a worked weekend"
    assert days[date(2017, 1, 2)].holiday_name_us == "New Year's Day"
    assert days[date(2017, 5, 1)].holiday_name_gb == "May Day"
    assert days[date(2017, 5, 2)].holiday_name_gb is None


def test_the_sunday_worked_for_spring_festival_2017_is_known(days):
    assert days[date(2017, 1, 22)].is_working_weekend_cn
    assert not days[date(2017, 1, 21)].is_working_weekend_cn


def test_names_come_in_three_languages(days):
    day = days[date(2017, 11, 11)]
    assert (day.weekday_name_en, day.weekday_name_zh, day.weekday_name_fa) == (
        "Saturday",
        "星期六",
        "شنبه",
    )
    assert (day.month_name_en, day.month_name_zh, day.month_name_fa) == (
        "November",
        "十一月",
        "نوامبر",
    )


def test_the_calendar_has_every_day_once(connection):
    written = ensure_calendar(connection)
    counted = connection.execute(
        "select count(*), count(distinct calendar_date), min(calendar_date), max(calendar_date), "
        "count(distinct date_key) from reference.calendar"
    ).fetchone()
    days_expected = (calendars.LAST_DAY - calendars.FIRST_DAY) // timedelta(days=1) + 1
    assert written == days_expected == 20454
    assert counted == (20454, 20454, calendars.FIRST_DAY, calendars.LAST_DAY, 20454)


def test_the_calendar_is_written_once(connection):
    ensure_calendar(connection)
    assert ensure_calendar(connection) == 0


def test_other_rules_write_the_calendar_again(connection, monkeypatch):
    ensure_calendar(connection)
    monkeypatch.setattr(calendars, "RULES_VERSION", calendars.RULES_VERSION + 1)
    assert ensure_calendar(connection) == 20454
    assert ensure_calendar(connection) == 0
