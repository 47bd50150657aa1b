"""A panel of one's own: a CSV or Parquet file with one row per series and day.

Columns: ``series``, ``day``, ``value``. Where they are there: ``closed`` and ``sold_out`` (true or
false), ``country`` (ISO 3166, several joined by +) and ``segment``, the same on all rows of a
series. Every further numeric column is a regressor known ahead, as ``promotion``. A day without a
row was closed. The last two windows of 28 days are judged.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from benchmarks.forecast.panels import (
    HORIZON_DAYS,
    BenchPanel,
    MissingData,
    calendar_of,
    last_origins,
)
from dagster_project.core.forecasting.engine.panel import Panel

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet")
NEEDED = ("series", "day", "value")
FLAGS = ("closed", "sold_out")
WORDS = ("country", "segment")
WINDOWS = 2


def _parquet(path: str) -> pd.DataFrame:
    return duckdb.connect().read_parquet(path).df()


def own_file(path: str) -> BenchPanel:
    """The file's panel; MissingData where the file or one of the needed columns is not there."""
    if not Path(path).is_file():
        raise MissingData(f"no file {path}")
    found = duckdb.connect().read_csv(path).df() if path.endswith(".csv") else _parquet(path)
    if missing := [name for name in NEEDED if name not in found.columns]:
        raise MissingData(f"{path} has no column {', '.join(missing)}")
    found["day"] = found["day"].astype("datetime64[s]")
    first = found["day"].min()
    days = (found["day"].max() - first).days + 1
    keys, rows = np.unique(found["series"].astype(str), return_inverse=True)
    places = (rows, ((found["day"] - first).dt.days).to_numpy())
    shape = (len(keys), days)

    def spread(name: str, otherwise: float, length: int = days) -> np.ndarray:
        result = np.full((len(keys), length), otherwise)
        if name in found:
            result[places] = found[name].astype(float)
        return result

    def word(name: str, otherwise: str) -> tuple[str, ...]:
        if name not in found:
            return (otherwise,) * len(keys)
        return tuple(found.groupby(rows)[name].first().astype(str))

    shut = spread("closed", 0.0) > 0
    values = spread("value", np.nan)
    values[shut] = np.nan
    ahead = days + HORIZON_DAYS
    known = {*NEEDED, *FLAGS, *WORDS}
    numeric = [n for n in found.select_dtypes(["number", "bool"]).columns if n not in known]
    closed = np.zeros((len(keys), ahead), dtype=bool)
    closed[:, :days] = np.isnan(values)
    panel = Panel(
        first_date=first.date(),
        horizon=HORIZON_DAYS,
        keys=tuple(keys.tolist()),
        segments=word("segment", "all"),
        values=values,
        closed=closed,
        sold_out=(spread("sold_out", 0.0) > 0) & ~np.isnan(values),
        regressors={str(name): spread(name, 0.0, ahead) for name in numeric},
        countries=tuple(tuple(one.split("+")) for one in word("country", "US")),
        calendar=calendar_of(first.date(), shape[1]),
    )
    truth = np.where(panel.sold_out, np.nan, values)
    return BenchPanel(Path(path).stem, panel, truth, last_origins(days, WINDOWS))
