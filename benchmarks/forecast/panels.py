"""The panels that forecasts are measured on: what every one of them consists of, and their names.

Belongs here: the shape, the calendar they share, the list. Does not: where a panel's days come
from; each kind has a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from importlib import import_module

import numpy as np

from dagster_project.core.calendars import CalendarDay as ReferenceDay
from dagster_project.core.calendars import calendar_days
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.events import CalendarDay

HORIZON_DAYS = 28
CALENDAR_MARGIN_DAYS = 45  # as the product's own panels have it
HOLIDAY_COUNTRIES = ("US", "CN", "IR", "GB")  # those whose holidays the product's calendar names

# Module and function of each panel.
MODULES = {
    "drugstores": "drugstores:drugstores",
    "journey_stores": "journey:journey_stores",
    "journey_departments": "journey:journey_departments",
    "journey_skus": "journey:journey_skus",
    "online_retail": "online_retail:online_retail",
    "spring_festival": "feasts:spring_festival",
    "nowruz": "feasts:nowruz",
    "sales_days": "feasts:sales_days",
    "sold_out": "sold_out:sold_out",
    "promotions": "promotions:promotions",
}

DAILY_PEERS = (
    "stock_prophet",
    "stock_prophet_full",
    "sf_seasonal_naive",
    "auto_ets",
    "auto_theta",
    "mlforecast_lightgbm",
)
PROPHET_PEERS = ("stock_prophet", "stock_prophet_full", "mlforecast_lightgbm")
INTERMITTENT_PEERS = ("sf_adida", "sf_imapa", "sf_croston_sba", "sf_ses", "sf_ses_optimized")


class MissingData(Exception):  # noqa: N818 - a reason to skip, not a fault
    """The data of a panel are not on this machine; the message says what was looked for."""


@dataclass(frozen=True)
class BenchPanel:
    """A panel over its whole time, test windows included, and what is judged of it.

    Models get ``panel.until(origin)``. ``truth`` is demand; NaN days are not judged.
    """

    name: str
    panel: Panel
    truth: np.ndarray  # (N, T)
    origins: tuple[int, ...]  # days of history; the window of each is the H days that follow
    feast_days: np.ndarray | None = None  # (T,) bool: days of the feast's weeks
    peers: tuple[str, ...] = DAILY_PEERS
    notes: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError when a window is not wholly within the panel."""
        last = self.panel.day_count - self.panel.horizon
        if self.truth.shape != self.panel.values.shape:
            raise ValueError(f"{self.name}: truth of another shape than the values")
        if any(not 0 < origin <= last for origin in self.origins):
            raise ValueError(f"{self.name}: a window beyond day {self.panel.day_count}")

    def views(self) -> Iterator[tuple[Panel, np.ndarray]]:
        """For each origin the panel as it was known, and the (N, H) truth to judge against."""
        for origin in self.origins:
            yield self.panel.until(origin), self.truth[:, origin : origin + self.panel.horizon]

    def only(self, rows: np.ndarray) -> BenchPanel:
        """Some of the series."""
        return replace(self, panel=self.panel.only(rows), truth=self.truth[rows])


def is_file(name: str) -> bool:
    """Whether a panel is named by its file."""
    return name.endswith((".csv", ".parquet"))


def build(name: str) -> BenchPanel:
    """The named panel, or that of a file; MissingData when its source is not there.

    Raises KeyError for an unknown name.
    """
    if is_file(name):
        return import_module("benchmarks.forecast.own_file").own_file(name)
    module, function = MODULES[name].split(":")
    make: Callable[[], BenchPanel] = getattr(
        import_module(f"benchmarks.forecast.{module}"), function
    )
    return make()


def last_origins(days: int, windows: int = 3) -> tuple[int, ...]:
    """Origins of the last windows of a panel, side by side, the earliest first."""
    return tuple(days - HORIZON_DAYS * n for n in range(windows, 0, -1))


def weekdays_from(first: date, days: int) -> np.ndarray:
    """(days,) weekday of each, Monday = 0."""
    return (np.arange(days) + first.weekday()) % 7


@lru_cache(maxsize=16)
def calendar_of(first: date, days: int) -> tuple[CalendarDay, ...]:
    """The product's calendar over a panel's days and its horizon, with the margin it has there."""
    margin = timedelta(days=CALENDAR_MARGIN_DAYS)
    last = first + timedelta(days=days + HORIZON_DAYS - 1)
    return tuple(_as_event_day(row) for row in calendar_days(first - margin, last + margin))


def _as_event_day(row: ReferenceDay) -> CalendarDay:
    named = {(code, getattr(row, f"holiday_name_{code.lower()}")) for code in HOLIDAY_COUNTRIES}
    if row.is_working_weekend_cn:
        named.add(("CN", "Working weekend"))
    return CalendarDay(
        row.calendar_date,
        row.lunar_month,
        row.lunar_day,
        row.is_lunar_leap_month,
        row.jalali_month,
        row.jalali_day,
        frozenset((code, name) for code, name in named if name),
    )
