-- Grain: one row per store and business day with visits
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_web__touched_session_days') }}",
    )
}}

-- depends_on: {{ ref('int_web__touched_session_days') }}

with

-- Who took a later step has passed the earlier ones, whether the shop noticed them or not.
reached as (
    select
        business_date,
        date_key,
        store_durable_key,
        case
            when order_count > 0 then 4
            when checkout_count > 0 then 3
            when add_to_cart_count > 0 then 2
            when product_view_count > 0 then 1
            else 0
        end as step
    from {{ ref('fct_web_session') }}
    where {{ is_of_touched_day('business_date', 'int_web__touched_session_days') }}
),

counted as (
    select
        business_date,
        date_key,
        store_durable_key,
        count(*) as session_count,
        count(case when step >= 1 then 1 end) as product_session_count,
        count(case when step >= 2 then 1 end) as cart_session_count,
        count(case when step >= 3 then 1 end) as checkout_session_count,
        count(case when step >= 4 then 1 end) as order_session_count
    from reached
    group by business_date, date_key, store_durable_key
),

shared as (
    select
        business_date,
        date_key,
        store_durable_key,
        session_count,
        product_session_count,
        cart_session_count,
        checkout_session_count,
        order_session_count,
        cast(product_session_count as double) / session_count as product_share,
        case
            when product_session_count > 0
                then cast(cart_session_count as double) / product_session_count
        end as product_to_cart_share,
        case
            when cart_session_count > 0
                then cast(checkout_session_count as double) / cart_session_count
        end as cart_to_checkout_share,
        case
            when checkout_session_count > 0
                then cast(order_session_count as double) / checkout_session_count
        end as checkout_to_order_share,
        cast(order_session_count as double) / session_count as order_share
    from counted
    order by business_date
)

select * from shared
