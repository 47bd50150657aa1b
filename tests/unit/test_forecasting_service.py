"""Forecasts end to end on small marts: leakage, determinism, failures, and what is worth it."""

from datetime import date, timedelta

import numpy as np
import pytest
from forecasting_marts import add_days, add_store, open_marts, weekly_sales

from dagster_project.core.forecasting import fan_chart, forecast_sales, panel_fingerprint
from dagster_project.core.forecasting.chart import NoForecastError
from dagster_project.core.forecasting.tables import TABLES
from dagster_project.core.home import Settings

FIRST = date(2017, 1, 2)
DAYS = 364
ORIGIN = FIRST + timedelta(days=DAYS - 1)
SETTINGS = Settings(
    group_name="Test", time_zone="UTC", nightly_refresh="02:30", reporting_currency="EUR"
)


def two_shops(days: int = DAYS):
    connection = open_marts()
    for store in (1, 2):
        add_store(connection, store)
        sales = weekly_sales(days, level=1000.0 * store, seed=store, noise=0.1, first=FIRST)
        add_days(connection, store, FIRST, sales, product=store)
    return connection


def contents(connection) -> dict[str, list]:
    return {
        table: connection.execute(f"from forecast.{table} order by all").fetchall()
        for table in TABLES
    }


def test_all_series_share_the_origin_and_the_28_days_after_it():
    connection = two_shops()

    outcome = forecast_sales(connection, SETTINGS)

    assert outcome.origin_date == ORIGIN
    assert outcome.series_count == outcome.forecast_count == 6
    assert outcome.failed == ()
    rows = connection.execute(
        """
        select series_key, count(*), min(target_date), max(target_date),
            bool_and(target_date = origin_date + horizon_days), count(distinct model)
        from forecast.daily
        group by all
        """
    ).fetchall()
    expected = (28, ORIGIN + timedelta(days=1), ORIGIN + timedelta(days=28), True, 1)
    assert len(rows) == 6
    assert all(row[1:] == expected for row in rows)
    assert dict(outcome.row_counts)["daily"] == 6 * 28


def test_tables_agree_with_each_other():
    connection = two_shops()
    forecast_sales(connection, SETTINGS)

    wrong = connection.execute(
        """
        with recomputed as (
            select
                series_key, model,
                sum(abs(forecast_amount - actual_amount)) / sum(abs(actual_amount)) as wape,
                sum(forecast_amount - actual_amount) / sum(abs(actual_amount)) as bias,
                count(*) as day_count, count(distinct origin_date) as window_count,
            from forecast.backtest
            group by all
        )
        select a.series_key, a.model
        from forecast.accuracy as a
        left join recomputed as r using (series_key, model)
        where r.series_key is null or abs(a.wape - r.wape) > 1e-9 or abs(a.bias - r.bias) > 1e-9
            or a.day_count != r.day_count or a.window_count != r.window_count
        """
    ).fetchall()
    chosen = connection.execute(
        """
        select s.series_key
        from forecast.series as s
        join forecast.accuracy as a on a.series_key = s.series_key and a.is_chosen
        join forecast.daily as d on d.series_key = s.series_key
        where a.model = s.model and d.model = s.model and a.reason != ''
        group by all
        """
    ).fetchall()
    assert wrong == []
    assert len(chosen) == 6


def test_quantiles_are_in_order_and_hold_the_mean_between_them():
    connection = two_shops()
    forecast_sales(connection, SETTINGS)

    disordered = connection.execute(
        """
        select count(*) from forecast.daily
        where not (0 < p2_5_amount and p2_5_amount <= p10_amount and p10_amount <= mean_amount
            and mean_amount <= p90_amount and p90_amount <= p97_5_amount)
        """
    ).fetchone()
    assert disordered == (0,)


def test_the_same_sales_give_the_same_bits():
    first, second = two_shops(), two_shops()
    second.execute(
        "create or replace table core.fct_sales_line as "
        "from core.fct_sales_line order by md5(cast(transaction_key as varchar))"
    )  # the same lines, delivered in another order

    forecast_sales(first, SETTINGS)
    forecast_sales(second, SETTINGS)

    assert contents(first) == contents(second)
    assert panel_fingerprint(first) == panel_fingerprint(second)


def test_scrambling_all_sales_after_a_cut_off_leaves_its_forecasts_bit_identical():
    cut_off = ORIGIN - timedelta(days=2 * 28)
    query = """
        select series_key, origin_date, target_date, model, forecast_amount
        from forecast.backtest where origin_date <= $1 order by all
    """
    later = "select sum(forecast_amount) from forecast.backtest where origin_date > $1"
    honest, scrambled = two_shops(), two_shops()
    scrambled.execute(
        """
        update core.fct_sales_line
        set net_amount_reporting = net_amount_reporting * (1 + transaction_key % 13),
            product_key = 3 - product_key
        where business_date > $1
        """,
        [cut_off],
    )

    forecast_sales(honest, SETTINGS)
    forecast_sales(scrambled, SETTINGS)

    known = honest.execute(query, [cut_off]).fetchall()
    assert len(known) == 6 * 4 * 28 * 5  # series, models, days, origins up to the cut-off
    assert scrambled.execute(query, [cut_off]).fetchall() == known
    after = honest.execute(later, [cut_off]).fetchone()
    assert scrambled.execute(later, [cut_off]).fetchone() != after


def test_a_part_of_the_day_after_the_origin_changes_nothing():
    connection = two_shops()
    forecast_sales(connection, SETTINGS)
    before, fingerprint = contents(connection), panel_fingerprint(connection)

    add_days(connection, 1, ORIGIN + timedelta(days=1), [90.0], receipts=1)
    forecast_sales(connection, SETTINGS)

    assert contents(connection) == before
    assert panel_fingerprint(connection) == fingerprint


def test_one_cent_on_one_line_changes_the_fingerprint():
    connection = two_shops(200)
    before = panel_fingerprint(connection)

    connection.execute(
        """
        update core.fct_sales_line set net_amount_reporting = net_amount_reporting + 0.01
        where transaction_key = (select min(transaction_key) from core.fct_sales_line)
        """
    )

    assert panel_fingerprint(connection) != before


def test_a_series_that_fails_keeps_its_last_good_forecast_and_stops_no_other():
    connection = two_shops()
    forecast_sales(connection, SETTINGS)
    good = contents(connection)
    key = "store:till:S2"
    late = weekly_sales(7, level=1000, seed=9, first=FIRST)
    add_days(connection, 1, ORIGIN + timedelta(days=1), late)
    add_days(connection, 2, ORIGIN + timedelta(days=1), late, product=2)
    connection.execute(
        "update core.fct_sales_line set net_amount_reporting = null "
        "where store_key = 2 and business_date > $1",
        [ORIGIN - timedelta(days=100)],
    )  # no exchange rate for a hundred days

    outcome = forecast_sales(connection, SETTINGS)

    assert outcome.origin_date == ORIGIN + timedelta(days=7)
    failed = dict(outcome.failed)
    assert failed[key] == "SeriesError: no day with sales in the last 84 days"
    assert "store:till:S1" not in failed
    assert outcome.stale_count == len(failed)
    now = contents(connection)
    for table in ("daily", "backtest", "accuracy"):
        kept = [row for row in now[table] if row[0] == key]
        assert kept == [row for row in good[table] if row[0] == key]
    states = connection.execute(
        "select series_key, status, origin_date, forecast_age_days, error is null "
        "from forecast.series where level = 'store' order by series_key"
    ).fetchall()
    assert states == [
        ("store:till:S1", "forecast", ORIGIN + timedelta(days=7), 0, True),
        (key, "stale", ORIGIN, 7, False),
    ]
    assert fan_chart(connection, key).startswith(b"\x89PNG")


def test_a_series_that_never_had_a_forecast_is_listed_as_failed():
    connection = two_shops()
    connection.execute(
        "update core.fct_sales_line set net_amount_reporting = null where store_key = 2 "
        "and business_date > $1",
        [ORIGIN - timedelta(days=100)],
    )

    forecast_sales(connection, SETTINGS)

    row = connection.execute(
        "select status, origin_date, error from forecast.series where series_key = 'store:till:S2'"
    ).fetchone()
    assert row == ("failed", None, "SeriesError: no day with sales in the last 84 days")
    with pytest.raises(NoForecastError, match="store:till:S2"):
        fan_chart(connection, "store:till:S2")


def test_without_sales_the_tables_are_there_and_empty():
    connection = open_marts()

    outcome = forecast_sales(connection, SETTINGS)

    assert outcome.origin_date is None
    assert contents(connection) == {table: [] for table in TABLES}


def test_progress_counts_every_series():
    seen: list[tuple[int, int]] = []

    forecast_sales(
        two_shops(200), SETTINGS, on_progress=lambda done, total: seen.append((done, total))
    )

    assert seen == [(n, 6) for n in range(1, 7)]


def planted_shop():
    """Two and a half years of a week, a growing trend, and a feast that doubles two days."""
    first = date(2015, 8, 3)
    days = (date(2017, 12, 10) - first).days + 1
    connection = open_marts()
    add_store(connection, 1, country="CN")
    calm = np.array(weekly_sales(days, noise=0.05, seed=5, first=first))
    dates = [first + timedelta(days=n) for n in range(days)]
    feast = np.array([day.month == 11 and 8 <= day.day <= 11 for day in dates])
    add_days(connection, 1, first, (calm * np.where(feast, 2.5, 1.0)).tolist())
    return connection


def test_prophet_beats_the_baselines_on_a_planted_week_and_feast():
    connection = planted_shop()

    forecast_sales(connection, SETTINGS)

    wape = dict(
        connection.execute(
            """
            select model, sum(abs(forecast_amount - actual_amount)) / sum(actual_amount)
            from forecast.backtest
            where series_key = 'total' and target_date between '2017-11-01' and '2017-11-20'
            group by model
            """
        ).fetchall()
    )
    assert wape["prophet"] < 0.6 * wape["seasonal_naive"]
    assert wape["prophet"] < 0.6 * wape["weekday_promotion_mean"]
    chosen = connection.execute(
        "select value_added_naive > 0.2 from forecast.accuracy "
        "where series_key = 'total' and model = 'prophet'"
    ).fetchone()
    assert chosen == (True,)


def test_the_fan_chart_is_a_picture_below_50_kilobytes():
    connection = two_shops()
    forecast_sales(connection, SETTINGS)

    picture = fan_chart(connection, "total")

    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 50_000


def test_a_name_the_font_cannot_write_is_replaced_by_its_code():
    connection = two_shops()
    connection.execute("update core.dim_store set name = '杭州 1' where store_key = 1")
    forecast_sales(connection, SETTINGS)

    # A missing glyph is a warning, and warnings are errors here.
    assert fan_chart(connection, "store:till:S1").startswith(b"\x89PNG")


def test_no_forecast_no_picture():
    connection = two_shops(200)
    forecast_sales(connection, SETTINGS)

    with pytest.raises(NoForecastError, match="no forecast for series 'store:till:S9'"):
        fan_chart(connection, "store:till:S9")
