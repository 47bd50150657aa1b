{{ config(materialized='table') }}

with

zones as (
    select distinct time_zone
    from {{ ref('dim_store') }} as stores
),

midnights as (
    select
        zones.time_zone,
        cast(calendar_days.calendar_date as timestamp) at time zone 'UTC' as midnight_at
    from zones
    cross join {{ ref('stg_reference__calendar_days') }} as calendar_days
),

days as (
    select
        time_zone,
        midnight_at,
        {{ utc_day_number('midnight_at') }} as utc_day_number,
        {{ offset_seconds('midnight_at', 'time_zone') }} as offset_before_seconds,
        {{ offset_seconds("midnight_at + interval '1 day'", 'time_zone') }} as offset_after_seconds
    from midnights
),

quarters as (
    {{ number_series(97) }}
),

-- Clocks change at a quarter of an hour somewhere within these days.
changes as (
    select
        days.time_zone,
        days.utc_day_number,
        min(days.midnight_at + to_minutes(15 * quarters.number)) as changed_at
    from days
    cross join quarters
    where
        days.offset_before_seconds != days.offset_after_seconds
        and quarters.number > 0
        and {{ offset_seconds(
            'days.midnight_at + to_minutes(15 * quarters.number)', 'days.time_zone'
        ) }} = days.offset_after_seconds
    group by days.time_zone, days.utc_day_number
),

-- Where clocks go back, the wall shows the time before and after the change twice.
repeats as (
    select
        changes.time_zone,
        changes.changed_at
        - to_seconds(days.offset_before_seconds - days.offset_after_seconds) as repeated_from_at,
        changes.changed_at
        + to_seconds(days.offset_before_seconds - days.offset_after_seconds) as repeated_to_at
    from changes
    inner join days
        on changes.time_zone = days.time_zone and changes.utc_day_number = days.utc_day_number
    where days.offset_before_seconds > days.offset_after_seconds
),

offsets as (
    select
        days.time_zone,
        days.utc_day_number,
        days.offset_before_seconds,
        days.offset_after_seconds,
        changes.changed_at,
        repeats.repeated_from_at,
        repeats.repeated_to_at
    from days
    left join changes
        on days.time_zone = changes.time_zone and days.utc_day_number = changes.utc_day_number
    left join repeats
        on
            days.time_zone = repeats.time_zone
            and days.midnight_at < repeats.repeated_to_at
            and days.midnight_at + interval '1 day' > repeats.repeated_from_at
)

select * from offsets
