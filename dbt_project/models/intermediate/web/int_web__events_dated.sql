with

at_stores as (
    select
        events.record_key as web_event_key,
        events.sender,
        events.event_id,
        events.store_code,
        events.visitor_id_token as visitor_token,
        events.member_number_token,
        events.occurred_at,
        events.event_type,
        events.page,
        events.product_code,
        events.search_text,
        events.dwell_seconds,
        events.utm_source,
        events.device,
        events.order_id,
        events.batch_id,
        {{ utc_day_number('events.occurred_at') }} as utc_day_number,
        coalesce(stores.store_key, -1) as store_key,
        coalesce(stores.store_durable_key, -1) as store_durable_key,
        coalesce(stores.time_zone, 'UTC') as time_zone,
        coalesce(stores.cut_off_hour, 0) as cut_off_hour
    from {{ ref('stg_web_event__events') }} as events
    left join {{ ref('dim_store') }} as stores
        on
            events.sender = stores.sender
            and events.store_code = stores.store_code
            and events.occurred_at >= stores.valid_from_at
            and events.occurred_at < stores.valid_to_at
),

on_the_wall as (
    select
        at_stores.web_event_key,
        at_stores.sender,
        at_stores.event_id,
        at_stores.store_code,
        at_stores.visitor_token,
        at_stores.member_number_token,
        at_stores.occurred_at,
        {{ wall_clock('at_stores', 'occurred_at') }} as occurred_at_local,
        at_stores.event_type,
        at_stores.page,
        at_stores.product_code,
        at_stores.search_text,
        at_stores.dwell_seconds,
        at_stores.utm_source,
        at_stores.device,
        at_stores.order_id,
        at_stores.store_key,
        at_stores.store_durable_key,
        at_stores.cut_off_hour,
        at_stores.batch_id
    from at_stores
    left join {{ ref('int_sales__offsets_dated') }} as offsets
        on
            at_stores.time_zone = offsets.time_zone
            and at_stores.utc_day_number = offsets.utc_day_number
),

dated as (
    select
        web_event_key,
        sender,
        event_id,
        store_code,
        visitor_token,
        member_number_token,
        occurred_at,
        occurred_at_local,
        {{ business_date('occurred_at_local', 'cut_off_hour') }} as business_date,
        event_type,
        page,
        product_code,
        search_text,
        dwell_seconds,
        utm_source,
        device,
        order_id,
        store_key,
        store_durable_key,
        batch_id
    from on_the_wall
)

select * from dated
