"""Prophet for a batch of series: known effects are found again, and nothing else is looked at."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from forecast_panels import MONDAY, NAN, WEEK, panel, same, scrambled_after, shops

from dagster_project.core.forecasting.engine import prophet
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.solver import Batch, Fits

DAYS, HORIZON = 364, 28
NUMBER = np.arange(DAYS + HORIZON)
LEVELS = np.array([[200.0], [500.0], [900.0], [1500.0]])


def generated(usual: np.ndarray, noise: float = 0.05, seed: int = 2, **known: object) -> Panel:
    """History of an expected course (N, T + H), with noise."""
    rng = np.random.default_rng(seed)
    values = usual * np.exp(rng.normal(0, noise, usual.shape))
    return panel(values[:, :DAYS], horizon=HORIZON, **known)


def wrong_by(found: np.ndarray, expected: np.ndarray) -> float:
    """Mean absolute error as a share."""
    return float(np.abs(found / expected - 1).mean())


def test_a_week_is_found_again() -> None:
    usual = LEVELS * WEEK[NUMBER % 7]

    found = prophet.forecast(generated(usual))

    assert wrong_by(found, usual[:, DAYS:]) < 0.02


def test_each_series_may_depart_from_the_week_of_its_segment() -> None:
    usual = LEVELS * WEEK[NUMBER % 7]
    usual[0] = 200.0 * WEEK[::-1][NUMBER % 7]

    found = prophet.forecast(generated(usual))

    assert wrong_by(found, usual[:, DAYS:]) < 0.04


def test_a_promotion_that_lifts_weekends_more_is_found_again() -> None:
    promotion = np.tile((NUMBER // 7 % 3 == 0).astype(float), (4, 1))
    weekend = NUMBER % 7 >= 5
    lift = 1 + promotion * np.where(weekend, 0.6, 0.2)
    usual = LEVELS * WEEK[NUMBER % 7] * lift

    view = generated(usual, promotion=promotion)
    ahead = prophet.forecast(view)
    without = prophet.forecast(replace(view, regressors={"promotion": promotion * (NUMBER < DAYS)}))

    assert wrong_by(ahead, usual[:, DAYS:]) < 0.03
    lifted = (ahead / without).mean(axis=0)
    on = promotion[0, DAYS:] > 0
    assert lifted[on & weekend[DAYS:]].mean() == pytest.approx(1.6, rel=0.04)
    assert lifted[on & ~weekend[DAYS:]].mean() == pytest.approx(1.2, rel=0.03)
    assert lifted[~on] == pytest.approx(1.0, abs=0.02)


def test_a_feast_seen_once_is_felt_again() -> None:
    # From June to the next July: Independence Day, once in the history and once ahead.
    first = date(2023, 6, 25)
    feasts = [(date(year, 7, 4) - first).days for year in (2023, 2024)]
    assert feasts[0] < DAYS < feasts[1] < DAYS + HORIZON
    usual = np.repeat(LEVELS, 3, axis=0) * np.ones(NUMBER.shape)
    usual[:, feasts] *= 1.8

    view = generated(usual, first=first)

    found = prophet.forecast(view)

    seen = view.values[:, feasts[0]] / np.median(view.values, axis=1)
    lifted = found[:, feasts[1] - DAYS] / np.median(found, axis=1)
    assert lifted.mean() == pytest.approx(seen.mean(), rel=0.03)
    # One day tells little of one shop: each is drawn towards what all shops had.
    assert lifted.std() < seen.std()
    others = np.delete(found, feasts[1] - DAYS, axis=1)
    assert wrong_by(others, usual[:, :1]) < 0.03


def test_the_days_beside_a_closure_take_up_its_demand() -> None:
    closed = np.zeros((4, len(NUMBER)), dtype=bool)
    closed[:, [50, 93, 150, 201, 260, 310, DAYS + 10]] = True
    usual = LEVELS * np.ones(NUMBER.shape)
    usual[:, :-1] *= np.where(closed[:, 1:], 1.5, 1.0)
    values = np.where(closed, NAN, usual)

    found = prophet.forecast(generated(values, closed=closed))

    lifted = found[:, 9] / np.median(found, axis=1)
    assert lifted == pytest.approx(1.5, rel=0.1)


def test_a_steady_trend_goes_on_ever_more_slowly() -> None:
    growth = 0.002  # a day: twice as much after a year
    usual = LEVELS * np.exp(growth * NUMBER)

    found = np.log(prophet.forecast(generated(usual, noise=0.01, country="")))

    ahead = found - np.log(usual[:, DAYS - 1 : DAYS])
    first_week, last_week = ahead[:, :7].mean(), ahead[:, -7:].mean()
    # .9 + .81 + … of a day's growth: 9 × (1 − .9^n) days after n of them, never more than nine.
    held = 9 * (1 - 0.9 ** np.arange(1, HORIZON + 1))
    assert first_week == pytest.approx(growth * held[:7].mean(), abs=0.004)
    assert last_week == pytest.approx(growth * held[-7:].mean(), abs=0.004)
    assert last_week < 0.5 * growth * 25  # in full it would be the 25th day's on average


def test_the_trend_beyond_the_last_day_is_damped_by_hand() -> None:
    # A line of slope 1 a day from 0: days 0 to 9 are history.
    zeros = np.zeros((1, 1))
    fits = prophet.Fits(np.array([1.0]), np.array([0.0]), zeros, zeros, np.ones(1), (None,))
    ones = np.ones(1)
    fitted = prophet.Fitted(fits, zeros, zeros + 2.0, 0 * ones, 9 * ones, 9, 0 * ones, 9 * ones)

    found = fitted.trend(13)[0]

    assert found[:10] == pytest.approx(np.arange(10.0))
    assert found[10:] == pytest.approx([9.9, 10.71, 11.439])


def test_the_trend_bends_where_it_changes_by_hand() -> None:
    # A slope of 1 a day up to day 3, of half as much from there on.
    one = np.ones((1, 1))
    fits = prophet.Fits(np.array([1.0]), np.array([0.0]), -one / 2, one, np.ones(1), (None,))
    nine = np.array([9.0])
    fitted = prophet.Fitted(fits, one, one / 3, 0 * nine, nine, 9, 0 * nine, nine)

    assert fitted.trend(10)[0] == pytest.approx([0, 1, 2, 3, 3.5, 4, 4.5, 5, 5.5, 6])


def test_forecasts_are_means_and_not_medians() -> None:
    noise = 0.6  # a log-normal mean is 20 % above its median
    usual = np.repeat(LEVELS, 3, axis=0) * np.ones(NUMBER.shape)

    found = prophet.forecast(generated(usual, noise=noise))

    assert (found.mean(axis=1) / usual[:, 0]).mean() == pytest.approx(
        np.exp(noise**2 / 2), rel=0.05
    )


def test_a_series_too_short_is_nan_and_the_others_are_as_without_it() -> None:
    whole = shops(5, 250)
    short = whole.values.copy()
    short[4, :-15] = NAN
    segments = (*["shops"] * 4, "new")
    with_short = replace(whole, values=short, segments=segments)

    found = prophet.forecast(with_short)

    assert np.isnan(found[4]).all()
    assert np.isfinite(found[:4]).all()
    assert same(found[:4], prophet.forecast(with_short.only(range(4))))


def test_a_series_needs_a_week_more_than_its_trend_has_changes() -> None:
    whole = shops(5, 250)
    values = whole.values.copy()
    values[2, :-20], values[3, :-19] = NAN, NAN  # 12 changes and 7 days are 19: not more

    found = prophet.forecast(replace(whole, values=values))

    assert np.isfinite(found[2]).all()
    assert np.isnan(found[3]).all()


def test_a_series_too_short_in_a_segment_of_others_is_nan_and_hardly_moves_them() -> None:
    whole = shops(5, 250)
    values = whole.values.copy()
    values[4, :-15] = NAN

    found = prophet.forecast(replace(whole, values=values))
    alone = prophet.forecast(whole.only(range(4)))

    assert np.isnan(found[4]).all()
    assert found[:4] == pytest.approx(alone, rel=0.1)


@pytest.mark.parametrize(
    "values",
    [np.full(250, NAN), np.zeros(250), np.full(250, -3.0), np.arange(250) % 3 == 0],
    ids=["empty", "zero", "returns", "rare"],
)
def test_a_series_whose_usual_day_sells_nothing_is_nan(values: np.ndarray) -> None:
    found = prophet.forecast(panel(values, horizon=14))

    assert np.isnan(found).all()


def test_a_constant_series_goes_on() -> None:
    found = prophet.forecast(panel(np.full((3, 200), 40.0), horizon=14))

    assert found == pytest.approx(40.0, rel=1e-3)


def test_a_series_alone_in_its_segment_is_forecast_all_the_same() -> None:
    usual = LEVELS[:1] * WEEK[NUMBER % 7]

    assert wrong_by(prophet.forecast(generated(usual)), usual[:, DAYS:]) < 0.03


def test_segments_do_not_look_at_each_other() -> None:
    whole = replace(shops(6), segments=("a", "b") * 3)
    other = whole.values.copy()
    other[1::2] = other[1::2][:, ::-1]

    first = prophet.forecast(whole)
    second = prophet.forecast(replace(whole, values=other))

    assert same(first[::2], second[::2])
    assert same(first[::2], prophet.forecast(whole.only([0, 2, 4])))


def test_the_same_is_forecast_at_every_call() -> None:
    view = shops()

    assert same(prophet.forecast(view), prophet.forecast(view))
    assert same(prophet.seasons(view), prophet.seasons(view))


def test_nothing_after_the_last_day_is_read() -> None:
    whole = shops()
    views = [one.until(250) for one in (whole, scrambled_after(whole, 250))]

    assert same(*[prophet.forecast(one) for one in views])
    assert same(*[prophet.seasons(one) for one in views])


def test_logarithms_of_poor_days_stop_at_a_twentieth_of_the_median() -> None:
    found = prophet.logarithms(np.array([[100.0, 100, 0, -50, NAN]]))[0]

    # The median of 100, 100, 0 and -50 is 50.
    assert found[:2] == pytest.approx(np.log(100))
    assert found[2:4] == pytest.approx(np.log(2.5))
    assert np.isnan(found[4])


def test_changes_of_the_trend_are_evenly_spaced_over_the_first_part() -> None:
    spec = prophet.Specification(changepoint_count=4, changepoint_range=0.81)

    # 81 of 100 days: every 20th of days 0 to 80.
    assert prophet.changepoints(np.arange(100), spec).tolist() == [20, 40, 60, 80]


def test_columns_are_prophet_s_own_week_and_the_feasts_of_the_country() -> None:
    names = prophet.shared_columns(shops()).names

    assert [one for one in names if one.startswith("weekly")] == [
        f"weekly_delim_{n}" for n in range(1, 7)
    ]
    assert not any(one.startswith("yearly") for one in names)  # less than two years
    assert any(one.startswith("independence_day") for one in names)


def test_a_regressor_stands_by_weekday_in_units_of_its_usual_day() -> None:
    promotion = np.zeros((1, 21))
    promotion[0, [0, 8]] = [10.0, 30.0]  # a Monday and a Tuesday; the mean is 20

    found = prophet.own_columns(panel(np.ones(14), promotion=promotion, first=MONDAY))

    by_name = dict(zip(found.names, found.values[0].T, strict=True))
    assert np.flatnonzero(by_name["promotion_0"]).tolist() == [0]
    assert by_name["promotion_0"][0] == pytest.approx(0.5)
    assert by_name["promotion_1"][8] == pytest.approx(1.5)
    assert not by_name["promotion_2"].any()


def test_what_our_solver_does_not_find_cmdstan_does(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = LEVELS * WEEK[NUMBER % 7]
    view = generated(usual)
    expected = prophet.forecast(view)
    solve = prophet.maximise_batch

    def without_the_first(batch: Batch) -> Fits:
        found = solve(batch)
        for values in (found.k, found.m, found.sigma, found.delta, found.beta):
            values[0] = NAN
        return replace(found, reasons=("not settled", *found.reasons[1:]))

    monkeypatch.setattr(prophet, "maximise_batch", without_the_first)

    found = prophet.forecast(view)

    assert wrong_by(found[0], expected[0]) < 0.015
    assert wrong_by(found, usual[:, DAYS:]) < 0.03
