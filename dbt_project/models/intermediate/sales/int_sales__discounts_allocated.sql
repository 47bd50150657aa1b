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

lines as (
    select
        business_date,
        transaction_key,
        sales_line_key,
        line_number,
        list_amount,
        discount_amount
    from {{ ref('fct_sales_line') }}
    where {{ is_of_touched_day('business_date') }}
),

stated as (
    select
        headers.business_date,
        headers.transaction_key,
        discounts.discount_number,
        discounts.line_number,
        discounts.discount_type,
        discounts.promotion_key,
        discounts.coupon_code,
        discounts.reason_key,
        discounts.amount,
        discounts.points,
        discounts.batch_id
    from {{ ref('int_sales__headers_resolved') }} as headers
    inner join {{ ref('int_sales__discounts_stated') }} as discounts
        on {{ receipt_reference('headers') }} = {{ receipt_reference('discounts') }}
    where {{ is_of_touched_day('headers.business_date') }}
),

on_lines as (
    select
        lines.sales_line_key,
        lines.transaction_key,
        stated.discount_number,
        stated.amount,
        stated.points
    from stated
    inner join lines
        on
            stated.transaction_key = lines.transaction_key
            and stated.line_number = lines.line_number
),

wholes as (
    select
        transaction_key,
        0 as scope,
        discount_number as whole_number,
        amount,
        points
    from stated
    where line_number is null
),

-- What a line states beyond its own details is its part of the discounts on the whole receipt.
openings as (
    select
        lines.transaction_key,
        0 as scope,
        lines.sales_line_key,
        lines.line_number,
        lines.discount_amount - coalesce(sum(on_lines.amount), 0) as open_amount,
        lines.list_amount as fallback_amount
    from lines
    left join on_lines on lines.sales_line_key = on_lines.sales_line_key
    where lines.transaction_key in (select wholes.transaction_key from wholes)
    group by
        lines.transaction_key, lines.sales_line_key, lines.line_number, lines.discount_amount,
        lines.list_amount
),

shares as (
    {{ allocated('wholes', 'openings') }}
),

detailed as (
    select
        sales_line_key,
        transaction_key,
        discount_number,
        amount,
        points
    from on_lines

    union all

    -- Points cannot be split to the cent: they stand with the first line.
    select
        shares.sales_line_key,
        shares.transaction_key,
        shares.whole_number as discount_number,
        shares.amount,
        case when shares.is_first then wholes.points end as points
    from shares
    inner join wholes
        on
            shares.transaction_key = wholes.transaction_key
            and shares.whole_number = wholes.whole_number
    where shares.amount != 0 or shares.is_first
),

allocated as (
    select
        stated.business_date,
        detailed.transaction_key,
        detailed.sales_line_key,
        detailed.discount_number,
        stated.discount_type,
        stated.promotion_key,
        stated.coupon_code,
        stated.reason_key,
        stated.line_number is null as is_allocated,
        detailed.amount,
        detailed.points,
        stated.batch_id
    from detailed
    inner join stated
        on
            detailed.transaction_key = stated.transaction_key
            and detailed.discount_number = stated.discount_number
    order by stated.business_date
)

select * from allocated
