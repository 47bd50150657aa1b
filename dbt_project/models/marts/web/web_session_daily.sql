-- Grain: one row per store, business day, source and kind of device
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

sessions as (
    select
        business_date,
        date_key,
        store_durable_key,
        coalesce(utm_source, 'unknown') as utm_source,
        device_key,
        visitor_token,
        customer_durable_key,
        page_count,
        product_view_count,
        search_count,
        order_count,
        duration_seconds,
        is_bounce,
        has_order,
        is_cart_abandoned
    from {{ ref('fct_web_session') }}
    where {{ is_of_touched_day('business_date', 'int_web__touched_session_days') }}
),

summed as (
    select
        business_date,
        date_key,
        store_durable_key,
        utm_source,
        device_key,
        count(*) as session_count,
        count(distinct visitor_token) as visitor_count,
        count(case when customer_durable_key >= 0 then 1 end) as known_session_count,
        count(case when is_bounce then 1 end) as bounce_count,
        count(case when is_cart_abandoned then 1 end) as abandoned_cart_count,
        count(case when has_order then 1 end) as converted_session_count,
        cast(sum(order_count) as bigint) as order_count,
        cast(sum(page_count) as bigint) as page_count,
        cast(sum(product_view_count) as bigint) as product_view_count,
        cast(sum(search_count) as bigint) as search_count,
        sum(duration_seconds) as duration_seconds
    from sessions
    group by business_date, date_key, store_durable_key, utm_source, device_key
),

shared as (
    select
        business_date,
        date_key,
        store_durable_key,
        utm_source,
        device_key,
        session_count,
        visitor_count,
        known_session_count,
        bounce_count,
        abandoned_cart_count,
        converted_session_count,
        order_count,
        page_count,
        product_view_count,
        search_count,
        duration_seconds,
        duration_seconds / session_count as mean_duration_seconds,
        cast(bounce_count as double) / session_count as bounce_share,
        cast(converted_session_count as double) / session_count as conversion_share
    from summed
    order by business_date
)

select * from shared
