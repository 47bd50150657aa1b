"""Stock that follows from forecasts and their past errors, worked out by hand and simulated."""

import numpy as np
import pytest

from dagster_project.core.forecasting.engine.inventory import (
    BackTest,
    StockLevels,
    stock_levels,
    sum_quantiles,
    whole_units,
)

NAN = np.nan
SERIES = 200


def exact(daily: float, days: int = 10, windows: int = 2) -> BackTest:
    """Past forecasts of ``daily`` units that all came true."""
    amounts = np.full((windows, SERIES, days), daily)
    return BackTest(expected=amounts, actual=amounts)


def none_or_four() -> BackTest:
    """Two were expected on each of four days, every series; in turn none came and four."""
    actual = np.tile([0.0, 4.0, 4.0, 0.0], (2, SERIES, 1))
    return BackTest(expected=np.full(actual.shape, 2.0), actual=actual)


def levels(
    forecast: np.ndarray, backtest: BackTest, lead: float, review: float, target: float
) -> StockLevels:
    count = len(forecast)
    return stock_levels(forecast, backtest, np.full(count, lead), np.full(count, review), target)


def test_without_errors_the_level_is_the_demand_less_what_the_target_lets_go() -> None:
    found = levels(np.full((SERIES, 10), 2.0), exact(2.0), lead=2, review=3, target=0.9)

    assert found.lead_demand == pytest.approx(4.0)
    assert found.protected_demand == pytest.approx(10.0)
    # 3 days at 2, a tenth unmet: 4 + 6 − .6; looked at daily 4 + 2 − .2.
    assert found.order_up_to == pytest.approx(9.4, abs=2e-3)
    assert found.safety_stock == pytest.approx(-0.6, abs=2e-3)
    assert found.reorder_point == pytest.approx(5.8, abs=2e-3)


def test_the_level_leaves_the_allowed_share_of_all_outcomes_unmet() -> None:
    # None or four, each as likely, 2 on average; a quarter unmet is .5 = half of (4 − 3).
    found = levels(np.full((SERIES, 4), 2.0), none_or_four(), lead=0, review=1, target=0.75)

    assert found.order_up_to == pytest.approx(3.0, abs=2e-3)
    assert found.safety_stock == pytest.approx(1.0, abs=2e-3)


def test_quantiles_are_those_of_past_sums() -> None:
    found = sum_quantiles(
        np.full((SERIES, 4), 2.0), none_or_four(), np.ones(SERIES), np.array([0.1, 0.5, 0.6, 0.9])
    )

    assert found[0].tolist() == [0, 0, 4, 4]
    assert (found == found[0]).all()


def test_sums_of_two_days_have_their_own_errors() -> None:
    # 0 + 4 and 4 + 0: every two days four came, as expected.
    found = sum_quantiles(
        np.full((SERIES, 4), 2.0), none_or_four(), np.full(SERIES, 2.0), np.array([0.1, 0.9])
    )

    assert found == pytest.approx(4.0)


def test_with_too_few_past_sums_demand_is_a_count_with_the_expected_mean() -> None:
    nothing = BackTest(expected=np.full((1, 1, 7), NAN), actual=np.full((1, 1, 7), NAN))

    found = sum_quantiles(np.ones((1, 7)), nothing, np.ones(1), np.array([0.3, 0.5, 0.9, 0.95]))

    # Poisson of mean 1: .368 none, .736 at most one, .920 at most two, .981 at most three.
    assert found.tolist() == [[0, 1, 2, 3]]


def test_six_orders_of_which_one_can_be_said() -> None:
    forecast = np.full((6, 10), 2.0)
    forecast[1, 4] = NAN
    amounts = np.full((40, 6, 10), 2.0)
    backtest = BackTest(expected=amounts, actual=amounts)
    lead = np.array([2, 2, -1, 2, 2.5, NAN])
    review = np.array([3, 3, 3, 9, 3, 3])

    found = stock_levels(forecast, backtest, lead, review, 0.9)

    # No forecast of a day; L below 0; L + R beyond the horizon; no whole day; not known.
    assert np.isfinite(found.order_up_to).tolist() == [True] + [False] * 5
    for one in (found.lead_demand, found.protected_demand, found.safety_stock):
        assert np.array_equal(np.isnan(one), np.isnan(found.order_up_to))
    assert np.array_equal(np.isnan(found.reorder_point), np.isnan(found.order_up_to))


def test_a_review_period_of_no_days_has_no_level() -> None:
    found = levels(np.full((SERIES, 10), 2.0), exact(2.0), lead=2, review=0, target=0.9)

    assert np.isnan(found.order_up_to).all()


def test_days_with_more_returns_than_sales_count_as_no_demand() -> None:
    forecast = np.tile([2.0, -5.0, 2.0], (SERIES, 1))

    found = levels(forecast, exact(2.0), lead=0, review=3, target=0.9)

    assert found.protected_demand == pytest.approx(4.0)
    assert found.order_up_to == pytest.approx(3.6, abs=2e-3)


def test_what_is_never_asked_for_is_not_held() -> None:
    found = levels(np.zeros((SERIES, 10)), exact(0.0), lead=2, review=3, target=0.98)

    assert (found.order_up_to == 0).all()


@pytest.mark.parametrize("target", [0.0, 1.0, 1.5, NAN])
def test_a_target_outside_0_and_1_is_refused(target: float) -> None:
    with pytest.raises(ValueError, match="service level"):
        levels(np.ones((SERIES, 10)), exact(1.0), lead=1, review=1, target=target)


def test_a_back_test_of_other_series_is_refused() -> None:
    with pytest.raises(ValueError, match="200 series, forecasts of 3"):
        levels(np.ones((3, 10)), exact(1.0), lead=1, review=1, target=0.9)
    with pytest.raises(ValueError, match="expected and"):
        BackTest(expected=np.ones((2, 3, 4)), actual=np.ones((2, 3, 5)))


def test_only_the_latest_windows_of_series_known_by_then_teach_the_errors() -> None:
    sold = np.zeros((3, 12), dtype=bool)
    sold[0] = sold[1, 5:] = sold[2, 9:] = True
    amounts = np.ones((3, 3, 2))

    found = BackTest.of(amounts, amounts, sold, origins=(10, 8, 6))

    # The least of them has sold on 3 days; by day 10 the last had on 1, by day 8 on none.
    assert (~np.isnan(found.expected[:, :, 0])).tolist() == [[True, True, False]] * 2
    assert found.actual.shape == (2, 3, 2)


def test_a_back_test_without_windows_is_of_no_errors() -> None:
    nothing = np.empty((0, 3, 2))

    found = BackTest.of(nothing, nothing, np.ones((3, 12), dtype=bool), origins=())

    assert found.expected.shape == (0, 3, 2)
    assert np.isfinite(levels(np.ones((3, 2)), found, 1, 1, 0.9).order_up_to).all()


def test_a_late_comers_first_month_does_not_raise_what_the_others_hold() -> None:
    """Half of the pairs began to sell in the window: forecast at next to nothing, they sold."""
    generator = np.random.default_rng(3)
    values = generator.poisson(0.5, (400, 224)).astype(float)
    values[200:, : 224 - 28] = 0.0
    values[200:, 100:160:20] = 1.0
    expected = np.where(np.arange(400)[:, None] < 200, 0.5, 0.02) * np.ones((1, 400, 28))
    actual = values[None, :, 196:]
    forecast = np.full((400, 28), 0.5)

    found = levels(forecast, BackTest.of(expected, actual, values > 0, (196,)), 4, 7, 0.95)
    all_of_them = levels(forecast, BackTest(expected, actual), 4, 7, 0.95)
    old_hands = levels(forecast[:200], BackTest(expected[:, :200], actual[:, :200]), 4, 7, 0.95)

    assert found.order_up_to[:200] == pytest.approx(old_hands.order_up_to, rel=0.01)
    assert all_of_them.order_up_to[0] > 1.1 * old_hands.order_up_to[0]


def test_whole_units_are_the_levels_on_average() -> None:
    found = whole_units(np.full(1000, 2.25))

    assert set(found) == {2.0, 3.0}
    assert found.mean() == pytest.approx(2.25, abs=0.005)
    assert np.array_equal(whole_units(np.arange(5.0)), np.arange(5.0))


@pytest.mark.parametrize("lead", [1, 7, 12])
@pytest.mark.parametrize("target", [0.9, 0.95, 0.98])
def test_a_shop_that_orders_by_the_level_sells_the_target_share(lead: int, target: float) -> None:
    daily = 0.6
    demand = np.random.default_rng(lead).poisson(daily, (SERIES, 8 * 28 + 400)).astype(float)
    past = demand[:, : 8 * 28].reshape(SERIES, 8, 28).swapaxes(0, 1)
    backtest = BackTest(expected=np.full(past.shape, daily), actual=past)
    found = levels(np.full((SERIES, 28), daily), backtest, lead, 7, target)
    level = whole_units(found.order_up_to)

    assert served(demand[:, 8 * 28 :], level, lead) == pytest.approx(target, abs=0.01)


def served(demand: np.ndarray, level: np.ndarray, lead: int) -> float:
    """Share of the units sold from day 42 on, ordering up to the level every seventh morning."""
    days = demand.shape[1]
    on_hand = level.copy()
    coming = np.zeros((len(demand), days + lead + 1))
    sold = 0.0
    for day in range(days):
        on_hand += coming[:, day]
        if day % 7 == 0:
            coming[:, day + lead] += level - on_hand - coming[:, day + 1 :].sum(axis=1)
        taken = np.minimum(on_hand, demand[:, day])
        on_hand -= taken
        sold += taken.sum() if day >= 42 else 0.0
    return sold / demand[:, 42:].sum()
