"""Methods for series that are zero on most days, against statsforecast and by hand."""

from datetime import date

import numpy as np
import pytest

from dagster_project.core.forecasting.engine.intermittent import (
    adida,
    croston_sba,
    imapa,
    ses,
    tsb,
)
from dagster_project.core.forecasting.engine.intermittent_blend import intermittent_blend
from dagster_project.core.forecasting.engine.panel import PROMOTION, Panel

NAN = np.nan
HORIZON = 14
SIX = np.array(
    [
        [0, 3, 0, 0, 1, 0, 0, 2, 0, 0, 0, 4],
        [2, 0, 1, 3, 0, 2, 2, 0, 1, 4, 0, 2],
        [0, 0, 0, 5, 0, 0, 0, 0, 0, 6, 0, 0],
        [5, 7, 6, 4, 8, 6, 5, 7, 6, 9, 5, 6],
        [1, 0, 0, 0, 0, 0, 2, 0, 9, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ],
    dtype=float,
)
# statsforecast 2.1.1: CrostonSBA(), TSB(alpha_d=.1, alpha_p=.1), ADIDA(), IMAPA() and
# SimpleExponentialSmoothingOptimized(), the first day ahead.
STATSFORECAST = {
    ses: [0.7680, 1.7326, 0.5155, 6.1524, 1.0017, 0.0],
    croston_sba: [1.1411, 1.5385, 1.1536, 5.5957, 1.1584, 0.0],
    tsb: [0.7072, 1.6033, 0.6326, 5.8902, 0.8425, 0.0],
    adida: [0.9493, 1.2453, 1.0400, 6.1524, 0.5730, 0.0],
    imapa: [0.9267, 1.4310, 0.8543, 6.1524, 0.8141, 0.0],
}
METHODS = [*STATSFORECAST, intermittent_blend]


def panel(
    values: np.ndarray, promotion: np.ndarray | None = None, segments: tuple[str, ...] = ()
) -> Panel:
    count, days = values.shape
    return Panel(
        first_date=date(2026, 1, 5),
        horizon=HORIZON,
        keys=tuple(f"series {row}" for row in range(count)),
        segments=segments or ("shop",) * count,
        values=values.astype(float),
        closed=np.zeros((count, days + HORIZON), dtype=bool),
        sold_out=np.zeros((count, days), dtype=bool),
        regressors={} if promotion is None else {PROMOTION: promotion},
        countries=(("US",),) * count,
    )


def shelf(seed: int, level: float = 0.4, count: int = 60, days: int = 280) -> np.ndarray:
    return np.random.default_rng(seed).poisson(level, (count, days)).astype(float)


@pytest.mark.parametrize("method", STATSFORECAST, ids=lambda method: method.__name__)
def test_six_series_are_as_statsforecast_says_on_all_days_ahead(method) -> None:
    found = method(panel(SIX))

    assert found.shape == (6, HORIZON)
    assert found[:, 0] == pytest.approx(STATSFORECAST[method], abs=5e-4)
    assert (found == found[:, :1]).all()


def test_croston_smooths_sizes_and_intervals_of_the_days_with_demand() -> None:
    # Sizes 5, 6 → 5 + .1 × 1 = 5.1; intervals 4, 6 → 4 + .1 × 2 = 4.2; 5.1 / 4.2 × .95.
    assert croston_sba(panel(SIX[2:3]))[0, 0] == pytest.approx(0.95 * 5.1 / 4.2)


def test_tsb_lets_the_chance_of_a_sale_fade_after_the_last() -> None:
    # Size 5; chance 0 three days, then .1, × .9 on each of the days without a sale.
    row = np.array([[0, 0, 0, 5, 0, 0]])

    assert tsb(panel(row))[0, 0] == pytest.approx(5 * 0.1 * 0.9 * 0.9)


def test_adida_smooths_sums_over_the_usual_interval() -> None:
    # Intervals 4 and 6: sums over 5 days from the end, 5 and 6; one error: the middle, .2.
    assert adida(panel(SIX[2:3]))[0, 0] == pytest.approx((5 + 0.2 * 1) / 5)


@pytest.mark.parametrize("method", STATSFORECAST, ids=lambda method: method.__name__)
def test_days_without_a_value_are_left_out(method) -> None:
    with_gaps = np.insert(SIX, [0, 3, 9], NAN, axis=1)

    assert method(panel(with_gaps)) == pytest.approx(method(panel(SIX)))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_a_series_without_any_value_has_no_forecast_and_the_others_theirs(method) -> None:
    rows = shelf(1)
    rows[3] = NAN

    found = method(panel(rows))

    assert np.isnan(found[3]).all()
    assert np.isfinite(np.delete(found, 3, axis=0)).all()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_a_forecast_is_the_same_again_and_never_negative(method) -> None:
    rows = np.vstack([shelf(2), np.zeros((1, 280)), -shelf(2, count=1)])

    found = method(panel(rows))

    assert np.array_equal(found, method(panel(rows)))
    assert (found >= 0).all()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_nothing_after_the_origin_is_seen(method) -> None:
    rows = shelf(3)
    scrambled = rows.copy()
    scrambled[:, 250:] = scrambled[::-1, 250:] * 7 + 1

    assert np.array_equal(method(panel(rows).until(250)), method(panel(scrambled).until(250)))


@pytest.mark.parametrize("days", [1, 5, 27])
def test_the_blend_of_a_short_history_is_a_level(days: int) -> None:
    found = intermittent_blend(panel(np.full((3, days), 2.0)))

    assert found == pytest.approx(2.0, rel=0.05)


def test_the_blend_gives_a_weekday_its_share_from_all_series_of_the_shop() -> None:
    rows = shelf(4)
    rows[:, 5::7] *= 3  # Saturdays: 3 / (9 / 7) = 2.33 of the mean day

    ahead = intermittent_blend(panel(rows)).mean(axis=0)

    assert ahead[5] / ahead[:7].mean() == pytest.approx(3 / (9 / 7), rel=0.1)


def test_the_blend_learns_what_a_promotion_brings_from_many_series() -> None:
    rows = shelf(5)
    promotion = np.zeros((60, 280 + HORIZON))
    promotion[:, ::10] = 1.0
    rows[:, ::10] *= 2.5
    rows[0, ::10] = 0.0  # one series' bad luck is not yet a rule

    ahead = intermittent_blend(panel(rows, promotion))

    on, off = ahead[1:, 0], ahead[1:, 1:10].mean(axis=1)
    assert (on / off).mean() == pytest.approx(2.5, rel=0.15)
    assert ahead[0, 0] > 0.3 * ahead[0, 1:10].mean()


def test_the_blend_lowers_what_has_not_sold_for_long_when_such_series_stayed_silent() -> None:
    rows = shelf(6, count=100)
    for row in range(50):
        rows[row, 60 + 4 * row :] = 0.0  # off the shelf from then on

    ahead = intermittent_blend(panel(rows)).mean(axis=1)

    assert ahead[:30].mean() < 0.1 * ahead[50:].mean()


def test_the_blend_has_a_smaller_error_than_each_single_method() -> None:
    generator = np.random.default_rng(7)
    weekday = np.array([0.8, 0.7, 0.8, 0.9, 1.2, 1.5, 1.1])[np.arange(280 + HORIZON) % 7]
    rows = generator.poisson(generator.gamma(2, 0.3, (300, 1)) * weekday).astype(float)
    shops, coming = panel(rows[:, :280]), rows[:, 280:]

    def error(forecast: np.ndarray) -> float:
        return float(np.sqrt(((forecast - coming) ** 2).mean()))

    single = min(error(method(shops)) for method in STATSFORECAST)
    assert error(intermittent_blend(shops)) < 0.99 * single


def test_the_blend_hears_what_sells_for_a_cent_and_for_a_thousand_alike() -> None:
    rows = shelf(8)
    rows[0] = 0.0
    rows[0, 20] = 1.0  # sold once
    price = np.geomspace(1e-4, 1e4, len(rows))[:, None]

    units, money = intermittent_blend(panel(rows)), intermittent_blend(panel(rows * price))

    assert money == pytest.approx(units * price, rel=1e-9)
    # What sells steadily is forecast as it sold, whatever stands beside it.
    assert money[1:].mean(axis=1) == pytest.approx((rows * price)[1:].mean(axis=1), rel=0.6)


def test_the_blend_of_what_comes_back_more_than_it_sells_is_zero_and_harms_no_other() -> None:
    rows = shelf(9)
    with_returns = rows.copy()
    with_returns[3] = -rows[3]

    sold, returned = intermittent_blend(panel(rows)), intermittent_blend(panel(with_returns))

    assert (returned[3] == 0).all()
    assert np.delete(returned, 3, axis=0) == pytest.approx(np.delete(sold, 3, axis=0), rel=1e-9)


def test_the_blend_of_amounts_that_cancel_out_is_a_number() -> None:
    rows = shelf(10)
    rows[5, ::2], rows[5, 1::2] = 1e6, -1e6

    found = intermittent_blend(panel(rows))

    assert np.isfinite(found).all()
    assert np.abs(found[5]).max() <= 1e6
