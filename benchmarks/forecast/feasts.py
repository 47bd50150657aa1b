"""Generated demand around feasts that move through the Gregorian year, and around sales days.

Every store has a smooth profile by days from the feast, of its own size: what is bought before,
what is missed while people are at home, what is caught up with. Dates come from ``lunardate`` and
``jdatetime``. The shapes are chosen here; nothing of them is taken from the product's events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import jdatetime
import lunardate
import numpy as np

from benchmarks.forecast.noise import autoregressive, day_noise, drift
from benchmarks.forecast.panels import (
    HORIZON_DAYS,
    PROPHET_PEERS,
    BenchPanel,
    calendar_of,
    weekdays_from,
)
from dagster_project.core.forecasting.engine.panel import Panel

FIRST_DAY = date(2021, 6, 1)
DAYS = (date(2025, 5, 1) - FIRST_DAY).days  # three of each feast before the one that is judged
YEARS = range(2021, 2026)
STORES = 24

# Weekday factors' logarithms, Monday to Sunday: the weekend is Saturday and Sunday in China,
# Thursday and Friday in Iran.
WEEK_CN = np.array([-0.10, -0.10, -0.08, -0.05, 0.03, 0.18, 0.12])
WEEK_IR = np.array([-0.06, -0.06, -0.04, 0.10, 0.16, -0.02, -0.08])


@dataclass(frozen=True)
class Bump:
    """A smooth rise or fall: its top ``height`` (logarithm) at ``centre`` days from the feast."""

    height: float
    centre: float
    before: float  # standard deviations in days of the two sides
    after: float

    def at(self, offset: np.ndarray) -> np.ndarray:
        """Its size at the offsets."""
        away = offset - self.centre
        width = np.where(away < 0, self.before, self.after)
        return self.height * np.exp(-0.5 * (away / width) ** 2)


SPRING_FESTIVAL = (
    Bump(0.75, -3.0, 7.5, 1.6),
    Bump(-1.1, 1.5, 1.4, 3.5),
    Bump(0.15, 14.0, 2.0, 2.0),
)
MID_YEAR = (Bump(0.30, -14.0, 2.5, 4.0), Bump(0.85, 0.0, 2.2, 0.9), Bump(-0.25, 4.0, 1.5, 3.0))
DOUBLE_ELEVEN = (
    Bump(0.25, -11.0, 3.5, 3.0),
    Bump(1.05, 0.0, 1.8, 0.7),
    Bump(-0.30, 4.5, 1.5, 4.0),
)
NOWRUZ = (Bump(0.80, -4.0, 9.0, 2.0), Bump(-0.95, 2.0, 1.5, 5.5), Bump(-0.25, 12.0, 1.2, 1.2))


def spring_festival(seed: int = 129) -> BenchPanel:
    """Stores in China; windows that hold 29 January 2025, judged from 21 days before it on."""
    feast = lunardate.LunarDate(2025, 1, 1).to_solar_date()
    panel, truth = chinese_stores(seed)
    return _bench("spring_festival", panel, truth, [(feast, (-21, 15))], leads=(22, 8))


def sales_days(seed: int = 618) -> BenchPanel:
    """Stores in China; windows that hold 11 November 2024 and, before it, 18 June 2024."""
    panel, truth = chinese_stores(seed)
    weeks = [(date(2024, 6, 18), (-18, 8)), (date(2024, 11, 11), (-18, 10))]
    return _bench("sales_days", panel, truth, weeks, leads=(19,))


def nowruz(seed: int = 1404) -> BenchPanel:
    """Stores in Iran; windows that hold 21 March 2025, judged from 28 days before it on."""
    rng = np.random.default_rng(seed)
    logs = _everyday(rng, WEEK_IR)
    starts = [jdatetime.date(year - 621, 1, 1).togregorian() for year in YEARS]
    logs += _felt(rng, NOWRUZ, starts)
    panel, truth = _panel("IR", rng, logs)
    return _bench("nowruz", panel, truth, [(starts[-1], (-28, 13))], leads=(26, 12))


def chinese_stores(seed: int) -> tuple[Panel, np.ndarray]:
    """Panel and (N, T) truth of stores that know Spring Festival, 618 and Double 11."""
    rng = np.random.default_rng(seed)
    logs = _everyday(rng, WEEK_CN)
    lunar = [lunardate.LunarDate(year, 1, 1).to_solar_date() for year in YEARS]
    logs += _felt(rng, SPRING_FESTIVAL, lunar)
    logs += _felt(rng, MID_YEAR, [date(year, 6, 18) for year in YEARS])
    logs += _felt(rng, DOUBLE_ELEVEN, [date(year, 11, 11) for year in YEARS])
    return _panel("CN", rng, logs)


def _felt(rng: np.random.Generator, profile: tuple[Bump, ...], feasts: list[date]) -> np.ndarray:
    """(N, D) the profile around each feast; its size differs by store, and a little by year."""
    days = DAYS + HORIZON_DAYS
    by_store = rng.lognormal(0.0, 0.25, (STORES, len(profile)))
    logs = np.zeros((STORES, days))
    for feast in feasts:
        offset = np.arange(days) - (feast - FIRST_DAY).days
        by_year = rng.normal(1.0, 0.06)
        for number, bump in enumerate(profile):
            logs += by_year * by_store[:, [number]] * bump.at(offset)
    return logs


def _everyday(rng: np.random.Generator, week: np.ndarray) -> np.ndarray:
    """(N, D) level, growth, drift, week, a mild year, and noise."""
    days = DAYS + HORIZON_DAYS
    weekdays = weekdays_from(FIRST_DAY, days)
    own_week = week + rng.normal(0.0, 0.03, (STORES, 7))
    turn = np.arange(days) * 2 * np.pi / 365.25
    logs = rng.normal(9.0, 0.5, (STORES, 1)) + rng.normal(0.03, 0.03, (STORES, 1)) * turn / 6.28
    logs = logs + drift(rng, STORES, days, monthly=0.012) + own_week[:, weekdays]
    logs += 0.05 * np.sin(turn + rng.normal(0.0, 0.5, (STORES, 1)))
    logs += autoregressive(rng, (1, days), keep=0.6, spread=0.03)
    return logs + day_noise(rng, days, rng.uniform(0.07, 0.10, STORES))


def _panel(country: str, rng: np.random.Generator, logs: np.ndarray) -> tuple[Panel, np.ndarray]:
    """The panel, with short promotions every few weeks, and its (N, T) truth."""
    days = logs.shape[1]
    promotion = np.zeros((STORES, days))
    for store in range(STORES):
        start = int(rng.integers(5, 30))
        while start < days:
            promotion[store, start : start + 7] = 1.0
            start += int(rng.integers(21, 50))
    uplift = rng.normal(0.22, 0.05, (STORES, 1))
    truth = np.round(np.exp(logs + uplift * promotion), 2)[:, :DAYS]
    panel = Panel(
        first_date=FIRST_DAY,
        horizon=HORIZON_DAYS,
        keys=tuple(f"store:{country}{n:02}" for n in range(STORES)),
        segments=("store",) * STORES,
        values=truth,
        closed=np.zeros((STORES, days), dtype=bool),
        sold_out=np.zeros(truth.shape, dtype=bool),
        regressors={"promotion": promotion},
        countries=((country,),) * STORES,
        calendar=calendar_of(FIRST_DAY, DAYS),
    )
    return panel, truth


def _bench(
    name: str,
    panel: Panel,
    truth: np.ndarray,
    feasts: list[tuple[date, tuple[int, int]]],
    leads: tuple[int, ...],
) -> BenchPanel:
    """Windows that begin ``leads`` days before each feast; days within its weeks are marked."""
    marked = np.zeros(DAYS, dtype=bool)
    origins = []
    for feast, (first, last) in feasts:
        start = (feast - FIRST_DAY).days
        marked[start + first : start + last + 1] = True
        origins += [start - lead for lead in leads]
    return BenchPanel(name, panel, truth, tuple(origins), marked, PROPHET_PEERS)
