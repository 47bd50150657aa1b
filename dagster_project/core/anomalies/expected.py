"""What a day should be, from the days before it: weekday, level, trend, what other stores did.

Belongs here: arithmetic on (days, stores, measures). Does not: SQL, calendars, alarms. Counts and
amounts are judged as logarithms, shares as arc sines of their root: there the noise of a day has
the same size whatever the level. Every estimate is a quartile or a median, so that a fault in the
past does not become what is expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from dagster_project.core.anomalies.measures import DISCOUNTED, ROWS, Measure, Measured

if TYPE_CHECKING:
    import numpy as np

WEEK = 7
WINDOW_WEEKS = 10
WINDOW_DAYS = WEEK * WINDOW_WEEKS
LEVEL_DAYS = 14
FEWEST_LEVEL_DAYS = 5
STEADY_DAYS = 35
SCALE_DAYS = 56
FIRST_ESTIMATE_DAYS = 10  # rows on so many days before the first residual is taken
MINIMUM_RESIDUALS = 7  # before a store's own noise counts beside that of the others
MINIMUM_PEERS = 2  # other stores that must agree on what is common to a day
MANY_PEERS = 12  # from then on one store does not move the median, its own is not left out
POOLED_WEEKDAYS = 2.0  # the others' weekdays count as much as so many of a store's own
POOLED_RESIDUALS = 10.0
DISCOUNT_SCALES = 3.0  # above the usual share of discounted rows: a promotion nobody announced
SMALLEST_NOISE = 0.03  # no store sells the same every Tuesday to three in a hundred
SMALLEST_AMOUNT = 0.005  # half a cent: the logarithm of what is given away
# Absolute normal noise: median, 95th and 97th percentile. Further out the faults themselves are.
MAD = 1.4826
TAIL_SAMPLE = 20
TAILS = ((0.95, 1.960), (0.97, 2.170))
VOLUME_SHARE = 0.9  # of the alarms that chance may raise: the row count, whose faults are smallest
UPPER_SHARE = 0.85
DAYS_PER_MONTH = 30
PROMOTED = 0.7  # logarithm of 2: what a holiday or a promotion may do to a count
EXCITED = 0.15  # and to an amount


@dataclass(frozen=True)
class Expected:
    """(days, stores, measures) on the scale of judging; NaN where nothing can be said."""

    found: np.ndarray
    centre: np.ndarray
    common: np.ndarray  # what other stores of the country did on that day, part of the centre
    scale: np.ndarray
    low_limit: np.ndarray  # in scales
    high_limit: np.ndarray
    history: np.ndarray  # (days, stores) days with rows before the day, within the window
    promoted: np.ndarray  # (days, stores) many more rows than usual carry a discount


def transformed(measures: tuple[Measure, ...], values: np.ndarray) -> np.ndarray:
    """Values on the scale of judging, NaN kept."""
    import numpy as np

    result = np.empty_like(values)
    for number, measure in enumerate(measures):
        one = values[:, :, number]
        if measure.kind == "share":
            result[:, :, number] = np.arcsin(np.sqrt(np.clip(one, 0, 1)))
        else:
            result[:, :, number] = np.log(np.maximum(one, SMALLEST_AMOUNT))
    return result


def restored(measure: Measure, value: float) -> float:
    """A number on the scale of judging as people know it."""
    import math

    if measure.kind == "share":
        return math.sin(min(max(value, 0.0), math.pi / 2)) ** 2
    return math.exp(min(value, 700.0))


def expect(
    measured: Measured, near: np.ndarray, groups: np.ndarray, false_alarms: float
) -> Expected:
    """Each day's expectation from the days before it, in one pass over the days.

    ``near`` (days, stores) marks special days, from which nothing is learnt; ``groups`` (stores,)
    numbers whom a store is compared with. ``false_alarms`` is what chance may raise in a month.
    """
    import numpy as np

    measures = measured.measures
    found = transformed(measures, measured.values)
    history = _days_before(~np.isnan(found[:, :, 0]))
    drawn = np.array([measure.kind == "share" for measure in measures])
    accompanied = np.array([(groups == group).sum() > MINIMUM_PEERS + 1 for group in groups])
    limits = _normal_limits(measures, len(measured.stores), false_alarms)
    wilder = np.full((len(found), len(measures)), np.nan)
    learnt, residuals = np.full_like(found, np.nan), np.full_like(found, np.nan)
    centre, common = np.full_like(found, np.nan), np.zeros_like(found)
    scale = np.full_like(found, np.nan)
    promoted = np.zeros(near.shape, dtype=bool)
    for day in range(len(found)):
        known = history[day] >= FIRST_ESTIMATE_DAYS
        own = np.full_like(found[day], np.nan)
        if known.any():
            past = slice(max(0, day - WINDOW_DAYS), day)
            own = _own_estimate(learnt[past], groups, accompanied)
            own[~known] = np.nan
            common[day] = np.where(drawn, 0.0, _common(found[day] - own, groups, near[day]))
            centre[day] = own + common[day]
            past = slice(max(0, day - SCALE_DAYS), day)
            scale[day] = _scale(residuals[past], groups, measured.rows[day], drawn)
            wilder[day] = _tail(residuals[past] / scale[past])
            promoted[day] = _is_promoted(measures, (found - centre)[day], scale[day])
        # What everybody did is told by the others; a store by itself learns nothing from it.
        unusual = (near[day] | (promoted[day] & ~accompanied))[:, None]
        learnt[day] = np.where(unusual, np.nan, found[day] - common[day])
        residuals[day] = np.where(unusual, np.nan, found[day] - centre[day])
    low, high = (one * wilder[:, None, :] for one in limits)
    return Expected(found, centre, common, scale, low, high, history, promoted)


def _is_promoted(
    measures: tuple[Measure, ...], residual: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """(stores,) whether clearly more rows than usual carry a discount."""
    import numpy as np

    names = [measure.name for measure in measures]
    if DISCOUNTED not in names:
        return np.zeros(len(residual), dtype=bool)
    place = names.index(DISCOUNTED)
    return residual[:, place] > DISCOUNT_SCALES * scale[:, place]


def middle(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """The mean along an axis with what is far from the median brought near it, NaN left out.

    As hard to move as the median, and on quiet days nearly as sure as the mean.
    """
    import numpy as np

    half = np.expand_dims(quantile(values, 0.5, axis), axis)
    spread = np.expand_dims(quantile(np.abs(values - half), 0.5, axis), axis)
    near = np.clip(values, half - 2 * MAD * spread, half + 2 * MAD * spread)
    count = (~np.isnan(values)).sum(axis=axis)
    total = np.nansum(near, axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def quantile(values: np.ndarray, share: float, axis: int = 0) -> np.ndarray:
    """The quantile along an axis, NaN left out; NaN where there is nothing."""
    import numpy as np

    ordered = np.sort(values, axis=axis)  # NaN come last
    count = (~np.isnan(values)).sum(axis=axis, keepdims=True)
    place = np.maximum(count - 1, 0) * share
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    low = np.take_along_axis(ordered, below, axis)
    high = np.take_along_axis(ordered, above, axis)
    return (low + (high - low) * (place - below)).squeeze(axis)


def _days_before(opened: np.ndarray) -> np.ndarray:
    import numpy as np

    running = np.vstack([np.zeros((1, opened.shape[1]), int), np.cumsum(opened, axis=0)])
    days = np.arange(len(opened))
    return running[days] - running[np.maximum(days - WINDOW_DAYS, 0)]


def _own_estimate(past: np.ndarray, groups: np.ndarray, accompanied: np.ndarray) -> np.ndarray:
    """(stores, measures) what the next day should be, by weekday, level and trend.

    Where other stores tell what is common to a day, the past is free of seasons and promotions:
    the level is that of a long time then, and has no trend of its own.
    """
    import numpy as np

    weeks = -(-len(past) // WEEK)
    padding = np.full((weeks * WEEK - len(past), *past.shape[1:]), np.nan)
    block = np.concatenate([padding, past]).reshape(weeks, WEEK, *past.shape[1:])
    deviation = block - middle(block, axis=1)[:, None]
    count = (~np.isnan(deviation)).sum(axis=0)
    own = np.nan_to_num(middle(deviation, axis=0))
    weekday = own.copy()
    for group in np.unique(groups):
        chosen = groups == group
        seen = np.where(count[:, chosen] > 0, own[:, chosen], np.nan)
        pooled = np.nan_to_num(quantile(seen, 0.5, axis=1))[:, None]
        weight = count[:, chosen] / (count[:, chosen] + POOLED_WEEKDAYS)
        weekday[:, chosen] = weight * own[:, chosen] + (1 - weight) * pooled
    level = (block - weekday).reshape(-1, *past.shape[1:])
    # The block ends with yesterday, so its first row has the weekday of the day to come.
    tomorrow = np.where(accompanied[:, None], middle(level[-STEADY_DAYS:]), _level(level))
    return tomorrow + weekday[0]


def _level(days: np.ndarray) -> np.ndarray:
    """Level of tomorrow: the last two weeks, carried on by half of what the weeks changed."""
    import numpy as np

    recent, week, before = days[-LEVEL_DAYS:], days[-WEEK:], days[-3 * WEEK : -WEEK]
    slope = (middle(week) - middle(before)) / (1.5 * WEEK) if len(before) else 0.0
    slope = np.clip(np.nan_to_num(slope), -0.03, 0.03)
    # After a pause the weeks before it say more than the day or two since.
    enough = (~np.isnan(recent)).sum(axis=0) >= FEWEST_LEVEL_DAYS
    carried = middle(recent) + 0.5 * slope * (LEVEL_DAYS + 1) / 2
    return np.where(enough, carried, middle(days[-STEADY_DAYS:]))


def _common(residual: np.ndarray, groups: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(stores, measures) what the others did, of those for whom the day is as special."""
    import numpy as np

    if near.all() or not near.any():
        return _shared(residual, groups)
    special, plain = (np.where(chosen[:, None], residual, np.nan) for chosen in (near, ~near))
    return np.where(near[:, None], _shared(special, groups), _shared(plain, groups))


def _shared(residual: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(stores, measures) the median of the other stores of a group; 0 with too few of them.

    Of two others the one nearer to nothing counts, and only if both moved the same way: else a
    fault in one of them would be everybody's.
    """
    import numpy as np

    result = np.zeros_like(residual)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        if len(members) > MANY_PEERS:
            result[members] = np.nan_to_num(quantile(residual[members], 0.5))
            continue
        for store in members:
            others = residual[members[members != store]]
            count = (~np.isnan(others)).sum(axis=0)
            if not len(others) or (count < MINIMUM_PEERS).all():
                continue
            low, high = quantile(others, 0.0), quantile(others, 1.0)
            nearer = np.where(low * high <= 0, 0.0, np.where(low > 0, low, high))
            agreed = np.where(count == MINIMUM_PEERS, nearer, quantile(others, 0.5))
            result[store] = np.where(count < MINIMUM_PEERS, 0.0, agreed)
    return result


def _scale(past: np.ndarray, groups: np.ndarray, rows: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """(stores, measures) the noise of a day: the store's own, steadied by that of its group."""
    import numpy as np

    count = (~np.isnan(past)).sum(axis=0)
    own = MAD * quantile(np.abs(past), 0.5)
    result = np.full_like(own, np.nan)
    for group in np.unique(groups):
        chosen = groups == group
        enough = np.where(count[chosen] >= MINIMUM_RESIDUALS, own[chosen], np.nan)
        pooled = quantile(enough, 0.5)[None, :]
        weight = count[chosen] / (count[chosen] + POOLED_RESIDUALS)
        squared = weight * np.nan_to_num(own[chosen]) ** 2 + (1 - weight) * pooled**2
        result[chosen] = np.sqrt(squared)
    # A share of n rows is no surer than half of one over the root of n.
    counting = np.where(drawn, 0.5 / np.sqrt(np.maximum(rows, 1))[:, None], SMALLEST_NOISE)
    return np.maximum(result, counting)


def _normal_limits(
    measures: tuple[Measure, ...], stores: int, false_alarms: float
) -> tuple[np.ndarray, np.ndarray]:
    """How many scales chance exceeds downwards and upwards no more often than is allowed.

    Were the noise normal. Half a day's rows too many are a smaller step than half of them lost, so
    that most of what chance may do is left to the upper side of the row count.
    """
    import numpy as np

    others = max(len(measures) - 1, 1)
    low, high = [], []
    for measure in measures:
        of_rows = measure.name == ROWS
        share = VOLUME_SHARE if of_rows else (1 - VOLUME_SHARE) / others
        chance = false_alarms * share / (stores * DAYS_PER_MONTH)
        upper = UPPER_SHARE if of_rows else 0.5
        low.append(NormalDist().inv_cdf(1 - chance * (1 - upper)))
        high.append(NormalDist().inv_cdf(1 - chance * upper))
    return np.array(low), np.array(high)


def _tail(past: np.ndarray) -> np.ndarray:
    """(measures,) by how much the past of all stores was wilder than normal noise, at least 1."""
    import numpy as np

    pooled = np.abs(past).reshape(-1, past.shape[-1])
    count = (~np.isnan(pooled)).sum(axis=0)
    wilder = np.ones(past.shape[-1])
    for share, normal in TAILS:
        ratio = np.nan_to_num(quantile(pooled, share)) / normal
        wilder = np.where(count >= TAIL_SAMPLE, np.maximum(wilder, ratio), wilder)
    return wilder
