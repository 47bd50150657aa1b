"""Demand forecasts: what is declared in ``dagster_project/forecasts``, with the errors made."""

from dagster_project.core.forecasting.chart import fan_chart
from dagster_project.core.forecasting.service import (
    ForecastOutcome,
    forecast_all,
    panel_fingerprint,
    read_all,
)

__all__ = ["ForecastOutcome", "fan_chart", "forecast_all", "panel_fingerprint", "read_all"]
