"""Prediction intervals from the errors that the chosen models made in the back-test.

Split conformal, in buckets of the horizon, usual and eventful days apart: the errors of the series
of one segment are put on one scale (each series' own mean size of error, drawn towards the
segment's), pooled, and their quantiles laid around the forecast. No distribution is assumed. Errors
are logarithms where demand is smooth, and amounts where days without any are usual or returns
exceed sales. Coverage is judged window by window, each with the quantiles of the others only.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

PROBABILITIES = (0.025, 0.1, 0.5, 0.9, 0.975)
# First to last day of the horizon, from 1: errors are alike within, and grow with distance.
BUCKET_ENDS = (7, 14)
SMALLEST_ERROR = 1e-4  # a series that repeats itself exactly still has a scale
DRAWN_DAYS = 28  # days of the segment's errors that count beside a series' own
FLOOR_SHARE = 0.05  # of the median judged day: what less than that counts as in logarithms
SMALLEST_POOL = 5  # series; smaller segments share their errors
SMALLEST_KIND = 100  # errors of usual or of eventful days; fewer and the two share theirs


@dataclass(frozen=True)
class Errors:
    """What the chosen model was wrong by."""

    values: np.ndarray  # (W, N, H) log(actual / forecast), or actual - forecast; NaN = not judged
    is_log: np.ndarray  # (N,)
    scale: np.ndarray  # (N,) typical size


@dataclass(frozen=True)
class Intervals:
    """Quantiles ahead, and what those of the back-test held."""

    final: np.ndarray  # (N, P, H) amounts
    covered_80: np.ndarray  # (N,) share of judged days, 0-1; NaN = never judged
    covered_95: np.ndarray


@dataclass(frozen=True)
class Eventful:
    """Which days are harder to foresee: within a feast's window or beside a closure."""

    past: np.ndarray  # (W, N, H) bool
    final: np.ndarray  # (N, H) bool


def intervals(
    segments: tuple[str, ...],
    past: np.ndarray,
    actual: np.ndarray,
    final: np.ndarray,
    eventful: Eventful,
) -> Intervals:
    """Quantiles around ``final`` (N, H), from what ``past`` (W, N, H) had said of ``actual``."""
    errors = errors_of(past, actual, segments)
    pools = pools_of(segments, errors.is_log)
    bands = np.full((len(final), len(PROBABILITIES), final.shape[1]), np.nan)
    covered = np.full((2, len(final)), np.nan)
    for pool in sorted(set(pools.tolist())):
        members = np.flatnonzero(pools == pool)
        scaled = errors.values[:, members] / errors.scale[members][:, None]
        quantiles = _quantiles(scaled, eventful.past[:, members])
        for n in members:
            apart = np.where(eventful.final[n], quantiles[1], quantiles[0]) * errors.scale[n]
            bands[n] = _around(final[n], apart, bool(errors.is_log[n]))
        covered[:, members] = _coverage(scaled, eventful.past[:, members])
    return Intervals(bands, *covered)


def errors_of(
    past: np.ndarray, actual: np.ndarray, segments: tuple[str, ...] | None = None
) -> Errors:
    """Errors of one model per series, on the scale that suits its demand.

    A series that was never judged is taken to be of the kind of most of its segment.
    """
    windows, count, _ = actual.shape
    if not windows:
        return Errors(np.empty(actual.shape), np.zeros(count, bool), np.full(count, np.nan))
    judged = np.where(np.isnan(past), np.nan, actual)
    typical = _median(judged)
    is_log = typical > 0
    if segments is not None:
        is_log |= _like_their_segment(segments, is_log, (~np.isnan(judged)).any(axis=(0, 2)))
    floor = np.where(typical > 0, FLOOR_SHARE * typical, 1.0)[None, :, None]
    with np.errstate(invalid="ignore"):
        logs = np.log(np.maximum(judged, floor)) - np.log(np.maximum(past, floor))
    values = np.where(is_log[None, :, None], logs, judged - past)
    kinds = _kinds(segments, is_log)
    unit = np.where(is_log, 1.0, _size(judged))
    return Errors(values, is_log, _scales(values, kinds, unit))


def _like_their_segment(
    segments: tuple[str, ...], is_log: np.ndarray, is_judged: np.ndarray
) -> np.ndarray:
    """(N,) bool: never judged, in a segment most of whose judged series are logarithmic."""
    names = np.array(segments)
    result = np.zeros(len(names), dtype=bool)
    for name in set(names[~is_judged].tolist()):
        peers = is_log[(names == name) & is_judged]
        if len(peers) and peers.mean() > 0.5:
            result[(names == name) & ~is_judged] = True
    return result


def pools_of(segments: tuple[str, ...], is_log: np.ndarray) -> np.ndarray:
    """(N,) the pool of each series: its segment, or one for all that are too few."""
    names = np.array([f"{one} {log}" for one, log in zip(segments, is_log, strict=True)])
    found, counts = np.unique(names, return_counts=True)
    few = set(found[counts < SMALLEST_POOL].tolist())
    kinds = [f"few {log}" if name in few else name for name, log in zip(names, is_log, strict=True)]
    return np.array(kinds)


def conformal_quantile(errors: np.ndarray, probability: float) -> float:
    """The order statistic that a new error of the same kind stays below with that probability.

    Rank (n + 1) p, outwards: rounded down below one half and up above it, within 1 to n. NaN
    without errors.
    """
    if not len(errors):
        return float("nan")
    rank = (len(errors) + 1) * probability
    outer = np.floor(rank + 1e-9) if probability < 0.5 else np.ceil(rank - 1e-9)
    place = int(min(max(outer, 1), len(errors))) - 1
    return float(np.partition(errors, place)[place])


def buckets(horizon: int) -> list[slice]:
    """Days of the horizon whose errors are alike."""
    edges = [0, *(end for end in BUCKET_ENDS if end < horizon), horizon]
    return [slice(first, last) for first, last in pairwise(edges)]


def _kinds(segments: tuple[str, ...] | None, is_log: np.ndarray) -> np.ndarray:
    """(N,) segment and way of counting errors of each series."""
    names = ("",) * len(is_log) if segments is None else segments
    return np.array([f"{one} {log}" for one, log in zip(names, is_log, strict=True)])


def _scales(values: np.ndarray, kinds: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """(N,) mean size of error, drawn towards that of the series of its segment.

    What stands alone is like nothing else and keeps its own.
    """
    judged = ~np.isnan(values)
    days = judged.sum(axis=(0, 2))
    sums = np.where(judged, np.abs(values), 0.0).sum(axis=(0, 2))
    scale = np.full(len(days), np.nan)
    for kind in set(kinds.tolist()):
        rows = (kinds == kind) & (unit > 0)
        if not days[rows].sum():
            continue
        common = (sums[rows] / unit[rows]).sum() / days[rows].sum()
        weight = DRAWN_DAYS if rows.sum() > 1 else 0
        drawn = sums[rows] + weight * common * unit[rows]
        scale[rows] = np.maximum(drawn / (days[rows] + weight), SMALLEST_ERROR * unit[rows])
    # Of a segment that was never judged nothing is known but what the others' errors are like.
    known = ~np.isnan(scale)
    usual = float(np.median(scale[known] / unit[known])) if known.any() else SMALLEST_ERROR
    return np.where(known, scale, usual * np.where(unit > 0, unit, 1.0))


def _quantiles(scaled: np.ndarray, eventful: np.ndarray) -> np.ndarray:
    """(2, P, H) quantiles of (W, n, H) scaled errors, of usual days and of eventful ones.

    Where one kind has too few errors the two share theirs.
    """
    result = np.zeros((2, len(PROBABILITIES), scaled.shape[2]))
    known = ~np.isnan(scaled)
    for days in buckets(scaled.shape[2]):
        kinds = [known[:, :, days] & (eventful[:, :, days] == kind) for kind in (False, True)]
        if min(one.sum() for one in kinds) < SMALLEST_KIND:
            kinds = [known[:, :, days]] * 2
        for kind, chosen in enumerate(kinds):
            pooled = scaled[:, :, days][chosen]
            for place, probability in enumerate(PROBABILITIES):
                result[kind, place, days] = conformal_quantile(pooled, probability)
    return result


def _coverage(scaled: np.ndarray, eventful: np.ndarray) -> np.ndarray:
    """(2, n) share of judged days inside the 80 % and 95 % intervals of the other windows."""
    inside, judged = np.zeros((2, scaled.shape[1])), (~np.isnan(scaled)).sum(axis=(0, 2))
    if len(scaled) < 2:
        return np.full(inside.shape, np.nan)
    for window in range(len(scaled)):
        others = (np.delete(one, window, axis=0) for one in (scaled, eventful))
        usual, unusual = _quantiles(*others)
        for place, (lower, upper) in enumerate(((1, 3), (0, 4))):
            error, hard = scaled[window], eventful[window]
            low = np.where(hard, unusual[lower], usual[lower])
            high = np.where(hard, unusual[upper], usual[upper])
            inside[place] += ((error >= low) & (error <= high)).sum(axis=1)
    return np.divide(inside, judged, out=np.full(inside.shape, np.nan), where=judged > 0)


def _around(mean: np.ndarray, errors: np.ndarray, is_log: bool) -> np.ndarray:
    """(P, H) amounts around a forecast; a day that is expected to be 0 is 0 for certain."""
    if is_log:
        return np.sort(mean * np.exp(errors), axis=0)  # a mean below 0 turns them round
    shifted = mean + errors
    return np.where(mean == 0, 0.0, np.maximum(shifted, 0.0) if (mean >= 0).all() else shifted)


def _median(judged: np.ndarray) -> np.ndarray:
    """(N,) median of the judged days; 0 where there are none."""
    flat = np.moveaxis(judged, 1, 0).reshape(judged.shape[1], -1)
    ordered = np.sort(flat, axis=1)  # NaN last
    count = (~np.isnan(flat)).sum(axis=1)
    middle = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[:, None], axis=1)[:, 0]
    return np.where(count > 0, middle, 0.0)


def _size(judged: np.ndarray) -> np.ndarray:
    """(N,) mean absolute amount of the judged days."""
    known = ~np.isnan(judged)
    total = np.where(known, np.abs(judged), 0.0).sum(axis=(0, 2))
    return total / np.maximum(known.sum(axis=(0, 2)), 1)
