"""What the forecast tables hold, column by column.

Belongs here: descriptions of tables that Python writes and dbt therefore cannot describe. Does
not: the tables themselves (``forecasting``). Every column here is internal: values of a total, a
channel, a category, a store or a product, never of a person.
"""

from __future__ import annotations

from collections.abc import Mapping

SERIES = "Which series, as in forecast.series."
MODEL = "Name of the model, as blend, prophet, boosted, weekday_promotion_mean or seasonal_naive."
ORIGIN = "Last business day whose values the forecast knew."
TARGET = "Business day the forecast is for."
HORIZON = "Days from origin to target, from 1."
OF_PUBLISHED = "of what would have been published at the past origins, its sums agreed"

# table → (description, column → description)
FORECAST_TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "series": (
        "One row per series that is forecast: what it is of, what became of it, how good it is.",
        {
            "series_key": "Key of the series: the forecast, then level and member.",
            "forecast": "Name of the declared forecast: net_sales, units and so on.",
            "level": "What the series is cut by: total, channel, store, product and so on.",
            "member_code": "Code of the member, as of a store; two codes where two cut it.",
            "member_name": "Its name as people say it.",
            "banner": "Brand over the door; empty where the series spans banners.",
            "first_date": "First business day with a value.",
            "last_date": "Last complete business day.",
            "day_count": "Business days with a value from first to last.",
            "demand_class": "smooth, erratic, intermittent or lumpy; none where nothing sold.",
            "status": (
                "forecast, short (too little history to judge it), all_zero (never sold: 0), "
                "stale (an older forecast is kept) or failed (none to keep)."
            ),
            "model": "What made the forecast in forecast.daily.",
            "reason": "Why this model, and where the series alone would have chosen another.",
            "origin_date": "Last business day that forecast knew.",
            "forecast_age_days": "Days from origin_date to last_date; 0 for a fresh forecast.",
            "error": "Why the last run has no forecast for the series.",
            "window_count": "Past origins at which it was judged.",
            "wape": f"Sum of absolute errors as a share of values, {OF_PUBLISHED}.",
            "bias": "Sum of forecast less actual as a share of values; above 0 is too high.",
            "rmsse": "Root mean squared error over that of yesterday again in the history.",
            "coverage_80": "Share of days inside the 80 % interval; .80 is right, more where days "
            "without a sale are usual: a lower limit of 0 holds them all.",
            "coverage_95": "Share of days inside the 95 % interval; .95 is right, or more.",
            "value_added_naive": "1 less wape over the wape of last week's values again.",
            "value_added_naive_14": "1 less wape over the wape of the last fortnight again.",
            "value_added_weekday": "1 less wape over the wape of the weekday by promotion mean.",
            "unit": "Unit of every value: reporting_currency, units or tickets.",
            "currency_code": "The reporting currency, where the unit is that.",
        },
    ),
    "actual": (
        "One row per series and business day with a value, of levels of up to 1,000 series.",
        {
            "series_key": SERIES,
            "business_date": "Business day.",
            "actual_value": "What was sold, in the unit of the series.",
        },
    ),
    "daily": (
        "One row per series and day ahead: what is expected, in the unit of the series.",
        {
            "series_key": SERIES,
            "origin_date": ORIGIN,
            "target_date": TARGET,
            "horizon_days": HORIZON,
            "model": MODEL,
            "mean_value": "Expected value; children add up to their parents on every day.",
            "p2_5_value": "Lower end of the 95 % interval; empty where no error is known.",
            "p10_value": "Lower end of the 80 % interval.",
            "p50_value": "As likely to be exceeded as not.",
            "p90_value": "Upper end of the 80 % interval.",
            "p97_5_value": "Upper end of the 95 % interval.",
            "is_closed": "Whether the day is known to be closed; its values are 0.",
        },
    ),
    "backtest": (
        "One row per series, model, past origin and judged day, of levels of up to 1,000 series.",
        {
            "series_key": SERIES,
            "origin_date": ORIGIN,
            "target_date": TARGET,
            "horizon_days": HORIZON,
            "model": "published, weekday_promotion_mean or seasonal_naive.",
            "actual_value": "What came, in the unit of the series.",
            "forecast_value": "What was expected.",
        },
    ),
    "accuracy": (
        "One row per series and model that was tried: how well its back-test went.",
        {
            "series_key": SERIES,
            "model": MODEL,
            "window_count": "Past origins at which it was judged.",
            "day_count": "Judged days in all windows.",
            "wape": "Sum of absolute errors as a share of values; 0 is perfect.",
            "bias": "Sum of forecast less actual as a share of values; above 0 is too high.",
            "rmsse": "Root mean squared error over that of yesterday again in the history.",
            "is_chosen": "Whether the series' segment uses this model.",
        },
    ),
    "replenishment": (
        "One row per store and product that is forecast: how much stock its errors ask for.",
        {
            "series_key": SERIES,
            "origin_date": ORIGIN,
            "lead_days": "Days from order to shelf.",
            "review_days": "Days from one order to the next.",
            "service_level": "Share of the units asked for that are to be sold from the shelf.",
            "lead_demand_quantity": "Units expected in the lead time.",
            "protected_demand_quantity": "Units expected in lead time and review period.",
            "safety_stock_quantity": "Order-up-to level less the protected demand, in units.",
            "reorder_point_quantity": (
                "Where stock is looked at every day: order at or below it, in whole units."
            ),
            "order_up_to_quantity": (
                "Where orders are placed every review period: what stock and orders on their "
                "way are filled up to, in whole units."
            ),
        },
    ),
}
