"""Short, empty, constant, gap-ridden, single-spike series: a stated outcome, others unharmed."""

from dataclasses import replace

import numpy as np
import pytest
from forecast_panels import NAN, WEEK, same, shops

from dagster_project.core.forecasting.engine import boosted, models
from dagster_project.core.forecasting.engine.models import (
    PROPHET,
    WEEKDAY_MEAN,
)
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.run import (
    ALL_ZERO,
    EMPTY,
    FORECAST,
    SHORT,
    forecast_panel,
)

DAYS, HORIZON = 308, 14


@pytest.fixture(autouse=True)
def _few_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosted, "ROUNDS", 10)
    monkeypatch.setattr(boosted, "ROW_COUNT", 2000)


def nasty() -> dict[str, np.ndarray]:
    """Series that make trouble, by name."""
    rng = np.random.default_rng(8)
    number = np.arange(DAYS)
    usual = 50 * WEEK[number % 7] * np.exp(rng.normal(0, 0.1, DAYS))
    return {
        "short": np.where(number < DAYS - 60, NAN, usual),
        "yesterday": np.where(number < DAYS - 1, NAN, usual),
        "empty": np.full(DAYS, NAN),
        "constant": np.full(DAYS, 12.0),
        "all zero": np.zeros(DAYS),
        "returns": -usual,
        "gaps": np.where(rng.random(DAYS) < 0.6, NAN, usual),
        "spike": np.where(number == 200, 1e6, 0.0),
        "spike among sales": np.where(number == 200, 1e6, usual),
        "half nan": np.where(number < DAYS // 2, NAN, usual),
        "ended": np.where(number < DAYS - 200, usual, NAN),
        "zero lately": np.where(number < DAYS - 100, usual, 0.0),
    }


OUTCOMES = {
    "short": SHORT,
    "yesterday": SHORT,
    "empty": EMPTY,
    "constant": FORECAST,
    "all zero": ALL_ZERO,
    "returns": FORECAST,
    "gaps": FORECAST,
    "spike": FORECAST,
    "spike among sales": FORECAST,
    "half nan": SHORT,  # 154 of the 168 days that a series needs to be judged
    "ended": SHORT,  # no day of the windows to be judged by
    "zero lately": FORECAST,
}


def with_nasty(healthy: Panel) -> Panel:
    """Healthy series first, the others after them in a segment of their own."""
    odd = np.stack([*nasty().values()])
    count = len(odd)
    none = np.zeros((count, DAYS + HORIZON), dtype=bool)
    return replace(
        healthy,
        keys=(*healthy.keys, *nasty()),
        segments=(*healthy.segments, *["nasty"] * count),
        values=np.vstack([healthy.values, odd]),
        closed=np.vstack([healthy.closed, none]),
        sold_out=np.vstack([healthy.sold_out, none[:, :DAYS]]),
        regressors={
            name: np.vstack([one, one[np.arange(count) % len(one)]])
            for name, one in healthy.regressors.items()
        },
        countries=healthy.countries + healthy.countries[:1] * count,
    )


def test_every_series_has_an_outcome_and_none_an_exception() -> None:
    healthy = shops(6, DAYS, horizon=HORIZON)

    found = forecast_panel(with_nasty(healthy), windows=4)

    assert (found.outcome[:6] == FORECAST).all()
    outcomes = dict(zip(nasty(), found.outcome[6:].tolist(), strict=True))
    assert outcomes == OUTCOMES
    has = dict(zip(nasty(), np.isfinite(found.mean[6:]).all(axis=1).tolist(), strict=True))
    assert [name for name, made in has.items() if not made] == ["empty"]
    assert np.isnan(found.mean[found.outcome == EMPTY]).all()
    assert (found.mean[found.outcome == ALL_ZERO] == 0).all()
    assert all(found.reason[found.outcome != EMPTY])
    assert not np.isinf(found.bands.final).any()


def test_odd_series_are_forecast_as_they_went() -> None:
    found = forecast_panel(with_nasty(shops(6, DAYS, horizon=HORIZON)), windows=4)
    mean = dict(zip(nasty(), found.mean[6:], strict=True))
    usual = 50 * WEEK[(np.arange(HORIZON) + DAYS) % 7]

    assert mean["constant"] == pytest.approx(12.0, rel=0.15)
    assert mean["short"] == pytest.approx(usual, rel=0.35)
    assert mean["half nan"] == pytest.approx(usual, rel=0.3)
    assert mean["gaps"] == pytest.approx(usual, rel=0.35)
    assert mean["spike"].max() < 1e6
    assert (mean["returns"] <= 0).all()


@pytest.mark.parametrize("name", [PROPHET, WEEKDAY_MEAN])
def test_healthy_series_are_forecast_as_if_there_were_no_others(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        models, "SMOOTH", (name, *(n for n in (PROPHET, WEEKDAY_MEAN) if n != name))
    )
    healthy = shops(6, DAYS, horizon=HORIZON)

    among, alone = (forecast_panel(one, windows=4) for one in (with_nasty(healthy), healthy))

    assert same(among.groups[0].test.final[:, :6], alone.groups[0].test.final)
    assert same(among.groups[0].test.past[:, :, :6], alone.groups[0].test.past)
    assert same(among.mean[:6], alone.mean)
    assert same(among.past[:, :6], alone.past)
    assert among.model[:6].tolist() == alone.model.tolist()
    assert among.reason[:6].tolist() == alone.reason.tolist()
