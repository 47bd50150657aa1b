"""The picture of a forecast: what was sold lately, and the fan of what is expected."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import duckdb

from dagster_project.core.forecasting.tables import read_actual

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HISTORY_DAYS = 90
SIZE_INCHES = (8.0, 3.4)
DOTS_PER_INCH = 80  # about 40 kB: the Dagster UI takes pictures below 50 kB
LAST_LATIN = 0x024F  # end of Latin Extended-B
INK, SOLD, EXPECTED = "#222222", "#555555", "#0b6e99"


class NoForecastError(LookupError):
    """The series has no forecast to draw."""


def fan_chart(connection: duckdb.DuckDBPyConnection, series_key: str) -> bytes:
    """PNG below 50 kB of one series: the last 90 days and the fan of 80 % and 95 % intervals.

    A series too young for a back-test has a mean and no fan. Reads schema forecast only. Raises
    NoForecastError when the series has no forecast.
    """
    described = connection.execute(_SERIES, [series_key]).fetchone()
    fan = connection.execute(_FAN, [series_key]).fetchall()
    if described is None or not fan:
        raise NoForecastError(f"no forecast for series {series_key!r}")
    name, code, level, banner, origin, unit = described
    sold = read_actual(connection, series_key, origin - timedelta(days=HISTORY_DAYS - 1))
    return _draw(
        sold,
        fan,
        _title(_legible(name, code), level, banner, origin, len(fan)),
        f"{unit} a day",
    )


_SERIES = """
select member_name, member_code, level, banner, origin_date, coalesce(currency_code, unit)
from forecast.series
where series_key = $1 and origin_date is not null
"""
_FAN = """
select target_date, mean_value, p2_5_value, p10_value, p90_value, p97_5_value
from forecast.daily
where series_key = $1
order by target_date
"""


def _legible(name: str, code: str) -> str:
    """The code in place of a name that matplotlib's own font cannot write (Chinese, Persian)."""
    return name if all(ord(letter) <= LAST_LATIN for letter in name) else code


def _title(name: str, level: str, banner: str | None, origin: date, days: int) -> str:
    where = f"{name}, {banner}" if level in {"category", "store"} and banner else name
    return f"{where}: {days} days ahead from {origin.day} {origin:%B %Y}"


def _draw(
    sold: list[tuple[date, float]], fan: list[tuple[date, ...]], title: str, unit: str
) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    canvas = FigureCanvasAgg(figure)  # no window system, no state shared between calls
    axes = figure.add_subplot()
    _fan(axes, sold, fan)
    axes.margins(y=0.15)  # room for the legend
    axes.set_title(title, loc="left", fontsize=10, color=INK, parse_math=False)
    axes.set_ylabel(unit, fontsize=8, color=INK)
    if all(amount >= 0 for _, amount in sold) and sold:
        axes.set_ylim(bottom=0)
    locator = AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.tick_params(labelsize=8, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc="upper left", ncols=4)
    buffer = BytesIO()
    canvas.print_png(buffer)
    return buffer.getvalue()


def _fan(axes: Axes, sold: list[tuple[date, float]], fan: list[tuple[date, ...]]) -> None:
    days, mean, *quantiles = zip(*fan, strict=True)
    axes.plot(*zip(*sold, strict=True), color=SOLD, linewidth=1, label="sold")
    if all(value is not None for quantile in quantiles for value in quantile):
        lowest, low, high, highest = quantiles
        band = {"color": EXPECTED, "linewidth": 0}
        axes.fill_between(days, lowest, highest, alpha=0.15, label="95 %", **band)
        axes.fill_between(days, low, high, alpha=0.3, label="80 %", **band)
    axes.plot(days, mean, color=EXPECTED, linewidth=1.4, label="expected")
