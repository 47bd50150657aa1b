"""All models on one panel, and how long our own take.

Belongs here: running and gathering. Does not: what a figure means (scoring), what is asked (bar).
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module

import numpy as np

from benchmarks.forecast.drugstores import drugstores
from benchmarks.forecast.exchange import peer_forecasts
from benchmarks.forecast.panels import BenchPanel
from benchmarks.forecast.scoring import Score, Windows, naive_scale, score, without_closed
from dagster_project.core.forecasting.engine import means
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.run import forecast_panel

OURS = "ours"  # the forecast that would be published
SPEED_WINDOWS = 3
ALONE = ("prophet", "weekday_promotion_mean")  # the mean is what a choice is told against
SPEED_STORES = 1000
WARM_UP_STORES = 20


@dataclass
class Gathered:
    """What one model said, window by window."""

    means: list[np.ndarray] = field(default_factory=list)
    quantiles: dict[float, list[np.ndarray]] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    series_count: int = 0

    def add(
        self,
        view: Panel,
        amounts: np.ndarray,
        quantiles: Mapping[float, np.ndarray],
        cpu_seconds: float = 0.0,
        series_count: int = 0,
    ) -> None:
        """One more window."""
        self.means.append(without_closed(amounts, view))
        for level, one in quantiles.items():
            self.quantiles.setdefault(level, []).append(one)
        self.cpu_seconds += cpu_seconds
        self.series_count += series_count

    def windows(self) -> Windows:
        """Side by side; a level that some window lacks is left out."""
        whole = {
            level: np.concatenate(parts, axis=1)
            for level, parts in self.quantiles.items()
            if len(parts) == len(self.means)
        }
        return Windows(np.concatenate(self.means, axis=1), whole)


@dataclass(frozen=True)
class Speed:
    """Seconds for a thousand series of 2.5 years with intervals, on one core.

    Three windows of back-test and the days ahead: of Prophet's batch alone, and of all models.
    """

    prophet_seconds: float
    prophet_cpu_seconds: float
    whole_seconds: float
    whole_cpu_seconds: float


def measure(bench: BenchPanel, ours: Ours, *, fresh: bool = False) -> dict[str, Score]:
    """Every model's score on the panel: our own first, then the peers."""
    made: dict[str, Gathered] = {}
    scales, truths = [], []
    for view, truth in bench.views():
        for name, one in own_forecasts(ours, view).items():
            made.setdefault(name, Gathered()).add(view, *one)
        for name, peer in peer_forecasts(view, bench.peers, fresh=fresh).items():
            made.setdefault(name, Gathered()).add(
                view, peer.means, peer.quantiles, peer.cpu_seconds, peer.series_count
            )
        scales.append(naive_scale(view.values))
        truths.append(truth)
    feast, truth = _feast_days(bench), np.concatenate(truths, axis=1)
    return {
        name: score(
            one.windows(), truth, scales=scales, feast=feast,
            cpu_ms=1000 * one.cpu_seconds / one.series_count if one.series_count else None,
        )
        for name, one in made.items()
        if name == OURS or _speaks_of_all(one.windows(), truth)
    }  # fmt: skip


def _speaks_of_all(made: Windows, truth: np.ndarray) -> bool:
    """False for a model that was not tried on some of the series: its figure would mislead."""
    judged = ~np.isnan(truth)
    spoken = judged & ~np.isnan(made.means)
    return bool((spoken.any(axis=1) | ~judged.any(axis=1)).all())


Own = tuple[np.ndarray, Mapping[float, np.ndarray], float, int]


@dataclass(frozen=True)
class Ours:
    """What is measured: (N, H) means by model name, and quantiles of the published one."""

    forecasts: Callable[[Panel], Mapping[str, np.ndarray]]
    intervals: Callable[[Panel], tuple[Sequence[float], np.ndarray]] | None = None


def load_ours(path: str) -> Ours:
    """The module or the function at a dotted path; ``intervals`` stands beside the function."""
    place, _, name = path.rpartition(".")
    module = import_module(place)
    if callable(found := getattr(module, name, None)):
        return Ours(found, getattr(module, "intervals", None))
    module = import_module(path)
    return Ours(module.forecasts, getattr(module, "intervals", None))


def own_forecasts(ours: Ours, view: Panel) -> dict[str, Own]:
    """Means, quantiles, CPU seconds and series count by model; the published one has quantiles.

    Its CPU seconds are those of the whole run: every model, back-test, choice and intervals. The
    forecasts that anybody could make are there in any case.
    """
    before = cpu_seconds()
    told = dict(ours.forecasts(view))
    quantiles: dict[float, np.ndarray] = {}
    if ours.intervals is not None:
        levels, bands = ours.intervals(view)
        quantiles = {float(level): bands[:, place] for place, level in enumerate(levels)}
    spent = cpu_seconds() - before
    for baseline in (means.seasonal_naive, means.weekday_promotion_mean):
        told.setdefault(baseline.__name__, baseline(view))
    return {
        name: (one, quantiles, spent, view.series_count) if name == OURS else (one, {}, 0.0, 0)
        for name, one in told.items()
    }


def speed() -> Speed:
    """A thousand generated drug stores once, after a few to load what is loaded at first use."""
    bench = drugstores(SPEED_STORES)
    view = bench.panel.until(bench.origins[-1])
    forecast_panel(view.only(range(WARM_UP_STORES)), windows=SPEED_WINDOWS)
    with one_core():
        alone = _seconds(lambda: forecast_panel(view, names=ALONE, windows=SPEED_WINDOWS))
        whole = _seconds(lambda: forecast_panel(view, windows=SPEED_WINDOWS))
    return Speed(*alone, *whole)


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of CPU."""
    start, before = time.perf_counter(), cpu_seconds()
    work()
    return time.perf_counter() - start, cpu_seconds() - before


def prophet_cpu_ms(view: Panel) -> float:
    """CPU milliseconds per series of our Prophet fitted and forecast for all series at once."""
    from dagster_project.core.forecasting.engine import prophet

    return 1000 * timed_cpu(lambda: prophet.forecast(view)) / view.series_count


def timed_cpu(work: Callable[[], object]) -> float:
    """CPU seconds of the second of two runs: the first one loads."""
    work()
    before = cpu_seconds()
    work()
    return cpu_seconds() - before


def cpu_seconds() -> float:
    """Of this process and of the ended ones it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


@contextmanager
def one_core() -> Iterator[None]:
    """Nothing of this process runs on a second core meanwhile."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _feast_days(bench: BenchPanel) -> np.ndarray | None:
    if bench.feast_days is None:
        return None
    ahead = bench.panel.horizon
    return np.concatenate([bench.feast_days[one : one + ahead] for one in bench.origins])
