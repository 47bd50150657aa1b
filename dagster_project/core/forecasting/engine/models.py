"""Which models there are, and which are tried on what kind of demand.

Belongs here: names, the order in which they are tried, means of two. Does not: how any works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from dagster_project.core.forecasting.engine import (
    boosted,
    box_office,
    intermittent,
    means,
    prophet,
)
from dagster_project.core.forecasting.engine.film_programme import room_ahead
from dagster_project.core.forecasting.engine.intermittent_blend import intermittent_blend
from dagster_project.core.forecasting.engine.panel import Panel

Model = Callable[[Panel], np.ndarray]

BLEND, PROPHET, BOOSTED = "blend", "prophet", "boosted"
WEEKDAY_MEAN, NAIVE, NAIVE_14 = "weekday_promotion_mean", "seasonal_naive", "seasonal_naive_14"
INTERMITTENT_BLEND = "intermittent_blend"
BOX_OFFICE = "box_office"

SMOOTH = (BLEND, PROPHET, BOOSTED, WEEKDAY_MEAN, NAIVE, NAIVE_14)
INTERMITTENT = (
    INTERMITTENT_BLEND,
    "ses",
    "croston_sba",
    "tsb",
    "adida",
    "imapa",
    WEEKDAY_MEAN,
    NAIVE,
)
COMPARED = frozenset({WEEKDAY_MEAN, NAIVE})  # what every forecast is told against
BLENDED = frozenset({PROPHET, WEEKDAY_MEAN})  # what a blend is at least made of

_SINGLE: Mapping[str, Model] = {
    PROPHET: prophet.forecast,
    BOOSTED: boosted.forecast,
    WEEKDAY_MEAN: means.weekday_promotion_mean,
    NAIVE: means.seasonal_naive,
    NAIVE_14: means.seasonal_naive_14,
    INTERMITTENT_BLEND: intermittent_blend,
    BOX_OFFICE: box_office.forecast,
    "ses": intermittent.ses,
    "croston_sba": intermittent.croston_sba,
    "tsb": intermittent.tsb,
    "adida": intermittent.adida,
    "imapa": intermittent.imapa,
}

WORDS = {
    BLEND: "mean of Prophet and boosted trees",
    PROPHET: "Prophet",
    BOOSTED: "boosted trees (LightGBM)",
    WEEKDAY_MEAN: "mean by weekday and promotion",
    NAIVE: "last week again",
    NAIVE_14: "the last fortnight again",
    INTERMITTENT_BLEND: "mean of the methods for intermittent demand",
    BOX_OFFICE: "films by weeks since release, weekday and slot, within the seats",
    "ses": "exponential smoothing",
    "croston_sba": "Croston's method (SBA)",
    "tsb": "Teunter, Syntetos and Babai's method",
    "adida": "ADIDA",
    "imapa": "IMAPA",
}


def available(names: tuple[str, ...]) -> tuple[str, ...]:
    """The models of a list that can be made here: boosted trees are an extra."""
    return tuple(name for name in names if name != BOOSTED or boosted.is_available())


def default_of(names: tuple[str, ...]) -> str:
    """What a challenger has to beat: the first of the list."""
    return names[0]


def forecasts(view: Panel, names: tuple[str, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """Each model's (N, H) amounts, one after the other, within the seats where those are told.

    Days known to be closed are 0.
    The blend is the mean of Prophet and boosted trees; of Prophet and the weekday mean where there
    are no trees; of what is left where one of them has nothing to say of a series.
    """
    shut, room = view.closed[:, view.day_count :], room_ahead(view)
    partner = BOOSTED if boosted.is_available() else WEEKDAY_MEAN
    made: dict[str, np.ndarray] = {}

    def single(name: str) -> np.ndarray:
        if name not in made:
            made[name] = np.minimum(np.where(shut, 0.0, _SINGLE[name](view)), room)
        return made[name]

    for name in names:
        yield name, mean_of(single(PROPHET), single(partner)) if name == BLEND else single(name)


def mean_of(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The mean of two forecasts; the other one where one has nothing to say."""
    either = np.where(np.isnan(first), second, first)
    return (either + np.where(np.isnan(second), first, second)) / 2
