"""Feasts and sales days as the forecast sees them: a class of day by its distance from the feast.

Belongs here: which feasts count where, and how far before and after they are felt. Does not: how
strongly (the model learns that). Dates follow each feast's own calendar; the lunar and the Jalali
date of a day, and its public holidays, come from ``core.dim_date``. Windows are those of retail
practice in each country.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

Window = tuple[int, int]  # first and last day, counted from the feast

MONDAY, THURSDAY, SUNDAY = 1, 4, 7
LAST = -1


@dataclass(frozen=True)
class Fixed:
    """The same Gregorian day every year."""

    month: int
    day: int


@dataclass(frozen=True)
class NthWeekday:
    """The nth weekday of a month; LAST for the last one."""

    month: int
    weekday: int
    nth: int


@dataclass(frozen=True)
class Easter:
    """Western Easter Sunday."""


@dataclass(frozen=True)
class Lunar:
    """A day of the Chinese lunar calendar, never in a leap month."""

    month: int
    day: int


@dataclass(frozen=True)
class Jalali:
    """A day of the Iranian solar calendar."""

    month: int
    day: int


@dataclass(frozen=True)
class Named:
    """A public holiday of the calendar; for feasts of the Islamic calendar, which is observed."""

    country: str
    name: str


Rule = Fixed | NthWeekday | Easter | Lunar | Jalali | Named


@dataclass(frozen=True)
class Feast:
    """A feast, the countries that keep it, and the windows that are felt alike."""

    name: str
    countries: frozenset[str]
    rule: Rule
    windows: tuple[Window, ...]


@dataclass(frozen=True)
class CalendarDay:
    """One row of ``core.dim_date``, as far as feasts need it."""

    day: date
    lunar_month: int
    lunar_day: int
    is_lunar_leap_month: bool
    jalali_month: int
    jalali_day: int
    holidays: frozenset[tuple[str, str]] = frozenset()  # country and name


# Where Christmas, Easter and the New Year are kept alike, by ISO 3166.
_WEST = """
AT AU BE CA CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LT LU LV MT NL NO NZ PL PT RO SE SI SK
US
"""
WEST = frozenset(_WEST.split())
TOLD = frozenset({"US", "CN", "IR", "GB"})  # whose holidays the calendar names itself
US = frozenset({"US"})
GB = frozenset({"GB"})
CN = frozenset({"CN"})
IR = frozenset({"IR"})

FEASTS = (
    Feast("new_year", WEST, Fixed(1, 1), ((-1, -1), (0, 0), (1, 1))),
    Feast("easter", WEST, Easter(), ((-7, -3), (-2, -1), (0, 0), (1, 1))),
    Feast("memorial_day", US, NthWeekday(5, MONDAY, LAST), ((-3, -1), (0, 0))),
    Feast("independence_day", US, Fixed(7, 4), ((-4, -1), (0, 0))),
    Feast("labor_day", US, NthWeekday(9, MONDAY, 1), ((-3, -1), (0, 0))),
    Feast("halloween", US, Fixed(10, 31), ((-3, 0),)),
    Feast("thanksgiving", US, NthWeekday(11, THURSDAY, 4), ((-7, -4), (-3, -1), (0, 0), (1, 4))),
    Feast("black_friday", GB, NthWeekday(11, THURSDAY, 4), ((1, 4),)),
    Feast("early_may", GB, NthWeekday(5, MONDAY, 1), ((-2, -1), (0, 0))),
    Feast("spring_bank", GB, NthWeekday(5, MONDAY, LAST), ((-2, -1), (0, 0))),
    Feast("summer_bank", GB, NthWeekday(8, MONDAY, LAST), ((-2, -1), (0, 0))),
    Feast("mothers_day", US, NthWeekday(5, SUNDAY, 2), ((-2, 0),)),
    Feast("christmas", WEST, Fixed(12, 25), ((-14, -8), (-7, -3), (-2, -1), (0, 0), (1, 5))),
    Feast(
        "spring_festival",
        CN,
        Lunar(1, 1),
        ((-21, -15), (-14, -8), (-7, -4), (-3, -1), (0, 2), (3, 6), (7, 15)),
    ),
    Feast("qingming", CN, Fixed(4, 4), ((0, 1),)),
    Feast("may_day", CN, Fixed(5, 1), ((0, 2),)),
    Feast("mid_year_sale", CN, Fixed(6, 18), ((-18, -8), (-7, -1), (0, 0), (1, 2))),
    Feast("qixi", CN, Lunar(7, 7), ((-2, -1), (0, 0))),
    Feast("mid_autumn", CN, Lunar(8, 15), ((-14, -4), (-3, -1), (0, 0))),
    Feast("golden_week", CN, Fixed(10, 1), ((0, 6),)),
    Feast("double_eleven", CN, Fixed(11, 11), ((-21, -11), (-10, -4), (-3, -1), (0, 0), (1, 3))),
    Feast("double_twelve", CN, Fixed(12, 12), ((-3, -1), (0, 0), (1, 1))),
    Feast("nowruz", IR, Jalali(1, 1), ((-28, -15), (-14, -8), (-7, -1), (0, 3), (4, 13))),
    Feast("yalda", IR, Jalali(9, 30), ((-3, -1), (0, 0))),
    Feast("ramadan", IR, Named("IR", "Eid al-Fitr"), ((-30, -8), (-7, -1), (0, 1))),
    Feast("eid_al_adha", IR, Named("IR", "Eid al-Adha"), ((-3, -1), (0, 0))),
)

# Wages come at the turn of the month in all four countries.
MONTH_EDGES = {"month_start": range(1, 4), "month_end": range(28, 32)}


def feast_days(
    countries: Iterable[str], calendar: Sequence[CalendarDay]
) -> tuple[tuple[Feast, date], ...]:
    """Each feast that the countries keep, with each of its dates within the calendar."""
    return _feast_days(frozenset(countries), tuple(calendar))


@lru_cache(maxsize=64)
def _feast_days(
    wanted: frozenset[str], calendar: tuple[CalendarDay, ...]
) -> tuple[tuple[Feast, date], ...]:
    found: list[tuple[Feast, date]] = []
    for feast in FEASTS:
        if feast.countries & wanted:
            found += [(feast, day.day) for day in calendar if falls_on(feast.rule, day)]
    return tuple(found)


def event_rows(countries: Iterable[str], calendar: Sequence[CalendarDay]) -> list[tuple[str, date]]:
    """One row per class of day and date: ``thanksgiving_-3..-1`` on each of the three days.

    Public holidays that no feast's window holds are a class each, by their name.
    """
    wanted = frozenset(countries)
    rows = set()
    for feast, day in feast_days(wanted, calendar):
        for first, last in feast.windows:
            name = f"{feast.name}_{first}..{last}"
            rows |= {(name, day + timedelta(days=n)) for n in range(first, last + 1)}
    held = {day for _, day in rows}
    others = _elsewhere(wanted - TOLD, calendar)
    for row in calendar:
        if row.day not in held:
            kept = (holiday for holiday in row.holidays if holiday[0] in wanted)
            rows |= {(f"{country} {name}", row.day) for country, name in kept}
            rows |= {(f"{country} {name}", row.day) for country, name in others.get(row.day, ())}
        rows |= {(name, row.day) for name, days in MONTH_EDGES.items() if row.day.day in days}
    return sorted(rows)


def _elsewhere(
    countries: frozenset[str], calendar: Sequence[CalendarDay]
) -> dict[date, list[tuple[str, str]]]:
    """National holidays of countries that the calendar has no column for, by day."""
    if not countries or not calendar:
        return {}
    import holidays

    known = countries & set(holidays.list_supported_countries(include_aliases=False))
    years = range(calendar[0].day.year, calendar[-1].day.year + 1)
    found: dict[date, list[tuple[str, str]]] = {}
    for country in sorted(known):
        for day, name in holidays.country_holidays(country, years=years).items():
            found.setdefault(day, []).append((country, name))
    return found


def falls_on(rule: Rule, row: CalendarDay) -> bool:
    """Whether the feast is on this day."""
    match rule:
        case Fixed(month, day):
            return (row.day.month, row.day.day) == (month, day)
        case NthWeekday(month, weekday, nth):
            return row.day == _nth_weekday(row.day.year, month, weekday, nth)
        case Easter():
            return row.day == easter_sunday(row.day.year)
        case Lunar(month, day):
            lunar = (row.lunar_month, row.lunar_day, row.is_lunar_leap_month)
            return lunar == (month, day, False)
        case Jalali(month, day):
            return (row.jalali_month, row.jalali_day) == (month, day)
        case Named(country, name):
            return (country, name) in row.holidays


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    if nth == LAST:
        following = date(year + month // 12, month % 12 + 1, 1)
        last = following - timedelta(days=1)
        return last - timedelta(days=(last.isoweekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (nth - 1))


def easter_sunday(year: int) -> date:
    """Western Easter by the anonymous Gregorian computus (Meeus, Astronomical Algorithms)."""
    century, rest = divmod(year, 100)
    leap_centuries, short = divmod(century, 4)
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * (year % 19) + century - leap_centuries - shift + 15) % 30
    leap, odd = divmod(rest, 4)
    to_sunday = (32 + 2 * short + 2 * leap - epact - odd) % 7
    correction = (year % 19 + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * correction + 114, 31)
    return date(year, month, day + 1)
