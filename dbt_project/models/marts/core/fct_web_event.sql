-- Grain: one row per event of a visitor of a web shop or app
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='business_date',
        on_schema_change='fail',
        pre_hook="{{ clear_touched_days('int_web__touched_days') }}",
    )
}}

{%- set visitor = 'sender, store_code, visitor_token, business_date' %}
{%- set identifier_columns = {'member': 'member_number_token', 'visitor': 'visitor_token'} %}

-- depends_on: {{ ref('int_web__touched_days') }}

with

-- A session ends after 30 minutes of silence, and with the business day.
compared as (
    select
        web_event_key,
        sender,
        store_code,
        visitor_token,
        business_date,
        occurred_at,
        coalesce(
            occurred_at > lag(occurred_at) over (
                partition by {{ visitor }}
                order by occurred_at, web_event_key
            ) + interval '30 minutes',
            true
        ) as is_session_start
    from {{ ref('int_web__events_dated') }} as events
    where {{ is_of_touched_day('events.business_date', 'int_web__touched_days') }}
),

sessions as (
    select
        web_event_key,
        sum(case when is_session_start then 1 else 0 end) over (
            partition by {{ visitor }}
            order by occurred_at, web_event_key
            rows between unbounded preceding and current row
        ) as session_id,
        {{ last_stated(
            'case when is_session_start then web_event_key end',
            '(partition by ' ~ visitor ~ ' order by occurred_at, web_event_key'
            ~ ' rows between unbounded preceding and current row)'
        ) }} as session_key
    from compared
),

web_events as (
    select
        events.web_event_key,
        events.sender,
        events.event_id,
        sessions.session_key,
        cast(sessions.session_id as integer) as session_id,
        case
            when events.order_id is null then -2
            else coalesce(headers.transaction_key, -1)
        end as transaction_key,
        events.business_date,
        {{ date_key('events.business_date') }} as date_key,
        {{ time_of_day_key('events.occurred_at_local') }} as time_of_day_key,
        events.occurred_at,
        events.store_key,
        events.store_durable_key,
        coalesce(customers.customer_key, -1) as customer_key,
        coalesce(customers.customer_durable_key, -1) as customer_durable_key,
        case
            when events.product_code is null then -2
            else coalesce(products.product_key, -1)
        end as product_key,
        case
            when events.product_code is null then -2
            else coalesce(products.product_durable_key, -1)
        end as product_durable_key,
        events.visitor_token,
        events.event_type,
        events.page,
        events.search_text,
        events.dwell_seconds,
        events.utm_source,
        events.device,
        events.batch_id
    from {{ ref('int_web__events_dated') }} as events
    inner join sessions on events.web_event_key = sessions.web_event_key
    {{- person_joins('events', identifier_columns) }}
    left join {{ ref('dim_customer') }} as customers
        on
            {{ first_known_person('events', identifier_columns) }} = customers.customer_durable_key
            and events.occurred_at >= customers.valid_from_at
            and events.occurred_at < customers.valid_to_at
    left join {{ ref('dim_product') }} as products
        on
            events.sender = products.sender
            and events.product_code = products.product_code
            and events.occurred_at >= products.valid_from_at
            and events.occurred_at < products.valid_to_at
    left join {{ ref('int_sales__headers_resolved') }} as headers
        on
            headers.template = 'web_order'
            and events.sender = headers.sender
            and events.order_id = headers.receipt_id
    where {{ is_of_touched_day('events.business_date', 'int_web__touched_days') }}
    order by events.business_date
)

select * from web_events
