"""What is known ahead of a day: its place in the month, its feasts, the closures beside it.

Belongs here: columns that depend on the calendar and on closures. Does not: amounts.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.events import feast_days

FAR = 60  # days to a feast that is too far away to be felt
FELT_BEFORE, FELT_AFTER = 28, 15  # the widest windows of the feasts we know
LONGEST_CLOSURE = 4  # days; a longer one is a refurbishment, and its edges no shopping days


@dataclass(frozen=True)
class FeastDistance:
    """The next and the last feast as seen from each day."""

    next_feast: np.ndarray  # (D,) number of the feast, -1 = none within 28 days
    days_to: np.ndarray  # (D,) 0 on the feast itself, FAR when there is none
    last_feast: np.ndarray  # (D,)
    days_since: np.ndarray  # (D,)


def feast_offsets(panel: Panel, countries: tuple[str, ...]) -> dict[str, np.ndarray]:
    """(D,) flag of each single day around each feast, where a window of it is more than one day.

    By the distance from the feast, as ``spring_festival-4``: ramps are no steps.
    """
    found: dict[str, np.ndarray] = {}
    for feast, day in feast_days(countries, panel.calendar):
        position = (day - panel.first_date).days
        for first, last in feast.windows:
            for offset in range(first, last + 1) if last > first else ():
                flags = found.setdefault(f"{feast.name}{offset:+d}", np.zeros(_length(panel)))
                if 0 <= position + offset < len(flags):
                    flags[position + offset] = 1.0
    return found


def feast_distance(panel: Panel, countries: tuple[str, ...]) -> FeastDistance:
    """How far the feasts of the countries are, for history and horizon."""
    days = _length(panel)
    next_feast, last_feast = np.full(days, -1.0), np.full(days, -1.0)
    days_to, days_since = np.full(days, float(FAR)), np.full(days, float(FAR))
    feasts = feast_days(countries, panel.calendar)
    numbers = {name: n for n, name in enumerate(sorted({feast.name for feast, _ in feasts}))}
    for feast, day in feasts:
        position = (day - panel.first_date).days
        for n in range(max(0, position - FELT_BEFORE), min(days, position + FELT_AFTER + 1)):
            ahead = position - n
            if 0 <= ahead < days_to[n]:
                days_to[n], next_feast[n] = ahead, numbers[feast.name]
            if 0 < -ahead < days_since[n]:
                days_since[n], last_feast[n] = -ahead, numbers[feast.name]
    return FeastDistance(next_feast, days_to, last_feast, days_since)


def day_of_month(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """(D,) day of the month from 1, and (D,) days left in it."""
    dates = [panel.first_date + timedelta(days=n) for n in range(_length(panel))]
    number = np.array([day.day for day in dates], dtype=float)
    last = np.array([monthrange(day.year, day.month)[1] for day in dates], dtype=float)
    return number, last - number


def season(panel: Panel) -> np.ndarray:
    """(D,) day of the year, from 0."""
    first = panel.first_date
    days = [first + timedelta(days=n) for n in range(_length(panel))]
    return np.array([day.timetuple().tm_yday - 1 for day in days], dtype=float)


def eventful(panel: Panel, days_open: np.ndarray) -> np.ndarray:
    """(N, D) bool: days within a feast's window or beside an unusual closure.

    They are harder to foresee than others. ``days_open`` as for ``closure_edges``.
    """
    after, before = closure_edges(panel.closed, days_open)
    found = (after > 0) | (before > 0)
    for countries in sorted(set(panel.countries)):
        rows = [n for n, one in enumerate(panel.countries) if one == countries]
        found[rows] |= _feast_windows(panel, countries)
    return found


def _feast_windows(panel: Panel, countries: tuple[str, ...]) -> np.ndarray:
    """(D,) bool."""
    flags = np.zeros(_length(panel), dtype=bool)
    for feast, day in feast_days(countries, panel.calendar):
        position = (day - panel.first_date).days
        for first, last in feast.windows:
            flags[max(position + first, 0) : max(position + last + 1, 0)] = True
    return flags


def phases(regressor: np.ndarray) -> dict[str, np.ndarray]:
    """(N, D) each: that anything is on, its first two days, and the week after it.

    The first days of an offer bring most; after it there are days on which what was bought ahead
    is not bought again. As large as the regressor is, or was; ``on`` is a flag.
    """
    on = regressor != 0
    day, second = _delayed(on, 1), _delayed(on, 2)
    return {
        "on": on.astype(float),
        "first": np.where(on & ~day, regressor, 0.0),
        "second": np.where(on & day & ~second, regressor, 0.0),
        "after": np.where(on, 0.0, _largest_of(regressor, 1, 3)),
        "week_after": np.where(on, 0.0, _largest_of(regressor, 4, 7)),
    }


def _largest_of(values: np.ndarray, first: int, last: int) -> np.ndarray:
    return np.maximum.reduce([_delayed(values, days) for days in range(first, last + 1)])


def _delayed(values: np.ndarray, days: int) -> np.ndarray:
    """What was so many days before; 0 before the first day."""
    result = np.zeros_like(values)
    result[:, days:] = values[:, :-days]
    return result


def closure_edges(closed: np.ndarray, days_open: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, D) days closed straight after and straight before each day, up to four.

    The usual weekly day of rest does not count: ``days_open`` (N, 7-day pattern over D) tells on
    which days the series is usually open.
    """
    unusual = closed & days_open
    after, before = np.zeros(closed.shape), np.zeros(closed.shape)
    run_after, run_before = np.ones(unusual.shape, bool), np.ones(unusual.shape, bool)
    for step in range(1, LONGEST_CLOSURE + 1):
        run_after &= _shifted(unusual, step)
        run_before &= _shifted(unusual, -step)
        after += run_after
        before += run_before
    return _without_long(after), _without_long(before)


def _without_long(run: np.ndarray) -> np.ndarray:
    return np.where(run >= LONGEST_CLOSURE, 0.0, run)


def _shifted(flags: np.ndarray, step: int) -> np.ndarray:
    """What is ``step`` days later (earlier when negative); False beyond the edges."""
    result = np.zeros(flags.shape, dtype=bool)
    if step > 0:
        result[:, :-step] = flags[:, step:]
    else:
        result[:, -step:] = flags[:, :step]
    return result


def _length(panel: Panel) -> int:
    return panel.day_count + panel.horizon
