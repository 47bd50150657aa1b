"""Demand forecasts: what is declared in ``dagster_project/forecasts``, with the errors made."""

from dagster_project.core.forecasting.chart import fan_chart
from dagster_project.core.forecasting.service import (
    ForecastOutcome,
    code_fingerprint,
    forecast_all,
    panel_fingerprint,
    read_all,
)

__all__ = [
    "ForecastOutcome",
    "code_fingerprint",
    "fan_chart",
    "forecast_all",
    "panel_fingerprint",
    "read_all",
]
