"""A generated European chain of drug stores with known promotions and closures.

As the public record of such chains has it: closed on Sundays and public holidays, promotions from
Monday to Friday in alternating weeks, a ramp before Christmas, pay days at the edges of the month,
refurbishments of weeks, shops that opened later. Sizes of the effects are our choice.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import holidays
import numpy as np

from benchmarks.forecast.noise import autoregressive, day_noise, drift
from benchmarks.forecast.panels import (
    HORIZON_DAYS,
    BenchPanel,
    calendar_of,
    last_origins,
    weekdays_from,
)
from benchmarks.forecast.scoring import wape
from dagster_project.core.forecasting.engine.panel import Panel

FIRST_DAY = date(2013, 1, 1)
DAYS = 942
STATES = ("NW", "BY", "BE", "HH")  # German states, each with its own public holidays
SATURDAY, SUNDAY = 5, 6

# Logarithms of factors, Monday to Sunday; a promotion brings 1.35 times on average.
WEEKDAY = np.array([0.14, 0.01, -0.04, -0.03, 0.05, -0.13, 0.0])
UPLIFT = np.array([0.42, 0.33, 0.27, 0.24, 0.24, 0.0, 0.0])


def drugstores(stores: int = 50, seed: int = 2013) -> BenchPanel:
    """Shape: (stores, 942 days from 2013-01-01); the same for the same arguments."""
    rng = np.random.default_rng(seed)
    days = DAYS + HORIZON_DAYS
    weekdays = weekdays_from(FIRST_DAY, days)
    promoted = promotion_days(rng, weekdays)
    holiday = public_holidays(rng, stores, days)
    rebuilt = refurbishments(rng, stores, days)
    logs = _everyday(rng, stores, weekdays) + _calendar_effects(rng, stores, holiday)
    strength = np.clip(rng.normal(1.0, 0.25, stores), 0.3, 1.8)[:, None]
    by_weekday = rng.normal(0.0, 0.04, (stores, 7))[:, weekdays] * (weekdays < SATURDAY)
    logs += promoted * (strength * UPLIFT[weekdays] + by_weekday)
    expected = np.exp(logs)
    # Together about 8.5 % a day; what that alone makes of the best forecast is told with the panel.
    logs += autoregressive(rng, (1, days), keep=0.7, spread=0.03)
    logs += day_noise(rng, days, rng.uniform(0.07, 0.09, stores))
    closed = (weekdays == SUNDAY) | holiday | rebuilt
    demand = np.where(closed, np.nan, np.round(np.exp(logs), 2))
    demand[np.arange(days) < _openings(rng, stores)[:, None]] = np.nan
    panel = Panel(
        first_date=FIRST_DAY,
        horizon=HORIZON_DAYS,
        keys=tuple(f"store:{n:04}" for n in range(stores)),
        segments=("store",) * stores,
        values=demand[:, :DAYS],
        closed=closed,
        sold_out=np.zeros((stores, DAYS), dtype=bool),
        regressors={"promotion": np.tile(promoted.astype(float), (stores, 1))},
        countries=(("DE",),) * stores,
        calendar=calendar_of(FIRST_DAY, DAYS),
    )
    judged = slice(last_origins(DAYS)[0], DAYS)
    least = wape(expected[:, judged], demand[:, judged])
    told = f"(the expected demand itself has a WAPE of {least:.4f})"
    return BenchPanel("drugstores", panel, panel.values, last_origins(DAYS), notes=told)


def promotion_days(rng: np.random.Generator, weekdays: np.ndarray) -> np.ndarray:
    """(D,) bool: Monday to Friday of every other week; now and then the turn slips by a week."""
    week = (np.arange(len(weekdays)) + weekdays[0]) // 7
    slips = np.cumsum(rng.random(week[-1] + 1) < 0.03)
    return ((week + slips[week]) % 2 == 1) & (weekdays < SATURDAY)


def public_holidays(rng: np.random.Generator, stores: int, days: int) -> np.ndarray:
    """(N, D) bool, by the state that the store is in."""
    states = rng.choice(len(STATES), stores, p=[0.5, 0.3, 0.12, 0.08])
    table = np.zeros((len(STATES), days), dtype=bool)
    for row, state in enumerate(STATES):
        for day in holidays.country_holidays("DE", subdiv=state, years=range(2013, 2016)):
            position = (day - FIRST_DAY).days
            if 0 <= position < days:
                table[row, position] = True
    return table[states]


def refurbishments(rng: np.random.Generator, stores: int, days: int) -> np.ndarray:
    """(N, D) bool: one store in eight is closed for three to ten weeks, before the test windows."""
    closed = np.zeros((stores, days), dtype=bool)
    for store in np.flatnonzero(rng.random(stores) < 0.125):
        start = rng.integers(200, 700)
        closed[store, start : start + rng.integers(21, 71)] = True
    return closed


def _openings(rng: np.random.Generator, stores: int) -> np.ndarray:
    late = rng.random(stores) < 0.08
    return np.where(late, rng.integers(150, 650, stores), 0)


def _everyday(rng: np.random.Generator, stores: int, weekdays: np.ndarray) -> np.ndarray:
    """(N, D) level, its drift, the week."""
    spread = np.array([0.04, 0.03, 0.03, 0.03, 0.04, 0.15, 0.0])
    week = WEEKDAY + rng.normal(0.0, 1.0, (stores, 7)) * spread
    trend = rng.normal(0.02, 0.03, (stores, 1)) * np.arange(len(weekdays)) / 365
    level = rng.normal(8.6, 0.35, (stores, 1))  # about 5,400 a day
    return level + trend + drift(rng, stores, len(weekdays), monthly=0.015) + week[:, weekdays]


def _calendar_effects(rng: np.random.Generator, stores: int, holiday: np.ndarray) -> np.ndarray:
    """(N, D) month edges, December, the year, and the days around public holidays."""
    days = [FIRST_DAY + timedelta(days=n) for n in range(holiday.shape[1])]
    left = np.array([monthrange(day.year, day.month)[1] - day.day for day in days])
    since = np.array([day.day - 1 for day in days])
    edge = np.exp(-((since / 2.5) ** 2)) + np.exp(-(((left + 1) / 2.0) ** 2))
    to_christmas = np.array([24 - day.day if day.month == 12 else 99 for day in days])
    ramp = np.where((to_christmas >= 0) & (to_christmas < 99), np.exp(-to_christmas / 7.0), 0.0)
    turn = np.array([day.timetuple().tm_yday for day in days]) * 2 * np.pi / 365.25
    around = rng.normal(1.0, 0.2, (stores, 1))
    logs = rng.normal(0.09, 0.03, (stores, 1)) * edge
    logs += rng.normal(0.45, 0.10, (stores, 1)) * ramp
    logs += 0.03 * np.sin(turn + rng.normal(0.5, 0.4, (stores, 1)))
    logs[:, :-1] += around * 0.20 * holiday[:, 1:]
    logs[:, 1:] += around * 0.11 * holiday[:, :-1]
    return logs
