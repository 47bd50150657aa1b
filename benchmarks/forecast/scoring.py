"""What a forecast is worth: errors, bias, coverage, and the same after adding up.

All arrays are (series, days): the windows of every origin side by side. A day whose truth is NaN is
not judged. A day that is judged and has no forecast counts as a forecast of 0: nobody gains by
leaving out what is hard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dagster_project.core.forecasting.engine.panel import Panel

GOOD_COVER = (0.7, 0.9)  # of one series' days in its 80 % interval


@dataclass(frozen=True)
class Score:
    """One model on one panel; None where there is nothing to judge by."""

    wape: float
    bias: float
    rmsse: float | None
    total_wape: float
    feast_wape: float | None
    cover80: float | None
    cover95: float | None
    series_well_covered: float | None
    cpu_ms: float | None  # per series and origin


@dataclass(frozen=True)
class Windows:
    """What one model said for every window of a panel."""

    means: np.ndarray  # (N, D)
    quantiles: Mapping[float, np.ndarray]  # (N, D) each, by probability


def wape(forecast: np.ndarray, truth: np.ndarray) -> float:
    """Sum of absolute errors as a share of the sum of the truth."""
    judged = ~np.isnan(truth)
    error = np.abs(np.nan_to_num(forecast) - truth)[judged].sum()
    return float(error / truth[judged].sum())


def bias(forecast: np.ndarray, truth: np.ndarray) -> float:
    """Sum of errors as a share of the sum of the truth; above 0 = too much was forecast."""
    judged = ~np.isnan(truth)
    return float((np.nan_to_num(forecast) - truth)[judged].sum() / truth[judged].sum())


def total_wape(forecast: np.ndarray, truth: np.ndarray) -> float:
    """WAPE of the sum over all series, by day: what adding up makes of the errors."""
    judged = ~np.isnan(truth)
    added = np.where(judged, np.nan_to_num(forecast), 0.0).sum(axis=0)
    actual = np.where(judged, truth, 0.0).sum(axis=0)
    return wape(added[None, judged.any(axis=0)], actual[None, judged.any(axis=0)])


def naive_scale(known: np.ndarray) -> np.ndarray:
    """(N,) mean squared step from one day to the next, from the first day that is not 0.

    The M5 competition's scale of RMSSE. NaN where there are no steps or all are 0.
    """
    scales = np.full(len(known), np.nan)
    for row, values in enumerate(known):
        sold = np.flatnonzero(np.nan_to_num(values) != 0)
        steps = np.diff(values[sold[0] :]) if len(sold) else np.empty(0)
        steps = steps[~np.isnan(steps)]
        if len(steps) and steps.any():
            scales[row] = np.mean(steps**2)
    return scales


def rmsse(forecast: np.ndarray, truth: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(N,) root of the mean squared error in units of the scale; NaN where nothing is judged."""
    judged = ~np.isnan(truth)
    squares = np.where(judged, (np.nan_to_num(forecast) - truth) ** 2, 0.0).sum(axis=1)
    count = judged.sum(axis=1)
    mean = np.divide(squares, count, out=np.full(len(truth), np.nan), where=count > 0)
    return np.sqrt(mean / scale)


def covered(low: np.ndarray, high: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N, D) 1 where the truth lies in the interval, 0 where not; NaN = not judged."""
    judged = ~np.isnan(truth) & ~np.isnan(low) & ~np.isnan(high)
    return np.where(judged, (low <= truth) & (truth <= high), np.nan)


def well_covered_share(inside: np.ndarray) -> float:
    """Share of the series whose own days are inside on 70 to 90 % of the judged ones."""
    count = (~np.isnan(inside)).sum(axis=1)
    own = np.nansum(inside, axis=1)[count > 0] / count[count > 0]
    return float(np.mean((own >= GOOD_COVER[0]) & (own <= GOOD_COVER[1])))


def score(
    made: Windows,
    truth: np.ndarray,
    *,
    scales: Sequence[np.ndarray],
    feast: np.ndarray | None = None,
    cpu_ms: float | None = None,
) -> Score:
    """All figures of one model; ``scales`` (N,) of each window, ``feast`` (D,) bool."""
    cover80, well = _coverage(made, truth, 0.1)
    cover95, _ = _coverage(made, truth, 0.025)
    parts = zip(
        np.split(made.means, len(scales), axis=1),
        np.split(truth, len(scales), axis=1),
        scales,
        strict=True,
    )
    errors = np.concatenate([rmsse(*part) for part in parts])
    return Score(
        wape=wape(made.means, truth),
        bias=bias(made.means, truth),
        rmsse=float(np.nanmean(errors)) if not np.isnan(errors).all() else None,
        total_wape=total_wape(made.means, truth),
        feast_wape=None if feast is None else wape(made.means[:, feast], truth[:, feast]),
        cover80=cover80,
        cover95=cover95,
        series_well_covered=well,
        cpu_ms=cpu_ms,
    )


def _coverage(made: Windows, truth: np.ndarray, tail: float) -> tuple[float | None, float | None]:
    """Share of the days inside, and share of the series well covered, of one central interval."""
    low, high = (_quantile(made, level) for level in (tail, 1 - tail))
    if low is None or high is None:
        return None, None
    inside = covered(low, high, truth)
    if np.isnan(inside).all():
        return None, None
    return float(np.nanmean(inside)), well_covered_share(inside)


def _quantile(made: Windows, level: float) -> np.ndarray | None:
    return next((one for at, one in made.quantiles.items() if abs(at - level) < 1e-6), None)


def without_closed(means: np.ndarray, view: Panel) -> np.ndarray:
    """(N, H) the forecast with 0 on the days that are known to be closed."""
    return np.where(view.closed[:, view.day_count :], 0.0, means)
