"""Errors worked out by hand, and the rule by which a model takes over."""

import numpy as np
import pytest

from dagster_project.core.forecasting.accuracy import choose, scores, series_reason, value_added
from dagster_project.core.forecasting.backtest import (
    BLEND,
    MODELS,
    PROPHET,
    SEASONAL_NAIVE,
    WEEKDAY_MEAN,
    SeriesForecast,
)
from dagster_project.core.forecasting.panel import HORIZON_DAYS, SalesSeries

ACTUAL = 100.0


def series(key: str) -> SalesSeries:
    return SalesSeries(
        key=key, level="store", member_code=key, member_name=key, banner="Market",
        senders=("till",), countries=("US",), amounts=np.ones(1), receipts_per_day=9.0,
        unconverted_days=0,
    )  # fmt: skip


def forecast(errors: dict[str, list[float]], key: str = "S1") -> SeriesForecast:
    """A shop that sells 100 a day; each model is too high by its error of the window."""
    windows = len(next(iter(errors.values())))
    made = np.full((windows, len(MODELS), HORIZON_DAYS), ACTUAL)
    for place, model in enumerate(MODELS):
        made[:, place] += np.array(errors[model])[:, None]
    return SeriesForecast(
        series=series(key),
        origins=tuple(range(windows)),
        backtest=made,
        actual=np.full((windows, HORIZON_DAYS), ACTUAL),
        final=made[0],
        closed=np.zeros(HORIZON_DAYS, dtype=bool),
    )


def test_error_and_bias_are_shares_of_sales():
    one = forecast({m: [10.0, -30.0] for m in MODELS})

    found = scores(one)[PROPHET]

    assert (found.wape, found.bias) == pytest.approx(
        (0.2, -0.1)
    )  # (10 + 30) / 200, (10 - 30) / 200
    assert found.day_count == 2 * HORIZON_DAYS


def test_days_that_were_not_traded_are_not_judged():
    one = forecast({m: [10.0, 30.0] for m in MODELS})
    one.actual[1] = np.nan

    found = scores(one)[PROPHET]

    assert (found.wape, found.day_count) == (pytest.approx(0.1), HORIZON_DAYS)


def test_value_added_is_the_share_of_the_baselines_error_that_is_saved():
    errors = {PROPHET: [15.0], BLEND: [10.0], WEEKDAY_MEAN: [12.0], SEASONAL_NAIVE: [20.0]}
    found = scores(forecast(errors))

    assert value_added(found, PROPHET, SEASONAL_NAIVE) == pytest.approx(0.25)
    assert value_added(found, PROPHET, WEEKDAY_MEAN) == pytest.approx(-0.25)


@pytest.mark.parametrize(
    ("prophet", "chosen"),
    [
        pytest.param([9.7, 9.7, 10.0], PROPHET, id="3 % better in two of three windows"),
        pytest.param([9.7, 10.0, 10.0], BLEND, id="in one of three only"),
        pytest.param([9.9, 9.9, 9.9], BLEND, id="1 % better everywhere"),
        pytest.param([9.7, 9.7, 12.0], BLEND, id="in two of three, but worse over all"),
    ],
)
def test_a_challenger_takes_over_when_it_wins_by_2_percent_in_two_thirds(prophet, chosen):
    errors = {
        PROPHET: prophet,
        BLEND: [10.0] * 3,
        WEEKDAY_MEAN: [11.0] * 3,
        SEASONAL_NAIVE: [20.0] * 3,
    }

    assert choose([forecast(errors)]).model == chosen


def test_a_segment_decides_together():
    better = {PROPHET: [5.0] * 3, BLEND: [10.0] * 3, WEEKDAY_MEAN: [12.0] * 3,
              SEASONAL_NAIVE: [20.0] * 3}  # fmt: skip
    worse = better | {PROPHET: [30.0] * 3}

    assert choose([forecast(better)]).model == PROPHET
    assert choose([forecast(better), forecast(worse, "S2")]).model == BLEND


def test_the_reason_says_when_prophet_loses_to_a_baseline():
    errors = {PROPHET: [15.0] * 3, BLEND: [10.0] * 3, WEEKDAY_MEAN: [10.1] * 3,
              SEASONAL_NAIVE: [9.9] * 3}  # fmt: skip
    one = forecast(errors)

    choice = choose([one])

    assert choice.model == BLEND
    told = "Prophet alone (0.150) loses to weekday × promotion mean (0.101)"
    assert choice.reason.endswith(told)
    own = series_reason(choice, scores(one))
    assert (
        own == f"{choice.reason}; on this series it loses to last week again, 0.100 against 0.099"
    )
