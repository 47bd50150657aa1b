with

days as (
    select
        calendar_date,
        date_key,
        calendar_year,
        quarter,
        month_number,
        month_name_en,
        month_name_zh,
        month_name_fa,
        day_of_month,
        day_of_year,
        iso_year,
        iso_week,
        weekday_number,
        weekday_name_en,
        weekday_name_zh,
        weekday_name_fa,
        is_weekend,
        retail_year,
        retail_quarter,
        retail_period,
        retail_week,
        lunar_year,
        lunar_month,
        lunar_day,
        is_lunar_leap_month,
        jalali_year,
        jalali_month,
        jalali_day,
        jalali_month_name_en,
        jalali_month_name_fa,
        is_holiday_us,
        holiday_name_us,
        is_holiday_cn,
        holiday_name_cn,
        is_working_weekend_cn,
        is_holiday_ir,
        holiday_name_ir,
        is_holiday_gb,
        holiday_name_gb,
        comparison_date
    from {{ source('reference', 'calendar') }}
)

select * from days
