"""A real grocer's year of 1.47 million lines: the forecasts have to be worth their while."""

import runpy
from pathlib import Path

import pytest

from dagster_project.core.forecasting import forecast_sales

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "forecasting.py"


@pytest.fixture(scope="module")
def real_year():
    """The year's core marts with their forecast, and what the run said."""
    benchmark = runpy.run_path(str(BENCHMARK))
    connection = benchmark["real_marts"]()
    yield connection, forecast_sales(connection, benchmark["SETTINGS"])
    connection.close()


def test_the_origin_is_the_last_day_of_the_year(real_year):
    _, outcome = real_year

    assert str(outcome.origin_date) == "2017-12-31"
    assert outcome.failed == ()


def test_series_with_enough_history_are_the_total_the_channel_14_departments_and_22_stores(
    real_year,
):
    connection, outcome = real_year

    levels = connection.execute(
        "select level, count(*) from forecast.series group by level order by level"
    ).fetchall()

    assert levels == [("channel", 1), ("department", 14), ("store", 22), ("total", 1)]
    assert outcome.forecast_count == 38


def test_daily_totals_are_the_sum_of_the_lines_to_the_cent(real_year):
    connection, _ = real_year

    forecast, lines = connection.execute(
        """
        select
            (select sum(net_amount) from forecast.actual where series_key = 'total'),
            (select cast(sum(net_amount_reporting) as double) from core.fct_sales_line)
        """
    ).fetchone()

    assert forecast == pytest.approx(lines, abs=0.005)


@pytest.mark.parametrize(
    ("level", "naive", "weekday_mean"),
    [("total", 0.80, 0.98), ("department", 0.80, 0.97), ("store", 0.80, 1.0)],
)
def test_prophet_beats_both_baselines(real_year, level, naive, weekday_mean):
    connection, _ = real_year

    wape = dict(
        connection.execute(
            """
            select b.model, sum(abs(forecast_amount - actual_amount)) / sum(actual_amount)
            from forecast.backtest as b
            join forecast.series as s using (series_key)
            where s.level = $1
            group by b.model
            """,
            [level],
        ).fetchall()
    )

    assert wape["prophet"] < naive * wape["seasonal_naive"]
    assert wape["prophet"] < weekday_mean * wape["weekday_promotion_mean"]


def test_intervals_cover_what_they_say(real_year):
    connection, _ = real_year

    covered_80, covered_95, good = connection.execute(
        """
        select
            avg(coverage_80), avg(coverage_95), avg(cast(coverage_80 between 0.7 and 0.9 as int))
        from forecast.accuracy
        where is_chosen
        """
    ).fetchone()

    assert 0.78 <= covered_80 <= 0.82
    assert 0.94 <= covered_95 <= 0.96
    assert good >= 0.85
