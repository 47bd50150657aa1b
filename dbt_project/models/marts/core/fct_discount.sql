-- Grain: one row per line of a receipt or order and discount on it
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_sales__touched_days') }}",
    )
}}

{%- set of_line = [
    'transaction_key', 'sender', 'receipt_id', 'line_number', 'business_date', 'date_key',
    'store_key', 'store_durable_key', 'product_key', 'product_durable_key', 'customer_key',
    'customer_durable_key', 'channel_key', 'currency_code', 'exchange_rate',
] %}

-- depends_on: {{ ref('int_sales__touched_days') }}

with

lines as (
    select
        sales_line_key,
        {%- for column in of_line %}
        {{ column }},
        {%- endfor %}
        promotion_key,
        coupon_code,
        discount_amount,
        batch_id
    from {{ ref('fct_sales_line') }}
    where {{ is_of_touched_day('business_date') }}
),

detailed as (
    select
        sales_line_key,
        discount_number,
        discount_type,
        promotion_key,
        coupon_code,
        reason_key,
        is_allocated,
        amount,
        points,
        batch_id
    from {{ ref('int_sales__discounts_allocated') }}
    where {{ is_of_touched_day('business_date') }}
),

explained as (
    select
        sales_line_key,
        sum(amount) as amount
    from detailed
    group by sales_line_key
),

discounts as (
    select
        sales_line_key,
        discount_number,
        discount_type,
        promotion_key,
        coupon_code,
        reason_key,
        is_allocated,
        amount,
        points,
        batch_id
    from detailed

    union all

    -- A line without details says itself what its discount was; beside details nobody says it.
    select
        lines.sales_line_key,
        cast(null as integer) as discount_number,
        case
            when explained.sales_line_key is not null then 'not_detailed'
            when lines.coupon_code is not null then 'coupon'
            when lines.promotion_key != -2 then 'promotion'
            else 'not_detailed'
        end as discount_type,
        case when explained.sales_line_key is null then lines.promotion_key else -2 end
            as promotion_key,
        case when explained.sales_line_key is null then lines.coupon_code end as coupon_code,
        -2 as reason_key,
        false as is_allocated,
        lines.discount_amount - coalesce(explained.amount, 0) as amount,
        cast(null as integer) as points,
        lines.batch_id
    from lines
    left join explained on lines.sales_line_key = explained.sales_line_key
    where lines.discount_amount != coalesce(explained.amount, 0)
),

valued as (
    select
        {{ surrogate_key(["'discount'", 'lines.sales_line_key', 'discounts.discount_number']) }}
            as discount_key,
        lines.sales_line_key,
        {%- for column in of_line %}
        lines.{{ column }},
        {%- endfor %}
        discounts.promotion_key,
        discounts.reason_key,
        discounts.discount_number,
        discounts.discount_type,
        discounts.coupon_code,
        discounts.is_allocated,
        cast(discounts.amount as decimal(18, 4)) as amount,
        discounts.points,
        {{ reporting_amount('discounts.amount', 'lines.exchange_rate') }} as amount_reporting,
        discounts.batch_id
    from lines
    inner join discounts on lines.sales_line_key = discounts.sales_line_key
    order by lines.business_date
)

select * from valued
