with

events as (
    select
        customer_durable_key,
        session_key,
        business_date,
        occurred_at
    from {{ ref('fct_web_event') }}
    where customer_durable_key >= 0
),

summarised as (
    select
        customer_durable_key,
        count(distinct session_key) as web_visit_count,
        max(business_date) as last_web_visit_date,
        max(occurred_at) as last_web_event_at
    from events
    group by customer_durable_key
)

select * from summarised
