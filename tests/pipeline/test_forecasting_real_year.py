"""A real grocer's year of 1.47 million lines: the forecasts have to be worth their while."""

import numpy as np
import pytest

from benchmarks.forecast.panels import build
from dagster_project.core.forecasting.engine.coherence import ADD, Sums
from dagster_project.core.forecasting.engine.means import seasonal_naive, weekday_promotion_mean
from dagster_project.core.forecasting.engine.run import forecast_panel

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def departments():
    """The panel of departments at its last origin but two, its forecast, and what came."""
    bench = build("journey_departments")
    view, came = next(iter(bench.views()))
    return view, forecast_panel(view), came


def wape(said: np.ndarray, came: np.ndarray) -> float:
    judged = ~np.isnan(came)
    return float(np.abs(said - came)[judged].sum() / came[judged].sum())


def test_every_department_is_forecast_and_says_by_what(departments):
    _, result, _ = departments

    assert set(result.outcome) == {"forecast"}
    assert all(result.reason)
    assert np.isfinite(result.mean).all()


def test_the_forecast_beats_both_simple_ones(departments):
    view, result, came = departments

    error = wape(result.mean, came)

    assert error < 0.85 * wape(seasonal_naive(view), came)
    assert error < wape(weekday_promotion_mean(view), came)


def test_intervals_held_what_they_say_in_the_back_test(departments):
    _, result, _ = departments

    assert 0.76 <= np.nanmean(result.bands.covered_80) <= 0.84
    assert 0.92 <= np.nanmean(result.bands.covered_95) <= 0.97


def test_a_total_is_the_sum_of_its_departments_now_and_at_past_origins(departments):
    view, _, _ = departments
    rows = np.arange(3)
    panel = view.only([0, 0, 1, 2])  # the first row stands in for a total
    steps = (Sums(ADD, np.array([0]), (rows + 1,)),)

    result = forecast_panel(panel, steps, windows=3)

    assert np.allclose(result.mean[0], result.mean[1:].sum(axis=0), rtol=1e-6)
    assert np.allclose(result.past[:, 0], result.past[:, 1:].sum(axis=1), rtol=1e-6)
