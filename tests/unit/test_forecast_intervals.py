"""Intervals from past errors, by hand and against generated errors of known quantiles."""

import numpy as np
import pytest
from forecast_panels import NAN

from dagster_project.core.forecasting.engine import intervals as engine
from dagster_project.core.forecasting.engine.errors import errors_of
from dagster_project.core.forecasting.engine.intervals import (
    PROBABILITIES,
    SMALLEST_KIND,
    Eventful,
    Intervals,
    buckets,
    conformal_quantile,
    pools_of,
    widening,
)

WINDOWS, SERIES, HORIZON = 6, 12, 28


def generated(seed: int, spread: float = 0.3, size: float = 100.0) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts, and log-normal amounts around them: (W, N, H) each."""
    rng = np.random.default_rng(seed)
    past = size * rng.uniform(0.5, 2.0, (WINDOWS, SERIES, HORIZON))
    return past, past * np.exp(rng.normal(0, spread, past.shape))


def intervals(
    segments: tuple[str, ...], past: np.ndarray, actual: np.ndarray, final: np.ndarray
) -> Intervals:
    """Intervals of days all of which are usual ones."""
    usual = Eventful(np.zeros(past.shape, dtype=bool), np.zeros(final.shape, dtype=bool))
    return engine.intervals(segments, past, actual, final, usual)


def one_segment(count: int = SERIES) -> tuple[str, ...]:
    return ("shops",) * count


def test_the_quantile_is_the_order_statistic_of_rank_n_plus_one_times_p() -> None:
    errors = np.arange(19.0, 0.0, -1.0)  # 1 to 19

    assert conformal_quantile(errors, 0.1) == 2  # 20 × .1
    assert conformal_quantile(errors, 0.5) == 10
    assert conformal_quantile(errors, 0.9) == 18
    assert conformal_quantile(errors, 0.975) == 19  # 19.5, outwards, but there are only 19
    assert conformal_quantile(errors, 0.025) == 1  # .5


def test_between_two_ranks_the_outer_one_is_taken() -> None:
    errors = np.arange(1.0, 26.0)

    assert conformal_quantile(errors, 0.1) == 2  # 26 × .1 = 2.6
    assert conformal_quantile(errors, 0.9) == 24  # 23.4


def test_quantiles_of_one_error_and_of_none() -> None:
    assert [conformal_quantile(np.array([7.0]), one) for one in PROBABILITIES] == [7] * 5
    assert np.isnan(conformal_quantile(np.array([]), 0.5))


@pytest.mark.parametrize(
    ("horizon", "expected"),
    [
        (5, [(0, 5)]),
        (7, [(0, 7)]),
        (8, [(0, 7), (7, 8)]),
        (28, [(0, 7), (7, 14), (14, 28)]),
    ],
)
def test_days_of_the_horizon_are_told_apart_by_weeks(
    horizon: int, expected: list[tuple[int, int]]
) -> None:
    assert [(one.start, one.stop) for one in buckets(horizon)] == expected


def test_errors_are_logarithms_where_most_days_sell_and_amounts_elsewhere() -> None:
    past = np.full((2, 2, 5), 2.0)
    actual = np.array([[[4.0, 2, 1, 2, 2]] * 2] * 2)
    actual[:, 1, :3] = [[0.0, -1.0, 0.0]] * 2

    found = errors_of(past, actual)

    assert found.is_log.tolist() == [True, False]
    assert found.values[0, 0] == pytest.approx(np.log([2, 1, 0.5, 1, 1]))
    assert found.values[0, 1] == pytest.approx([-2, -3, -2, 0, 0])


def test_days_of_next_to_nothing_are_counted_and_have_no_error() -> None:
    past, actual = np.full((2, 2, 5), 10.0), np.full((2, 2, 5), 10.0)
    actual[:, 1, 0] = 0.4  # below a twentieth of the usual 10

    found = errors_of(past, actual)

    assert np.isnan(found.values[:, 1, 0]).all()
    assert found.values[:, 1, 1:] == pytest.approx(0.0)
    # 2 of its 10 days, drawn towards 2 of the 20 of both, which count as 7 days.
    assert found.idle == pytest.approx([0.7 / 17, 2.7 / 17])


def test_a_window_is_measured_by_the_errors_of_the_other_windows() -> None:
    # Three series alike but for one window of the first; and one window that is bad for all.
    past = np.full((4, 3, 7), 100.0)
    actual = past * np.exp(np.array([0.1, 0.1, 0.1, 0.4])[:, None, None])
    actual[1, 0] = 100 * np.exp(0.3)

    found = errors_of(past, actual, one_segment(3))

    # Of the odd window nothing was known: measured by the others it is as large as it was.
    assert found.others[1, 0] < 0.9 * found.scale[0]
    assert found.others[1, 1:] == pytest.approx(found.scale[1:])
    # What was bad for all of them is no luck of one.
    assert found.others[3, 1:] == pytest.approx(found.scale[1:])


def test_a_series_with_days_below_zero_has_errors_in_amounts() -> None:
    past, actual = np.full((1, 2, 50), 10.0), np.full((1, 2, 50), 10.0)
    actual[0, 1, :2] = -3.0

    found = errors_of(past, actual)

    assert found.is_log.tolist() == [True, False]
    assert found.values[0, 1, 0] == -13.0
    assert found.idle[1] == 0


def test_days_that_were_not_judged_or_not_forecast_have_no_error() -> None:
    past, actual = np.full((2, 1, 3), 10.0), np.full((2, 1, 3), 10.0)
    past[0, 0, 0], actual[1, 0, 2] = NAN, NAN

    found = errors_of(past, actual).values[:, 0]

    assert np.isnan(found).tolist() == [[True, False, False], [False, False, True]]


@pytest.mark.parametrize("spread", [0.05, 0.3, 0.8])
def test_intervals_of_the_back_test_cover_what_they_promise(spread: float) -> None:
    past, actual = generated(1, spread)

    found = intervals(one_segment(), past, actual, past[0])

    # 2,016 days: two standard deviations of a share of .8 are 1.8 points, of .95 one point.
    assert found.covered_80.mean() == pytest.approx(0.80, abs=0.02)
    assert found.covered_95.mean() == pytest.approx(0.95, abs=0.012)


@pytest.mark.parametrize("spread", [0.05, 0.3])
def test_intervals_ahead_cover_new_days_as_they_promise(spread: float) -> None:
    past, actual = generated(2, spread)
    new_mean, new_actual = generated(3, spread)

    bands = intervals(one_segment(), past, actual, new_mean[0]).final
    scale = bands / new_mean[0][:, None]  # the same for every new day of a series
    share = new_actual / new_mean

    inside = [
        ((share >= scale[None, :, low]) & (share <= scale[None, :, high])).mean()
        for low, high in ((1, 3), (0, 4))
    ]
    assert inside[0] == pytest.approx(0.80, abs=0.025)
    assert inside[1] == pytest.approx(0.95, abs=0.015)
    assert (share < scale[None, :, 2]).mean() == pytest.approx(0.5, abs=0.03)


def test_series_with_larger_errors_have_wider_intervals() -> None:
    rng = np.random.default_rng(4)
    spreads = np.repeat([0.1, 0.4], SERIES // 2)[:, None]
    past = np.full((2 * WINDOWS, SERIES, HORIZON), 100.0)
    actual = past * np.exp(rng.normal(0, 1, past.shape) * spreads)

    found = intervals(one_segment(), past, actual, past[0])

    width = np.log(found.final[:, 3, 0] / found.final[:, 1, 0])
    assert width[SERIES // 2 :].min() > 2.5 * width[: SERIES // 2].max()
    assert ((found.covered_80 > 0.7) & (found.covered_80 < 0.9)).all()


def test_quantiles_are_in_order_around_the_forecast() -> None:
    past, actual = generated(5)

    bands = intervals(one_segment(), past, actual, past[0]).final

    assert bands.shape == (SERIES, len(PROBABILITIES), HORIZON)
    assert (np.diff(bands, axis=1) >= 0).all()


def test_a_window_is_judged_by_the_quantiles_of_the_others() -> None:
    # Errors in [-1, 1] but in one window, which is far off: none of its days is inside, though
    # with its own errors counted they would be.
    rng = np.random.default_rng(6)
    past = np.full((5, 6, 7), 100.0)
    actual = past * np.exp(rng.uniform(-0.1, 0.1, past.shape))
    actual[2] = 300.0

    found = intervals(one_segment(6), past, actual, past[0])

    # Four fifths of the days could be inside at most; the other windows' intervals reach to 300,
    # as a fifth of the errors that they are judged by are that large: and a little further, for
    # five windows of six series are few, and how the series differ in four of them is luck.
    assert (found.covered_95 <= 0.8 + 1e-9).all()
    reach = found.final[:, 4] / (100 * 3.0 ** widening(30)[4])
    assert reach.min() > 0.95
    assert reach.max() < 1.2


@pytest.mark.parametrize("idle", [0.05, 0.3])
def test_days_of_nothing_are_inside_the_interval_as_often_as_they_come(idle: float) -> None:
    rng = np.random.default_rng(21)
    past, actual = generated(22)
    new_mean, new_actual = generated(23)
    actual[rng.random(actual.shape) < idle] = 0.0
    new_actual[rng.random(actual.shape) < idle] = 0.0

    found = intervals(one_segment(), past, actual, new_mean[0])

    assert (found.final[:, 0] == 0).all()  # probabler than one in forty
    assert ((found.final[:, 1] == 0) == (idle > 0.1)).all()
    # Nothing lies below a limit that is 0.
    expected = 0.9 if idle > 0.1 else 0.8
    assert found.covered_80.mean() == pytest.approx(expected, abs=0.03)
    assert found.covered_95.mean() == pytest.approx(0.975, abs=0.015)
    bands = found.final / new_mean[0][:, None]
    share = new_actual / new_mean
    inside = (share >= bands[None, :, 1]) & (share <= bands[None, :, 3])
    assert inside.mean() == pytest.approx(expected, abs=0.03)


def test_a_limit_of_a_day_that_may_sell_nothing_is_judged_as_readers_see_it() -> None:
    # One day in five sells nothing. A lower limit above 0 would miss them all.
    past, actual = np.full((6, 6, 28), 100.0), np.full((6, 6, 28), 100.0)
    actual[:, :, ::5] = 0.0

    found = intervals(one_segment(6), past, actual, past[0])

    assert (found.final[:, :2] == 0).all()
    assert found.final[:, 2:] == pytest.approx(100.0, rel=1e-3)
    assert (found.covered_80 == 1).all()


def test_what_few_blocks_tell_is_moved_outwards_like_a_prediction_of_students() -> None:
    # t(.975, 4) = 2.776 and t(.9, 4) = 1.533 from a printed table, over 1.960 and 1.282.
    few, factor = widening(5), np.sqrt(1 + 1 / 5)

    assert few[4] == few[0] == pytest.approx(2.776 / 1.960 * factor, abs=1e-3)
    assert few[3] == few[1] == pytest.approx(1.533 / 1.2816 * factor, abs=1e-3)
    assert few[2] == 1
    assert widening(100_000) == pytest.approx(1.0, abs=1e-4)
    assert np.isfinite(widening(1)).all()


def test_with_one_window_only_coverage_is_not_known() -> None:
    past, actual = generated(7)

    found = intervals(one_segment(), past[:1], actual[:1], past[0])

    assert np.isnan(found.covered_80).all()
    assert np.isfinite(found.final).all()


def test_a_series_never_wrong_is_nearly_certain_and_leaves_the_others_their_width() -> None:
    past, actual = generated(8)
    actual[:, 0] = past[:, 0]

    found = intervals(one_segment(), past, actual, past[0])

    assert (np.diff(found.final, axis=1) >= 0).all()
    # Its scale is drawn towards the others': 28 days of theirs beside 168 of its own.
    width = np.log(found.final[:, 3] / found.final[:, 1])
    assert 0.05 * width[1:].max() < width[0].min()
    assert width[0].max() < 0.3 * width[1:].min()
    assert found.covered_80[0] == 1.0


def test_where_no_series_is_ever_wrong_the_interval_is_the_forecast() -> None:
    past, _ = generated(9)

    found = intervals(one_segment(), past, past, past[0])

    assert found.final == pytest.approx(np.repeat(past[0][:, None], 5, axis=1), rel=1e-3)
    assert (found.covered_80 == 1).all()


def test_a_day_certain_to_be_zero_has_no_interval() -> None:
    past, actual = generated(10)
    past[:, 6:], actual[:, 6:] = 0.2, np.random.default_rng(1).poisson(0.2, (WINDOWS, 6, HORIZON))
    final = past[0].copy()
    final[:, 3] = 0.0  # closed

    found = intervals(one_segment(), past, actual, final).final

    assert (found[:, :, 3] == 0).all()
    assert (found >= 0).all()


def test_a_series_with_returns_has_amounts_below_zero() -> None:
    past, actual = generated(11)
    past[:, 0], actual[:, 0] = -5.0, np.random.default_rng(2).normal(-5, 3, (WINDOWS, HORIZON))

    found = intervals(one_segment(), past, actual, past[0])

    assert found.final[0, 0].max() < -5 < found.final[0, 4].min()
    assert np.isfinite(found.final).all()


def test_small_segments_share_their_errors() -> None:
    segments = ("north",) * 5 + ("south",) * 4 + ("west",)
    is_log = np.array([True] * 8 + [False, True])

    found = pools_of(segments, is_log).tolist()

    assert found == ["north True"] * 5 + ["few True"] * 3 + ["few False", "few True"]


def test_a_series_that_was_never_judged_has_no_coverage_and_leaves_the_others_theirs() -> None:
    past, actual = generated(12)
    actual[:, 0] = NAN

    found = intervals(one_segment(), past, actual, past[0])

    assert np.isnan(found.covered_80[0])
    assert np.isfinite(found.covered_80[1:]).all()


def test_without_windows_there_are_no_intervals_and_no_complaint() -> None:
    nothing = np.empty((0, 3, 7))

    found = intervals(one_segment(3), nothing, nothing, np.ones((3, 7)))

    assert np.isnan(found.final).all()
    assert np.isnan(found.covered_80).all()


def feast(days: slice, spread: float = 0.5) -> tuple[np.ndarray, np.ndarray, Eventful]:
    """Forecasts of 100, amounts that depart by 5 % and by more on eventful days of each window."""
    rng = np.random.default_rng(13)
    past = np.full((WINDOWS, SERIES, HORIZON), 100.0)
    hard = np.zeros(past.shape, dtype=bool)
    hard[:, :, days] = True
    actual = past * np.exp(rng.normal(0, 1, past.shape) * np.where(hard, spread, 0.05))
    return past, actual, Eventful(hard, hard[0])


def test_eventful_days_have_errors_of_their_own() -> None:
    past, actual, eventful = feast(slice(20, 24))

    found = engine.intervals(one_segment(), past, actual, past[0], eventful)

    width = np.log(found.final[:, 3] / found.final[:, 1])
    assert (width[:, 20:24] > 5 * width[:, 14:15]).all()
    assert (width[:, 24:] == width[:, 14:15]).all()
    assert found.covered_80.mean() == pytest.approx(0.80, abs=0.025)
    # Taken as one kind they would be too wide on usual days and too narrow on the others.
    lower, upper = found.final[:, 1], found.final[:, 3]
    inside = (actual >= lower) & (actual <= upper)
    assert inside[:, :, 20:24].mean() == pytest.approx(0.80, abs=0.04)
    assert inside[:, :, 24:].mean() == pytest.approx(0.80, abs=0.04)


def test_too_few_eventful_days_share_the_errors_of_all() -> None:
    past, actual, eventful = feast(slice(20, 21))
    assert eventful.past.sum() < SMALLEST_KIND

    found = engine.intervals(one_segment(), past, actual, past[0], eventful)

    assert (found.final == intervals(one_segment(), past, actual, past[0]).final).all()
