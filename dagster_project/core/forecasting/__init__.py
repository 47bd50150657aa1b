"""Demand forecasts: daily net sales, 28 days ahead, with the errors such forecasts have made."""

from dagster_project.core.forecasting.chart import fan_chart
from dagster_project.core.forecasting.service import (
    ForecastOutcome,
    forecast_sales,
    panel_fingerprint,
)

__all__ = ["ForecastOutcome", "fan_chart", "forecast_sales", "panel_fingerprint"]
