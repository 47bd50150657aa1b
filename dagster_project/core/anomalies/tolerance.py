"""How far a measure may be from what is expected before it is an alarm.

Belongs here: the band around an expectation. Does not: the expectation (``expected``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.core.anomalies.alarms import AMOUNT, COUNT, SHARE
from dagster_project.core.anomalies.expected import EXCITED, PROMOTED, Expected
from dagster_project.core.anomalies.measures import ROWS, TWINS, Measure
from dagster_project.core.anomalies.special_days import SpecialDays
from dagster_project.core.anomalies.watched import Thresholds

if TYPE_CHECKING:
    import numpy as np

# Of the rows of a sketch, which are few: a day loaded twice has half of its rows twice.
DOUBLED_SHARE = 0.2
SPECIAL_WIDENING = 1.15  # of the limit on special days: their noise is not that of other days


@dataclass(frozen=True)
class Allowed:
    """(days, stores, measures) on the scale of judging; NaN where nothing can be judged."""

    low: np.ndarray
    high: np.ndarray


def allowed(
    measures: tuple[Measure, ...],
    expected: Expected,
    special: SpecialDays,
    thresholds: Thresholds,
) -> Allowed:
    """The band of every store, day and measure.

    At least the least change that anybody wants to hear of. On special days it is wider, and wider
    still for counts and amounts where no other stores say what the day did; a day with many
    discounts may sell more.
    """
    import numpy as np

    widened = np.where(special.near, SPECIAL_WIDENING, 1.0)[:, :, None] * expected.scale
    below, above = expected.low_limit * widened, expected.high_limit * widened
    low, high = np.empty_like(below), np.empty_like(above)
    # On a holiday each store does as it likes.
    alone = special.near[:, :, None] & (expected.common == 0) | special.holiday[:, :, None]
    # A promotion of most stores is in what the others did, where there are others.
    of_most = expected.promoted.mean(axis=1, keepdims=True) >= 0.5
    by_itself = expected.promoted[:, :, None] & (~of_most[:, :, None] | (expected.common == 0))
    for place, measure in enumerate(measures):
        centre = expected.centre[:, :, place]
        down, up = _least(measure, centre, thresholds)
        extra = np.where(alone[:, :, place], _excitement(measure), 0.0)
        promoted = np.where(by_itself[:, :, place] & (measure.kind == COUNT), PROMOTED, 0.0)
        high[:, :, place] = (
            centre + np.maximum(above[:, :, place], up) + np.maximum(extra, promoted)
        )
        # Rows that are there once cannot become fewer.
        down = np.inf if measure.name == TWINS else np.maximum(below[:, :, place], down) + extra
        low[:, :, place] = centre - down
    return Allowed(low, high)


def _least(
    measure: Measure, centre: np.ndarray, thresholds: Thresholds
) -> tuple[np.ndarray, np.ndarray]:
    """The least change downwards and upwards that is worth an alarm."""
    import numpy as np

    if measure.kind == SHARE:
        share = np.sin(np.clip(centre, 0, np.pi / 2)) ** 2
        least = DOUBLED_SHARE if measure.name == TWINS else thresholds.least_share_change
        up = np.arcsin(np.sqrt(np.minimum(share + least, 1))) - centre
        return centre - np.arcsin(np.sqrt(np.maximum(share - least, 0))), up
    of_rows = measure.name == ROWS
    least = thresholds.least_row_change if of_rows else thresholds.least_change
    same = np.full_like(centre, np.log1p(least))
    return same, same


def _excitement(measure: Measure) -> float:
    return {COUNT: PROMOTED, AMOUNT: EXCITED}.get(measure.kind, 0.0)
