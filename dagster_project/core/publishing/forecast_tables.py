"""What the forecast tables hold, column by column.

Belongs here: descriptions of tables that Python writes and dbt therefore cannot describe. Does
not: the tables themselves (``forecasting``). Every column here is internal: amounts of a total,
a channel, a department or a store, never of a person.
"""

from __future__ import annotations

from collections.abc import Mapping

SERIES = "Which series, as in forecast.series."
MODEL = (
    "What made the forecast: prophet, prophet_with_weekday_promotion_mean, "
    "weekday_promotion_mean or seasonal_naive."
)
ORIGIN = "Last business day whose sales the forecast knew."
TARGET = "Business day the forecast is for."
HORIZON = "Days from origin to target, 1 to 28."

# table → (description, column → description)
FORECAST_TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "series": (
        "One row per series of daily net sales that is forecast: the total, a banner, a channel, "
        "a department or a store.",
        {
            "series_key": "Key of the series, made of level and member.",
            "level": "total, banner, channel, department or store.",
            "member_code": "Code of the banner, channel, department or store.",
            "member_name": "Its name as people say it.",
            "banner": "Brand over the door; empty where the series spans banners.",
            "first_date": "First business day with sales.",
            "last_date": "Last complete business day.",
            "day_count": "Business days with trade from first to last.",
            "status": "forecast, stale (an older forecast is kept) or failed (none to keep).",
            "model": "What made the forecast in forecast.daily.",
            "origin_date": "Last business day that forecast knew.",
            "forecast_age_days": "Days from origin_date to last_date; 0 for a fresh forecast.",
            "error": "Why the last run has no forecast for the series.",
            "currency_code": "Currency of every amount of the series: the reporting currency.",
        },
    ),
    "actual": (
        "One row per series and business day with trade.",
        {
            "series_key": SERIES,
            "business_date": "Business day.",
            "net_amount": "Net sales in the reporting currency.",
        },
    ),
    "daily": (
        "One row per series and day ahead: expected net sales in the reporting currency.",
        {
            "series_key": SERIES,
            "origin_date": ORIGIN,
            "target_date": TARGET,
            "horizon_days": HORIZON,
            "model": MODEL,
            "mean_amount": "Expected net sales.",
            "p2_5_amount": "Lower end of the 95 % interval.",
            "p10_amount": "Lower end of the 80 % interval.",
            "p90_amount": "Upper end of the 80 % interval.",
            "p97_5_amount": "Upper end of the 95 % interval.",
            "is_closed": "Whether the day is known to be closed; its amounts are 0.",
        },
    ),
    "backtest": (
        "One row per series, model, origin and traded day of the rolling back-test.",
        {
            "series_key": SERIES,
            "origin_date": ORIGIN,
            "target_date": TARGET,
            "horizon_days": HORIZON,
            "model": MODEL,
            "actual_amount": "Net sales that came, in the reporting currency.",
            "forecast_amount": "Net sales that were expected.",
        },
    ),
    "accuracy": (
        "One row per series and model: how well its back-test went.",
        {
            "series_key": SERIES,
            "model": MODEL,
            "window_count": "Origins that were tried.",
            "day_count": "Traded days in all windows.",
            "wape": "Sum of absolute errors as a share of sales; 0 is perfect.",
            "bias": "Sum of forecast less actual as a share of sales; above 0 is too high.",
            "coverage_80": "Share of days inside the 80 % interval; .80 is right.",
            "coverage_95": "Share of days inside the 95 % interval; .95 is right.",
            "value_added_naive": "1 less wape over the wape of last week's sales again.",
            "value_added_weekday": "1 less wape over the wape of the weekday by promotion mean.",
            "is_chosen": "Whether forecasts of the series come from this model.",
            "reason": "Why it was chosen or not.",
        },
    ),
}
