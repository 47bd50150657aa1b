"""What would have been said of a feast the last time it came, for the intervals of the next one.

Belongs here: when the feast ahead was last kept, what the chosen models say from that far before
it. Does not: quantiles.

The windows of the back-test are the last weeks, in which the feast ahead was not. How far off a
forecast may be on its days is told by the same days around its last date, from an origin as far
before it, with nothing known that came after.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.core.forecasting.engine.censoring import restored
from dagster_project.core.forecasting.engine.models import forecasts
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.weeks import view_at
from dagster_project.core.forecasting.events import feast_days

YEAR = 364  # days of history that an origin needs: of a feast never seen nothing can be said


@dataclass(frozen=True)
class Window:
    """Forecasts and amounts around the last date of the feast ahead; NaN on its usual days."""

    past: np.ndarray  # (1, N, H)
    asked: np.ndarray  # (1, N, H)


def same_feast(
    panel: Panel, model: np.ndarray, demand: np.ndarray, eventful: np.ndarray
) -> Window | None:
    """What the model of each series would have said of the feast ahead when it was last kept.

    ``model`` (N,) names; ``demand`` (N, T) what was asked for; ``eventful`` (N, T + H) the days
    that count. None where no feast is ahead, or none that was kept after a year of history.
    """
    origins = feast_origins(panel)
    if not origins:
        return None
    shape = (1, panel.series_count, panel.horizon)
    past, asked = np.full(shape, np.nan), np.full(shape, np.nan)
    for countries, origin in origins.items():
        keeps = np.array([one == countries for one in panel.countries])
        days = slice(origin, origin + panel.horizon)
        for name in sorted(set(model[keeps].tolist())):
            rows = np.flatnonzero(keeps & (model == name))
            view = restored(view_at(panel.only(rows), origin))
            ((_, past[0, rows]),) = forecasts(view, (name,))
        known = keeps & (origin - panel.first_index >= panel.horizon)
        asked[0] = np.where(known[:, None] & eventful[:, days], demand[:, days], asked[0])
    return Window(past, asked)


def feast_origins(panel: Panel) -> dict[tuple[str, ...], int]:
    """By whose feasts are kept: days of history when the feast ahead was as far ahead as it is now.

    The feast with the most days within the horizon; the first of several.
    """
    found: dict[tuple[str, ...], int] = {}
    for countries in sorted(set(panel.countries)):
        dates: dict[str, list[int]] = {}
        felt: dict[str, int] = {}
        for feast, day in feast_days(countries, panel.calendar):
            position = (day - panel.first_date).days
            days = {position + n for first, last in feast.windows for n in range(first, last + 1)}
            ahead = len(days.intersection(range(panel.day_count, panel.day_count + panel.horizon)))
            dates.setdefault(feast.name, []).append(position)
            felt[feast.name] = max(felt.get(feast.name, 0), ahead)
        name = max(sorted(felt), key=lambda one: felt[one], default=None)
        if name is None or not felt[name]:
            continue
        origin = _last_time(dates[name], panel)
        if origin is not None:
            found[countries] = origin
    return found


def _last_time(positions: list[int], panel: Panel) -> int | None:
    """The origin as far before the feast's last date as the panel's is before or after its next."""
    middle = panel.day_count + panel.horizon // 2
    ahead = min(positions, key=lambda one: abs(one - middle))
    before = [one for one in positions if one < ahead]
    if not before:
        return None
    origin = panel.day_count - (ahead - max(before))
    return origin if YEAR <= origin <= panel.day_count - panel.horizon else None
