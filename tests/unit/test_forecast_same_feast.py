"""The last time the feast ahead was kept: when that was, what was known of it, what it is for."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from forecast_panels import NAN, WEEK, calendar, panel, same

from dagster_project.core.forecasting.engine import boosted, run
from dagster_project.core.forecasting.engine.means import weekday_promotion_mean
from dagster_project.core.forecasting.engine.models import NAIVE, WEEKDAY_MEAN
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.run import forecast_panel
from dagster_project.core.forecasting.engine.same_feast import YEAR, feast_origins, same_feast

FESTIVALS = (date(2023, 1, 22), date(2024, 2, 10), date(2025, 1, 29))
FIRST = date(2022, 9, 5)  # a Monday
HORIZON = 14


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosted, "ROUNDS", 10)


def chinese(until: date, count: int = 8, *, lift: tuple[float, ...] = (1, 1, 1)) -> Panel:
    """Shops with a week and 5 % of noise; each festival's fortnight before it is lifted."""
    days = (until - FIRST).days + 1
    rng = np.random.default_rng(3)
    usual = 100.0 * WEEK[np.arange(days) % 7] * np.exp(rng.normal(0, 0.05, (count, days)))
    for festival, factor in zip(FESTIVALS, lift, strict=True):
        place = (festival - FIRST).days
        usual[:, max(place - 14, 0) : max(place, 0)] *= factor
    made = panel(usual, first=FIRST, horizon=HORIZON, country="CN")
    lunar = tuple(
        replace(one, lunar_month=1, lunar_day=1) if one.day in FESTIVALS else one
        for one in calendar(FIRST, days + HORIZON)
    )
    return replace(made, calendar=lunar)


def every_day(one: Panel) -> np.ndarray:
    return np.ones((one.series_count, one.day_count + one.horizon), dtype=bool)


def test_the_origin_is_as_far_before_the_last_festival_as_today_is_before_the_next() -> None:
    today = date(2025, 1, 14)

    found = feast_origins(chinese(today))

    # 15 days before the festival of 2025; the one before was on 10 February 2024.
    before = date(2024, 2, 10) - timedelta(days=15)
    assert found == {("CN",): (before - FIRST).days + 1}


@pytest.mark.parametrize(
    ("today", "why"),
    [
        (date(2025, 3, 20), "no feast within a fortnight"),
        (date(2024, 1, 20), "the one before came after 139 days of history, not a year"),
    ],
)
def test_where_no_feast_is_ahead_or_none_is_known_there_is_no_origin(today: date, why: str) -> None:
    assert feast_origins(chinese(today)) == {}, why


def test_it_says_what_a_forecast_of_that_day_would_have_said() -> None:
    whole = chinese(date(2025, 1, 14))
    (origin,) = feast_origins(whole).values()
    assert origin > YEAR
    model = np.array([WEEKDAY_MEAN] * whole.series_count, dtype=object)

    found = same_feast(whole, model, whole.values, every_day(whole))

    assert found is not None
    assert found.past[0] == pytest.approx(weekday_promotion_mean(whole.until(origin)), rel=1e-12)
    assert same(found.asked[0], whole.values[:, origin : origin + HORIZON])


def test_nothing_that_came_after_that_day_is_read() -> None:
    whole = chinese(date(2025, 1, 14))
    (origin,) = feast_origins(whole).values()
    later = whole.values.copy()
    later[:, origin:] *= np.random.default_rng(1).uniform(0.1, 9.0, later[:, origin:].shape)
    model = np.array(["prophet"] * 4 + [NAIVE] * 4, dtype=object)

    first, second = (
        same_feast(one, model, one.values, every_day(one))
        for one in (whole, replace(whole, values=later))
    )

    assert same(first.past, second.past)
    assert not same(first.asked, second.asked)


def test_usual_days_and_series_too_young_are_not_counted() -> None:
    whole = chinese(date(2025, 1, 14))
    (origin,) = feast_origins(whole).values()
    values, hard = whole.values.copy(), every_day(whole)
    values[0, : origin - HORIZON + 1] = NAN
    hard[:, origin + 3] = False
    young = replace(whole, values=values)
    model = np.array([NAIVE] * 8, dtype=object)

    found = same_feast(young, model, values, hard)

    assert np.isnan(found.asked[0, 0]).all()
    assert np.isnan(found.asked[0, :, 3]).all()
    assert np.isfinite(np.delete(found.asked[0, 1:], 3, axis=1)).all()


def test_the_next_festival_is_as_uncertain_as_the_last_one_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The festival brought nothing, then twice the usual: nobody could have known it.
    whole = chinese(date(2025, 1, 14), lift=(1.0, 2.0, 1.0))
    names = (WEEKDAY_MEAN, NAIVE)

    told = forecast_panel(whole, names=names)
    monkeypatch.setattr(run, "same_feast", lambda *_: None)
    untold = forecast_panel(whole, names=names)

    assert same(told.mean, untold.mean)
    assert same(told.past, untold.past)
    upper = told.bands.final[:, 4] / told.mean
    assert (upper[:, :14] > 1.7).mean() > 0.9
    assert (untold.bands.final[:, 4] / untold.mean < 1.5).all()
