with

changed_visitors as (
    select distinct
        store_durable_key,
        visitor_token
    from {{ ref('int_web__events_dated') }} as events
    where batch_id > {{ built_batch_id() }}
),

compared as (
    select
        events.web_event_key,
        events.store_durable_key,
        events.visitor_token,
        events.business_date,
        events.occurred_at,
        events.batch_id > {{ built_batch_id() }} as is_new,
        coalesce(
            events.occurred_at > lag(events.occurred_at) over (
                partition by events.store_durable_key, events.visitor_token
                order by events.occurred_at, events.web_event_key
            ) + interval '30 minutes',
            true
        ) as is_start
    from {{ ref('int_web__events_dated') }} as events
    inner join changed_visitors
        on
            events.store_durable_key = changed_visitors.store_durable_key
            and events.visitor_token = changed_visitors.visitor_token
),

numbered as (
    select
        web_event_key,
        store_durable_key,
        visitor_token,
        business_date,
        is_new,
        sum(case when is_start then 1 else 0 end) over (
            partition by store_durable_key, visitor_token
            order by occurred_at, web_event_key
            rows between unbounded preceding and current row
        ) as visit_number
    from compared
),

followed as (
    select
        web_event_key,
        business_date,
        max(case when is_new then 1 else 0 end) over (
            partition by store_durable_key, visitor_token, visit_number
        ) = 1 as is_changed
    from numbered
)

select * from followed
