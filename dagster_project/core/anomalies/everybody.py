"""What happens to all stores of a country on one day, which no store shows beside the others.

Belongs here: judging what the stores have in common. Does not: a store by itself (``judging``).
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist
from typing import TYPE_CHECKING

from dagster_project.core.anomalies.alarms import (
    AMOUNT,
    MILD,
    SEVERE,
    SHARE,
    Alarm,
    rounded,
    words_of,
)
from dagster_project.core.anomalies.expected import (
    DAYS_PER_MONTH,
    LEVEL_DAYS,
    MAD,
    SCALE_DAYS,
    TAILS,
    Expected,
    middle,
    quantile,
)
from dagster_project.core.anomalies.measures import Measure, Measured
from dagster_project.core.anomalies.special_days import SpecialDays
from dagster_project.core.anomalies.watched import Thresholds

if TYPE_CHECKING:
    import numpy as np

FEWEST_STORES = 3
FEWEST_DAYS = 14  # judged before, so that the noise of the whole is known
# A promotion that nobody announced may double what is sold and change what a basket costs; only
# what no promotion does is an alarm of all stores. Lower and upper factor.
COUNT_FACTORS = (0.65, 2.2)
AMOUNT_FACTORS = (0.6, 1.7)


def common_breaches(
    measured: Measured,
    expected: Expected,
    special: SpecialDays,
    known: np.ndarray,
    *,
    table: str,
    thresholds: Thresholds,
) -> Iterator[Alarm]:
    """Alarms of all stores of a country: counts and amounts that moved together, by how much."""
    import numpy as np

    moved = expected.found - expected.centre + expected.common
    for group, country in enumerate(special.countries):
        chosen = special.groups == group
        if chosen.sum() < FEWEST_STORES:
            continue
        one = np.where(known[:, chosen, None], moved[:, chosen], np.nan)
        count = (~np.isnan(one)).sum(axis=1)
        shift = np.where(count >= FEWEST_STORES, quantile(one, 0.5, axis=1), np.nan)
        shift[special.near[:, chosen].any(axis=1)] = np.nan
        yield from _judged(measured, shift, table, country, thresholds)


def _judged(
    measured: Measured, shift: np.ndarray, table: str, country: str, thresholds: Thresholds
) -> Iterator[Alarm]:
    import numpy as np

    chance = thresholds.false_alarms_per_month / (10 * DAYS_PER_MONTH * len(measured.measures))
    limit = NormalDist().inv_cdf(1 - chance / 2)
    ((share, normal), _) = TAILS
    for day in range(1, len(shift)):
        past = shift[max(0, day - SCALE_DAYS) : day]
        if (~np.isnan(past)).sum(axis=0).max() < FEWEST_DAYS:
            continue
        level = middle(past[-LEVEL_DAYS:])
        past = past - level
        scale = np.maximum(
            MAD * quantile(np.abs(past), 0.5), quantile(np.abs(past), share) / normal
        )
        for place, measure in enumerate(measured.measures):
            moved = shift[day, place] - level[place]
            if measure.kind == SHARE or np.isnan(moved):
                continue
            factors = AMOUNT_FACTORS if measure.kind == AMOUNT else COUNT_FACTORS
            factor = float(np.exp(moved))
            is_out = abs(moved) > limit * scale[place]
            if is_out and not factors[0] <= factor <= factors[1]:
                yield _alarm(measured, measure, day, table=table, country=country, factor=factor)


def _alarm(
    measured: Measured, measure: Measure, place: int, *, table: str, country: str, factor: float
) -> Alarm:
    day, name, kind = measured.day(place), measure.name, measure.kind
    factors = AMOUNT_FACTORS if kind == AMOUNT else COUNT_FACTORS
    # Twice as far as a promotion goes is no promotion.
    severe = factor < factors[0] ** 2 or factor > factors[1] ** 2
    return Alarm(
        table_name=table, store=None, day=day, last_day=day, kind=kind, measure=name,
        found=rounded(factor), expected=1.0, low=factors[0], high=factors[1],
        severity=SEVERE if severe else MILD,
        sentence=(
            f"{words_of(name).capitalize()} on {day} is {factor:.2f} times what was expected in "
            f"the stores of {country} together, more than a promotion explains."
        ),
        strength=5.0,
    )  # fmt: skip
