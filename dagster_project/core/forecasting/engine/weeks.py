"""The days on which a shop trades: its week, and the feasts it keeps.

Belongs here: what past days tell of coming ones. Does not: closures that a shop has announced.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dagster_project.core.forecasting.engine.panel import WEEK, Panel
from dagster_project.core.forecasting.events import feast_days

REST_WEEKS = 8  # a weekday not traded for eight weeks is a day of rest
KNOWN_WEEKS = 4  # of a series younger than that no weekday is known to be one of rest
BESIDE = 3  # days around a feast that must have been traded for the feast to have been the cause


def view_at(panel: Panel, days: int) -> Panel:
    """The panel as known after its first days; closures ahead as announced or as the past tells."""
    view = panel.until(days)
    if panel.closures_announced:
        return view
    closed = view.closed.copy()
    closed[:, days:] = closed_ahead(view)
    return replace(view, closed=closed)


def usually_open(view: Panel) -> np.ndarray:
    """(N, T + H) whether the series trades on the day's weekday, by its last eight weeks."""
    return _traded_weekdays(view)[:, view.weekdays]


def closed_ahead(view: Panel) -> np.ndarray:
    """(N, H) days that past ones tell to be closed: nothing after the view's last day is read.

    A weekday without trade for eight weeks; a feast on which the series never traded though it
    traded on the three days before and after.
    """
    days = view.day_count
    young = days - view.first_index < KNOWN_WEEKS * WEEK
    closed = ~_traded_weekdays(view)[:, view.weekdays[days:]] & ~young[:, None]
    for countries in sorted(set(view.countries)):
        rows = np.array([n for n, one in enumerate(view.countries) if one == countries])
        for positions in _feast_positions(view, countries):
            always = _always_closed(view.values[rows], view.first_index[rows], positions)
            ahead = [n - days for n in positions if 0 <= n - days < view.horizon]
            closed[np.ix_(rows[always], ahead)] = True
    return closed


def _traded_weekdays(view: Panel) -> np.ndarray:
    """(N, 7) whether the weekday was traded in the last eight weeks."""
    recent = ~np.isnan(view.values[:, -REST_WEEKS * WEEK :])
    weekdays = view.weekdays[: view.day_count][-REST_WEEKS * WEEK :]
    return (recent @ (weekdays[:, None] == np.arange(WEEK)).astype(float)) > 0


def _feast_positions(view: Panel, countries: tuple[str, ...]) -> list[list[int]]:
    found: dict[str, list[int]] = {}
    for feast, day in feast_days(countries, view.calendar):
        found.setdefault(feast.name, []).append((day - view.first_date).days)
    return list(found.values())


def _always_closed(values: np.ndarray, first: np.ndarray, positions: list[int]) -> np.ndarray:
    """(n,) whether each past date of a feast that can be judged was the only closed day around."""
    judged = np.zeros(len(values), dtype=int)
    was_closed = np.zeros(len(values), dtype=int)
    for position in positions:
        if position < BESIDE or position + BESIDE >= values.shape[1]:
            continue
        around = np.isnan(values[:, position - BESIDE : position + BESIDE + 1])
        known = position >= first + WEEK
        judged += known
        was_closed += known & around[:, BESIDE] & (around.sum(axis=1) == 1)
    return (judged > 0) & (was_closed == judged)
