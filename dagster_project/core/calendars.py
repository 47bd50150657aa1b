"""The calendars retailers live by, one row per day, written once into ``reference.calendar``.

Belongs here: what is true of a day anywhere: Gregorian, ISO week, 4-5-4 retail, Chinese lunar and
Jalali date, public holidays. Does not: opening days or promotions, which senders deliver.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cache
from importlib.metadata import version
from typing import Any

import duckdb
import holidays
import jdatetime
from lunardate import LunarDate

# A fact of another day has the date key of what is invalid (macros/date_key.sql knows both days).
FIRST_DAY = date(1990, 1, 1)
LAST_DAY = date(2045, 12, 31)
RULES_VERSION = 2  # raise when a rule of this module changes; the calendar is then written again

WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAYS_ZH = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")
WEEKDAYS_FA = ("دوشنبه", "سه‌شنبه", "چهارشنبه", "پنجشنبه", "جمعه", "شنبه", "یکشنبه")
MONTHS_EN = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
MONTHS_ZH = (
    "一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月",
    "十二月",
)  # fmt: skip
MONTHS_FA = (
    "ژانویه", "فوریه", "مارس", "آوریل", "مه", "ژوئن", "ژوئیه", "اوت", "سپتامبر", "اکتبر", "نوامبر",
    "دسامبر",
)  # fmt: skip
JALALI_MONTHS_EN = (
    "Farvardin", "Ordibehesht", "Khordad", "Tir", "Mordad", "Shahrivar", "Mehr", "Aban", "Azar",
    "Dey", "Bahman", "Esfand",
)  # fmt: skip
JALALI_MONTHS_FA = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن",
    "اسفند",
)  # fmt: skip

RETAIL_PERIOD_WEEKS = (4, 5, 4)
RETAIL_QUARTER_WEEKS = sum(RETAIL_PERIOD_WEEKS)
COMPARISON_DAYS = 364  # 52 whole weeks: the same weekday, also across a retail year of 53 weeks

IN_LIEU = "Day off in exchange for a worked weekend"
# What the holiday list adds to a name: how the day came about, not what is celebrated.
_QUALIFIER = re.compile(r"\s*\((?:observed|estimated|observed, estimated)\)")
_SUBSTITUTED = re.compile(r"^Day off \(substituted from .*\)$")

_SQL_TYPES: dict[str, str] = {
    "date": "date",
    "int": "integer",
    "str": "varchar",
    "bool": "boolean",
    "str | None": "varchar",
}


@dataclass(frozen=True)
class CalendarDay:
    """One day in every calendar; the fields are the columns of ``reference.calendar``."""

    calendar_date: date
    date_key: int
    calendar_year: int
    quarter: int
    month_number: int
    month_name_en: str
    month_name_zh: str
    month_name_fa: str
    day_of_month: int
    day_of_year: int
    iso_year: int
    iso_week: int
    weekday_number: int
    weekday_name_en: str
    weekday_name_zh: str
    weekday_name_fa: str
    is_weekend: bool
    retail_year: int
    retail_quarter: int
    retail_period: int
    retail_week: int
    lunar_year: int
    lunar_month: int
    lunar_day: int
    is_lunar_leap_month: bool
    jalali_year: int
    jalali_month: int
    jalali_day: int
    jalali_month_name_en: str
    jalali_month_name_fa: str
    is_holiday_us: bool
    holiday_name_us: str | None
    is_holiday_cn: bool
    holiday_name_cn: str | None
    is_working_weekend_cn: bool
    is_holiday_ir: bool
    holiday_name_ir: str | None
    is_holiday_gb: bool
    holiday_name_gb: str | None
    comparison_date: date


def ensure_calendar(connection: duckdb.DuckDBPyConnection) -> int:
    """Write ``reference.calendar`` when it is missing or was made by other rules.

    Shape: one row per day from FIRST_DAY to LAST_DAY, the fields of CalendarDay plus the version
    that made it. Returns the rows written, 0 when the calendar is up to date. The table is
    replaced in one transaction.
    """
    wanted = calendar_version()
    if _written_version(connection) == wanted:
        return 0
    days = list(calendar_days(FIRST_DAY, LAST_DAY))
    _write(connection, days, wanted)
    return len(days)


def calendar_version() -> str:
    """Names the rules and the releases of the libraries that know holidays and lunar dates."""
    made_by = (f"{name} {version(name)}" for name in ("holidays", "lunardate", "jdatetime"))
    return f"{RULES_VERSION}, " + ", ".join(made_by)


def calendar_days(first: date, last: date) -> Iterator[CalendarDay]:
    """Every day from ``first`` to ``last``, both included, in order."""
    years = range(first.year, last.year + 1)
    names = {country: holiday_names(country, years) for country in ("US", "CN", "IR", "GB")}
    worked = worked_weekends(years)
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        yield CalendarDay(
            **_gregorian(day),
            **_retail(day),
            **_lunar(day),
            **_jalali(day),
            **_holidays(day, names),
            is_working_weekend_cn=day in worked,
            comparison_date=day - timedelta(days=COMPARISON_DAYS),
        )


@cache
def retail_year_start(year: int) -> date:
    """First day of a 4-5-4 retail year: the Sunday nearest to 1 February (NRF)."""
    anchor = date(year, 2, 1)
    after = (6 - anchor.weekday()) % 7  # days until the next Sunday, 0 on a Sunday
    return anchor + timedelta(days=after if after <= 3 else after - 7)


def holiday_names(country: str, years: range) -> dict[date, str]:
    """Public holidays of a country (ISO 3166) with their English names, joined by a semicolon.

    The United Kingdom is England's list, Iran's moon-dependent feasts are estimates ahead of time.
    """
    subdivision = "ENG" if country == "GB" else None
    language = "en_GB" if country == "GB" else "en_US"
    listed = holidays.country_holidays(country, subdiv=subdivision, years=years, language=language)
    return {day: _plain_name(names) for day, names in listed.items()}


def worked_weekends(years: range) -> set[date]:
    """Saturdays and Sundays that China works in exchange for a day off."""
    return set(holidays.country_holidays("CN", years=years, language="en_US").weekend_workdays)


def _plain_name(names: str) -> str:
    plain = (
        IN_LIEU if _SUBSTITUTED.match(name) else _QUALIFIER.sub("", name)
        for name in names.split("; ")
    )
    return "; ".join(dict.fromkeys(plain))


def _gregorian(day: date) -> dict[str, Any]:
    iso_year, iso_week, weekday = day.isocalendar()
    return {
        "calendar_date": day,
        "date_key": day.year * 10_000 + day.month * 100 + day.day,
        "calendar_year": day.year,
        "quarter": (day.month + 2) // 3,
        "month_number": day.month,
        "month_name_en": MONTHS_EN[day.month - 1],
        "month_name_zh": MONTHS_ZH[day.month - 1],
        "month_name_fa": MONTHS_FA[day.month - 1],
        "day_of_month": day.day,
        "day_of_year": day.timetuple().tm_yday,
        "iso_year": iso_year,
        "iso_week": iso_week,
        "weekday_number": weekday,
        "weekday_name_en": WEEKDAYS_EN[weekday - 1],
        "weekday_name_zh": WEEKDAYS_ZH[weekday - 1],
        "weekday_name_fa": WEEKDAYS_FA[weekday - 1],
        "is_weekend": weekday >= 6,
    }


def _retail(day: date) -> dict[str, int]:
    year = day.year if day >= retail_year_start(day.year) else day.year - 1
    week = (day - retail_year_start(year)).days // 7 + 1
    # Week 53 belongs to the last period, so it is placed as if it were week 52.
    quarter, week_of_quarter = divmod(min(week, 4 * RETAIL_QUARTER_WEEKS) - 1, RETAIL_QUARTER_WEEKS)
    first, second, _ = RETAIL_PERIOD_WEEKS
    period_of_quarter = (week_of_quarter >= first) + (week_of_quarter >= first + second)
    return {
        "retail_year": year,
        "retail_quarter": quarter + 1,
        "retail_period": quarter * len(RETAIL_PERIOD_WEEKS) + period_of_quarter + 1,
        "retail_week": week,
    }


def _lunar(day: date) -> dict[str, Any]:
    lunar = LunarDate.from_solar_date(day.year, day.month, day.day)
    return {
        "lunar_year": lunar.year,
        "lunar_month": lunar.month,
        "lunar_day": lunar.day,
        "is_lunar_leap_month": bool(lunar.is_leap_month),
    }


def _jalali(day: date) -> dict[str, Any]:
    jalali = jdatetime.date.fromgregorian(date=day)
    return {
        "jalali_year": jalali.year,
        "jalali_month": jalali.month,
        "jalali_day": jalali.day,
        "jalali_month_name_en": JALALI_MONTHS_EN[jalali.month - 1],
        "jalali_month_name_fa": JALALI_MONTHS_FA[jalali.month - 1],
    }


def _holidays(day: date, names: dict[str, dict[date, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for country, listed in names.items():
        found[f"is_holiday_{country.lower()}"] = day in listed
        found[f"holiday_name_{country.lower()}"] = listed.get(day)
    return found


def _written_version(connection: duckdb.DuckDBPyConnection) -> str | None:
    exists = connection.execute(
        "select count(*) from information_schema.tables "
        "where table_catalog = current_database() "
        "and table_schema = 'reference' and table_name = 'calendar'"
    ).fetchone()
    if exists is None or not exists[0]:
        return None
    found = connection.execute("select min(calendar_version) from reference.calendar").fetchone()
    return None if found is None else found[0]


def calendar_columns() -> dict[str, str]:
    """The columns of ``reference.calendar``, name to DuckDB type, in order."""
    found = {field.name: _SQL_TYPES[str(field.type)] for field in fields(CalendarDay)}
    return found | {"calendar_version": "varchar"}


def _write(connection: duckdb.DuckDBPyConnection, days: list[CalendarDay], made_by: str) -> None:
    columns = calendar_columns()
    body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    of_days = [field.name for field in fields(CalendarDay)]
    values = ", ".join(f"unnest(cast(? as {columns[name]}[]))" for name in of_days)
    bound = [[getattr(day, name) for day in days] for name in of_days]
    connection.execute("begin")
    try:
        connection.execute(f"create or replace table reference.calendar ({body})")
        connection.execute(f"insert into reference.calendar select {values}, ?", [*bound, made_by])
        connection.execute("commit")
    except duckdb.Error:
        connection.execute("rollback")
        raise
