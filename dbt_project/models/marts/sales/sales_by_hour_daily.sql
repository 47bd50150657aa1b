-- Grain: one row per business date, store, channel and hour of the local day
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

receipts as (
    select
        transactions.business_date,
        transactions.date_key,
        transactions.store_durable_key,
        transactions.channel_key,
        times.hour as hour_of_day,
        transactions.transaction_type,
        transactions.quantity,
        transactions.net_amount_reporting,
        transactions.duration_seconds
    from {{ ref('fct_transaction') }} as transactions
    inner join {{ ref('dim_time_of_day') }} as times
        on transactions.time_of_day_key = times.time_of_day_key
    where transactions.is_sale and {{ is_of_touched_day('transactions.business_date') }}
),

summed as (
    select
        business_date,
        date_key,
        store_durable_key,
        channel_key,
        cast(hour_of_day as integer) as hour_of_day,
        count(*) as receipts,
        count(*) filter (where transaction_type != 'return') as baskets,
        cast(sum(quantity) as decimal(18, 3)) as units,
        cast(sum(net_amount_reporting) as decimal(18, 4)) as net_sales_amount_reporting,
        cast(sum(duration_seconds) as bigint) as service_seconds
    from receipts
    group by business_date, date_key, store_durable_key, channel_key, hour_of_day
    order by business_date
)

select * from summed
