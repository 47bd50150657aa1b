"""Intervals from errors: the rank by hand, and coverage on data whose noise is known."""

import numpy as np
import pytest

from dagster_project.core.forecasting.backtest import MODELS, SeriesForecast
from dagster_project.core.forecasting.intervals import conformal_quantile, intervals, log_errors
from dagster_project.core.forecasting.panel import HORIZON_DAYS, SalesSeries

WINDOWS = 6


@pytest.mark.parametrize(
    ("probability", "rank"),
    [(0.1, 1), (0.2, 2), (0.25, 2), (0.75, 8), (0.8, 8), (0.9, 9), (0.975, 9), (0.01, 1)],
)
def test_the_quantile_is_the_outward_rank_of_one_more_than_there_are(probability, rank):
    errors = np.array([5.0, 1.0, 9.0, 3.0, 7.0, 2.0, 8.0, 4.0, 6.0])  # 1 to 9: (9 + 1) × p

    assert conformal_quantile(errors, probability) == rank


def series(number: int) -> SalesSeries:
    return SalesSeries(
        key=f"store:till:{number}",
        level="store",
        member_code=str(number),
        member_name="Shop",
        banner="Market",
        senders=("till",),
        countries=("US",),
        amounts=np.ones(1),
        receipts_per_day=9.0,
        unconverted_days=0,
    )


def forecasts(number: int, noise: float) -> SeriesForecast:
    """A shop whose sales are 100 times log-t noise of its own size; every model says 100."""
    rng = np.random.default_rng(number)
    actual = 100 * np.exp(noise * rng.standard_t(5, (WINDOWS, HORIZON_DAYS)))
    return SeriesForecast(
        series=series(number),
        origins=tuple(range(WINDOWS)),
        backtest=np.full((WINDOWS, len(MODELS), HORIZON_DAYS), 100.0),
        actual=actual,
        final=np.full((len(MODELS), HORIZON_DAYS), 100.0),
        closed=np.zeros(HORIZON_DAYS, dtype=bool),
    )


def test_intervals_cover_what_they_say_on_new_days_of_the_same_noise():
    noises = np.linspace(0.05, 0.5, 20)
    made = [forecasts(n, noise) for n, noise in enumerate(noises)]

    found = intervals(made)

    inside_80 = inside_95 = count = 0
    for number, noise in enumerate(noises):
        rng = np.random.default_rng(1000 + number)
        new = 100 * np.exp(noise * rng.standard_t(5, (50, HORIZON_DAYS)))
        low, p10, p90, high = found.final[f"store:till:{number}"][0]
        inside_80 += ((new >= p10) & (new <= p90)).sum()
        inside_95 += ((new >= low) & (new <= high)).sum()
        count += new.size
    assert inside_80 / count == pytest.approx(0.80, abs=0.02)
    assert inside_95 / count == pytest.approx(0.95, abs=0.01)


def test_the_stated_coverage_is_out_of_sample():
    made = [forecasts(n, 0.2) for n in range(20)]

    found = intervals(made)

    stated = np.mean([shares[0] for shares in found.covered_80.values()])
    assert stated == pytest.approx(0.80, abs=0.03)


def test_one_wild_window_is_not_covered_by_its_own_errors():
    calm = forecasts(1, 0.0)
    calm.actual[2] = 300.0  # one window three times too high, the others exact

    found = intervals([calm])

    assert found.covered_95[calm.series.key][0] == pytest.approx(5 / 6)


def test_quantiles_are_in_order_and_a_closed_day_is_zero():
    made = forecasts(3, 0.3)
    made.final[:, 4] = 0.0

    bands = intervals([made]).final[made.series.key]

    assert (np.diff(bands, axis=1) >= 0).all()
    assert (bands[:, :, 4] == 0).all()


def test_days_that_were_not_traded_have_no_error():
    made = forecasts(3, 0.3)
    made.actual[0, 0] = np.nan

    assert np.isnan(log_errors(made)[0, :, 0]).all()
    assert np.isnan(log_errors(made)).sum() == len(MODELS)
