"""The whole of a forecast: no look ahead, the same every time, sums that agree, no series lost."""

from dataclasses import replace

import numpy as np
import pytest
from forecast_panels import NAN, WEEK, panel, same, scrambled_after, shops, with_sold_out

from dagster_project.core.forecasting.engine import backtest, boosted, models
from dagster_project.core.forecasting.engine.backtest import demand_drawn, window_origins
from dagster_project.core.forecasting.engine.censoring import restored
from dagster_project.core.forecasting.engine.coherence import ADD, SHARE, Crossed, Step, Sums
from dagster_project.core.forecasting.engine.intervals import Eventful, intervals
from dagster_project.core.forecasting.engine.means import weekday_promotion_mean
from dagster_project.core.forecasting.engine.models import (
    BOOSTED,
    INTERMITTENT,
    NAIVE,
    PROPHET,
    SMOOTH,
    WEEKDAY_MEAN,
)
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.run import (
    ALL_ZERO,
    EMPTY,
    FORECAST,
    SHORT,
    SHORT_DAYS,
    Result,
    forecast_panel,
)
from dagster_project.core.forecasting.engine.weeks import view_at

DAYS, HORIZON = 308, 14
ALL_MODELS = tuple(dict.fromkeys([*SMOOTH, *INTERMITTENT]))


@pytest.fixture(autouse=True)
def _few_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosted, "ROUNDS", 10)
    monkeypatch.setattr(boosted, "ROW_COUNT", 2000)


def silent(told: str) -> None:
    """Progress that nobody looks at."""


def rarely_sold(count: int, days: int, seed: int = 5) -> np.ndarray:
    rate = 0.3 * WEEK[np.arange(days) % 7]
    return np.random.default_rng(seed).poisson(rate, (count, days)).astype(float)


def both_kinds(*, announced: bool = True) -> Panel:
    """Six shops that sell daily and six products that rarely sell; some sold-out days."""
    smooth = shops(6, DAYS, horizon=HORIZON)
    values = np.vstack([smooth.values, rarely_sold(6, DAYS)])
    closed = np.vstack([smooth.closed, np.zeros_like(smooth.closed)])
    made = panel(
        values,
        horizon=HORIZON,
        segments=("shops",) * 6 + ("products",) * 6,
        promotion=np.vstack([smooth.promotion, smooth.promotion]),
        closed=closed,
        announced=announced,
    )
    return with_sold_out(made, share=0.05)


def published(found: Result) -> list[np.ndarray]:
    """All numbers of a result."""
    bands = found.bands
    arrays = [found.mean, found.past, found.actual, found.asked, bands.final]
    arrays += [bands.covered_80, bands.covered_95]
    for group in found.groups:
        arrays += [group.test.past, group.test.final, group.scores.wape, group.scores.rmsse]
    return arrays


def told(found: Result) -> list[object]:
    """All words of a result."""
    words = (found.demand, found.outcome, found.model, found.reason)
    return [found.origins, *(one.tolist() for one in words)]


def alike(first: Result, second: Result) -> bool:
    arrays = zip(published(first), published(second), strict=True)
    return told(first) == told(second) and all(same(*pair) for pair in arrays)


@pytest.mark.parametrize("name", [one for one in ALL_MODELS if one != models.BLEND])
def test_no_model_reads_what_comes_after_the_last_day(name: str) -> None:
    whole = both_kinds()
    other = scrambled_after(whole, 230)

    first, second = (
        dict(models.forecasts(restored(view_at(one, 230)), (name,)))[name] for one in (whole, other)
    )

    assert same(first, second)
    assert np.isfinite(first).any()


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "as_seen"])
def test_no_forecast_reads_what_comes_after_the_last_day(announced: bool) -> None:
    whole = both_kinds(announced=announced)

    first, second = (forecast_panel(one.until(266)) for one in (whole, scrambled_after(whole, 266)))

    assert alike(first, second)
    assert (first.outcome == FORECAST).all()


def test_what_a_past_origin_said_does_not_change_with_later_days() -> None:
    whole = both_kinds(announced=False)
    origins = window_origins(DAYS, HORIZON, 4)
    before = origins[1]  # all days after the latest origin but one are others

    first, second = (
        backtest.run(one, models.available(SMOOTH), windows=4, tell=silent)
        for one in (whole, scrambled_after(whole, before))
    )

    assert first.origins == second.origins == origins
    for window in (1, 2, 3):
        assert same(first.past[window], second.past[window])
    assert not same(first.past[0], second.past[0])
    assert not same(first.final, second.final)


def test_a_past_origin_says_what_a_forecast_of_that_day_would_have_said() -> None:
    whole = both_kinds(announced=False)
    names = (PROPHET, WEEKDAY_MEAN)
    origin = window_origins(DAYS, HORIZON, 3)[2]

    later = backtest.run(whole, names, windows=3, tell=silent)
    then = backtest.run(view_at(whole, origin), names, windows=3, tell=silent)

    assert same(later.past[2], then.final)


def test_the_same_is_published_every_time() -> None:
    whole = both_kinds()

    assert alike(forecast_panel(whole), forecast_panel(whole))


def test_windows_lie_back_to_back_and_leave_84_days_before_them() -> None:
    assert window_origins(84 + 3 * 28, 28) == (140, 112, 84)
    assert window_origins(84 + 3 * 28 - 1, 28) == ()
    assert window_origins(1000, 28, 4) == (972, 944, 916, 888)


def test_sold_out_and_young_days_are_not_judged_but_what_was_asked_is_drawn() -> None:
    whole = with_sold_out(shops(3, DAYS))
    values = whole.values.copy()
    values[1, : DAYS - HORIZON - 5] = NAN  # begins five days before the last origin
    whole = replace(whole, values=values, sold_out=whole.sold_out & ~np.isnan(values))

    test = backtest.run(whole, (WEEKDAY_MEAN,), windows=3, tell=silent)

    last = slice(DAYS - HORIZON, DAYS)
    out = whole.sold_out[:, last]
    assert out[0].any()
    assert np.isnan(test.actual[0][out]).all()
    assert np.isnan(test.actual[:, 1]).all()
    known = ~np.isnan(test.actual[0, 0])
    assert same(test.actual[0, 0][known], whole.values[0, last][known])
    assert same(test.asked[0, 0], demand_drawn(whole)[0, last])
    assert (test.asked[0, 0][out[0]] >= whole.values[0, last][out[0]]).all()


# Rows of a hierarchy: a total, three shops, two groups, and what each shop sells of each group.
SHOPS, GROUPS = np.array([1, 2, 3]), np.array([4, 5])
CELLS = np.arange(6, 12).reshape(3, 2)
STEPS: tuple[Step, ...] = (
    Sums(ADD, np.array([0]), (SHOPS,)),
    Sums(SHARE, np.array([0]), (GROUPS,)),
    Crossed(Sums(SHARE, SHOPS, tuple(CELLS)), Sums(SHARE, GROUPS, tuple(CELLS.T))),
)


def hierarchy() -> Panel:
    """Cells that are generated, and all their sums; a shop is closed ahead, a cell began late."""
    cells = shops(6, DAYS, horizon=HORIZON)
    amounts = np.nan_to_num(cells.values).reshape(3, 2, DAYS)
    amounts[2, 1, : DAYS - 40] = 0.0
    by_shop, by_group = amounts.sum(axis=1), amounts.sum(axis=0)
    values = np.vstack([amounts.sum(axis=(0, 1))[None], by_shop, by_group, amounts.reshape(6, -1)])
    closed = np.zeros((12, DAYS + HORIZON), dtype=bool)
    closed[[1, *CELLS[0]], DAYS + 3] = True
    values[11, : DAYS - 40] = NAN
    segments = ("total",) + ("shop",) * 3 + ("group",) * 2 + ("cell",) * 6
    return panel(values, horizon=HORIZON, segments=segments, closed=closed)


def test_sums_agree_on_every_day_ahead_and_at_every_past_origin() -> None:
    found = forecast_panel(hierarchy(), STEPS, windows=4)

    for amounts in (found.mean, found.past):
        pairs = [
            (0, SHOPS),
            (0, GROUPS),
            *zip(SHOPS, CELLS, strict=True),
            *zip(GROUPS, CELLS.T, strict=True),
        ]
        for parent, parts in pairs:
            whole, sums = amounts[..., parent, :], np.nansum(amounts[..., parts, :], axis=-2)
            assert whole == pytest.approx(sums, rel=1e-6, abs=1e-6)
    assert np.isfinite(found.mean).all()
    assert (found.mean[[1, *CELLS[0]], 3] == 0).all()  # closed stays closed


def test_intervals_lie_around_the_forecast_that_adds_up() -> None:
    found = forecast_panel(hierarchy(), STEPS, windows=4)

    low, high = found.bands.final[:, 0], found.bands.final[:, 4]
    judged = found.outcome == FORECAST
    assert (low[judged] <= found.mean[judged] + 1e-9).all()
    assert (found.mean[judged] <= high[judged] + 1e-9).all()


def test_a_series_that_is_not_to_be_tried_with_models_for_smooth_demand_is_not() -> None:
    whole = shops(6, DAYS, horizon=HORIZON)
    smooth = np.array([True] * 3 + [False] * 3)

    found = forecast_panel(whole, smooth=smooth, windows=3)

    assert [group.rows.tolist() for group in found.groups] == [[0, 1, 2], [3, 4, 5]]
    assert set(found.groups[1].test.models) == set(INTERMITTENT)


@pytest.mark.parametrize(
    "names", [(PROPHET,), (NAIVE, PROPHET), (models.BLEND, BOOSTED), (models.BLEND,)], ids="+".join
)
def test_models_may_be_named(names: tuple[str, ...]) -> None:
    found = forecast_panel(shops(6, DAYS, horizon=HORIZON), names=names, windows=3)

    assert [group.test.models for group in found.groups] == [names]
    assert set(found.model.tolist()) <= set(names)
    assert np.isfinite(found.mean).all()


def test_what_is_published_is_what_the_chosen_model_says() -> None:
    whole = shops(6, DAYS, horizon=HORIZON)

    found = forecast_panel(whole, names=(NAIVE, WEEKDAY_MEAN), windows=3)

    # A week again has the noise of a single day; the mean of twelve beats it by more than 2 %.
    assert set(found.model.tolist()) == {WEEKDAY_MEAN}
    shut = whole.closed[:, DAYS:]
    assert same(found.mean, np.where(shut, 0.0, weekday_promotion_mean(whole)))
    view = view_at(whole, found.origins[2])
    shut = view.closed[:, view.day_count :]
    assert same(found.past[2], np.where(shut, 0.0, weekday_promotion_mean(view)))


def test_intervals_are_of_what_was_asked_for_and_not_of_what_was_left_to_sell() -> None:
    whole = shops(6, DAYS, horizon=HORIZON)
    plain = panel(np.nan_to_num(whole.values, nan=50.0), horizon=HORIZON, country="")
    sold_out = with_sold_out(plain)

    found = forecast_panel(sold_out, names=(WEEKDAY_MEAN,), windows=4)

    usual = Eventful(np.zeros(found.past.shape, bool), np.zeros(found.mean.shape, bool))
    asked = intervals(sold_out.segments, found.past, found.asked, found.mean, usual)
    assert same(found.bands.final, asked.final)
    assert same(found.bands.covered_80, asked.covered_80)
    assert np.isnan(found.actual).any()
    assert not np.isnan(found.asked).any()


def test_without_lightgbm_everything_is_forecast_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boosted, "is_available", lambda: False)

    found = forecast_panel(shops(6, DAYS, horizon=HORIZON), windows=3)

    assert BOOSTED not in found.groups[0].test.models
    assert np.isfinite(found.mean).all()


def test_a_panel_too_young_for_any_window_is_short_and_forecast() -> None:
    whole = shops(6, SHORT_DAYS - 42, horizon=28)

    found = forecast_panel(whole)

    assert found.origins == ()
    assert (found.outcome == SHORT).all()
    assert np.isfinite(found.mean).all()


def test_a_panel_of_one_day_is_forecast() -> None:
    found = forecast_panel(panel(np.array([[7.0], [0.0], [NAN]])))

    assert found.outcome.tolist() == [SHORT, ALL_ZERO, EMPTY]
    assert found.mean[0] == pytest.approx(7.0)
    assert (found.mean[1] == 0).all()
    assert np.isnan(found.mean[2]).all()


def test_a_series_sold_out_on_every_day_is_forecast_at_least_as_it_sold() -> None:
    whole = shops(6, DAYS, horizon=HORIZON)
    sold_out = whole.sold_out.copy()
    sold_out[2] = True

    found = forecast_panel(replace(whole, sold_out=sold_out), windows=3)

    assert np.isfinite(found.mean).all()
    assert found.mean[2].mean() == pytest.approx(np.nanmean(whole.values[2]), rel=0.1)
