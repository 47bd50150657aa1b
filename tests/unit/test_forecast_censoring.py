"""Demand of sold-out days: by a generator that knows the truth, and by hand."""

from dataclasses import replace

import numpy as np
import pytest
from forecast_panels import NAN, WEEK, panel, same, with_sold_out

from dagster_project.core.forecasting.engine.censoring import LARGEST_FACTOR, restored
from dagster_project.core.forecasting.engine.panel import Panel

SERIES, DAYS = 12, 399
SPREAD = 0.3
RNG = np.random.default_rng(17)
USUAL = RNG.uniform(20, 400, (SERIES, 1)) * WEEK[np.arange(DAYS) % 7]
DEMAND = USUAL * np.exp(RNG.normal(-(SPREAD**2) / 2, SPREAD, (SERIES, DAYS)))
# Stock that does not follow demand, and less than it on a fifth of the days.
STOCK = USUAL * np.exp(RNG.normal(0.27, 0.2, (SERIES, DAYS)))
OUT = DEMAND > STOCK


def shop() -> Panel:
    """What was sold of DEMAND, and on which days it sold out."""
    return panel(np.minimum(DEMAND, STOCK), sold_out=OUT)


def too_low(values: np.ndarray) -> float:
    """Share by which the mean differs from that of demand."""
    return float(np.nanmean(values / USUAL) / (DEMAND / USUAL).mean() - 1)


def spread_of(values: np.ndarray) -> float:
    return float(np.log(values / USUAL)[OUT].std())


def test_a_fifth_of_the_generated_days_is_sold_out() -> None:
    assert OUT.mean() == pytest.approx(0.2, abs=0.02)


def test_restored_demand_has_the_mean_of_demand() -> None:
    assert abs(too_low(restored(shop()).values)) < 0.015


def test_neither_sales_nor_the_days_left_over_have_the_mean_of_demand() -> None:
    assert too_low(shop().values) < -0.03
    assert too_low(np.where(OUT, NAN, shop().values)) < -0.03


def test_drawn_demand_has_the_spread_of_demand_and_its_mean() -> None:
    drawn = restored(shop(), drawn=True).values

    assert spread_of(drawn) == pytest.approx(spread_of(DEMAND), rel=0.1)
    assert abs(too_low(drawn)) < 0.015
    everywhere = [np.log(one / USUAL).std() for one in (drawn, DEMAND)]
    assert everywhere[0] == pytest.approx(everywhere[1], rel=0.05)


def test_expected_demand_varies_less_than_demand() -> None:
    assert spread_of(restored(shop()).values) < 0.9 * spread_of(DEMAND)


def test_days_that_did_not_sell_out_keep_their_sales_bit_by_bit() -> None:
    for drawn in (False, True):
        values = restored(shop(), drawn=drawn).values
        assert same(values[~OUT], shop().values[~OUT])


def test_demand_is_never_less_than_what_was_sold() -> None:
    for drawn in (False, True):
        assert (restored(shop(), drawn=drawn).values >= shop().values).all()


def test_the_same_is_restored_and_drawn_at_every_call() -> None:
    for drawn in (False, True):
        first, second = (restored(shop(), drawn=drawn).values for _ in range(2))
        assert same(first, second)


def test_without_a_sold_out_day_nothing_is_touched() -> None:
    view = panel(DEMAND)

    assert restored(view) is view


def test_a_day_that_sold_out_at_once_says_at_most_five_times_the_usual() -> None:
    values = np.full((1, 140), 10.0)
    out = np.zeros(values.shape, dtype=bool)
    values[0, 100], out[0, 100] = 0.0, True

    found = restored(panel(values, sold_out=out)).values[0]

    # No sales tell nothing: the usual. All other days are 10, so there is hardly any spread.
    assert found[100] == pytest.approx(10.0, rel=0.02)
    assert (found <= LARGEST_FACTOR * 10.0).all()


def test_a_day_that_sold_far_more_than_usual_keeps_its_sales() -> None:
    values = np.full((1, 140), 10.0)
    out = np.zeros(values.shape, dtype=bool)
    values[0, 100], out[0, 100] = 900.0, True

    assert restored(panel(values, sold_out=out)).values[0, 100] == 900.0


def test_where_most_days_sell_nothing_a_sold_out_day_is_left_out() -> None:
    values = np.where(np.arange(140) % 4 == 0, 1.0, 0.0)[None]
    out = np.zeros(values.shape, dtype=bool)
    out[0, [8, 9]] = True

    found = restored(panel(values, sold_out=out)).values[0]

    assert np.isnan(found[[8, 9]]).all()
    assert (np.delete(found, [8, 9]) == np.delete(values[0], [8, 9])).all()


@pytest.mark.parametrize("drawn", [False, True], ids=["expected", "drawn"])
def test_odd_series_are_restored_without_complaint_and_leave_the_others_alone(drawn: bool) -> None:
    days = 200
    odd = np.stack(
        [
            np.full(days, NAN),
            np.zeros(days),
            np.full(days, -5.0),
            np.where(np.arange(days) == 50, 1e9, 1.0),
            np.where(np.arange(days) < 190, NAN, 3.0),
            np.full(days, 7.0),  # sold out on every day
        ]
    )
    healthy = shop().values[:2, :days]
    out = np.zeros((len(odd) + 2, days), dtype=bool)
    out[:2] = OUT[:2, :days]
    out[2:, ::5] = True
    out[-1] = True

    found = restored(panel(np.vstack([healthy, odd]), sold_out=out), drawn=drawn).values
    alone = restored(panel(healthy, sold_out=out[:2]), drawn=drawn).values

    assert same(found[:2], alone)
    assert (np.isnan(odd) <= np.isnan(found[2:])).all()
    assert not np.isinf(found).any()
    assert np.isnan(found[-1]).all()  # no day tells what is usual


def test_what_an_earlier_day_could_know_does_not_change_with_later_days() -> None:
    whole = with_sold_out(panel(DEMAND[:4]))
    other = replace(whole, values=np.where(np.arange(DAYS) < 300, whole.values, 5.0))

    assert same(restored(whole.until(300)).values, restored(other.until(300)).values)
