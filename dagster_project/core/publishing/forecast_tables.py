"""What the forecast tables hold, column by column.

Belongs here: descriptions of tables that Python writes and dbt therefore cannot describe. Does
not: the tables themselves (``forecasting``). Every column here is internal: amounts of a total,
a channel, a department or a store, never of a person.
"""

from __future__ import annotations

from collections.abc import Mapping

SERIES = "Which series, as in forecast.series."
MODEL = "What made the forecast: prophet, seasonal_naive or weekday_promotion_mean."
ORIGIN = "Last day whose sales the forecast knew."
TARGET = "Business day the forecast is for."
HORIZON = "Days from origin to target, 1 to 28."

# table → (description, column → description)
FORECAST_TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "series": (
        "One row per series that is forecast: the total, a channel, a department or a store.",
        {
            "series_key": "Key of the series, derived from level and member.",
            "level": "total, channel, department or store.",
            "member_code": "Code of the channel, department or store.",
            "member_name": "Its name as people say it.",
            "banner": "Brand over the door; empty where the series spans banners.",
            "first_date": "First business day with sales.",
            "last_date": "Last business day with sales.",
            "day_count": "Business days of history.",
        },
    ),
    "daily": (
        "One row per series, model and day ahead: expected net sales in the reporting currency.",
        {
            "series_key": SERIES,
            "origin_date": ORIGIN,
            "target_date": TARGET,
            "horizon_days": HORIZON,
            "model": MODEL,
            "mean_amount": "Expected net sales.",
            "p10_amount": "Lower end of the 80 % interval.",
            "p90_amount": "Upper end of the 80 % interval.",
            "p2_5_amount": "Lower end of the 95 % interval.",
            "p97_5_amount": "Upper end of the 95 % interval.",
        },
    ),
    "backtest": (
        "One row per series, origin, day and model of the rolling back-test.",
        {
            "series_key": SERIES,
            "origin_date": ORIGIN,
            "target_date": TARGET,
            "horizon_days": HORIZON,
            "model": MODEL,
            "actual_amount": "Net sales that came, in the reporting currency.",
            "forecast_amount": "Net sales that were expected.",
            "p10_amount": "Lower end of the 80 % interval.",
            "p90_amount": "Upper end of the 80 % interval.",
        },
    ),
    "accuracy": (
        "One row per series and model: how well the back-test went.",
        {
            "series_key": SERIES,
            "model": MODEL,
            "window_count": "Origins that were tried.",
            "wape": "Σ |actual − forecast| ÷ Σ actual; 0 is perfect.",
            "bias": "Σ (forecast − actual) ÷ Σ actual; above 0 is too high.",
            "coverage_80": "Share of days inside the 80 % interval; .80 is right.",
            "is_chosen": "Whether forecasts of this series come from this model.",
            "reason": "Why it was chosen or not.",
        },
    ),
}
