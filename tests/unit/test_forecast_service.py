"""Forecasts end to end on small marts: tables that agree, leakage, failures, what is kept."""

from datetime import date, timedelta

import numpy as np
import pytest
from forecast_marts import FIRST, open_star, sell

from dagster_project.core.forecasting import fan_chart, forecast_all, panel_fingerprint
from dagster_project.core.forecasting.chart import NoForecastError
from dagster_project.core.forecasting.definitions import Least, load_definitions
from dagster_project.core.forecasting.engine import boosted
from dagster_project.core.forecasting.tables import TABLES
from dagster_project.core.home import Settings

DAYS = 280
ORIGIN = FIRST + timedelta(days=DAYS - 1)
SETTINGS = Settings(
    group_name="Test", time_zone="UTC", nightly_refresh="02:30", reporting_currency="EUR"
)
SALES = [one for one in load_definitions() if one.name == "net_sales"]
UNITS = [one for one in load_definitions() if one.name == "units"]


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    """What is tested here is not how good the trees are."""
    monkeypatch.setattr(boosted, "ROUNDS", 10)


def weekly(level: float, seed: int, days: int = DAYS) -> list[float]:
    """Units a day with a week (Saturday twice Tuesday) and noise of a tenth."""
    shape = np.array([0.8, 0.7, 0.8, 0.9, 1.2, 1.4, 1.2])
    noise = np.exp(0.1 * np.random.default_rng(seed).standard_normal(days))
    return np.round(level * shape[np.arange(days) % 7] * noise, 3).tolist()


def three_shops(days: int = DAYS, later: float = 1.0):
    """Shops 1 to 3 with bread and tulips; from day 200 on all sells ``later`` times as much."""
    connection = open_star()
    for store in (1, 2, 3):
        for product, level in ((1, 100.0 * store), (3, 40.0)):
            sold = weekly(level, seed=10 * store + product, days=days)
            sell(connection, store, product, [*sold[:200], *(later * one for one in sold[200:])])
    return connection


def contents(connection) -> dict[str, list]:
    return {
        table: connection.execute(f"from forecast.{table} order by all").fetchall()
        for table in TABLES
    }


@pytest.fixture(scope="module")
def forecast():
    """Marts of three shops with their forecast of net sales, and what the run said."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(boosted, "ROUNDS", 10)
        connection = three_shops()
        outcome = forecast_all(connection, SETTINGS, definitions=SALES)
    yield connection, outcome
    connection.close()


def test_all_series_share_the_origin_and_the_28_days_after_it(forecast):
    connection, outcome = forecast

    rows = connection.execute(
        """
        select series_key, count(*), min(target_date), max(target_date),
            bool_and(target_date = origin_date + horizon_days), count(distinct model)
        from forecast.daily
        group by all
        """
    ).fetchall()

    expected = (28, ORIGIN + timedelta(days=1), ORIGIN + timedelta(days=28), True, 1)
    assert outcome.origin_date == ORIGIN
    assert outcome.series_count == outcome.forecast_count == len(rows)
    assert outcome.failed == ()
    assert all(row[1:] == expected for row in rows)


def test_levels_are_those_that_are_declared(forecast):
    connection, _ = forecast

    levels = dict(
        connection.execute("select level, count(*) from forecast.series group by level").fetchall()
    )

    assert levels == {
        "total": 1, "banner": 2, "channel": 1, "store": 3, "category": 4, "store_category": 6,
    }  # fmt: skip


def test_children_add_up_to_their_parents_on_every_date(forecast):
    connection, _ = forecast

    gaps = connection.execute(
        """
        with sums as (
            select
                d.target_date, s.level,
                sum(d.mean_value) as amount,
            from forecast.daily as d
            join forecast.series as s using (series_key)
            group by all
        )
        select max(abs(amount / total - 1))
        from sums
        join (select target_date, amount as total from sums where level = 'total')
            using (target_date)
        """
    ).fetchone()

    assert gaps[0] < 1e-6


def test_a_shop_is_the_sum_of_its_departments(forecast):
    connection, _ = forecast

    (gap,) = connection.execute(
        """
        select max(abs(parts.amount - d.mean_value))
        from forecast.daily as d
        join (
            select
                split_part(series_key, ':', 3) as code, target_date, sum(mean_value) as amount,
            from forecast.daily
            where series_key like 'net_sales/store_category:%'
            group by all
        ) as parts on d.series_key = 'net_sales/store:till:' || parts.code
            and parts.target_date = d.target_date
        """
    ).fetchone()

    assert gap < 1e-4


def test_the_quality_of_a_series_is_that_of_its_back_test(forecast):
    connection, _ = forecast

    wrong = connection.execute(
        """
        select s.series_key, s.wape, sum(abs(forecast_value - actual_value)) / sum(actual_value)
        from forecast.backtest as b
        join forecast.series as s using (series_key)
        where b.model = 'published'
        group by s.series_key, s.wape
        having abs(s.wape - sum(abs(forecast_value - actual_value)) / sum(actual_value)) > 1e-9
        """
    ).fetchall()

    assert wrong == []


def test_every_series_has_one_model_and_a_reason(forecast):
    connection, _ = forecast

    (wrong,) = connection.execute(
        """
        select count(*)
        from forecast.series as s
        left join (
            select series_key, count(*) as chosen from forecast.accuracy where is_chosen group by 1
        ) as a using (series_key)
        where chosen is distinct from 1 or reason is null or status != 'forecast'
        """
    ).fetchone()

    assert wrong == 0


def test_the_same_marts_give_the_same_tables_whatever_was_there_before(forecast):
    connection, _ = forecast
    first = contents(connection)

    forecast_all(connection, SETTINGS, definitions=SALES)

    # Trees of the module's fixture and of this test are as few.
    assert contents(connection) == first


def test_the_fan_is_a_picture_of_the_series_and_unknown_ones_are_refused(forecast):
    connection, _ = forecast

    assert fan_chart(connection, "net_sales/total").startswith(b"\x89PNG")
    with pytest.raises(NoForecastError, match="nobody"):
        fan_chart(connection, "nobody")


def test_a_chain_too_young_for_a_back_test_has_a_line_and_no_fan():
    connection = three_shops(days=14)

    forecast_all(connection, SETTINGS, definitions=SALES)

    assert connection.execute(
        "select count(mean_value), count(p10_value) from forecast.daily "
        "where series_key = 'net_sales/total'"
    ).fetchone() == (28, 0)
    assert fan_chart(connection, "net_sales/total").startswith(b"\x89PNG")


def test_units_have_stock_levels_for_every_shop_and_product():
    connection = three_shops(days=200)

    forecast_all(connection, SETTINGS, definitions=UNITS)

    rows = connection.execute(
        """
        select
            count(*), bool_and(lead_days = 7 and review_days = 7 and service_level = .98),
            bool_and(reorder_point_quantity > lead_demand_quantity),
            bool_and(order_up_to_quantity > 0.9 * protected_demand_quantity),
            bool_and(s.unit = 'units' and s.currency_code is null)
        from forecast.replenishment
        join forecast.series as s using (series_key)
        """
    ).fetchone()
    assert rows == (6, True, True, True, True)


def test_without_sales_the_tables_are_empty():
    connection = open_star()

    outcome = forecast_all(connection, SETTINGS)

    assert (outcome.origin_date, outcome.series_count) == (None, 0)
    assert all(rows == [] for rows in contents(connection).values())


def test_a_series_without_a_forecast_keeps_its_last_one_with_its_age(monkeypatch):
    connection = three_shops()
    forecast_all(connection, SETTINGS, definitions=SALES)
    kept = connection.execute(
        "from forecast.daily where series_key = 'net_sales/channel:store' order by all"
    ).fetchall()
    for store in (1, 2, 3):
        sell(connection, store, 1, [100.0] * 7, first=ORIGIN + timedelta(days=1))
    _silence(monkeypatch, "channel:store")

    outcome = forecast_all(connection, SETTINGS, definitions=SALES)

    state = connection.execute(
        "select status, origin_date, forecast_age_days, error is not null from forecast.series "
        "where series_key = 'net_sales/channel:store'"
    ).fetchone()
    now = connection.execute(
        "from forecast.daily where series_key = 'net_sales/channel:store' order by all"
    ).fetchall()
    assert state == ("stale", ORIGIN, 7, True)
    assert now == kept
    assert outcome.stale_count == 1
    assert [key for key, _ in outcome.failed] == ["net_sales/channel:store"]


def _silence(monkeypatch, key: str) -> None:
    """From now on the engine has nothing to say of one series."""
    from dagster_project.core.forecasting import service

    made = service.forecast_panel

    def silent(panel, *rest, **named):
        result = made(panel, *rest, **named)
        result.mean[panel.keys.index(key)] = np.nan
        return result

    monkeypatch.setattr(service, "forecast_panel", silent)


def test_the_fingerprint_changes_with_the_data_and_not_with_the_order():
    connection = three_shops(days=120)
    first = panel_fingerprint(connection)
    connection.execute(
        "create table shuffled as from core.fct_sales_line "
        "order by hash(transaction_key, store_key, product_key)"
    )
    connection.execute("delete from core.fct_sales_line")
    connection.execute("insert into core.fct_sales_line from shuffled")

    assert panel_fingerprint(connection) == first

    sell(connection, 1, 1, [1.0], first=date(2017, 2, 1))
    assert panel_fingerprint(connection) != first


def rests_and_gap(connection) -> tuple[int, float]:
    """Days of rests, and how far any level's sum is from the total on any day, as a share."""
    return connection.execute(
        """
        with sums as (
            select
                d.target_date, s.level, sum(d.mean_value) as amount,
                count(*) filter (s.member_code like '%(rest)') as rest_count,
            from forecast.daily as d
            join forecast.series as s using (series_key)
            group by all
        )
        select sum(rest_count), max(abs(amount / total - 1))
        from sums
        join (select target_date, amount as total from sums where level = 'total')
            using (target_date)
        """
    ).fetchone()


def test_what_is_too_small_for_a_series_of_its_own_still_adds_up():
    connection = three_shops()
    connection.execute(
        "delete from core.fct_sales_line where store_key = 2 and business_date < $1 - 40", [ORIGIN]
    )
    levels = tuple(
        one.model_copy(update={"least": Least(selling_days=60)}) if "store" in one.by else one
        for one in SALES[0].series
    )

    forecast_all(connection, SETTINGS, definitions=[SALES[0].model_copy(update={"series": levels})])

    rests, gap = rests_and_gap(connection)
    assert rests > 0
    assert gap < 1e-6


@pytest.mark.parametrize("has_kiosk", [False, True])
def test_a_banner_whose_shops_are_all_too_small_still_adds_up(has_kiosk):
    connection = three_shops()
    connection.execute("delete from core.fct_sales_line where store_key in (2, 3)")
    connection.execute(
        """
        insert into core.dim_store values
            (4, 4, 'till', 'S4', 'Shop 4', 'Bazaar', 'IR', 'America/New_York', true),
            (5, 5, 'till', 'S5', 'Kiosk', 'Kiosk', 'IR', 'America/New_York', true);
        """
    )
    # Shops 3 and 4 take turns: their banner sells on every day, each of them on every other.
    sold = weekly(80.0, seed=34)
    sell(connection, 3, 1, [one if day % 2 else None for day, one in enumerate(sold)])
    sell(connection, 4, 1, [None if day % 2 else one for day, one in enumerate(sold)])
    if has_kiosk:
        sell(connection, 5, 1, [3.0] * 20, first=ORIGIN - timedelta(days=19))
    levels = tuple(
        one.model_copy(update={"least": Least(selling_days=200)}) if one.by else one
        for one in SALES[0].series
    )

    forecast_all(connection, SETTINGS, definitions=[SALES[0].model_copy(update={"series": levels})])

    keys = {
        key for (key,) in connection.execute("select series_key from forecast.series").fetchall()
    }
    assert {"net_sales/banner:Bazaar", "net_sales/store:(rest)"} <= keys
    assert ("net_sales/banner:(rest)" in keys) == has_kiosk
    rests, gap = rests_and_gap(connection)
    assert rests > 0
    assert gap < 1e-6
