-- Grain: one row per promotion, business day and store
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

-- All sales of a store's day, so that a promotion's share is one of everything sold. No names
-- here: they change without touching a day.
summed as (
    select
        lines.business_date,
        lines.date_key,
        lines.store_durable_key,
        lines.promotion_key,
        lines.currency_code,
        count(*) as line_count,
        count(distinct lines.transaction_key) as transaction_count,
        sum(lines.quantity) as quantity,
        sum(lines.list_amount) as list_amount,
        sum(lines.discount_amount) as discount_amount,
        sum(lines.net_amount) as net_amount,
        sum(lines.discount_amount_reporting) as discount_amount_reporting,
        sum(lines.net_amount_reporting) as net_amount_reporting
    from {{ ref('fct_sales_line') }} as lines
    where {{ is_of_touched_day('lines.business_date') }}
    group by
        lines.business_date, lines.date_key, lines.store_durable_key, lines.promotion_key,
        lines.currency_code
),

shared as (
    select
        business_date,
        date_key,
        store_durable_key,
        promotion_key,
        currency_code,
        line_count,
        transaction_count,
        quantity,
        list_amount,
        discount_amount,
        net_amount,
        discount_amount_reporting,
        net_amount_reporting,
        sum(net_amount_reporting) over (partition by business_date, store_durable_key)
            as store_net_amount_reporting
    from summed
),

allocated as (
    select
        {{ surrogate_key([
            "'promotion_allocation'",
            'shared.promotion_key',
            'shared.business_date',
            'shared.store_durable_key',
            'shared.currency_code',
        ]) }} as promotion_allocation_key,
        shared.promotion_key,
        shared.business_date,
        shared.date_key,
        shared.store_durable_key,
        cast(shared.line_count as integer) as line_count,
        cast(shared.transaction_count as integer) as transaction_count,
        cast(shared.quantity as decimal(18, 3)) as quantity,
        cast(shared.list_amount as decimal(18, 4)) as list_amount,
        cast(shared.discount_amount as decimal(18, 4)) as discount_amount,
        cast(shared.net_amount as decimal(18, 4)) as net_amount,
        shared.currency_code,
        cast(shared.discount_amount_reporting as decimal(18, 4)) as discount_amount_reporting,
        cast(shared.net_amount_reporting as decimal(18, 4)) as net_amount_reporting,
        case
            when shared.store_net_amount_reporting > 0
                then
                    cast(shared.net_amount_reporting as double)
                    / shared.store_net_amount_reporting
        end as net_share
    from shared
    where shared.promotion_key != -2
    order by shared.business_date
)

select * from allocated
