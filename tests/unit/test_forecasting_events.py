"""Feasts fall on the days that almanacs print."""

from datetime import date

import pytest

from dagster_project.core.forecasting.events import (
    CalendarDay,
    Easter,
    Fixed,
    Jalali,
    Lunar,
    NthWeekday,
    easter_sunday,
    event_rows,
    falls_on,
)


def plain(day: date, lunar=(1, 5), leap=False, jalali=(1, 5)) -> CalendarDay:
    return CalendarDay(day, *lunar, leap, *jalali)


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [(2016, 3, 27), (2017, 4, 16), (2018, 4, 1), (2019, 4, 21), (2024, 3, 31), (2038, 4, 25)],
)
def test_easter_falls_on_the_printed_date(year, month, day):
    assert easter_sunday(year) == date(year, month, day)


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        pytest.param(Fixed(11, 11), plain(date(2017, 11, 11)), id="Double 11"),
        pytest.param(NthWeekday(11, 4, 4), plain(date(2017, 11, 23)), id="Thanksgiving"),
        pytest.param(NthWeekday(5, 1, -1), plain(date(2017, 5, 29)), id="Memorial Day"),
        pytest.param(NthWeekday(12, 7, -1), plain(date(2017, 12, 31)), id="last in December"),
        pytest.param(Easter(), plain(date(2017, 4, 16)), id="Easter"),
        pytest.param(Lunar(1, 1), plain(date(2017, 1, 28), lunar=(1, 1)), id="Spring Festival"),
        pytest.param(Jalali(1, 1), plain(date(2017, 3, 21), jalali=(1, 1)), id="Nowruz"),
    ],
)
def test_a_feast_falls_on_its_day(rule, row):
    assert falls_on(rule, row)


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        pytest.param(NthWeekday(11, 4, 4), plain(date(2017, 11, 30)), id="fifth Thursday"),
        pytest.param(Lunar(8, 15), plain(date(2017, 9, 1), lunar=(8, 15), leap=True), id="leap"),
        pytest.param(Jalali(1, 1), plain(date(2017, 3, 22), jalali=(1, 2)), id="day after Nowruz"),
    ],
)
def test_a_feast_falls_on_no_other_day(rule, row):
    assert not falls_on(rule, row)


def test_a_class_of_day_is_one_row_per_date_around_the_feast():
    calendar = [plain(date(2017, 11, n), lunar=(9, 20), jalali=(8, 10)) for n in range(1, 28)]

    rows = event_rows({"GB"}, calendar)

    black_friday = [day.day for name, day in rows if name == "black_friday_1..4"]
    assert black_friday == [24, 25, 26, 27]  # the Friday after Thanksgiving to Cyber Monday
    assert not any(name.startswith("thanksgiving") for name, _ in rows)


def test_a_country_has_only_its_own_feasts():
    calendar = [plain(date(2017, 11, n), lunar=(9, 20), jalali=(8, 10)) for n in range(1, 28)]

    names = {name.rsplit("_", 1)[0] for name, _ in event_rows({"CN"}, calendar)}

    assert names == {"double_eleven", "month"}


def test_a_public_holiday_is_a_class_by_name_unless_a_feast_holds_the_day():
    memorial_day = CalendarDay(
        date(2017, 5, 29), 5, 4, False, 3, 8, frozenset({("US", "Memorial Day")})
    )
    veterans_day = CalendarDay(
        date(2017, 11, 10), 9, 22, False, 8, 19, frozenset({("US", "Veterans Day")})
    )

    rows = event_rows({"US"}, [memorial_day, veterans_day])

    assert [name for name, day in rows if day == date(2017, 11, 10)] == ["US Veterans Day"]
    on_memorial_day = {name for name, day in rows if day == date(2017, 5, 29)}
    assert on_memorial_day == {"memorial_day_0..0", "month_end"}


def test_ramadan_is_the_thirty_days_before_the_feast_that_ends_it():
    eid = CalendarDay(date(2017, 6, 26), 6, 3, False, 4, 5, frozenset({("IR", "Eid al-Fitr")}))

    rows = event_rows({"IR"}, [eid])

    ramadan = sorted(day for name, day in rows if name.startswith("ramadan_-"))
    assert ramadan[0] == date(2017, 5, 27)  # 1 Ramadan 1438
    assert ramadan[-1] == date(2017, 6, 25)
