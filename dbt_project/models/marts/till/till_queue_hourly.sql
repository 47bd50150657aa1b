-- Grain: one row per store, business day and hour in which a till rang up anything
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_sales__touched_days') }}",
    )
}}

-- depends_on: {{ ref('int_sales__touched_days') }}

with

served as (
    select
        transaction_key,
        sum(duration_seconds) as busy_seconds
    from {{ ref('fct_pos_step') }}
    where {{ is_of_touched_day('business_date') }}
    group by transaction_key
),

-- A customer counts in the hour in which the receipt was closed, with all the time it took.
arrived as (
    select
        transactions.business_date,
        transactions.date_key,
        transactions.store_durable_key,
        transactions.time_of_day_key / 60 as local_hour,
        transactions.terminal_code,
        transactions.transaction_type = 'no_sale' as is_no_sale,
        coalesce(served.busy_seconds, transactions.duration_seconds, 0) as busy_seconds
    from {{ ref('fct_transaction') }} as transactions
    left join served on transactions.transaction_key = served.transaction_key
    where
        transactions.terminal_code is not null
        and {{ is_of_touched_day('transactions.business_date') }}
),

summed as (
    select
        business_date,
        date_key,
        store_durable_key,
        cast(floor(local_hour) as integer) as local_hour,
        count(case when not is_no_sale then 1 end) as arrival_count,
        count(distinct terminal_code) as open_till_count,
        sum(busy_seconds) as busy_seconds
    from arrived
    group by business_date, date_key, store_durable_key, cast(floor(local_hour) as integer)
),

shared as (
    select
        business_date,
        date_key,
        store_durable_key,
        local_hour,
        arrival_count,
        open_till_count,
        cast(busy_seconds as double) as busy_seconds,
        cast(busy_seconds as double) / (open_till_count * 3600) as busy_share,
        case
            when arrival_count > 0 then cast(busy_seconds as double) / arrival_count
        end as mean_service_seconds
    from summed
    order by business_date
)

select * from shared
