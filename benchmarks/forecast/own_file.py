"""A panel of one's own: a CSV or Parquet file with one row per series and day.

Columns: ``series``, ``day``, ``value``. Where they are there: ``closed`` and ``sold_out`` (true or
false), ``country`` (ISO 3166, several joined by +) and ``segment``, the same on all rows of a
series. Every further numeric column is a regressor known ahead, as ``promotion``. A day without a
row was closed. The last two windows of 28 days are judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
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
    grid = _Grid.of(found)
    values = grid.spread("value", np.nan)
    values[grid.spread("closed", 0.0) > 0] = np.nan
    ahead = grid.days + HORIZON_DAYS
    known = {*NEEDED, *FLAGS, *WORDS}
    numeric = [n for n in found.select_dtypes(["number", "bool"]).columns if n not in known]
    closed = np.zeros((len(grid.keys), ahead), dtype=bool)
    closed[:, : grid.days] = np.isnan(values)
    panel = Panel(
        first_date=grid.first,
        horizon=HORIZON_DAYS,
        keys=grid.keys,
        segments=grid.word("segment", "all"),
        values=values,
        closed=closed,
        sold_out=(grid.spread("sold_out", 0.0) > 0) & ~np.isnan(values),
        regressors={str(name): grid.spread(name, 0.0, HORIZON_DAYS) for name in numeric},
        countries=tuple(tuple(one.split("+")) for one in grid.word("country", "US")),
        calendar=calendar_of(grid.first, grid.days),
    )
    truth = np.where(panel.sold_out, np.nan, values)
    return BenchPanel(Path(path).stem, panel, truth, last_origins(grid.days, WINDOWS))


@dataclass(frozen=True)
class _Grid:
    """Where each row of the file stands among series and days."""

    found: pd.DataFrame
    keys: tuple[str, ...]
    row: np.ndarray  # (rows,) place of the series
    day: np.ndarray  # (rows,)
    first: date
    days: int

    @classmethod
    def of(cls, found: pd.DataFrame) -> _Grid:
        """From the columns ``series`` and ``day``."""
        dates = found["day"].astype("datetime64[s]")
        day = (dates - dates.min()).dt.days.to_numpy()
        keys, row = np.unique(found["series"].astype(str), return_inverse=True)
        return cls(found, tuple(keys.tolist()), row, day, dates.min().date(), int(day.max()) + 1)

    def spread(self, name: str, otherwise: float, more_days: int = 0) -> np.ndarray:
        """(N, T + more) a column's numbers by series and day."""
        result = np.full((len(self.keys), self.days + more_days), otherwise)
        if name in self.found:
            result[self.row, self.day] = self.found[name].astype(float)
        return result

    def word(self, name: str, otherwise: str) -> tuple[str, ...]:
        """(N,) a column's word by series: that of its first row."""
        if name not in self.found:
            return (otherwise,) * len(self.keys)
        return tuple(self.found.groupby(self.row)[name].first().astype(str))
