-- Grain: one row per store, till, step and week
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='week_start_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_weeks('int_sales__touched_days') }}",
    )
}}

-- depends_on: {{ ref('int_sales__touched_days') }}

with

steps as (
    select
        {{ week_start('business_date') }} as week_start_date,
        store_durable_key,
        terminal_durable_key,
        step_code,
        duration_seconds,
        coalesce(has_error, false) as has_error,
        coalesce(has_override, false) as has_override
    from {{ ref('fct_pos_step') }}
    where {{ is_of_touched_week('business_date', 'int_sales__touched_days') }}
),

summed as (
    select
        week_start_date,
        store_durable_key,
        terminal_durable_key,
        step_code,
        count(*) as step_count,
        avg(duration_seconds) as mean_seconds,
        percentile_cont(0.9) within group (order by duration_seconds) as p90_seconds,
        count(case when has_error then 1 end) as error_count,
        count(case when has_override then 1 end) as override_count
    from steps
    group by week_start_date, store_durable_key, terminal_durable_key, step_code
),

shared as (
    select
        week_start_date,
        {{ date_key('week_start_date') }} as week_start_date_key,
        store_durable_key,
        terminal_durable_key,
        step_code,
        step_count,
        mean_seconds,
        p90_seconds,
        error_count,
        override_count,
        cast(error_count as double) / step_count as error_share,
        cast(override_count as double) / step_count as override_share
    from summed
    order by week_start_date
)

select * from shared
