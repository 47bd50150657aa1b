"""Feasts that move demand, by distance from the feast and not by Gregorian day.

Belongs here: when a feast falls and by how much it lifts or empties the shops. The effects are
the truth that a forecast should find; dates come from the lunar and Jalali calendars.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from jdatetime import date as jalali
from lunardate import LunarDate

from dagster_project.core.simulation.plan import Country, Plan
from dagster_project.core.simulation.words_goods import DEPARTMENTS

CHANNELS = ("shop", "online")
JALALI_OFFSET = 621  # Jalali year that begins in Gregorian year y is y - 621
NO_CURVE: dict[int, float] = {}


def spring_festival(year: int) -> date:
    """First day of the first lunar month: 28 January 2017."""
    first: date = LunarDate(year, 1, 1).to_solar_date()
    return first


def mid_autumn(year: int) -> date:
    """Fifteenth day of the eighth lunar month: 4 October 2017."""
    day: date = LunarDate(year, 8, 15).to_solar_date()
    return day


def nowruz(year: int) -> date:
    """First day of the Jalali year: 21 March 2017."""
    day: date = jalali(year - JALALI_OFFSET, 1, 1).togregorian()
    return day


def yalda(year: int) -> date:
    """Last night of autumn, 30 Azar: 21 December 2017."""
    day: date = jalali(year - JALALI_OFFSET, 9, 30).togregorian()
    return day


def black_friday(year: int) -> date:
    """The day after the fourth Thursday of November: 24 November 2017."""
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 22)


def ramp(first: int, top: float) -> dict[int, float]:
    """A rise from 1 on day ``first`` (negative) to ``top`` on the eve of the feast."""
    steps = -first
    return {first + n: 1 + (top - 1) * ((n + 1) / steps) ** 1.5 for n in range(steps)}


def level(first: int, last: int, factor: float) -> dict[int, float]:
    """The same factor from one day to another, both included."""
    return dict.fromkeys(range(first, last + 1), factor)


@dataclass(frozen=True)
class Feast:
    """One feast: the curves give the factor on demand by days from the feast's first day."""

    name: str
    country: str
    on: Callable[[int], date]  # Gregorian year to first day
    shop_curve: dict[int, float]
    online_curve: dict[int, float] = field(default_factory=dict)
    # The lift above 1 is multiplied by this in a department; 1 where none is named.
    accents: dict[str, float] = field(default_factory=dict)

    def factor(self, channel: str, offset: int, department: str) -> float:
        """Factor on the demand of a department, so many days from the feast."""
        curve = self.shop_curve if channel == "shop" else self.online_curve
        value = curve.get(offset, 1.0)
        accent = self.accents.get(department, 1.0)
        return 1 + (value - 1) * accent if value > 1 else value


FEASTS = (
    Feast(
        "spring_festival", "CN", spring_festival,
        ramp(-21, 2.0) | level(0, 2, 0.35) | level(3, 6, 0.65) | level(7, 15, 0.9),
        ramp(-21, 1.5) | level(-6, 3, 0.45) | level(4, 10, 0.8),
        {"Pantry": 1.5, "Clothing": 1.4, "Electronics": 0.5},
    ),
    Feast(
        "mid_autumn", "CN", mid_autumn, ramp(-14, 1.35) | level(0, 0, 1.1), ramp(-14, 1.3),
        {"Pantry": 2.0, "Household": 0.3},
    ),
    Feast(
        "double_11", "CN", lambda year: date(year, 11, 11),
        level(-3, 0, 0.95),
        level(-6, -1, 0.65) | {0: 4.2} | level(1, 3, 1.25),
        {"Electronics": 1.4, "Beauty": 1.3, "Fresh": 0.3},
    ),
    Feast(
        # Shops are closed on New Year's Day itself.
        "nowruz", "IR", nowruz,
        ramp(-28, 2.3) | level(0, 0, 0.0) | level(1, 3, 0.35) | level(4, 12, 0.7)
        | level(13, 13, 0.4),
        ramp(-28, 1.7) | level(0, 4, 0.4) | level(5, 13, 0.75),
        {"Pantry": 1.3, "Clothing": 1.5, "Household": 1.2},
    ),
    Feast(
        "yalda", "IR", yalda, ramp(-5, 1.8) | level(0, 0, 1.6), ramp(-5, 1.4),
        {"Fresh": 1.6, "Electronics": 0.2},
    ),
    Feast(
        "black_friday", "GB", black_friday, level(0, 1, 1.35), level(-1, 0, 2.4) | level(1, 3, 1.5),
        {"Electronics": 1.6, "Fresh": 0.1},
    ),
    Feast(
        # Shops are closed on Christmas Day.
        "christmas", "GB", lambda year: date(year, 12, 25),
        ramp(-24, 1.9) | level(0, 0, 0.0) | level(1, 1, 0.8), ramp(-24, 1.5) | level(-2, 1, 0.5),
        {"Clothing": 1.2, "Electronics": 1.4},
    ),
)  # fmt: skip


def feast_days(plan: Plan, country: Country) -> Iterator[tuple[Feast, int, int]]:
    """Every day of the run within reach of a feast: the feast, the day, its distance."""
    for feast in (f for f in FEASTS if f.country == country.code):
        for year in range(plan.start.year - 1, plan.dates[-1].year + 2):
            first = (feast.on(year) - plan.start).days
            for offset in sorted(set(feast.shop_curve) | set(feast.online_curve)):
                if 0 <= first + offset < plan.days:
                    yield feast, first + offset, offset


def feast_factors(plan: Plan, country: Country) -> np.ndarray:
    """Factor on demand by channel (shop, online), day and department."""
    factors = np.ones((len(CHANNELS), plan.days, len(DEPARTMENTS)))
    for feast, day, offset in feast_days(plan, country):
        for c, channel in enumerate(CHANNELS):
            for d, department in enumerate(DEPARTMENTS):
                factors[c, day, d] *= feast.factor(channel, offset, department.name)
    return factors
