"""Boosted trees: whom they hear, what they may know, and how the blend does without them."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from forecast_panels import NAN, panel, same, scrambled_after, shops

from dagster_project.core.forecasting.engine import boosted, models, prophet
from dagster_project.core.forecasting.engine.means import weekday_promotion_mean
from dagster_project.core.forecasting.engine.models import (
    BLEND,
    BOOSTED,
    PROPHET,
    SMOOTH,
    WEEKDAY_MEAN,
    mean_of,
)
from dagster_project.core.forecasting.engine.panel import Panel

DAYS = 308


@pytest.fixture(autouse=True)
def _few_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosted, "ROUNDS", 25)
    monkeypatch.setattr(boosted, "ROW_COUNT", 3000)


def heard(plan: list[tuple[int, np.ndarray]]) -> Counter[int]:
    return Counter(int(n) for _, members in plan for n in members)


def test_with_rows_enough_every_series_teaches_at_every_origin() -> None:
    view = shops(4, 200)

    plan = boosted.training_plan(view)

    assert [origin for origin, _ in plan] == list(range(200 - 14, boosted.MEAN_DAYS // 2, -7))
    assert all(members.tolist() == [0, 1, 2, 3] for _, members in plan)


@pytest.mark.parametrize("count", [5, 7, 11, 12])
def test_with_too_few_rows_every_series_is_heard_equally_often(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = shops(count, DAYS)
    origins = len(boosted.training_plan(view))
    monkeypatch.setattr(boosted, "ROW_COUNT", 3 * origins * view.horizon)  # three at a time

    plan = boosted.training_plan(view)

    assert all(len(members) == len(set(members.tolist())) == 3 for _, members in plan)
    times = heard(plan)
    assert set(times) == set(range(count))
    assert max(times.values()) - min(times.values()) <= 1


def test_however_many_series_there_are_rows_stay_within_bounds() -> None:
    view = shops(12, DAYS)

    plan = boosted.training_plan(view)

    rows = sum(len(members) for _, members in plan) * view.horizon
    assert 0.5 * boosted.ROW_COUNT < rows <= boosted.ROW_COUNT


def test_the_plan_is_the_same_each_time() -> None:
    view = shops(12, DAYS)

    first, second = boosted.training_plan(view), boosted.training_plan(view)

    assert [origin for origin, _ in first] == [origin for origin, _ in second]
    assert all(same(one, other) for (_, one), (_, other) in zip(first, second, strict=True))


def test_no_origin_of_the_plan_needs_a_day_to_come() -> None:
    view = shops(4, DAYS)

    assert max(origin for origin, _ in boosted.training_plan(view)) + view.horizon == DAYS


def test_too_short_a_history_teaches_nothing() -> None:
    assert boosted.training_plan(shops(4, 50)) == []
    assert np.isnan(boosted.forecast(shops(4, 50))).all()
    assert np.isnan(boosted.forecast(shops(1, 70))).all()  # fewer rows than the trees need


def test_the_same_is_forecast_at_every_call() -> None:
    view = shops()

    assert same(boosted.forecast(view), boosted.forecast(view))


def test_nothing_after_the_last_day_is_read() -> None:
    whole = shops()

    views = [one.until(270) for one in (whole, scrambled_after(whole, 270))]

    assert same(*[boosted.forecast(one) for one in views])


def test_forecasts_are_near_what_was_generated() -> None:
    whole = shops(8, DAYS + 14, noise=0.05)
    came = whole.values[:, DAYS:]

    found = boosted.forecast(whole.until(DAYS))

    known = ~np.isnan(came)
    assert np.abs(found[known] - came[known]).sum() / came[known].sum() < 0.08


def test_forecasts_are_means_and_not_medians() -> None:
    noise = 0.6  # a log-normal mean is 20 % above its median
    rng = np.random.default_rng(3)
    view = panel(100 * np.exp(rng.normal(0, noise, (12, DAYS))), horizon=14)

    found = boosted.forecast(view)

    assert found.mean() == pytest.approx(100 * np.exp(noise**2 / 2), rel=0.06)


def test_a_series_without_a_weekday_mean_is_nan_and_the_others_are_not() -> None:
    whole = shops()
    values = whole.values.copy()
    values[2] = NAN
    values[3] = 0.0

    found = boosted.forecast(replace(whole, values=values))

    assert np.isnan(found[2]).all()
    assert (found[3] == 0).all()
    assert (found[[0, 1, 4]] > 0).all()


def test_odd_series_together_with_healthy_ones_are_no_matter() -> None:
    healthy = shops()
    days = healthy.day_count
    odd = np.stack(
        [
            np.full(days, -20.0),
            np.where(np.arange(days) == 100, 1e7, 1.0),
            np.where(np.arange(days) < days - 3, NAN, 9.0),
            np.full(days, 1e-9),
            np.where(np.arange(days) % 2 == 0, NAN, 30.0),
        ]
    )
    view = panel(np.vstack([healthy.values, odd]), horizon=14)

    found = boosted.forecast(view)

    assert np.isfinite(found[:5]).all()
    assert not np.isinf(found).any()
    assert found[9] == pytest.approx(np.full(14, 1e-9), rel=0.5)
    assert found[10] == pytest.approx(np.full(14, 30.0), rel=0.5)


def test_the_blend_is_the_mean_of_prophet_and_the_trees() -> None:
    view = shops()

    made = dict(models.forecasts(view, models.available(SMOOTH)))

    assert set(made) == set(SMOOTH)
    assert same(made[BLEND], (made[PROPHET] + made[BOOSTED]) / 2)


def test_without_lightgbm_the_blend_is_the_mean_of_prophet_and_the_weekday_mean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boosted, "is_available", lambda: False)
    view = shops()
    names = models.available(SMOOTH)

    made = dict(models.forecasts(view, names))

    assert BOOSTED not in names
    assert models.default_of(names) == BLEND
    shut = view.closed[:, view.day_count :]
    parts = [np.where(shut, 0.0, one(view)) for one in (prophet.forecast, weekday_promotion_mean)]
    assert same(made[BLEND], (parts[0] + parts[1]) / 2)
    assert same(made[WEEKDAY_MEAN], parts[1])


def test_where_one_of_two_says_nothing_the_mean_is_the_other() -> None:
    first, second = np.array([[1.0, 2.0], [NAN, NAN]]), np.array([[3.0, NAN], [5.0, NAN]])

    found = mean_of(first, second)

    assert found.ravel().tolist() == pytest.approx([2, 2, 5, NAN], nan_ok=True)


def test_days_known_to_be_closed_are_zero_for_every_model() -> None:
    view: Panel = shops()
    shut = view.closed[:, view.day_count :]
    assert shut.any()

    for _, made in models.forecasts(view, models.available(SMOOTH)):
        assert (made[shut] == 0).all()
        assert (made[~shut] > 0).all()
