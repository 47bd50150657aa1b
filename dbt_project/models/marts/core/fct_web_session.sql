-- Grain: one row per visit of a web shop or app
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

began as (
    select events.session_key
    from {{ ref('fct_web_event') }} as events
    where
        events.web_event_key = events.session_key
        and {{ is_of_touched_day('events.business_date', 'int_web__touched_session_days') }}
),

in_order as (
    select
        events.session_key,
        events.web_event_key,
        events.sender,
        events.business_date,
        events.date_key,
        events.time_of_day_key,
        events.occurred_at,
        events.store_key,
        events.store_durable_key,
        events.customer_key,
        events.customer_durable_key,
        events.transaction_key,
        events.visitor_token,
        events.event_type,
        events.page_key,
        events.page,
        events.dwell_seconds,
        events.utm_source,
        events.device_key,
        events.batch_id,
        row_number() over (
            partition by events.session_key
            order by events.occurred_at, events.web_event_key
        ) as event_number,
        row_number() over (
            partition by events.session_key
            order by events.occurred_at desc, events.web_event_key desc
        ) as number_from_end,
        -- The last event that tells who it is decides: people log in on the way.
        row_number() over (
            partition by events.session_key
            order by
                case when events.customer_durable_key >= 0 then 0 else 1 end,
                events.occurred_at desc,
                events.web_event_key desc
        ) as number_of_customer
    from {{ ref('fct_web_event') }} as events
    inner join began on events.session_key = began.session_key
),

-- The event a session begins with gives its key, day, shop and source.
sessions as (
    select
        session_key as web_session_key,
        min(sender) as sender,
        max(case when event_number = 1 then business_date end) as business_date,
        max(case when event_number = 1 then date_key end) as date_key,
        max(case when event_number = 1 then time_of_day_key end) as time_of_day_key,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        max(case when event_number = 1 then store_key end) as store_key,
        max(case when event_number = 1 then store_durable_key end) as store_durable_key,
        max(case when number_of_customer = 1 then customer_key end) as customer_key,
        max(case when number_of_customer = 1 then customer_durable_key end)
            as customer_durable_key,
        max(case when event_number = 1 then page_key end) as landing_page_key,
        max(case when number_from_end = 1 then page_key end) as exit_page_key,
        max(case when event_number = 1 then device_key end) as device_key,
        -- Where it made several orders, the key of one of them; -2 where it made none.
        max(transaction_key) as transaction_key,
        min(visitor_token) as visitor_token,
        max(case when event_number = 1 then utm_source end) as utm_source,
        cast(count(*) as integer) as event_count,
        cast(count(distinct page) as integer) as page_count,
        cast(count(case when event_type = 'product_view' then 1 end) as integer)
            as product_view_count,
        cast(count(case when event_type = 'search' then 1 end) as integer) as search_count,
        cast(count(case when event_type = 'add_to_cart' then 1 end) as integer)
            as add_to_cart_count,
        cast(count(case when event_type = 'checkout' then 1 end) as integer) as checkout_count,
        cast(count(case when event_type = 'purchase' then 1 end) as integer) as order_count,
        {{ seconds_between('min(occurred_at)', 'max(occurred_at)') }} as duration_seconds,
        coalesce(sum(dwell_seconds), 0) as dwell_seconds,
        count(*) = 1 as is_bounce,
        count(case when event_type = 'purchase' then 1 end) > 0 as has_order,
        count(case when event_type in ('add_to_cart', 'checkout') then 1 end) > 0
        and count(case when event_type = 'purchase' then 1 end) = 0 as is_cart_abandoned,
        max(batch_id) as batch_id
    from in_order
    group by session_key
    order by max(case when event_number = 1 then business_date end)
)

select * from sessions
