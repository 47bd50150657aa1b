"""Which model a segment uses, by back-tests made by hand."""

import numpy as np
import pytest
from forecast_panels import NAN, panel

from dagster_project.core.forecasting.engine.backtest import Backtest
from dagster_project.core.forecasting.engine.choice import (
    choose,
    published_scores,
    scores,
    series_reason,
)
from dagster_project.core.forecasting.engine.models import BLEND, NAIVE, PROPHET, WEEKDAY_MEAN

MODELS = (BLEND, PROPHET, WEEKDAY_MEAN, NAIVE)
WINDOWS, HORIZON = 6, 7
AMOUNT = 100.0


def backtest(
    errors: dict[str, list[float]], segments: tuple[str, ...] = ("shops", "shops")
) -> Backtest:
    """100 a day; each model of MODELS is wrong by so much in each window, 10 where not told."""
    count = len(segments)
    past = np.full((WINDOWS, len(MODELS), count, HORIZON), AMOUNT)
    for place, name in enumerate(MODELS):
        past[:, place] += np.array(errors.get(name, [10.0] * WINDOWS))[:, None, None]
    days = 84 + WINDOWS * HORIZON
    history = panel(np.full((count, days), AMOUNT), horizon=HORIZON, segments=segments)
    actual = np.full((WINDOWS, count, HORIZON), AMOUNT)
    origins = tuple(days - HORIZON * (n + 1) for n in range(WINDOWS))
    return Backtest(history, MODELS, origins, past, actual, actual, past[0])


def chosen(test: Backtest, segment: str = "shops") -> str:
    return test.models[choose(test)[segment].model]


def silenced(test: Backtest, model: str) -> Backtest:
    test.past[:, test.models.index(model)] = NAN
    return test


def test_without_a_better_one_the_default_is_used() -> None:
    assert chosen(backtest({})) == BLEND


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([9.7] * 4 + [10.0] * 2, PROPHET),  # 3 % better in four of six
        ([9.7] * 3 + [10.0] * 3, BLEND),  # in three of six only
        ([9.9] * 6, BLEND),  # always better, but by 1 %
        ([9.81] * 6, BLEND),
        ([9.79] * 6, PROPHET),
        ([9.7] * 4 + [20.0] * 2, BLEND),  # better in most windows and worse in all
    ],
)
def test_a_challenger_takes_over_by_two_percent_in_two_thirds_of_the_windows(
    errors: list[float], expected: str
) -> None:
    assert chosen(backtest({PROPHET: errors})) == expected


def test_of_several_that_take_over_the_one_with_the_least_error_does() -> None:
    assert chosen(backtest({PROPHET: [8.0] * 6, NAIVE: [7.0] * 6})) == NAIVE


def test_too_high_is_as_wrong_as_too_low() -> None:
    assert chosen(backtest({PROPHET: [-8.0, 8.0] * 3})) == PROPHET
    assert chosen(backtest({PROPHET: [-12.0, 12.0] * 3})) == BLEND


def test_a_silent_model_is_never_chosen() -> None:
    test = silenced(backtest({}), NAIVE)

    assert chosen(test) == BLEND
    # Nor does it keep the others from being compared.
    test = silenced(backtest({PROPHET: [5.0] * 6}), NAIVE)
    assert chosen(test) == PROPHET


def test_where_the_default_is_silent_it_stays_and_the_reason_says_so() -> None:
    found = choose(silenced(backtest({}), BLEND))["shops"]

    assert found.model == 0
    assert "too little history to compare" in found.reason


def test_a_model_that_is_silent_on_one_series_is_compared_on_the_others() -> None:
    test = backtest({PROPHET: [5.0] * 6})
    test.past[:, MODELS.index(PROPHET), 1] = NAN
    test.past[:, MODELS.index(BLEND), 1] = AMOUNT  # which the default hits exactly

    assert chosen(test) == PROPHET


def test_each_segment_has_a_choice_of_its_own() -> None:
    test = backtest({}, segments=("north", "south"))
    test.past[:, MODELS.index(PROPHET), 1] = AMOUNT + 5

    assert chosen(test, "north") == BLEND
    assert chosen(test, "south") == PROPHET


def test_days_that_are_not_judged_do_not_count() -> None:
    test = backtest({PROPHET: [5.0] * 6})
    test.past[:, MODELS.index(PROPHET), :, 3] = 1e6
    assert chosen(test) == BLEND

    test.actual[:, :, 3] = NAN

    assert chosen(test) == PROPHET


def test_a_window_without_a_judged_day_is_no_win() -> None:
    test = backtest({PROPHET: [5.0] * 6})
    test.actual[4:] = NAN
    assert chosen(test) == PROPHET  # four of six

    test.actual[3:] = NAN

    assert chosen(test) == BLEND


def test_without_any_judged_day_the_default_is_used() -> None:
    test = backtest({PROPHET: [0.0] * 6})
    test.actual[:] = NAN

    found = choose(test)["shops"]

    assert MODELS[found.model] == BLEND
    assert found.reason == "mean of Prophet and boosted trees: too little history to compare"


def test_the_reason_names_the_errors_and_who_lost() -> None:
    found = choose(backtest({PROPHET: [5.0] * 6}))["shops"]

    assert found.reason == (
        "Prophet: error 0.050, more than 2 % below the default's 0.100 in two thirds of the "
        "6 windows; Prophet alone (0.050) beats the mean by weekday and promotion (0.100)"
    )


def test_the_reason_says_when_prophet_loses_to_a_plain_mean() -> None:
    found = choose(backtest({WEEKDAY_MEAN: [9.9] * 6}))["shops"]

    assert found.reason == (
        "mean of Prophet and boosted trees: error 0.100, the default that no model beats by rule; "
        "Prophet alone (0.100) loses to the mean by weekday and promotion (0.099)"
    )


def test_a_series_on_which_the_choice_loses_says_to_whom_and_by_how_much() -> None:
    choice = choose(backtest({}))["shops"]

    told = series_reason(choice, np.array([0.1, 0.2, 0.3, 0.05]), MODELS)

    assert (
        told == f"{choice.reason}; on this series it loses to last week again, 0.100 against 0.050"
    )
    assert series_reason(choice, np.array([0.1, 0.2, NAN, 0.3]), MODELS) == choice.reason
    assert series_reason(choice, np.full(4, NAN), MODELS) == choice.reason


def test_scores_are_shares_of_the_amounts() -> None:
    test = backtest({BLEND: [10.0, -10.0] * 3, PROPHET: [5.0] * 6})

    found = scores(test)

    assert found.wape[:2] == pytest.approx(np.array([[0.1, 0.1], [0.05, 0.05]]))
    assert found.bias[:2] == pytest.approx(np.array([[0.0, 0.0], [0.05, 0.05]]))
    assert np.isnan(found.rmsse).all()  # the history never changes: nothing to measure by
    assert found.day_count.tolist() == [42, 42]
    assert found.window_count.tolist() == [6, 6]
    assert found.value_added(1, 0) == pytest.approx(0.5)
    assert found.value_added(0, 1) == pytest.approx(-1.0)


def test_squared_errors_are_told_against_yesterday_again() -> None:
    # 1, 3, 1, 3: each day 2 from the day before; a forecast off by 1 has half of that error.
    values = np.tile([1.0, 3.0], 50)[None]
    actual = np.full((1, 1, 7), 3.0)

    found = published_scores(panel(values), actual + 1, actual)

    assert found.rmsse[0] == pytest.approx(0.5)
    assert found.wape[0] == pytest.approx(1 / 3)


def test_a_series_that_was_never_judged_has_no_score() -> None:
    test = backtest({})
    test.actual[:, 1] = NAN

    found = scores(test)

    assert np.isnan(found.wape[:, 1]).all()
    assert found.day_count.tolist() == [42, 0]
    assert found.wape[:, 0] == pytest.approx(0.1)
