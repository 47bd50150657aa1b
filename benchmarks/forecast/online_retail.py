"""Online orders of a British gift shop by day: the total and the countries that order often.

The shop works on no Saturday and is closed over Christmas and on bank holidays: there is no file
for those days. Net sales of products; postage, fees, manual entries and bad debts are no demand.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.forecast.panels import (
    HORIZON_DAYS,
    BenchPanel,
    MissingData,
    calendar_of,
    last_origins,
    weekdays_from,
)
from dagster_project.core.forecasting.engine.panel import Panel

FOLDER = "TILLHOUSE_ONLINE_RETAIL"
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "online_retail_uci"
FIRST_DAY = date(2010, 12, 1)
DAYS = (date(2011, 9, 1) - FIRST_DAY).days
SATURDAY = 5
OFTEN = 0.5  # of trading days with an order: United Kingdom, Germany, France, Ireland


def online_retail() -> BenchPanel:
    """Daily net sales; MissingData when neither the named folder nor the one beside has files."""
    folder = Path(os.environ.get(FOLDER, BESIDE))
    if not any(folder.glob("*.csv")):
        raise MissingData(f"no files of orders in {folder}; {FOLDER} names another folder")
    found = (
        duckdb.connect(config={"threads": 1})
        .execute(
            """
        select
            cast(regexp_extract(filename, '(\\d{4}-\\d{2}-\\d{2})\\.csv', 1) as date)
                - cast($2 as date) as day,
            coalesce("Country", 'Total') as country,
            sum(cast("Quantity" as double) * cast("UnitPrice" as double)) as amount,
        from read_csv($1, all_varchar = true, filename = true)
        where regexp_matches("StockCode", '^\\d{5}')  -- products; fees have words for codes
        group by grouping sets ((day), (day, "Country"))
        order by country, day
        """,
            [f"{folder}/*.csv", FIRST_DAY],
        )
        .fetchnumpy()
    )
    keys, rows, counts = np.unique(
        found["country"].astype(str), return_inverse=True, return_counts=True
    )
    values = np.zeros((len(keys), DAYS))
    values[rows, found["day"].astype(int)] = np.round(found["amount"], 2)
    often = np.flatnonzero(counts >= OFTEN * counts.max())
    return _bench([str(keys[n]) for n in often], values[often])


def _bench(keys: list[str], values: np.ndarray) -> BenchPanel:
    """The panel: a day without any order is closed; a country without one on an open day sold 0."""
    closed = weekdays_from(FIRST_DAY, DAYS + HORIZON_DAYS) == SATURDAY
    closed[:DAYS] |= values[keys.index("Total")] == 0
    closed = np.tile(closed, (len(keys), 1))
    panel = Panel(
        first_date=FIRST_DAY,
        horizon=HORIZON_DAYS,
        keys=tuple(f"online:{key}" for key in keys),
        segments=tuple("total" if key == "Total" else "country" for key in keys),
        values=np.where(closed[:, :DAYS], np.nan, values),
        closed=closed,
        sold_out=np.zeros(values.shape, dtype=bool),
        regressors={},
        countries=(("GB",),) * len(keys),
        calendar=calendar_of(FIRST_DAY, DAYS),
    )
    return BenchPanel("online_retail", panel, panel.values, last_origins(DAYS))
