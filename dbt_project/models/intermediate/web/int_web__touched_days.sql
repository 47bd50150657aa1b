{{ config(materialized='table') }}

{%- set stored = stored_table('core', 'fct_web_event') %}

-- depends_on: {{ ref('dim_product') }}, {{ ref('dim_customer') }}

with

changed_stores as (
    select
        sender,
        store_code,
        valid_from_at,
        valid_to_at
    from {{ ref('dim_store') }}
    where changed_batch_id > {{ built_batch_id() }}
),

changed_identifiers as (
    select
        sender,
        identifier_kind,
        identifier_token
    from {{ ref('stg_identity__person_identifiers') }}
    where changed_batch_id > {{ built_batch_id() }}
),

touched_events as (
    select
        web_event_key,
        business_date
    from {{ ref('int_web__events_dated') }} as events
    where batch_id > {{ built_batch_id() }}

    union

    select
        events.web_event_key,
        events.business_date
    from {{ ref('int_web__events_dated') }} as events
    inner join changed_stores
        on
            events.sender = changed_stores.sender
            and events.store_code = changed_stores.store_code
            and events.occurred_at >= changed_stores.valid_from_at
            and events.occurred_at < changed_stores.valid_to_at
    {%- for kind, column in {'member': 'member_number_token', 'visitor': 'visitor_token'}.items() %}

    union

    select
        events.web_event_key,
        events.business_date
    from {{ ref('int_web__events_dated') }} as events
    inner join changed_identifiers
        on
            changed_identifiers.identifier_kind = '{{ kind }}'
            and events.sender = changed_identifiers.sender
            and events.{{ column }} = changed_identifiers.identifier_token
    {%- endfor %}

    union

    select
        events.web_event_key,
        events.business_date
    from {{ ref('int_web__events_dated') }} as events
    inner join {{ ref('int_sales__touched_receipts') }} as touched_receipts
        on
            touched_receipts.template = 'web_order'
            and events.sender = touched_receipts.sender
            and events.order_id = touched_receipts.receipt_id
),

days as (
    select business_date
    from touched_events

    union

    -- A new event may begin, prolong or join visits that reach into other days.
    select visits.business_date
    from {{ ref('int_web__visits_followed') }} as visits
    where visits.is_changed
    {%- if stored %}

    union

    select stored.business_date
    from {{ stored }} as stored
    inner join touched_events on stored.web_event_key = touched_events.web_event_key

    union

    -- One that moved away leaves a visit that may fall apart.
    select stored.business_date
    from {{ stored }} as stored
    inner join {{ stored }} as moved on stored.session_key = moved.session_key
    inner join touched_events on moved.web_event_key = touched_events.web_event_key

    union
    {{ days_of_changed('dim_product', 'product_durable_key', stored, 'occurred_at') }}

    union
    {{ days_of_changed('dim_customer', 'customer_durable_key', stored, 'occurred_at') }}
    {%- endif %}
    {{- days_still_to_write() }}
),

touched_days as (
    select
        business_date,
        {{ built_batch_id() }} as since_batch_id
    from days
    where {{ 'false' if replaces_all_days() else 'true' }}
)

select * from touched_days
