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

{%- set visitor = 'store_durable_key, visitor_token' %}
{%- set in_order = 'order by occurred_at, web_event_key' %}
{%- set identifier_columns = {'member': 'member_number_token', 'visitor': 'visitor_token'} %}

-- depends_on: {{ ref('int_web__touched_days') }}

with

-- A visit goes on over midnight: what is not written again tells which one its last events are in.
candidates as (
    select
        web_event_key,
        store_durable_key,
        visitor_token,
        business_date,
        occurred_at,
        cast(null as bigint) as known_session_key
    from {{ ref('int_web__events_dated') }} as events
    where {{ is_of_touched_day('events.business_date', 'int_web__touched_days') }}
    {%- if is_replacing_touched_days() %}

    union all

    select
        stored.web_event_key,
        stored.store_durable_key,
        stored.visitor_token,
        stored.business_date,
        stored.occurred_at,
        stored.session_key as known_session_key
    from {{ this }} as stored
    where
        stored.business_date in (
            select {{ days_after('touched.business_date', '-1') }}
            from {{ ref('int_web__touched_days') }} as touched
        )
    {%- endif %}
),

-- A session ends after 30 minutes of silence.
compared as (
    select
        web_event_key,
        store_durable_key,
        visitor_token,
        business_date,
        occurred_at,
        known_session_key,
        known_session_key is null
        and coalesce(
            occurred_at > lag(occurred_at) over (partition by {{ visitor }} {{ in_order }})
            + interval '30 minutes',
            true
        ) as is_session_start
    from candidates
),

sessions as (
    select
        web_event_key,
        sum(case when is_session_start then 1 else 0 end) over (
            partition by {{ visitor }}, business_date
            {{ in_order }}
            rows between unbounded preceding and current row
        ) as session_id,
        {{ last_stated(
            'case when is_session_start then web_event_key else known_session_key end',
            '(partition by ' ~ visitor ~ ' ' ~ in_order
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
        case when events.page is null then -2 else coalesce(pages.page_key, -1) end as page_key,
        events.page,
        events.search_text,
        events.dwell_seconds,
        events.utm_source,
        case when events.device is null then -2 else coalesce(devices.device_key, -1) end
            as device_key,
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
    left join {{ ref('dim_page') }} as pages
        on events.sender = pages.sender and events.page = pages.page
    left join {{ ref('dim_device') }} as devices
        on lower(events.device) = devices.device_code
    where {{ is_of_touched_day('events.business_date', 'int_web__touched_days') }}
    order by events.business_date
)

select * from web_events
