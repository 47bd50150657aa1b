"""The figures of the forecasts, read from the published file and from nothing else.

Belongs here: queries over published tables of schema forecast, as plain values. Does not: how a
figure looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from dagster_project.core.reports.figures import has_table


@dataclass(frozen=True)
class FanDay:
    """One day ahead: expected net sales and its intervals."""

    day: date
    mean: float
    p2_5: float
    p10: float
    p90: float
    p97_5: float


@dataclass(frozen=True)
class Accuracy:
    """What the forecasts of one level were wrong by; errors are shares of values."""

    forecast: str
    level: str
    series: int
    wape: float | None  # of all series of the level together
    naive_wape: float | None  # of last week again
    mean_wape: float | None  # of the mean by weekday and promotion
    bias: float | None
    coverage_80: float | None
    model: str  # what most of them use


def forecast_fan(connection: duckdb.DuckDBPyConnection) -> tuple[str, list[FanDay]]:
    """The model and the days ahead of the total; no day where there is no forecast."""
    if not has_table(connection, "forecast", "daily"):
        return "", []
    rows = connection.execute(
        """
        select
            d.model, d.target_date, d.mean_value, d.p2_5_value, d.p10_value, d.p90_value,
            d.p97_5_value,
        from forecast.daily as d
        inner join forecast.series as s on s.series_key = d.series_key
        where s.forecast = 'net_sales' and s.level = 'total' and d.p97_5_value is not null
        order by d.target_date
        """
    ).fetchall()
    return (rows[0][0] if rows else ""), [FanDay(*row[1:]) for row in rows]


def forecast_accuracy(connection: duckdb.DuckDBPyConnection) -> list[Accuracy]:
    """Every level whose back-test is told day by day, the largest figures first."""
    if not has_table(connection, "forecast", "backtest"):
        return []
    rows = connection.execute(
        """
        with errors as (
            select
                series_key,
                model,
                sum(abs(forecast_value - actual_value)) as error,
                sum(forecast_value - actual_value) as surplus,
                sum(abs(actual_value)) as actual,
            from forecast.backtest
            group by series_key, model
        ),
        levels as (
            select
                s.forecast,
                s.level,
                e.model,
                count(*) as series_count,
                sum(e.error) / nullif(sum(e.actual), 0) as wape,
                sum(e.surplus) / nullif(sum(e.actual), 0) as bias,
                avg(s.coverage_80) as coverage_80,
                mode(s.model order by s.model) as used,
            from errors as e
            inner join forecast.series as s on s.series_key = e.series_key
            group by s.forecast, s.level, e.model
        )
        select
            p.forecast, p.level, p.series_count, p.wape, n.wape, w.wape, p.bias, p.coverage_80,
            p.used,
        from levels as p
        left join levels as n
            on n.forecast = p.forecast and n.level = p.level and n.model = 'seasonal_naive'
        left join levels as w
            on w.forecast = p.forecast and w.level = p.level
            and w.model = 'weekday_promotion_mean'
        where p.model = 'published'
        order by p.forecast, p.series_count, p.level
        """
    ).fetchall()
    return [Accuracy(*row) for row in rows]
