"""What the chosen models were wrong by in the back-test, on a scale on which series are alike.

Belongs here: errors, their size, the days on which next to nothing was sold. Does not: quantiles.

Errors are logarithms where demand is smooth, and amounts where days without any are usual or
returns exceed sales. A day of nothing has no logarithm: such days are counted apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SMALLEST_ERROR = 1e-4  # a series that repeats itself exactly still has a scale
DRAWN_DAYS = 28  # days of the segment's errors that count beside a series' own
LEAST_OTHERS = 0.25  # of the scale: one bad window of a series is no reason for endless limits
IDLE_DRAWN_DAYS = 7  # the same for its share of days of nothing
IDLE_SHARE = 0.05  # of the median judged day: who sells less than that has sold next to nothing
MOST_BELOW_ZERO = 0.01  # of the judged days; a series that is below 0 more often has amounts


@dataclass(frozen=True)
class Errors:
    """What the chosen model was wrong by."""

    values: np.ndarray  # (W, N, H) log(actual / forecast), or actual - forecast; NaN = no error
    is_log: np.ndarray  # (N,)
    scale: np.ndarray  # (N,) typical size
    others: np.ndarray  # (W, N) the same of the other windows: what was known of a series' errors
    idle: np.ndarray  # (N,) share of the judged days that sold next to nothing; 0 of amounts


def errors_of(
    past: np.ndarray, actual: np.ndarray, segments: tuple[str, ...] | None = None
) -> Errors:
    """Errors of one model per series, on the scale that suits its demand.

    ``past`` and ``actual`` are (W, N, H). A series that was never judged is taken to be of the kind
    of most of its segment.
    """
    windows, count, _ = actual.shape
    if not windows:
        none = np.full(count, np.nan)
        nothing = np.empty((0, count))
        return Errors(np.empty(actual.shape), np.zeros(count, bool), none, nothing, np.zeros(count))
    judged = np.where(np.isnan(past), np.nan, actual)
    days = (~np.isnan(judged)).sum(axis=(0, 2))
    typical = _median(judged)
    is_log = (typical > 0) & ((judged < 0).sum(axis=(0, 2)) <= MOST_BELOW_ZERO * days)
    if segments is not None:
        is_log |= _like_their_segment(segments, is_log, days > 0)
    floor = np.where(typical > 0, IDLE_SHARE * typical, 1.0)[None, :, None]
    is_idle = (judged <= floor) & is_log[None, :, None]
    with np.errstate(invalid="ignore"):
        logs = np.log(np.maximum(judged, floor)) - np.log(np.maximum(past, floor))
    values = np.where(is_log[None, :, None], np.where(is_idle, np.nan, logs), judged - past)
    kinds = _kinds(segments, is_log)
    unit = np.where(is_log, 1.0, _size(judged))
    scale = _scales(values, kinds, unit)
    others = _of_the_others(values, kinds, unit, scale)
    return Errors(values, is_log, scale, others, _idle(is_idle, days, kinds))


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


def _of_the_others(
    values: np.ndarray, kinds: np.ndarray, unit: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """(W, N) each window's scale by all others: by its own luck no error would ever look large.

    How large a series' errors are beside its segment's is what luck moves; a window that was bad
    for the whole segment tells of all of them, and is left as it is.
    """
    result = np.tile(scale, (len(values), 1))
    for window in range(len(values) if len(values) > 1 else 0):
        rest = np.delete(values, window, axis=0)
        judged = (~np.isnan(rest)).any(axis=(0, 2))
        found = _scales(rest[:, judged], kinds[judged], unit[judged])
        beside = found / scale[judged]
        for kind in set(kinds[judged].tolist()):
            rows = kinds[judged] == kind
            beside[rows] /= np.median(beside[rows])
        result[window, judged] = np.maximum(beside, LEAST_OTHERS) * scale[judged]
    return result


def _idle(is_idle: np.ndarray, days: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """(N,) share of days of nothing, drawn towards that of the series of its segment."""
    found = is_idle.sum(axis=(0, 2))
    share = np.zeros(len(days))
    for kind in set(kinds.tolist()):
        rows = kinds == kind
        weight = IDLE_DRAWN_DAYS if rows.sum() > 1 else 0
        common = found[rows].sum() / max(days[rows].sum(), 1)
        share[rows] = (found[rows] + weight * common) / np.maximum(days[rows] + weight, 1)
    return share


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
