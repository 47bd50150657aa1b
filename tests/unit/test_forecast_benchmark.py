"""What forecasts are measured on, and how: generated demand, scores worked out by hand, the bar."""

from __future__ import annotations

from datetime import date
from importlib import import_module

import numpy as np
import pytest

from benchmarks.forecast import exchange, feasts, panels
from benchmarks.forecast.bar import COVER80, STORE_FULL, Line, lines
from benchmarks.forecast.drugstores import drugstores
from benchmarks.forecast.measure import OURS, Ours, load_ours, measure
from benchmarks.forecast.online_retail import FOLDER, online_retail
from benchmarks.forecast.panels import BenchPanel, MissingData
from benchmarks.forecast.promotions import promotions
from benchmarks.forecast.scoring import (
    Score,
    Windows,
    bias,
    covered,
    naive_scale,
    rmsse,
    score,
    total_wape,
    wape,
    well_covered_share,
)
from benchmarks.forecast.sold_out import sold_out
from dagster_project.core.forecasting.engine import means
from dagster_project.core.forecasting.engine.panel import Panel

GENERATORS = (
    lambda: drugstores(6),
    feasts.spring_festival,
    feasts.sales_days,
    feasts.nowruz,
    sold_out,
    promotions,
)
NAMES = ("drugstores", "spring_festival", "sales_days", "nowruz", "sold_out", "promotions")


@pytest.mark.parametrize("make", GENERATORS, ids=NAMES)
def test_a_generator_makes_the_same_panel_every_time(make):
    one, other = make(), make()

    assert exchange.digest(one.panel) == exchange.digest(other.panel)
    assert np.array_equal(one.truth, other.truth, equal_nan=True)


@pytest.mark.parametrize("make", GENERATORS, ids=NAMES)
def test_the_truth_is_what_was_sold_where_nothing_was_sold_out(make):
    bench = make()

    sold, out = bench.panel.values, bench.panel.sold_out

    assert np.array_equal(sold[~out], bench.truth[~out], equal_nan=True)
    assert (sold[out] < bench.truth[out]).all()
    assert np.isnan(sold[bench.panel.closed[:, : bench.panel.day_count]]).all()


def test_a_fifth_of_the_days_is_sold_out_in_every_series():
    share = sold_out().panel.sold_out.mean(axis=1)

    assert share.mean() == pytest.approx(0.2, abs=0.01)
    assert share.min() > 0.15


def test_drug_stores_are_closed_on_sundays_and_promoted_on_working_days_of_half_the_weeks():
    panel = drugstores(20).panel
    promoted = panel.regressors["promotion"][0] > 0

    assert panel.closed[:, panel.weekdays == 6].all()
    assert not promoted[panel.weekdays >= 5].any()
    assert promoted[panel.weekdays < 5].mean() == pytest.approx(0.5, abs=0.03)


def test_a_promotion_brings_about_a_third_more():
    panel = drugstores(50).panel
    values, promoted = panel.values, panel.promotion[:, : panel.day_count] > 0
    days = panel.weekdays[: panel.day_count] < 5

    with_it = np.nanmean(np.where(promoted & days, values, np.nan))
    without = np.nanmean(np.where(~promoted & days, values, np.nan))

    assert with_it / without == pytest.approx(1.35, abs=0.06)


@pytest.mark.parametrize(
    ("make", "feast"),
    [(feasts.spring_festival, date(2025, 1, 29)), (feasts.nowruz, date(2025, 3, 21))],
    ids=["spring festival 2025", "Nowruz 1404"],
)
def test_sales_rise_before_a_feast_and_fall_on_it(make, feast):
    bench = make()
    day = (feast - bench.panel.first_date).days
    total = bench.truth.sum(axis=0)

    assert bench.feast_days[day]
    assert all(origin <= day < origin + 28 for origin in bench.origins)
    assert total[day - 8 : day - 2].mean() > 1.4 * total[day - 70 : day - 42].mean()
    assert total[day + 1 : day + 4].mean() < 0.7 * total[day - 70 : day - 42].mean()


def test_without_files_of_orders_the_panel_is_missing_and_says_where_it_looked(
    tmp_path, monkeypatch
):
    monkeypatch.setenv(FOLDER, str(tmp_path))

    with pytest.raises(MissingData, match=str(tmp_path)):
        online_retail()


def test_the_shop_of_online_orders_is_closed_on_days_without_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    lines_by_day = {
        "2010-12-01": "1,85123A,Heart,6,2010-12-01 08:26:00,2.5,1.0,France\n"
        "2,POST,Postage,1,2010-12-01 09:00:00,18.0,1.0,France\n",
        "2010-12-02": "3,22752,Box,2,2010-12-02 08:00:00,4.0,2.0,EIRE\n"
        "C4,85123A,Heart,-1,2010-12-02 10:00:00,2.5,1.0,France\n",
    }
    for day, rows in lines_by_day.items():
        (tmp_path / f"{day}.csv").write_text(head + rows)

    panel = online_retail().panel

    assert panel.keys == ("online:EIRE", "online:France", "online:Total")
    assert panel.values[:, :3].tolist() == pytest.approx(
        np.array([[0.0, 8.0, np.nan], [15.0, -2.5, np.nan], [15.0, 5.5, np.nan]]), nan_ok=True
    )
    assert panel.closed[:, 2:10].all()


TRUTH = np.array([[10.0, 20.0, np.nan], [5.0, 15.0, 0.0]])
FORECAST = np.array([[12.0, 16.0, 99.0], [5.0, np.nan, 1.0]])


def test_errors_and_bias_are_shares_of_the_truth_and_no_forecast_counts_as_nought():
    # Errors 2, 4 and 0, 15, 1 of a truth of 50; forecasts add up to 34.
    assert wape(FORECAST, TRUTH) == pytest.approx(22 / 50)
    assert bias(FORECAST, TRUTH) == pytest.approx(-16 / 50)


def test_errors_of_different_sign_cancel_when_series_are_added_up():
    # By day: 17 for 15, 16 for 35, 1 for 0; the day that one series does not judge counts for the
    # other alone.
    assert total_wape(FORECAST, TRUTH) == pytest.approx((2 + 19 + 1) / 50)


def test_the_scale_begins_with_the_first_day_that_is_not_nought():
    known = np.array([[0.0, 0.0, 3.0, 1.0, np.nan, 4.0, 5.0], [0.0] * 7, [np.nan] * 7])

    scale = naive_scale(known)

    assert scale[0] == pytest.approx((4 + 1) / 2)
    assert np.isnan(scale[1:]).all()
    assert rmsse(np.array([[2.0, 2.0]]), np.array([[4.0, 1.0]]), scale[:1])[0] == pytest.approx(1.0)


def test_coverage_counts_the_judged_days_inside_and_the_series_that_are_well_covered():
    truth = np.tile(np.arange(10.0), (2, 1))
    low, high = np.zeros((2, 10)), np.full((2, 10), 7.0)
    high[1] = 3.0

    inside = covered(low, high, truth)

    assert inside.mean(axis=1).tolist() == [0.8, 0.4]
    assert well_covered_share(inside) == 0.5


def test_a_score_judges_the_days_of_the_feast_apart():
    made = Windows(np.array([[10.0, 10.0, 10.0, 10.0]]), {})
    truth = np.array([[10.0, 20.0, 10.0, 5.0]])
    feast = np.array([False, True, False, True])

    figures = score(made, truth, scales=[np.array([25.0]), np.array([25.0])], feast=feast)

    assert figures.wape == pytest.approx(15 / 45)
    assert figures.feast_wape == pytest.approx(15 / 25)
    # Two windows of two days: roots of 50 and of 12.5 in units of 25.
    assert figures.rmsse == pytest.approx((2**0.5 + 0.5**0.5) / 2)
    assert figures.cover80 is None


def naive_models() -> Ours:
    """Stands where our own engine does: forecasts that anybody could make."""

    def forecasts(view: Panel) -> dict[str, np.ndarray]:
        middle = means.weekday_promotion_mean(view)
        return {
            OURS: middle,
            "fortnight": means.seasonal_naive_14(view),
            "only_some": np.where(np.arange(view.series_count)[:, None] > 0, middle, np.nan),
        }

    def intervals(view: Panel) -> tuple[tuple[float, ...], np.ndarray]:
        middle = means.weekday_promotion_mean(view)
        factors = (0.7, 0.8, 1.2, 1.3)
        bands = np.stack([middle * factor for factor in factors], axis=1)
        return (0.025, 0.1, 0.9, 0.975), bands

    return Ours(forecasts, intervals)


def test_our_models_are_measured_without_an_environment_of_peers(tmp_path, monkeypatch):
    monkeypatch.setenv(exchange.PEER_PYTHON, str(tmp_path / "none"))

    scores = measure(drugstores(8), naive_models())

    assert scores.keys() == {OURS, "fortnight", "seasonal_naive", "weekday_promotion_mean"}
    assert scores[OURS].wape < 0.6 * scores["seasonal_naive"].wape
    assert 0.8 < scores[OURS].cover80 < scores[OURS].cover95
    assert scores[OURS].cpu_ms is not None


@pytest.mark.parametrize("path", ["benchmarks.forecast.ours", "benchmarks.forecast.ours.forecasts"])
def test_what_is_measured_is_named_as_a_module_or_as_a_function(path):
    module = import_module("benchmarks.forecast.ours")

    assert load_ours(path) == Ours(module.forecasts, module.intervals)


def test_no_model_sees_a_day_of_its_window(tmp_path, monkeypatch):
    monkeypatch.setenv(exchange.PEER_PYTHON, str(tmp_path / "none"))
    bench = drugstores(4)
    first = next(bench.views())[0]
    last = bench.origins[0]
    changed = bench.panel.values.copy()
    changed[:, last:] = 1.0
    scrambled = Panel(**{**vars(bench.panel), "values": changed})

    view = next(BenchPanel("x", scrambled, bench.truth, bench.origins).views())[0]

    assert exchange.digest(view) == exchange.digest(first)


def test_a_window_beyond_the_panel_is_refused():
    bench = drugstores(2)

    with pytest.raises(ValueError, match="a window beyond day 942"):
        BenchPanel("late", bench.panel, bench.truth, (915,))


def test_every_named_panel_has_a_module():
    for name in panels.MODULES:
        module, function = panels.MODULES[name].split(":")
        found = import_module(f"benchmarks.forecast.{module}")
        assert callable(getattr(found, function))


def judged(value: float, total: float = 0.1) -> Score:
    """A score of one WAPE, with intervals."""
    return Score(value, 0.01, None, total, None, 0.805, 0.95, 0.9, 10.0)


def test_the_bar_compares_ratios_within_one_panel():
    scores = {"drugstores": {OURS: judged(0.078, 0.05), "stock_prophet_full": judged(0.104)}}

    table = lines(scores)

    ratio, cover = (
        next(line for line in table if line.asked is asked) for asked in (STORE_FULL, COVER80)
    )
    assert ratio.measured == pytest.approx(0.75)
    assert (ratio.verdict, cover.verdict) == ("met", "stretch")
    assert Line(STORE_FULL, "drugstores", 0.81).verdict == "missed"


def test_a_file_of_ones_own_is_a_panel(tmp_path):
    path = tmp_path / "shops.csv"
    rows = [
        f"S{n},2024-01-{day:02},{10 * n + day},{int(day > 20)},{str(day == 7).lower()},DE"
        for n in (1, 2)
        for day in range(1, 31)
        if (n, day) != (2, 9)
    ]
    path.write_text("\n".join(["series,day,value,promotion,closed,country", *rows]))

    with pytest.raises(ValueError, match="a window beyond"):
        panels.build(str(path))

    longer = [row.replace("2024-01", f"2024-{month:02}") for month in (3, 5, 7) for row in rows]
    path.write_text("\n".join(["series,day,value,promotion,closed,country", *rows, *longer]))
    bench = panels.build(str(path))

    panel = bench.panel
    assert (bench.name, panel.keys, panel.countries) == ("shops", ("S1", "S2"), (("DE",), ("DE",)))
    assert panel.values[1, 0] == 21
    assert np.isnan(panel.values[0, 6])  # closed
    assert np.isnan(panel.values[1, 8])  # no row
    assert panel.promotion[:, 20].tolist() == [1.0, 1.0]
    assert len(bench.origins) == 2


def test_a_file_without_a_needed_column_is_told(tmp_path):
    path = tmp_path / "shops.csv"
    path.write_text("shop,day,value\nS1,2024-01-01,1\n")

    with pytest.raises(MissingData, match="no column series"):
        panels.build(str(path))
